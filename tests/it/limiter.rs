//! The limiter's tiers on a real Redis that dies, freezes and forgets: exact across nodes, never open.

use std::cell::RefCell;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use coffer::config::Config;
use coffer::keys::Keys;
use coffer::limiter::batch::{Check, take};
use coffer::limiter::exact::Exact;
use coffer::limiter::gcra::Quota;
use coffer::limiter::key::{ClientId, ClientKey};
use coffer::limiter::policy::Policy;
use coffer::limiter::settings::Settings;
use coffer::limiter::verbs::LoginAttempt;
use coffer::limiter::verdict::Tier;
use coffer::limiter::{Charge, Limiter};
use coffer::redis::Redis;
use coffer::system::{Clock, Entropy, System};
use coffer::telemetry::metrics::Metrics;
use coffer::timestamp::Timestamp;
use futures::future::join_all;
use proptest::prelude::*;
use proptest::test_runner::{Config as TestConfig, TestRunner};

use crate::support::redis::RedisServer;
use crate::support::wait::eventually;

/// A busy machine is no slow Redis.
const PATIENT: &str = "--rate-limit-patience=10000";
const BURST: &str = "--rate-limit-pages=10/h burst 100";
/// Slow enough for a busy machine, fast enough to be noticed.
const FIRM: &str = "--rate-limit-patience=150";
const HEALED: Duration = Duration::from_secs(5);

/// The time of day, and the ticks.
struct FixedClock(AtomicI64, AtomicI64);

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }

    fn ticks(&self) -> i64 {
        self.1.load(Ordering::SeqCst)
    }
}

struct Count(AtomicI64);

impl Entropy for Count {
    fn fill(&self, bytes: &mut [u8]) {
        let next = self.0.fetch_add(1, Ordering::SeqCst).to_le_bytes();
        bytes.iter_mut().zip(next.into_iter().cycle()).for_each(|(byte, next)| *byte = next);
    }
}

/// Noon of some day, by a clock that only the test moves, and that Redis doesn't share.
struct Cluster {
    redis: RedisServer,
    clock: Arc<FixedClock>,
    context: System,
    keys: Keys,
    url: String,
}

impl Cluster {
    async fn start() -> Self {
        Self::on(RedisServer::start().await, "redis")
    }

    fn on(redis: RedisServer, scheme: &str) -> Self {
        let clock = Arc::new(FixedClock(
            AtomicI64::new(20_000 * 86_400_000_000 + 43_200_000_000),
            AtomicI64::new(1_000_000),
        ));
        let context = System { clock: clock.clone(), entropy: Arc::new(Count(AtomicI64::new(1))) };
        let secret = Config::parse([format!("--secret-key={}", "07".repeat(32))]).expect("settings");
        let keys = Keys::load(secret.key_source(), &context).expect("a key");
        let url = redis.url().replace("redis", scheme);
        Self { redis, clock, context, keys, url }
    }

    /// A node that is connected and decides with Redis.
    async fn node(&self, limits: &[&str]) -> Limiter {
        let redis = Redis::connect(&self.url, &System::real()).expect("an address");
        let reached = eventually(HEALED * 2, async || redis.ping().await.map_err(|e| e.to_string())).await;
        reached.expect("Redis answers");
        let metrics = Metrics::new(&self.context);
        let limiter = Limiter::new(&settings(limits), &self.keys, Some(&redis), &self.context, &metrics);
        tokio::spawn(limiter.heartbeats());
        limiter
    }

    async fn nodes(&self, limits: &[&str]) -> [Limiter; 3] {
        let nodes = [self.node(limits).await, self.node(limits).await, self.node(limits).await];
        for node in &nodes {
            let all = async || if node.nodes() == 3 { Ok(()) } else { Err(node.nodes().to_string()) };
            eventually(HEALED, all).await.expect("three live nodes");
        }
        nodes
    }

    fn later(&self, time: Duration) {
        let micros = i64::try_from(time.as_micros()).unwrap();
        self.clock.0.fetch_add(micros, Ordering::SeqCst);
        self.clock.1.fetch_add(micros, Ordering::SeqCst);
    }

    /// How often the script was run.
    fn decisions(&self) -> u64 {
        self.redis.calls().get("evalsha").copied().unwrap_or(0)
    }
}

/// The defaults, but for these.
fn settings(limits: &[&str]) -> Settings {
    Config::parse(limits.iter().map(ToString::to_string)).expect("settings").rate_limit
}

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

async fn asks(node: &Limiter, address: &str) -> bool {
    node.request(Policy::Pages, ip(address)).await.is_allowed()
}

async fn allowed(node: &Limiter, address: &str, requests: usize) -> usize {
    let mut allowed = 0;
    for _ in 0..requests {
        allowed += usize::from(asks(node, address).await);
    }
    allowed
}

async fn exact_again(node: &Limiter) {
    let began = Instant::now();
    // Another person each time, as no one has many requests.
    let strangers = AtomicI64::new(1);
    let stranger = || format!("2001:db8:{:x}::", strangers.fetch_add(1, Ordering::SeqCst));
    let back = async || match node.request(Policy::Pages, ip(&stranger())).await.tier {
        Tier::Exact => Ok(()),
        other => Err(format!("{other:?}")),
    };
    eventually(HEALED, back).await.expect("exact again");
    assert!(began.elapsed() < HEALED, "{:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn three_nodes_allow_exactly_the_burst() {
    let cluster = Cluster::start().await;
    let nodes = cluster.nodes(&[BURST, PATIENT]).await;
    let all = nodes.iter().flat_map(|node| (0..400).map(|_| asks(node, "192.0.2.1")));
    assert_eq!(join_all(all).await.into_iter().filter(|allowed| *allowed).count(), 100);
}

#[tokio::test]
async fn a_blocked_client_costs_redis_nothing() {
    let cluster = Cluster::start().await;
    let [one, other, _] = cluster.nodes(&[BURST, PATIENT]).await;
    assert_eq!(allowed(&one, "192.0.2.1", 101).await, 100);
    let before = cluster.decisions();
    assert_eq!(allowed(&one, "192.0.2.1", 1_000).await, 0);
    assert_eq!(cluster.decisions(), before);
    assert_eq!(allowed(&other, "192.0.2.1", 1_000).await, 0);
    assert_eq!(cluster.decisions(), before + 1, "the other node asks once");
}

#[tokio::test]
async fn addresses_in_one_64_share_and_in_one_48_too() {
    let cluster = Cluster::start().await;
    let node = cluster.node(&[BURST, "--rate-limit-network=10/h burst 150", PATIENT]).await;
    let mut passed = 0;
    for host in 0..150 {
        passed += usize::from(asks(&node, &format!("2001:db8:0:1:{host:x}::1")).await);
    }
    assert_eq!(passed, 100, "one /64");
    for house in 2..202 {
        passed += usize::from(asks(&node, &format!("2001:db8:0:{house:x}::1")).await);
    }
    assert_eq!(passed, 150, "one /48");
    assert!(asks(&node, "2001:db8:1::1").await);
}

#[tokio::test]
async fn a_forgotten_script_is_sent_again() {
    let cluster = Cluster::start().await;
    let node = cluster.node(&[BURST, PATIENT]).await;
    assert_eq!(allowed(&node, "192.0.2.1", 60).await, 60);
    assert_eq!(cluster.redis.command("SCRIPT FLUSH").expect("redis answers"), "+OK");
    assert_eq!(allowed(&node, "192.0.2.1", 60).await, 40);
    assert_eq!(node.tier(), Tier::Exact);
}

#[tokio::test]
async fn an_emptied_redis_gives_one_more_burst() {
    let cluster = Cluster::start().await;
    let [one, other, _] = cluster.nodes(&[BURST, PATIENT]).await;
    assert_eq!(allowed(&one, "192.0.2.1", 101).await, 100);
    cluster.redis.flush();
    assert_eq!(allowed(&one, "192.0.2.1", 10).await, 0, "this node knows");
    assert_eq!(allowed(&other, "192.0.2.1", 101).await, 100);
    assert_eq!(allowed(&other, "192.0.2.1", 101).await, 0);
}

#[tokio::test]
async fn without_redis_each_node_gives_its_part_and_heals() {
    let cluster = Cluster::start().await;
    let nodes = cluster.nodes(&[BURST, FIRM]).await;
    cluster.redis.kill();
    let mut passed = 0;
    for node in &nodes {
        let here = allowed(node, "192.0.2.1", 200).await;
        assert!((1..=34).contains(&here), "{here} of 33");
        passed += here;
        assert_eq!((node.tier(), node.nodes()), (Tier::Local, 3));
    }
    assert!(passed <= 102, "{passed}");
    cluster.redis.restart().await;
    for node in &nodes {
        exact_again(node).await;
    }
}

#[tokio::test]
async fn a_node_that_never_saw_redis_limits_alone() {
    let cluster = Cluster::start().await;
    cluster.redis.kill();
    let redis = Redis::connect(&cluster.url, &System::real()).expect("an address");
    let node = Limiter::new(
        &settings(&[BURST, FIRM]),
        &cluster.keys,
        Some(&redis),
        &cluster.context,
        &Metrics::new(&cluster.context),
    );
    assert_eq!(allowed(&node, "192.0.2.1", 200).await, 100);
    cluster.redis.restart().await;
    exact_again(&node).await;
}

#[tokio::test]
async fn a_frozen_redis_holds_nobody_up() {
    let cluster = Cluster::start().await;
    let node = cluster.node(&[BURST, FIRM]).await;
    assert!(asks(&node, "192.0.2.1").await);
    cluster.redis.freeze();
    let began = Instant::now();
    let passed = allowed(&node, "192.0.2.1", 1_000).await;
    assert!(passed <= 100, "{passed}: never open");
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    cluster.redis.thaw();
    exact_again(&node).await;
}

#[tokio::test]
async fn a_slow_redis_is_not_waited_for() {
    let cluster = Cluster::start().await;
    let node = cluster.node(&[BURST]).await;
    assert!(asks(&node, "192.0.2.1").await);
    assert_eq!(cluster.redis.command("CLIENT PAUSE 600 ALL").expect("redis answers"), "+OK");
    let began = Instant::now();
    assert_eq!(node.request(Policy::Pages, ip("192.0.2.1")).await.tier, Tier::Local);
    assert!(began.elapsed() < Duration::from_millis(300), "{:?}", began.elapsed());
    exact_again(&node).await;
}

/// By a clock that runs about as Redis' own.
async fn passes_soon(cluster: &Cluster, node: &Limiter) {
    let passes = async || {
        if asks(node, "192.0.2.1").await {
            Ok(())
        } else {
            cluster.later(Duration::from_millis(20));
            Err("refused")
        }
    };
    eventually(Duration::from_secs(2), passes).await.expect("no longer than the limit itself");
}

#[tokio::test]
async fn a_clock_that_jumps_keeps_nobody_out() {
    let cluster = Cluster::start().await;
    let node = cluster.node(&["--rate-limit-pages=60/s burst 10", PATIENT]).await;
    assert!(allowed(&node, "192.0.2.1", 30).await >= 10);
    cluster.clock.0.fetch_sub(3_600_000_000, Ordering::SeqCst);
    passes_soon(&cluster, &node).await;
}

/// Redis as it is after its clock was set back: all that it remembers is of later.
fn sets_clock_back(cluster: &Cluster, seconds: u64) {
    let shift = format!(
        "EVAL \"for _, k in ipairs(redis.call('keys','coffer:limit:*')) do \
            if redis.call('type', k).ok == 'string' then \
                local v = redis.call('get', k) \
                local first, rest = string.match(v, '^(%d+)(.*)$') \
                redis.call('set', k, string.format('%.0f', first + {seconds}000000) .. rest, 'PX', 9999999) \
            end \
        end return 'done'\" 0"
    );
    assert_eq!(cluster.redis.bulk(&shift).expect("redis answers"), "done");
}

#[tokio::test]
async fn a_redis_whose_clock_is_set_back_refuses_nobody() {
    let cluster = Cluster::start().await;
    let [one, other, _] = cluster.nodes(&["--rate-limit-pages=10/h burst 20", PATIENT]).await;
    let mut passed = 0;
    for seconds in [2, 100, 3_600, 100_000] {
        for node in [&one, &other] {
            assert!(asks(node, "192.0.2.1").await, "{seconds} s");
            passed += 1;
        }
        sets_clock_back(&cluster, seconds);
    }
    assert_eq!(allowed(&one, "192.0.2.1", 50).await, 20 - passed, "and nobody is given more");
    sets_clock_back(&cluster, 3_600);
    assert_eq!(allowed(&other, "192.0.2.1", 50).await, 0);
}

#[tokio::test]
async fn a_success_costs_nothing_after_the_clock_was_set_back() {
    let cluster = Cluster::start().await;
    let node = cluster.node(&[PATIENT]).await;
    for seconds in [3, 600, 100_000] {
        sets_clock_back(&cluster, seconds);
        let reserved = node.login(attempt("192.0.2.1", "ada")).await.expect("a login");
        node.refund(reserved).await;
    }
    let mut failed = 0;
    while node.login(attempt("192.0.2.1", "ada")).await.is_ok() {
        failed += 1;
    }
    assert_eq!(failed, 5);
}

/// A state that Redis could not have written.
#[tokio::test]
async fn a_redis_whose_clock_jumped_keeps_nobody_out() {
    let cluster = Cluster::start().await;
    let node = cluster.node(&["--rate-limit-pages=60/s burst 10", PATIENT]).await;
    assert!(asks(&node, "192.0.2.1").await);
    let ahead = "EVAL \"local k = redis.call('keys','coffer:limit:*:pages:*')[1]; \
        return redis.call('set', k, '9999999999999999')\" 0";
    assert_eq!(cluster.redis.command(ahead).expect("redis answers"), "+OK");
    assert!(!asks(&node, "192.0.2.1").await, "a whole burst is used up");
    passes_soon(&cluster, &node).await;
}

#[tokio::test]
async fn a_policy_that_shrinks_keeps_nobody_out_for_longer() {
    let cluster = Cluster::start().await;
    let before = cluster.node(&["--rate-limit-pages=2/h burst 20", PATIENT]).await;
    assert_eq!(allowed(&before, "192.0.2.1", 30).await, 20);
    let after = cluster.node(&["--rate-limit-pages=60/s burst 2", PATIENT]).await;
    assert!(!asks(&after, "192.0.2.1").await, "twenty hours ahead");
    passes_soon(&cluster, &after).await;
}

#[tokio::test]
async fn midnight_is_no_fresh_start_in_redis() {
    let cluster = Cluster::start().await;
    let [one, other, _] = cluster.nodes(&[BURST, PATIENT]).await;
    cluster.later(Duration::from_secs(12 * 3600 - 1));
    assert_eq!(allowed(&one, "192.0.2.1", 70).await, 70);
    cluster.later(Duration::from_secs(2));
    assert_eq!(allowed(&other, "192.0.2.1", 70).await, 30);
    assert_eq!(allowed(&one, "192.0.2.1", 70).await, 0);
}

#[tokio::test]
async fn redis_keeps_plain_numbers_that_expire_and_no_names() {
    let cluster = Cluster::start().await;
    let node = cluster.node(&[PATIENT]).await;
    assert!(asks(&node, "192.0.2.1").await);
    let key = "EVAL \"return redis.call('keys','coffer:limit:*:pages:*')[1]\" 0";
    let key = cluster.redis.bulk(key).expect("a key");
    assert!(!key.contains("192"), "{key}");
    let state = cluster.redis.bulk(&format!("GET {key}")).expect("a state");
    assert!(state.len() == 16 && state.bytes().all(|byte| byte.is_ascii_digit()), "{state}");
    let left = cluster.redis.command(&format!("PTTL {key}")).expect("redis answers");
    let left: i64 = left.trim_start_matches(':').parse().expect("a number");
    assert!((1..=200).contains(&left), "{left} ms");
}

#[tokio::test]
async fn a_released_client_may_go_on_at_every_node() {
    let cluster = Cluster::start().await;
    let [one, other, third] = cluster.nodes(&[BURST, PATIENT]).await;
    assert_eq!(allowed(&one, "192.0.2.1", 150).await + allowed(&other, "192.0.2.1", 5).await, 100);
    let told = async || {
        let blocked = third.overview().await.blocked;
        match &blocked[..] {
            [only] if (only.refusals, only.policy) == (55, Policy::Pages) => Ok(only.key.today.short()),
            _ => Err(format!("{blocked:?}")),
        }
    };
    let name = eventually(HEALED, told).await.expect("every node knows whom the others refuse");
    assert!(third.release(&name).await && !third.release("0123456789ab").await);
    for node in [&one, &other] {
        let free = async || if asks(node, "192.0.2.1").await { Ok(()) } else { Err("still blocked") };
        eventually(HEALED, free).await.expect("every node hears of it");
    }
    let gone = async || if third.overview().await.blocked.is_empty() { Ok(()) } else { Err("still listed") };
    eventually(HEALED, gone).await.expect("no node lists the client");
}

#[tokio::test]
async fn a_shadow_counts_and_refuses_nothing() {
    let cluster = Cluster::start().await;
    let node = cluster.node(&["--rate-limit-pages=shadow 1/h burst 10", PATIENT]).await;
    assert_eq!(allowed(&node, "192.0.2.1", 25).await, 25);
    let overview = node.overview().await;
    let (_, _, count) = overview.policies[Policy::Pages.index()];
    assert_eq!((count.allowed, count.refused, count.shadow, count.near), (10, 0, 15, 1));
    assert!(overview.blocked[0].shadow);
}

fn attempt<'a>(address: &str, account: &'a str) -> LoginAttempt<'a> {
    LoginAttempt { address: ip(address), account, device: None }
}

#[tokio::test]
async fn a_hundred_parallel_guesses_are_five() {
    let cluster = Cluster::start().await;
    let nodes = cluster.nodes(&[PATIENT]).await;
    let guesses = (0..100).map(|n| {
        let address = format!("192.0.2.{n}");
        let node = &nodes[n % 3];
        async move { node.login(attempt(&address, "ada")).await.is_ok() }
    });
    assert_eq!(join_all(guesses).await.into_iter().filter(|passed| *passed).count(), 5);
    let known = LoginAttempt { device: Some(b"a browser that ada has used"), ..attempt("192.0.2.1", "ada") };
    assert!(nodes[0].login(known).await.is_ok(), "ada herself is not locked out");
}

#[tokio::test]
async fn a_success_costs_nothing() {
    let cluster = Cluster::start().await;
    let node = cluster.node(&[PATIENT]).await;
    for _ in 0..50 {
        let reserved = node.login(attempt("192.0.2.1", "ada")).await.expect("a login");
        node.refund(reserved).await;
    }
    let mut failed = 0;
    while node.login(attempt("192.0.2.1", "ada")).await.is_ok() {
        failed += 1;
    }
    assert_eq!(failed, 5);
}

#[tokio::test]
async fn what_one_node_gives_back_another_gives_out_at_once() {
    let cluster = Cluster::start().await;
    let [one, other, _] = cluster.nodes(&[PATIENT]).await;
    let mut reserved = Vec::new();
    while let Ok(attempt) = other.login(attempt("192.0.2.1", "ada")).await {
        reserved.push(attempt);
    }
    assert!(one.login(attempt("192.0.2.1", "ada")).await.is_err());
    other.refund(reserved.pop().expect("some attempts")).await;
    assert!(one.login(attempt("192.0.2.1", "ada")).await.is_ok(), "it remembers no refusal that may be over");
}

#[tokio::test]
async fn one_address_tries_few_accounts() {
    let cluster = Cluster::start().await;
    let node = cluster.node(&["--rate-limit-login-address=1000/h", PATIENT]).await;
    for name in 0..10 {
        for _ in 0..2 {
            assert!(node.login(attempt("192.0.2.1", &format!("name{name}"))).await.is_ok());
        }
    }
    let refusal = node.login(attempt("192.0.2.1", "one-more")).await.expect_err("the eleventh account");
    assert_eq!(refusal.policies, [Policy::LoginAccounts]);
    assert!(node.login(attempt("192.0.2.1", "name1")).await.is_ok(), "one of the ten");
    assert!(node.login(attempt("192.0.2.2", "one-more")).await.is_ok(), "from elsewhere");
}

#[tokio::test]
async fn logins_are_limited_without_redis_too() {
    let cluster = Cluster::start().await;
    let node = cluster.node(&[]).await;
    cluster.redis.kill();
    let guesses = (0..100).map(|_| node.login(attempt("192.0.2.1", "ada")));
    assert_eq!(join_all(guesses).await.iter().filter(|passed| passed.is_ok()).count(), 5);
}

#[tokio::test]
async fn a_redis_cluster_decides_as_one_redis() {
    let redis = RedisServer::start_cluster().await;
    let cluster = Cluster::on(redis, "redis-cluster");
    let node = cluster.node(&[BURST, PATIENT]).await;
    assert_eq!(allowed(&node, "2001:db8::1", 150).await, 100);
    assert_eq!(node.tier(), Tier::Exact);
    let mut failed = 0;
    while node.login(attempt("192.0.2.1", "ada")).await.is_ok() {
        failed += 1;
    }
    assert_eq!(failed, 5);
    for _ in 0..5 {
        assert!(node.login(attempt("192.0.2.1", "ada")).await.is_err());
    }
    // What the other policies had taken by then was given back: twenty less five are left.
    let mut others = 0;
    while node.login(attempt("192.0.2.1", &format!("name{}", others % 7))).await.is_ok() {
        others += 1;
    }
    assert_eq!(others, 15);
}

#[tokio::test]
async fn what_one_slot_gave_comes_back_when_another_refuses() {
    let cluster = Cluster::on(RedisServer::start_cluster().await, "redis-cluster");
    let node = cluster.node(&[PATIENT]).await;
    for n in 1..=5 {
        assert!(node.login(attempt(&format!("198.51.100.{n}"), "ada")).await.is_ok());
    }
    for _ in 0..5 {
        let refusal = node.login(attempt("192.0.2.1", "ada")).await.expect_err("her account is refused");
        assert_eq!(refusal.policies, [Policy::LoginAccount]);
    }
    let mut others = 0;
    while node.login(attempt("192.0.2.1", &format!("name{}", others % 7))).await.is_ok() {
        others += 1;
    }
    assert_eq!(others, 20, "the address has all that it had");
}

/// Each with whether it is a shadow, and the units of a request.
type Quotas = Vec<(Quota, bool, u32)>;

/// The limits of some policies, and which client asks next, with or without newcomers counted alone.
fn schedules() -> impl Strategy<Value = (Quotas, Vec<(usize, usize)>)> {
    let rate = (1..8_u32, 1..5_u32, 500..20_000_u64).prop_map(|(burst, count, period)| Quota::Rate {
        burst,
        count,
        period,
    });
    let backoff = (1..4_u32, 100..1_000_u64, 1..20_u64).prop_map(|(free, first, times)| Quota::Backoff {
        free,
        first,
        longest: first * times,
    });
    let mark = (500..20_000_u64).prop_map(|period| Quota::Mark { period });
    let asks = prop::collection::vec(
        (prop_oneof![3 => rate, 3 => backoff, 1 => mark], any::<bool>(), 1..4_u32),
        1..5,
    );
    (asks, prop::collection::vec((0..3_usize, 0..3_usize), 10..60))
}

/// Whatever the script says, the pure function says of the same clients at the same time. How often each outcome
/// came up.
async fn compared(
    exact: &Exact,
    clients: &[ClientKey],
    quotas: &[(Quota, bool, u32)],
    requests: &[(usize, usize)],
) -> [usize; 3] {
    let mut states = vec![vec![0; quotas.len()]; clients.len()];
    let mut outcomes = [0; 3];
    for (client, alone) in requests {
        let check = |at: usize, (quota, shadow, units): &(Quota, bool, u32)| Check {
            quota: *quota,
            shadow: *shadow,
            units: *units,
            only_if_new: (*alone == 0 && at > 0).then(|| at - 1),
        };
        let checks: Vec<Check> = quotas.iter().enumerate().map(|(at, quota)| check(at, quota)).collect();
        let charges: Vec<Charge> = checks
            .iter()
            .zip(Policy::ALL)
            .map(|(check, policy)| Charge { policy, key: clients[*client], check: *check })
            .collect();
        let reply = exact.take(&[&charges]).await.expect("Redis answers").remove(0);
        assert_eq!(
            reply.answers,
            take(&checks, &states[*client], reply.now),
            "{charges:?} {:?}",
            states[*client]
        );
        for (state, answer) in states[*client].iter_mut().zip(&reply.answers) {
            *state = answer.decision.state;
            outcomes[answer.outcome as usize] += 1;
        }
    }
    outcomes
}

#[test]
fn the_script_decides_as_the_pure_function() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let _here = runtime.enter();
    let cluster = runtime.block_on(Cluster::start());
    let redis = Redis::connect(&cluster.url, &System::real()).expect("an address");
    let exact = Exact::new(redis.clone(), Duration::from_secs(1));
    let reached = async || redis.ping().await.map_err(|error| error.to_string());
    runtime.block_on(eventually(HEALED, reached)).expect("Redis answers");
    let settings = TestConfig { cases: 200, failure_persistence: None, ..TestConfig::default() };
    let totals = RefCell::new([0; 3]);
    let case = |(quotas, requests): (Quotas, Vec<(usize, usize)>)| {
        let client = || ClientKey { today: ClientId(cluster.context.random()), yesterday: None, slot: 0 };
        let clients = [client(), client(), client()];
        let outcomes = runtime.block_on(compared(&exact, &clients, &quotas, &requests));
        totals.borrow_mut().iter_mut().zip(outcomes).for_each(|(total, some)| *total += some);
        Ok(())
    };
    TestRunner::new(settings).run(&schedules(), case).expect("the same on every schedule");
    assert!(totals.borrow().iter().all(|total| *total > 100), "each outcome was tried: {totals:?}");
}
