//! Copies of log lines for Loki, whatever Loki does: no line gets lost uncounted, and no one waits.

use std::sync::Arc;
use std::time::{Duration, Instant};

use coffer::system::System;
use coffer::telemetry::line::Lines;
use coffer::telemetry::loki::{Guard, REASONS, Reason, Shipper};
use tokio::time::MissedTickBehavior;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::startup::Place;
use crate::support::loki::{HUNG, Loki};
use crate::support::server::{Server, free_port};
use crate::support::wait::eventually;

const LIMIT: Duration = Duration::from_secs(30);
const LINE: &str = "\"event\":\"line\"";

/// A log of this test's own, with copies for Loki.
struct Log {
    guard: Arc<Guard>,
    shipper: Shipper,
    _default: DefaultGuard,
}

impl Log {
    fn with(url: &str) -> Self {
        let guard = Arc::<Guard>::default();
        let shipper = Shipper::start(guard.clone(), url, "test").expect("an address");
        let clock = System::real().clock;
        let lines = Lines { clock, to_stdout: false, to_loki: Some(guard.clone()) };
        Self { guard, shipper, _default: tracing_subscriber::registry().with(lines).set_default() }
    }

    async fn has_dropped(&self, reason: Reason, wanted: u64) {
        let counted = eventually(LIMIT, async || {
            let count = self.guard.dropped_for(reason);
            if count >= wanted { Ok(()) } else { Err(format!("{count} {reason:?}")) }
        });
        counted.await.unwrap_or_else(|error| panic!("{error}"));
    }
}

fn dropped(guard: &Guard) -> usize {
    let lines: u64 = guard.dropped().iter().map(|(_, count)| count).sum();
    lines.try_into().expect("not so many")
}

#[derive(Debug, thiserror::Error)]
#[error("outer")]
struct Outer(#[source] std::io::Error);

fn says(from: usize, until: usize) {
    for n in from..until {
        tracing::info!(event = "line", count = n, reason = "x".repeat(150), not_listed = "secret");
    }
}

async fn stores(loki: &Loki, wanted: usize, within: Duration) {
    let stored = eventually(within, async || {
        let stored = loki.lines_with(LINE).len();
        if stored == wanted { Ok(()) } else { Err(format!("{stored} of {wanted} lines")) }
    });
    stored.await.unwrap_or_else(|error| panic!("{error}"));
}

#[tokio::test]
async fn two_thousand_lines_a_second_are_all_stored() {
    let loki = Loki::start().await;
    let log = Log::with(&loki.url());
    let mut tick = tokio::time::interval(Duration::from_millis(100));
    // On a machine that is busy it gets no more at once.
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for tenth in 0..50 {
        tick.tick().await;
        says(tenth * 200, (tenth + 1) * 200);
    }
    stores(&loki, 10_000, LIMIT).await;
    log.shipper.stop().await;
    assert_eq!(log.guard.dropped(), REASONS.map(|reason| (reason, 0)));
}

#[tokio::test]
async fn a_line_has_three_labels_and_the_fields_on_the_list() {
    let loki = Loki::start().await;
    let log = Log::with(&loki.url());
    let error: &dyn std::error::Error = &Outer(std::io::Error::other("the cause"));
    tracing::error!(event = "line", error, count = 7_u64, not_listed = "secret", "words");
    log.shipper.stop().await;
    let (labels, line) = loki.stored().remove(0);
    assert_eq!(labels, r#"{service_name="coffer",env="test",level="error"}"#);
    let line: serde_json::Value = serde_json::from_str(&line).expect("a JSON object");
    assert_eq!(
        (&line["event"], &line["count"], &line["message"]),
        (&"line".into(), &7.into(), &"words".into())
    );
    assert!(line["error"].as_str().is_some_and(|error| error == "outer: the cause"), "{line}");
    assert!(!line.to_string().contains("secret"), "{line}");
}

#[tokio::test]
async fn after_a_stall_of_twenty_seconds_lines_flow_within_fifteen() {
    let loki = Loki::start().await;
    let log = Log::with(&loki.url());
    loki.answers(HUNG);
    says(0, 100);
    let stall = Instant::now();
    let mut tick = tokio::time::interval(Duration::from_secs(1));
    let mut said = 100;
    while stall.elapsed() < Duration::from_secs(20) {
        tick.tick().await;
        let before = Instant::now();
        says(said, said + 1);
        said += 1;
        assert!(before.elapsed() < Duration::from_millis(100), "who logs never waits");
    }
    loki.answers(204);
    tracing::info!(event = "after");
    let flows = eventually(Duration::from_secs(15), async || {
        if loki.lines_with("\"after\"").is_empty() { Err("nothing yet") } else { Ok(()) }
    });
    flows.await.unwrap_or_else(|error| panic!("{error}"));
    let stored = loki.lines_with(LINE).len();
    assert!(stored + dropped(&log.guard) >= said, "{stored} stored of {said}: {:?}", log.guard.dropped());
    log.shipper.stop().await;
}

#[tokio::test]
async fn what_may_succeed_later_is_tried_again() {
    for status in [429, 500, 503] {
        let loki = Loki::start().await;
        loki.answers(status);
        let log = Log::with(&loki.url());
        says(0, 50);
        says_nothing_for(Duration::from_millis(1500)).await;
        assert!(loki.stored().is_empty());
        loki.answers(204);
        stores(&loki, 50, Duration::from_secs(10)).await;
        log.shipper.stop().await;
        assert_eq!(dropped(&log.guard), 0, "{status}");
    }
}

async fn says_nothing_for(duration: Duration) {
    let _ = tokio::time::timeout(duration, std::future::pending::<()>()).await;
}

#[tokio::test]
async fn what_is_refused_is_counted_and_what_follows_is_sent() {
    let loki = Loki::start().await;
    loki.answers(401);
    let log = Log::with(&loki.url().replace("://", "://ada:pass%20word@"));
    says(0, 30);
    log.has_dropped(Reason::Unconfirmed, 30).await;
    assert_eq!(loki.authorization(), "Basic YWRhOnBhc3Mgd29yZA==");
    loki.answers(204);
    says(30, 60);
    stores(&loki, 30, LIMIT).await;
    log.shipper.stop().await;
    let reason = loki.lines_with("loki_failed").pop_last().expect("a line that says why");
    assert!(reason.contains("401") && !reason.contains("word@"), "{reason}");
}

#[tokio::test]
async fn what_loki_can_not_take_is_counted_at_once() {
    let loki = Loki::start().await;
    let log = Log::with(&loki.url());
    tracing::info!(event = "long", reason = "x".repeat(300_000));
    says(0, 5_000);
    log.shipper.stop().await;
    assert_eq!(log.guard.dropped_for(Reason::TooLarge), 1, "longer than Loki allows");
    let stored = loki.lines_with(LINE).len();
    assert!(stored >= 500, "{stored}");
    assert_eq!(dropped(&log.guard) - 1 + stored, 5_000, "faster than tracing-loki takes");
}

#[tokio::test]
async fn the_exit_waits_three_seconds_at_most_and_what_waits_is_sent() {
    let loki = Loki::start().await;
    let log = Log::with(&loki.url());
    says(0, 500);
    log.shipper.stop().await;
    stores(&loki, 500, Duration::from_secs(1)).await;

    for status in [HUNG, 500] {
        loki.answers(status);
        let log = Log::with(&loki.url());
        says(0, 500);
        says_nothing_for(Duration::from_millis(200)).await;
        let started = Instant::now();
        log.shipper.stop().await;
        assert!(started.elapsed() < Duration::from_secs(3), "{status}: {:?}", started.elapsed());
        let counted = log.guard.dropped_for(Reason::Stopping);
        assert_eq!(counted, 501, "{status}: each is counted, and the line that says so");
    }
}

#[tokio::test]
async fn without_loki_at_all_lines_are_counted_and_what_comes_when_it_is_there_is_sent() {
    let port = free_port();
    let log = Log::with(&format!("http://127.0.0.1:{port}"));
    says(0, 30_000);
    log.has_dropped(Reason::Unconfirmed, 1).await;
    assert_eq!(dropped(&log.guard), 30_000, "{:?}", log.guard.dropped());
    let loki = Loki::at(port).await;
    says(0, 100);
    stores(&loki, 100, Duration::from_secs(15)).await;
    log.shipper.stop().await;
}

/// The program itself: what it sends, what it weighs while Loki hangs, how it ends.
#[tokio::test]
async fn a_hung_loki_costs_a_running_coffer_nothing() {
    let loki = Loki::start().await;
    let place = Place::new();
    let (port, url) = (free_port(), format!("--loki-url={}", loki.url()));
    let (data, listen) = (format!("--data-dir={}", place.path("data")), format!("--port={port}"));
    let settings =
        ["--log-format=json", "--metrics-address=off", "--rate-limit-pages=off", &data, &listen, &url];
    let command = [&["env", "-i", crate::startup::COFFER, "serve"][..], &settings].concat();
    let server = Server::new("coffer", "TERM", &command);
    server.start(crate::startup::READY).await.unwrap_or_else(|log| panic!("coffer doesn't start: {log}"));
    let http = reqwest::Client::builder().no_proxy().timeout(LIMIT).build().expect("a client");
    let ask = async |count: usize| {
        let mut slowest = Duration::ZERO;
        for _ in 0..count {
            let asked = Instant::now();
            http.get(format!("http://127.0.0.1:{port}/login")).send().await.expect("an answer");
            slowest = slowest.max(asked.elapsed());
        }
        slowest
    };
    ask(200).await;
    let sent = eventually(LIMIT, async || {
        let count = loki.lines_with("\"route\":\"/login\"").len();
        if count == 200 { Ok(()) } else { Err(format!("{count} of 200")) }
    });
    sent.await.unwrap_or_else(|error| panic!("{error}"));
    loki.answers(HUNG);
    assert!(ask(500).await < Duration::from_secs(2), "no request waits for Loki");
    let told = Instant::now();
    server.end();
    assert!(told.elapsed() < Duration::from_secs(12), "{:?}", told.elapsed());
}
