//! Boundary values of the limiter. Each of them was once changed by hand, and no other test failed.

use axum::http::HeaderMap;

use super::{NOON, SECOND, key};
use crate::config::Config;
use crate::keys::Keys;
use crate::limiter::batch::{Answer, Check, Outcome};
use crate::limiter::blocked::{Blocked, BlockedList};
use crate::limiter::gcra::{Decision, Micros, Quota, seconds};
use crate::limiter::headers::append;
use crate::limiter::key::ClientKey;
use crate::limiter::policy::Policy;
use crate::limiter::table::{CellKey, Table};
use crate::limiter::verdict::{Tier, Verdict};
use crate::limiter::wire::{Part, part_of};
use crate::limiter::{Charge, Limiter, Target};
use crate::system::System;
use crate::telemetry::metrics::Metrics;

const BACKOFF: Quota = Quota::Backoff { free: 3, first: SECOND, longest: 900 * SECOND };

/// The state of a client that has come back `times` times, each time as soon as it may, and the time by then.
fn after_attempts(times: usize) -> (Micros, Micros) {
    let (mut state, mut now) = (0, NOON);
    for _ in 0..times {
        now += BACKOFF.decide(state, now).retry_after;
        state = BACKOFF.decide(state, now).state;
    }
    (state, now)
}

#[test]
fn a_delay_stays_the_longest_however_many_attempts_there_were() {
    for times in [20, 62, 63, 64, 65, 200] {
        let (state, now) = after_attempts(times);
        let refused = BACKOFF.decide(state, now);
        assert!(!refused.allowed && seconds(refused.retry_after) == 900, "after {times}: {refused:?}");
    }
}

#[test]
fn a_client_is_remembered_as_long_as_it_is_held_back() {
    let (state, now) = after_attempts(40);
    assert_eq!((state - now) / SECOND, BACKOFF.memory() / SECOND);
    let rate = Quota::Rate { burst: 3, count: 1, period: SECOND };
    assert_eq!((0..9).fold(0, |state, _| rate.decide(state, NOON).state) - NOON, rate.memory());
}

#[test]
fn a_mark_from_ahead_is_no_older_than_its_period() {
    let mark = Quota::Mark { period: 60 * SECOND };
    assert_eq!(mark.clamp(NOON + 3_600 * SECOND, NOON), NOON + 60 * SECOND);
}

#[test]
fn too_little_to_matter_is_no_second() {
    assert_eq!([0, 100, 200, 1_000_000, 1_000_100, 1_000_200].map(seconds), [0, 0, 1, 1, 1, 2]);
}

#[test]
fn a_full_list_drops_the_least_refused() {
    let list = BlockedList::default();
    let refuse = |number: u64| list.record(Policy::Pages, key(number), NOON + SECOND, false);
    for number in 0..64 {
        (0..=u64::from(number != 40)).for_each(|_| refuse(number));
    }
    refuse(64);
    let known: Vec<_> = list.top(NOON).iter().map(|blocked| (blocked.key, blocked.refusals)).collect();
    assert!(known.len() == 64 && known.iter().all(|(known, _)| *known != key(40)), "{known:?}");
    assert!(known.contains(&(key(64), 2)) && known.contains(&(key(0), 2)));
}

#[test]
fn whose_time_is_over_is_no_longer_listed() {
    let list = BlockedList::default();
    list.record(Policy::Pages, key(1), NOON, false);
    list.record(Policy::Pages, key(2), NOON + 1, false);
    assert_eq!(list.top(NOON).iter().map(|blocked| blocked.key).collect::<Vec<_>>(), [key(2)]);
}

#[test]
fn a_client_of_two_nodes_is_a_shadow_where_both_only_count() {
    let of = |shadow: bool, until: Micros| Blocked {
        policy: Policy::Api,
        key: key(1),
        refusals: 2,
        until,
        shadow,
        account: None,
    };
    for (one, other) in [(true, true), (true, false), (false, true), (false, false)] {
        let mut joined = of(one, NOON);
        joined.merge(&of(other, NOON + SECOND));
        assert_eq!(joined, Blocked { refusals: 4, ..of(one && other, NOON + SECOND) });
    }
}

#[test]
fn a_forgotten_client_takes_no_room() {
    let (table, key) = (Table::new(4096), CellKey { set: 7, tag: 9 });
    for _ in 0..3 {
        table.update(key, |_| (NOON, ()));
        assert_eq!(table.used(), 1);
        table.update(key, |_| (0, ()));
        assert_eq!(table.used(), 0);
    }
}

fn refused(waits: &[(Policy, u64)]) -> Verdict {
    let quota = Quota::Rate { burst: 1, count: 1, period: 60 * SECOND };
    let answers = waits.iter().map(|(_, wait)| {
        let (retry_after, reset) = (wait * SECOND, 2 * wait * SECOND);
        let decision = Decision { allowed: false, state: NOON, remaining: 0, retry_after, reset };
        Answer { outcome: Outcome::Refused, decision }
    });
    let check = Check { quota, shadow: false, units: 1, only_if_new: None };
    let charges = waits.iter().map(|(policy, _)| Charge { policy: *policy, key: key(1), check });
    Verdict::new(Tier::Local, NOON, charges.collect(), answers.collect())
}

#[test]
fn of_several_refusals_the_longest_wait_is_told() {
    let verdict = refused(&[(Policy::Pages, 7), (Policy::Network, 40), (Policy::Api, 3)]);
    assert_eq!(verdict.refusal(|| 0).map(|refusal| refusal.retry_after), Some(40));
}

#[test]
fn a_refused_client_is_told_when_there_is_a_unit_again() {
    let mut headers = HeaderMap::new();
    append(refused(&[(Policy::Pages, 7)]).quota_statuses(), &mut headers);
    assert_eq!(headers["ratelimit"], "\"pages\";r=0;t=7");
}

#[test]
fn the_window_of_a_backoff_is_its_longest_delay() {
    let check = Check { quota: BACKOFF, shadow: false, units: 1, only_if_new: None };
    let charge = Charge { policy: Policy::LoginPair, key: key(1), check };
    let answer = Answer { outcome: Outcome::Taken, decision: BACKOFF.peek(0, NOON) };
    let mut headers = HeaderMap::new();
    append(Verdict::new(Tier::Local, NOON, vec![charge], vec![answer]).quota_statuses(), &mut headers);
    assert_eq!(headers["ratelimit-policy"], "\"login-pair\";q=3;w=900");
}

fn charge(policy: Policy, slot: u16, only_if_new: Option<usize>) -> Charge {
    let key = ClientKey { slot, ..key(u64::from(slot)) };
    Charge { policy, key, check: Check { quota: BACKOFF, shadow: false, units: 1, only_if_new } }
}

#[test]
fn a_companion_in_the_same_slot_is_found_there_and_no_other() {
    let charges = [
        charge(Policy::LoginAddress, 1, Some(2)),
        charge(Policy::LoginAccounts, 2, Some(2)),
        charge(Policy::LoginSeen, 2, None),
    ];
    let Part { positions, charges: part } = part_of(&charges, 2);
    assert_eq!((positions, part[0].check.only_if_new), (vec![1, 2], Some(1)));
    assert_eq!(part_of(&charges, 1).charges[0].check.only_if_new, None);
}

#[test]
fn a_companion_is_found_where_a_policy_before_it_is_off() {
    let settings = [format!("--secret-key={}", "07".repeat(32)), "--rate-limit-login-address=off".to_owned()];
    let (config, context) = (Config::parse(settings).unwrap(), System::real());
    let keys = Keys::load(config.key_source(), &context).unwrap();
    let limiter = Limiter::new(&config.rate_limit, &keys, None, &context, &Metrics::new(&context));
    let policies = [Policy::LoginAddress, Policy::LoginAccounts, Policy::LoginSeen, Policy::LoginPair];
    let charges = limiter.charges(1, &policies.map(|policy| Target { policy, key: key(1) }));
    let companion = charges[0].check.only_if_new.map(|at| charges[at].policy);
    assert_eq!((charges.len(), charges[0].policy), (3, Policy::LoginAccounts));
    assert_eq!(companion, Some(Policy::LoginSeen));
}
