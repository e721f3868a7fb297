//! Laws of the algorithm, the table and the clients' ids, for every schedule.

mod addresses;
mod edges;

use proptest::prelude::*;

use super::batch::{Check, Outcome, take};
use super::gcra::{Micros, Quota};
use super::key::{ClientId, ClientKey};
use super::policy::{Policy, Rule};
use super::table::{CellKey, Table};
use super::{Charge, local};

const SECOND: Micros = 1_000_000;
const DAY: i64 = 24 * 3600 * 1_000_000;
const NOON: Micros = 1_700_000_000 * SECOND;

fn rates() -> impl Strategy<Value = Quota> {
    (1..50_u32, 1..50_u32, 1..100_000_u64).prop_map(|(burst, count, period)| Quota::Rate {
        burst,
        count,
        period,
    })
}

fn backoffs() -> impl Strategy<Value = Quota> {
    (1..10_u32, 1..5_000_u64, 1..10_u64).prop_map(|(free, first, times)| Quota::Backoff {
        free,
        first,
        longest: first * times,
    })
}

fn quotas() -> impl Strategy<Value = Quota> {
    prop_oneof![rates(), backoffs(), (1..100_000_u64).prop_map(|period| Quota::Mark { period })]
}

fn in_steps(quota: Quota) -> Quota {
    match quota {
        Quota::Backoff { free, first, longest } => {
            Quota::Backoff { free, first: 64 * first, longest: 64 * longest }
        }
        other => other,
    }
}

#[test]
fn free_attempts_at_one_instant_are_all_free() {
    let quota = Quota::Backoff { free: 5, first: 1_000_000, longest: 900_000_000 };
    for now in NOON..NOON + 64 {
        let mut state = 0;
        let mut tries = || {
            let decision = quota.decide(state, now);
            state = decision.state;
            decision.allowed
        };
        assert_eq!([(); 7].map(|()| tries()), [true, true, true, true, true, false, false], "{now}");
    }
}

/// The times of requests after these pauses, and whether they were allowed.
fn history(quota: Quota, pauses: &[Micros]) -> Vec<(Micros, bool)> {
    let (mut state, mut now) = (0, NOON);
    pauses
        .iter()
        .map(|pause| {
            now += pause;
            let decision = quota.decide(state, now);
            state = decision.state;
            (now, decision.allowed)
        })
        .collect()
}

proptest! {
    #[test]
    fn no_window_holds_more_than_burst_and_pace(quota in rates(), pauses in prop::collection::vec(0..2_000_u64, 1..200)) {
        let Quota::Rate { burst, .. } = quota else { unreachable!() };
        let allowed: Vec<Micros> =
            history(quota, &pauses).into_iter().filter_map(|(at, allowed)| allowed.then_some(at)).collect();
        for (first, from) in allowed.iter().enumerate() {
            for (last, to) in allowed.iter().enumerate().skip(first) {
                let most = u64::from(burst) + (to - from) / quota.interval();
                prop_assert!((last - first + 1) as u64 <= most);
            }
        }
    }

    #[test]
    fn a_refusal_holds_until_the_instant_it_names(quota in prop_oneof![rates(), backoffs()], pauses in prop::collection::vec(0..500_u64, 1..200)) {
        let (mut state, mut now) = (0, NOON);
        for pause in pauses {
            now += pause;
            let decision = quota.decide(state, now);
            state = decision.state;
            prop_assert_eq!(decision.allowed, decision.retry_after == 0);
            if !decision.allowed {
                prop_assert!(!quota.decide(state, now + decision.retry_after - 1).allowed);
                prop_assert!(quota.decide(state, now + decision.retry_after).allowed);
            }
        }
    }

    #[test]
    fn what_remains_is_what_is_allowed_at_once(quota in rates(), ahead in 0..200_000_u64) {
        let mut decision = quota.peek(NOON + ahead, NOON);
        let remaining = decision.remaining;
        for _ in 0..remaining {
            decision = quota.decide(decision.state, NOON);
            prop_assert!(decision.allowed);
        }
        prop_assert!(!quota.decide(decision.state, NOON).allowed);
    }

    #[test]
    fn a_clock_set_back_blocks_no_client_for_longer(quota in quotas(), pauses in prop::collection::vec(0..500_u64, 1..100), back in 0..NOON) {
        let state = pauses.iter().fold((0, NOON), |(state, now), pause| (quota.decide(state, now + pause).state, now + pause)).0;
        let decision = quota.decide(state, NOON - back);
        prop_assert!(decision.retry_after <= quota.memory() + 64);
        prop_assert!(quota.decide(decision.state, NOON - back + decision.retry_after).allowed);
    }

    #[test]
    fn a_refund_is_as_if_nothing_had_been_taken(quota in rates(), ahead in 0..200_000_u64) {
        let before = NOON + ahead;
        let taken = quota.decide(before, NOON);
        if taken.allowed {
            prop_assert_eq!(quota.refund(taken.state, taken.state, NOON), before);
        }
    }

    #[test]
    fn a_late_refund_gives_back_only_what_time_has_not(quota in rates(), pause in 0..100_000_u64) {
        let first = quota.decide(0, NOON);
        let deferred = NOON + pause;
        let second = quota.decide(first.state, deferred);
        if second.allowed {
            let left = quota.refund(second.state, first.state, deferred);
            prop_assert!(left >= deferred + quota.interval());
        }
    }

    /// In steps of 64 microseconds, the precision of a backoff.
    #[test]
    fn another_clock_sees_the_same(quota in quotas(), pauses in prop::collection::vec(0..100_u64, 1..50), there in 64..NOON) {
        let (quota, there) = (in_steps(quota), there / 64 * 64);
        let (state, now) = pauses.iter().fold((0, NOON / 64 * 64), |(state, now), pause| {
            let now = now + 64 * pause;
            (quota.decide(state, now).state, now)
        });
        let (here, rebased) = (quota.decide(state, now), quota.decide(quota.rebased(state, now, there), there));
        prop_assert_eq!((here.allowed, here.remaining), (rebased.allowed, rebased.remaining));
        prop_assert!(rebased.retry_after.abs_diff(here.retry_after) < 128);
    }

    #[test]
    fn the_parts_of_all_nodes_are_no_more_than_the_whole(quota in rates(), nodes in 1..60_u32) {
        let Quota::Rate { burst, .. } = quota else { unreachable!() };
        let part = quota.shared_by(nodes);
        let Quota::Rate { burst: mine, .. } = part else { unreachable!() };
        prop_assert!(mine == (burst / nodes).max(1));
        prop_assert!(part.interval() >= quota.interval() * u64::from(nodes) - u64::from(nodes));
    }

    #[test]
    fn one_refusal_spares_all(checks in prop::collection::vec((quotas(), any::<bool>(), 0..100_000_u64), 1..6)) {
        let states: Vec<Micros> = checks.iter().map(|(_, _, ahead)| NOON + ahead).collect();
        let checks: Vec<Check> = checks.iter().map(|(quota, shadow, _)| Check { quota: *quota, shadow: *shadow, units: 1, only_if_new: None }).collect();
        let answers = take(&checks, &states, NOON);
        let refused = checks.iter().zip(&answers).any(|(check, answer)| !check.shadow && answer.is_refused());
        let taken = answers.iter().filter(|answer| answer.outcome == Outcome::Taken).count();
        prop_assert_eq!(taken == 0, refused || checks.iter().zip(&answers).all(|(check, answer)| check.shadow && answer.is_refused()));
    }

    #[test]
    fn the_local_tier_decides_as_the_pure_function(requests in prop::collection::vec((0..3_usize, 0..2_000_u64), 1..100), quota in quotas(), other in quotas()) {
        let table = Table::new(1 << 12);
        let mut states = [[0; 2]; 3];
        let mut now = NOON;
        for (client, pause) in requests {
            now += pause;
            let checks = [quota, other].map(|quota| Check { quota, shadow: false, units: 1, only_if_new: None });
            let expected = take(&checks, &states[client], now);
            let charges: Vec<Charge> = checks.iter().zip([Policy::Pages, Policy::Network]).map(|(check, policy)| Charge { policy, key: key(client as u64), check: *check }).collect();
            let found = local::decide(&table, &charges, now);
            prop_assert_eq!(&found, &expected);
            for (state, answer) in states[client].iter_mut().zip(found) {
                *state = answer.decision.state;
            }
        }
    }

    #[test]
    fn a_written_quota_is_read_as_it_was(quota in "(shadow )?([1-9][0-9]{0,2}/([1-9]?(s|min)|h)( burst [1-9])?|[1-9] then [1-9]s to [1-9]h)") {
        let rule: Rule = quota.parse().unwrap();
        prop_assert_eq!(rule.to_string().parse::<Rule>().unwrap(), rule);
    }
}

fn key(number: u64) -> ClientKey {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&random(number).to_le_bytes());
    id[8..].copy_from_slice(&random(!number).to_le_bytes());
    ClientKey { today: ClientId(id), yesterday: None, slot: 0 }
}

fn random(number: u64) -> u64 {
    let mut z = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[test]
fn the_delay_doubles_up_to_its_longest_and_is_forgotten() {
    let quota = Quota::Backoff { free: 5, first: SECOND, longest: 900 * SECOND };
    let (mut state, mut now) = (0, NOON);
    let mut waits = Vec::new();
    for _ in 0..18 {
        let taken = quota.decide(state, now);
        assert!(taken.allowed);
        state = taken.state;
        waits.push(quota.decide(state, now).retry_after / SECOND);
        now += quota.decide(state, now).retry_after;
    }
    assert_eq!(waits, [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900, 900]);
    assert!(quota.decide(state, now + 899 * SECOND).remaining == 0);
    assert_eq!(quota.decide(state, now + 901 * SECOND).remaining, 4);
}

#[test]
fn parallel_attempts_are_counted_before_any_has_failed() {
    let quota = Quota::Backoff { free: 5, first: SECOND, longest: 900 * SECOND };
    let mut state = 0;
    let allowed = (0..100).filter(|_| {
        let decision = quota.decide(state, NOON);
        state = decision.state;
        decision.allowed
    });
    assert_eq!(allowed.count(), 5);
}

#[test]
fn a_policy_that_shrank_shuts_out_for_no_longer_than_the_new_one() {
    let large = Quota::Rate { burst: 1_000, count: 1, period: 60 * SECOND };
    let small = Quota::Rate { burst: 5, count: 1, period: SECOND };
    let state = (0..1_000).fold(0, |state, _| large.decide(state, NOON).state);
    assert_eq!(small.decide(state, NOON).retry_after, SECOND);
}

#[test]
fn only_new_companions_are_counted() {
    let day = Quota::Mark { period: SECOND };
    let few = Quota::Rate { burst: 1, count: 1, period: SECOND };
    let checks = [
        Check { quota: few, shadow: false, units: 1, only_if_new: Some(1) },
        Check { quota: day, shadow: false, units: 1, only_if_new: None },
    ];
    let outcomes =
        |states: &[Micros]| take(&checks, states, NOON).iter().map(|a| a.outcome).collect::<Vec<_>>();
    assert_eq!(outcomes(&[0, 0]), [Outcome::Taken; 2]);
    assert_eq!(outcomes(&[NOON + SECOND, NOON + 1]), [Outcome::Spared, Outcome::Taken], "seen before");
    assert_eq!(outcomes(&[NOON + SECOND, 0]), [Outcome::Refused, Outcome::Spared], "one more");
}

#[test]
fn quotas_are_read_strictly() {
    for wrong in [
        "",
        "5",
        "0/min",
        "5/year",
        "5/0min",
        "-1/s",
        "5/min burst",
        "5 then 2h to 1h",
        "10000000/1s burst 9999999999",
        "1/h burst 1000",
    ] {
        assert!(wrong.parse::<Rule>().is_err(), "{wrong}");
    }
    for policy in Policy::ALL {
        assert_eq!(policy.default_quota().parse::<Rule>().unwrap().to_string(), policy.default_quota());
    }
}

#[test]
fn a_quota_is_told_in_words() {
    for (written, words) in [
        ("300/min burst 100", "300 per minute, 100 at once"),
        ("20/15min", "20 per 15 minutes"),
        ("shadow 1/h", "1 per hour"),
        ("5 then 1s to 15min", "5, then a wait that doubles from 1 second to 15 minutes"),
        ("off", "No limit"),
    ] {
        assert_eq!(written.parse::<Rule>().unwrap().words(), words);
    }
}

#[test]
fn threads_take_exactly_the_burst() {
    let table = Table::new(1 << 16);
    let quota = Quota::Rate { burst: 100, count: 1, period: SECOND };
    let check = Check { quota, shadow: false, units: 1, only_if_new: None };
    let charge = Charge { policy: Policy::Pages, key: key(1), check };
    let allowed: usize = std::thread::scope(|scope| {
        let one = || (0..400).filter(|_| !local::decide(&table, &[charge], NOON)[0].is_refused()).count();
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(one)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(allowed, 100);
}

#[test]
fn blocked_clients_are_remembered_through_a_flood() {
    let table = Table::new(1 << 19);
    let quota = Quota::Rate { burst: 100, count: 300, period: 60 * SECOND };
    let cell = |number: u64| key(number).today.cell_key(0);
    let takes = |number: u64, now| {
        table.update(cell(number), |state| {
            let decision = quota.decide(state, now);
            (decision.state, decision.allowed)
        })
    };
    (0..1_000).for_each(|client| (0..100).for_each(|_| assert!(takes(client, NOON))));
    // A new client is never refused, however full the table is.
    assert!((1_000..200_000).all(|stranger| takes(stranger, NOON)));
    assert_eq!((0..1_000).filter(|client| takes(*client, NOON)).count(), 0, "blocked clients were forgotten");
}

/// The same with ten million: `bin/test --long`.
#[test]
fn ten_million_new_clients_evict_no_blocked_one() {
    if std::env::var_os("COFFER_TEST_LONG").is_none() {
        return;
    }
    let table = Table::new(32 << 20);
    let quota = Quota::Rate { burst: 100, count: 300, period: 60 * SECOND };
    let takes = |number: u64, now| {
        table.update(key(number).today.cell_key(0), |state| {
            let decision = quota.decide(state, now);
            (decision.state, decision.allowed)
        })
    };
    (0..1_000).for_each(|client| (0..100).for_each(|_| assert!(takes(client, NOON))));
    for stranger in 1_000..10_001_000 {
        assert!(takes(stranger, NOON), "a newcomer is never refused");
    }
    assert_eq!((0..1_000).filter(|client| takes(*client, NOON)).count(), 0, "blocked clients were forgotten");
}

#[test]
fn a_full_set_forgets_the_one_nearest_to_forgiveness() {
    let table = Table::new(1);
    let cell = |tag| CellKey { set: 0, tag };
    for tag in 1..=8_u64 {
        table.update(cell(tag), |_| (NOON + tag, ()));
    }
    table.update(cell(9), |_| (NOON, ()));
    assert_eq!(table.state(cell(1)), 0);
    assert_eq!(table.state(cell(2)), NOON + 2);
    assert_eq!(table.state(cell(9)), NOON);
    table.update(cell(9), |_| (0, ()));
    assert_eq!(table.state(cell(9)), 0);
}
