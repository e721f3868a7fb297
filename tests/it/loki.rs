//! Copies of log lines for Loki, whatever Loki does: no line gets lost uncounted, and nobody waits.

use std::sync::Arc;
use std::time::{Duration, Instant};

use coffer::context::Context;
use coffer::telemetry::loki::{Queue, Reason, Shipper};
use tokio::net::TcpListener;
use tracing::Level;

use crate::startup::Place;
use crate::support::loki::{HUNG, Loki};
use crate::support::server::{Server, free_port};
use crate::support::wait::eventually;

const LIMIT: Duration = Duration::from_secs(30);

/// A shipper with the queue that it sends from.
fn ships(url: &str) -> (Arc<Queue>, Shipper) {
    let queue = Arc::<Queue>::default();
    let shipper = Shipper::start(queue.clone(), url, "test", Context::system()).expect("an address");
    (queue, shipper)
}

fn says(queue: &Queue, from: usize, until: usize) {
    for n in from..until {
        queue.push(
            Level::INFO,
            Context::system().now(),
            &format!("{{\"line\":{n},\"of\":\"{}\"}}", "x".repeat(150)),
        );
    }
}

async fn stores(loki: &Loki, wanted: usize, within: Duration) {
    let stored = eventually(within, async || {
        let stored = loki.lines_with("\"line\":").len();
        if stored == wanted { Ok(()) } else { Err(format!("{stored} of {wanted} lines")) }
    });
    stored.await.unwrap_or_else(|error| panic!("{error}"));
}

#[tokio::test]
async fn two_thousand_lines_a_second_are_all_stored() {
    let loki = Loki::start().await;
    let (queue, shipper) = ships(&loki.url());
    let mut tick = tokio::time::interval(Duration::from_millis(100));
    for tenth in 0..50 {
        tick.tick().await;
        says(&queue, tenth * 200, (tenth + 1) * 200);
    }
    stores(&loki, 10_000, LIMIT).await;
    shipper.stop().await;
    let (labels, _) = loki.stored().remove(0);
    assert_eq!(labels, serde_json::json!({ "service_name": "coffer", "env": "test", "level": "info" }));
}

#[tokio::test]
async fn after_a_stall_of_twenty_seconds_lines_flow_within_ten() {
    let loki = Loki::start().await;
    let (queue, shipper) = ships(&loki.url());
    loki.answers(HUNG);
    says(&queue, 0, 100);
    let stall = Instant::now();
    let mut tick = tokio::time::interval(Duration::from_secs(1));
    while stall.elapsed() < Duration::from_secs(20) {
        tick.tick().await;
        let pushed = Instant::now();
        says(&queue, 0, 1);
        assert!(pushed.elapsed() < Duration::from_millis(100), "who logs never waits");
    }
    loki.answers(204);
    says(&queue, 100, 200);
    stores(&loki, 200, Duration::from_secs(10)).await;
    shipper.stop().await;
}

#[tokio::test]
async fn what_may_succeed_later_is_tried_again() {
    for status in [429, 500, 503] {
        let loki = Loki::start().await;
        loki.answers(status);
        let (queue, shipper) = ships(&loki.url());
        says(&queue, 0, 50);
        says_nothing_for(Duration::from_millis(1500)).await;
        assert!(loki.stored().is_empty());
        loki.answers(204);
        stores(&loki, 50, Duration::from_secs(10)).await;
        shipper.stop().await;
    }
}

async fn says_nothing_for(duration: Duration) {
    let _ = tokio::time::timeout(duration, std::future::pending::<()>()).await;
}

#[tokio::test]
async fn what_is_too_large_is_halved() {
    let loki = Loki::start().await;
    loki.takes_at_most(10_000);
    let (queue, shipper) = ships(&loki.url());
    queue.push(Level::INFO, Context::system().now(), &"x".repeat(20_000));
    says(&queue, 0, 500);
    stores(&loki, 500, LIMIT).await;
    assert_eq!(queue.dropped_for(Reason::TooLarge), 1, "the one that can't be halved is counted");
    shipper.stop().await;
}

#[tokio::test]
async fn what_is_refused_is_counted_and_what_follows_is_sent() {
    let loki = Loki::start().await;
    loki.answers(400);
    let (queue, shipper) = ships(&loki.url());
    says(&queue, 0, 30);
    let counted = eventually(LIMIT, async || {
        if queue.dropped_for(Reason::Refused) == 30 { Ok(()) } else { Err("not counted yet") }
    });
    counted.await.unwrap_or_else(|error| panic!("{error}"));
    loki.answers(204);
    says(&queue, 30, 60);
    stores(&loki, 30, LIMIT).await;
    shipper.stop().await;
}

#[tokio::test]
async fn the_exit_waits_three_seconds_at_most_and_what_waits_is_sent() {
    let loki = Loki::start().await;
    let (queue, shipper) = ships(&loki.url());
    says(&queue, 0, 5_000);
    shipper.stop().await;
    stores(&loki, 5_000, Duration::from_secs(1)).await;

    loki.answers(HUNG);
    let (queue, shipper) = ships(&loki.url());
    says(&queue, 0, 700);
    let started = Instant::now();
    shipper.stop().await;
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    assert_eq!(queue.dropped_for(Reason::Stopping), 700, "each is counted");
}

#[tokio::test]
async fn without_loki_at_all_the_oldest_go_and_the_rest_comes_when_it_is_there() {
    let port = free_port();
    let (queue, shipper) = ships(&format!("http://127.0.0.1:{port}"));
    says(&queue, 0, 30_000);
    assert!(queue.dropped_for(Reason::QueueFull) > 0, "what does not fit is counted");
    let refusing = TcpListener::bind(("127.0.0.1", port)).await;
    drop(refusing);
    let started = Instant::now();
    shipper.stop().await;
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
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
