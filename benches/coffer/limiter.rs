//! The limiter's tiers, beside the crate `governor` in the same run; and what a blocked client costs.

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Instant;

use axum::http::HeaderMap;
use axum::routing::get;
use coffer::config::Config;
use coffer::keys::Keys;
use coffer::limiter::batch::Check;
use coffer::limiter::gcra::{Micros, Quota};
use coffer::limiter::key::{ClientKey, Keyring, micros};
use coffer::limiter::policy::Policy;
use coffer::limiter::table::Table as Samples;
use coffer::limiter::{Charge, Limiter, headers, local};
use coffer::redis::Redis;
use coffer::system::System;
use coffer::telemetry::metrics::Metrics;
use governor::{Quota as TheirQuota, RateLimiter};

use crate::coffer::{Coffer, Place};
use crate::redis::RedisServer;
use crate::table::{Goal, Table};

const SAMPLES: usize = 15;
/// The kernel counts processor time in ticks of some milliseconds.
const ROUND: u32 = 200_000;
const STRANGERS: u32 = 10_000_000;
const BLOCKED: u32 = 1_000;
const TABLE_BYTES: usize = 32 << 20;
const REQUESTS: usize = 40_000;
/// At once, and each how often.
const TASKS: u32 = 256;
const EACH: u32 = 200;
const QUOTA: Quota = Quota::Rate { burst: 100, count: 300, period: 60_000_000 };

pub async fn measure(table: &mut Table) {
    in_process(table);
    whole(table).await;
    flood(table);
    redis(table);
    blocked(table).await;
}

fn settings(settings: &[&str]) -> Config {
    let secret = format!("--secret-key={}", "07".repeat(32));
    Config::parse(settings.iter().map(ToString::to_string).chain([secret])).expect("settings")
}

fn keys(context: &System) -> Keys {
    Keys::load(settings(&[]).key_source(), context).expect("a key")
}

fn charge(key: ClientKey) -> Charge {
    Charge {
        policy: Policy::Pages,
        key,
        check: Check { quota: QUOTA, shadow: false, units: 1, only_if_new: None },
    }
}

fn address(number: u32) -> IpAddr {
    Ipv4Addr::from_bits(number.wrapping_mul(0x9e37_79b1)).into()
}

/// Nanoseconds that this thread has spent on a processor: other work on the machine doesn't count.
fn processor() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    stat.split(' ').next().and_then(|spent| spent.parse().ok()).expect("a number")
}

/// Nanoseconds of processor time a turn.
fn nanos(mut turn: impl FnMut(u32)) -> Vec<f64> {
    let sample = |_| {
        let began = processor();
        (0..ROUND).for_each(&mut turn);
        (processor() - began) / f64::from(ROUND)
    };
    (0..SAMPLES).map(sample).collect()
}

fn in_process(table: &mut Table) {
    let context = System::real();
    let ring = Keyring::new(&keys(&context), 0, false);
    let now = context.now();
    let clients: Vec<Charge> = (0..1024).map(|n| charge(ring.address(address(n), now))).collect();
    let slots = Samples::new(TABLE_BYTES);
    let client = |n: u32| &clients[n as usize % clients.len()];
    let decide = |n: u32| {
        let key = client(n).key.today.cell_key(0);
        black_box(slots.update(key, |state| {
            let decision = QUOTA.decide(state, micros(now));
            (decision.state, decision.allowed)
        }));
    };
    table.add("local decision, known key", "ns", nanos(decide), Some(Goal::Median(100.0)));
    let all = |n: u32| drop(black_box(local::decide(&slots, &[*client(n)], micros(now))));
    table.add("local decision, as a request's only policy", "ns", nanos(all), None);
    let key = |n: u32| {
        black_box(ring.address(address(n), now));
    };
    table.add("a client's key (HMAC)", "ns", nanos(key), None);
    let theirs = TheirQuota::per_minute(NonZeroU32::new(300).expect("some"))
        .allow_burst(NonZeroU32::new(100).expect("some"));
    let direct = RateLimiter::direct(theirs);
    table.add("governor, direct", "ns", nanos(|_| drop(black_box(direct.check()))), None);
    let keyed = RateLimiter::keyed(theirs);
    let check = |n: u32| drop(black_box(keyed.check_key(&client(n).key.today.0)));
    table.add("governor, keyed", "ns", nanos(check), None);
}

/// What the layer does for a request: key, decision, headers; of many clients, and of one that is blocked.
async fn whole(table: &mut Table) {
    for (name, clients, limit) in [
        ("key, local decision and headers", 100_000, "100000/s"),
        ("key, refusal that is known, and headers", 1, "1/h"),
    ] {
        let context = System::real();
        let limits = settings(&[&format!("--rate-limit-pages={limit}")]).rate_limit;
        let limiter = Limiter::new(&limits, &keys(&context), None, &context, &Metrics::new(&context));
        let mut samples = Vec::new();
        for _ in 0..SAMPLES {
            let began = processor();
            for n in 0..ROUND {
                let verdict = limiter.request(Policy::Pages, address(n % clients)).await;
                let mut told = HeaderMap::new();
                headers::append(verdict.quota_statuses(), &mut told);
                black_box((limiter.refusal(&verdict), told));
            }
            samples.push((processor() - began) / f64::from(ROUND));
        }
        table.add(name, "ns", samples, Some(Goal::Median(1_000.0)));
    }
}

fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
    line.trim().trim_end_matches(" kB").parse::<f64>().expect("a number") * 1024.0 / 1e6
}

/// Ten million strangers come by in 1,000 seconds while a thousand clients are blocked and go on asking.
fn flood(table: &mut Table) {
    let context = System::real();
    let ring = Keyring::new(&keys(&context), 0, false);
    let day = context.now();
    let slots = Samples::new(TABLE_BYTES);
    let start = micros(day);
    let asks = |number: u32, now: Micros| {
        slots.update(ring.address(address(number), day).today.cell_key(0), |state| {
            let decision = QUOTA.decide(state, now);
            (decision.state, decision.allowed)
        })
    };
    let every_blocked = |now| (0..BLOCKED).filter(|client| asks(*client, now)).count();
    for _ in 0..101 {
        every_blocked(start);
    }
    let before = resident();
    let mut forgotten = 0;
    for number in 0..STRANGERS {
        let now = start + u64::from(number) * 100;
        asks(BLOCKED + number, now);
        if number % 2_000 == 0 {
            // At the steady pace of five a second one in each 200 ms passes; a forgotten client gets a whole burst.
            let passed = every_blocked(now);
            forgotten += (0..3).map(|_| every_blocked(now)).sum::<usize>();
            black_box(passed);
        }
    }
    let grown = resident() - before;
    table.add("10 M addresses: table grown by", "MB", vec![grown], Some(Goal::Median(36.0)));
    #[expect(clippy::cast_precision_loss, reason = "few")]
    table.add(
        "10 M addresses: blocked clients forgotten",
        "",
        vec![forgotten as f64],
        Some(Goal::Median(1.0)),
    );
    drop(slots);
    let theirs = RateLimiter::keyed(TheirQuota::per_minute(NonZeroU32::new(300).expect("some")));
    let before = resident();
    for number in 0..STRANGERS {
        let _ = black_box(theirs.check_key(&ring.address(address(number), day).today.0));
    }
    table.add("10 M addresses: governor, keyed, grown by", "MB", vec![resident() - before], None);
}

/// On a runtime of its own, as the server has it: many requests at once, each of another client.
fn redis(table: &mut Table) {
    let measured = std::thread::spawn(|| {
        tokio::runtime::Runtime::new().expect("a runtime").block_on(async {
            let server = RedisServer::start().await;
            let context = System::real();
            let redis = Redis::connect(&server.url(), &context).expect("an address");
            while redis.ping().await.is_err() {
                tokio::task::yield_now().await;
            }
            let limits =
                settings(&["--rate-limit-patience=1000", "--rate-limit-pages=10/h burst 100"]).rate_limit;
            let limiter = Arc::new(Limiter::new(
                &limits,
                &keys(&context),
                Some(&redis),
                &context,
                &Metrics::new(&context),
            ));
            let (mut whole, mut own) = (Vec::new(), Vec::new());
            for round in 0..8_u32 {
                let before = own_time(&server);
                whole.push(storm(&limiter, round).await);
                own.push((own_time(&server) - before) * 1e6 / f64::from(TASKS * EACH));
            }
            (whole, own, of_blocked(&limiter, &server).await)
        })
    });
    let (whole, own, [rate, commands]) = measured.join().expect("measured");
    table.add("Redis: microseconds a decision, both sides", "µs", whole, None);
    table.add("Redis: its processor time a decision", "µs", own, Some(Goal::Median(25.0)));
    table.add("a blocked client: requests a second", "k/s", vec![rate], None);
    table.add("a blocked client: Redis commands for a million", "", vec![commands], Some(Goal::Median(1.0)));
}

/// Seconds that Redis has spent on a processor.
fn own_time(server: &RedisServer) -> f64 {
    let stats = server.bulk("INFO cpu").expect("redis answers");
    let figure = |name: &str| {
        let line = stats.lines().find_map(|line| line.strip_prefix(name)).expect("a line");
        line.trim_start_matches(':').trim().parse::<f64>().expect("a number")
    };
    figure("used_cpu_sys") + figure("used_cpu_user")
}

/// Thousands of requests a second of one client who is blocked, and what Redis heard of them.
async fn of_blocked(limiter: &Limiter, server: &RedisServer) -> [f64; 2] {
    const REQUESTS: u32 = 1_000_000;
    for _ in 0..200 {
        limiter.request(Policy::Pages, address(u32::MAX)).await;
    }
    let heard = || server.calls().get("evalsha").copied().unwrap_or(0);
    let (before, began) = (heard(), Instant::now());
    for _ in 0..REQUESTS {
        assert!(!limiter.request(Policy::Pages, address(u32::MAX)).await.is_allowed());
    }
    let rate = f64::from(REQUESTS) / began.elapsed().as_secs_f64() / 1e3;
    #[expect(clippy::cast_precision_loss, reason = "few")]
    let commands = (heard() - before) as f64;
    [rate, commands]
}

async fn storm(limiter: &Arc<Limiter>, round: u32) -> f64 {
    let began = Instant::now();
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let limiter = limiter.clone();
            tokio::spawn(async move {
                for n in 0..EACH {
                    let client = address((round * TASKS + task) * EACH + n);
                    black_box(limiter.request(Policy::Pages, client).await);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("a task ends");
    }
    began.elapsed().as_secs_f64() * 1e6 / f64::from(TASKS * EACH)
}

/// The processor time that a blocked client's request costs, beside a bare axum handler's.
async fn blocked(table: &mut Table) {
    let bare = Coffer::bare();
    bare.answers("/").await;
    let one = cpu(&bare, 200).await;
    table.add("a bare axum handler: processor time a request", "µs", one.clone(), None);
    let place = Place::sqlite();
    let coffer = place.serve_with(&["--rate-limit-pages=1/h"]);
    coffer.answers("/login").await;
    let limited = cpu(&coffer, 429).await;
    let ratio = limited.iter().zip(&one).map(|(ours, bare)| ours / bare).collect();
    table.add("a blocked client: processor time a request", "µs", limited, None);
    table.add("a blocked client: times a bare handler", "×", ratio, Some(Goal::Median(2.2)));
}

async fn cpu(server: &Coffer, status: u16) -> Vec<f64> {
    let path = if status == 429 { "/login" } else { "/" };
    let mut samples = Vec::new();
    for _ in 0..3 {
        let before = server.cpu_seconds();
        let clients = (0..8).map(|_| async {
            let visitor = server.plain_visitor();
            for _ in 0..REQUESTS / 8 {
                let answer = visitor.get(path).send().await.expect("an answer");
                assert_eq!(answer.status().as_u16(), status);
                answer.bytes().await.expect("a whole answer");
            }
        });
        futures::future::join_all(clients).await;
        #[expect(clippy::cast_precision_loss, reason = "few")]
        samples.push((server.cpu_seconds() - before) * 1e6 / REQUESTS as f64);
    }
    samples
}

/// What `bare` starts: a server that does nothing else.
pub async fn serve_bare(port: u16) {
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.expect("a free port");
    let app = axum::Router::new().route("/", get(async || "hello"));
    let service = hyper_util::service::TowerToHyperService::new(app);
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let service = service.clone();
        tokio::spawn(async move {
            let io = hyper_util::rt::TokioIo::new(stream);
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(io, service).await;
        });
    }
}
