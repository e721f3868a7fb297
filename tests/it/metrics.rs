//! What Prometheus is told: every family in its form, few series whatever is sent, and nothing that was sent.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::net::SocketAddr;
use std::process::{Command, Stdio};

use coffer::serve::metrics;
use coffer::telemetry::metrics::{Decision, Invalidation, Method, Mode, Outcome, Tier};
use reqwest::Method as Verb;
use tokio::net::TcpListener;

use crate::support::actor::Ask;
use crate::support::app::{App, Engine};
use crate::support::{on_both_engines, site};

/// Fewer than a node may have, whatever is sent to it.
const SERIES: usize = 8_000;

/// A coffer whose metrics listener is open too, and its address.
async fn scraped(settings: &[&str]) -> (App, SocketAddr) {
    let app = App::with(Engine::Sqlite, settings).await;
    let listening = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let address = listening.local_addr().expect("a bound port");
    tokio::spawn(metrics::serve(listening, app.coffer.clone()));
    (app, address)
}

/// What a scrape would show.
fn shown(app: &App) -> String {
    app.coffer.db.look_at_pools();
    app.coffer.metrics.text()
}

fn series(text: &str) -> BTreeSet<&str> {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.rsplit_once(' '))
        .map(|(s, _)| s)
        .collect()
}

/// Everything that is counted elsewhere only once it happens.
fn everything_once(app: &App) {
    let metrics = &app.coffer.metrics;
    let cache = metrics.cache.meter("resource");
    cache.request(Tier::L2, Outcome::Stale);
    cache.invalidated(Invalidation::Remote, 1);
    metrics.limiter.policy("login").decided(Decision::Blocked, Mode::Exact);
    metrics.accounts.attempt(Method::Totp, false);
    let _ = metrics.dependencies.meter("redis");
}

#[tokio::test]
async fn promtool_has_nothing_to_say() {
    let app = App::with(Engine::Sqlite, &[]).await;
    app.signed_in("ada").await.get("/resources").await.ok();
    everything_once(&app);
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool starts (bin/setup installs it)");
    let text = shown(&app);
    promtool.stdin.take().expect("a pipe").write_all(text.as_bytes()).expect("promtool reads");
    let said = promtool.wait_with_output().expect("promtool ends");
    let words = [said.stdout, said.stderr].concat();
    assert!(said.status.success() && words.is_empty(), "{}\n{text}", String::from_utf8_lossy(&words));
}

#[tokio::test]
async fn every_family_is_there_and_closed_sets_start_at_nought() {
    let app = App::with(Engine::Sqlite, &[]).await;
    app.visitor().get("/login").await.ok();
    everything_once(&app);
    let text = shown(&app);
    for zero in [
        "coffer_cache_requests_total{cache=\"resource\",outcome=\"hit\",tier=\"l1\"} 0",
        "coffer_cache_coalesced_total{cache=\"resource\"} 0",
        "coffer_cache_evictions_total{cache=\"resource\",cause=\"size\"} 0",
        "coffer_cache_load_duration_seconds_count{cache=\"resource\"} 0",
        "coffer_rate_limit_decisions_total{decision=\"allowed\",mode=\"local\",policy=\"login\"} 0",
        "coffer_rate_limit_check_duration_seconds_count{backend=\"redis\"} 0",
        "coffer_auth_attempts_total{method=\"api_token\",outcome=\"success\"} 0",
        "coffer_circuit_breaker_state{dependency=\"redis\",state=\"open\"} 0",
        "coffer_circuit_breaker_rejections_total{dependency=\"redis\"} 0",
        "coffer_db_pool_acquire_timeouts_total{pool=\"sqlite_read\"} 0",
        "coffer_session_operations_total{operation=\"load\",outcome=\"redis\"} 0",
        "coffer_mail_attempts_total{outcome=\"given_up\"} 0",
    ] {
        assert!(text.contains(zero), "{zero} in\n{text}");
    }
    for name in [
        "http_server_request_duration_seconds_bucket{",
        "http_server_active_requests ",
        "coffer_sessions_active ",
        "coffer_mails_waiting ",
        "coffer_db_pool_connections{",
        "coffer_db_pool_max{",
        "coffer_db_pool_waiting{",
        "coffer_log_events_total{level=\"error\"}",
        "coffer_event_loop_lag_seconds_bucket{",
        "coffer_build_info{",
        "process_cpu_seconds_total ",
        "process_resident_memory_bytes ",
        "tokio_worker_busy_seconds_total ",
    ] {
        assert!(text.contains(&format!("\n{name}")), "{name} in\n{text}");
    }
}

/// What the exporter is not told the buckets of becomes a summary, which no panel or alert can read.
#[tokio::test]
async fn durations_are_shown_in_buckets_and_never_as_a_summary() {
    let app = App::with(Engine::Sqlite, &[]).await;
    app.visitor().get("/login").await.ok();
    everything_once(&app);
    let text = shown(&app);
    let types: Vec<_> = text.lines().filter(|line| line.starts_with("# TYPE ")).collect();
    assert!(!types.iter().any(|line| line.ends_with(" summary")), "{types:?}");
    for family in [
        "http_server_request_duration_seconds",
        "db_client_operation_duration_seconds",
        "coffer_db_pool_acquire_duration_seconds",
        "coffer_cache_load_duration_seconds",
        "coffer_cache_invalidation_lag_seconds",
        "coffer_rate_limit_check_duration_seconds",
        "coffer_event_loop_lag_seconds",
    ] {
        assert!(types.contains(&&*format!("# TYPE {family} histogram")), "{family} in {types:?}");
    }
}

#[tokio::test]
async fn the_page_has_the_same_counts_as_a_scrape_under_sorted_labels() {
    let app = App::with(Engine::Sqlite, &[]).await;
    app.signed_in("ada").await.get("/resources").await.ok();
    everything_once(&app);
    let text = shown(&app);
    let counters = app.coffer.metrics.readings().counters;
    let mut compared = 0;
    for (series, value) in counters.iter().filter(|(series, _)| series.starts_with("coffer_")) {
        // Other tests of this process log, and nodes hear themselves, between the two looks.
        if !series.starts_with("coffer_log_") && !series.starts_with("coffer_cache_invalidations") {
            assert!(text.contains(&format!("\n{series} {value}\n")), "{series} {value} in\n{text}");
            compared += 1;
        }
    }
    assert!(compared > 100, "{compared}");
    let labels = "http_request_method=\"GET\",http_response_status_code=\"200\",http_route=\"/resources\"";
    let family = "http_server_request_duration_seconds";
    assert!(counters.contains(&(format!("{family}_count{{{labels}}}"), 1.0)), "{counters:?}");
    assert!(text.contains(&format!("\n{family}_bucket{{{labels},le=\"+Inf\"}} 1\n")), "{text}");
}

on_both_engines!(hostile_traffic_makes_few_series_and_none_of_its_own);
async fn hostile_traffic_makes_few_series_and_none_of_its_own(app: App) {
    let visitor = app.visitor();
    for verb in ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND", "CANARY"] {
        let verb: Verb = verb.parse().expect("a method");
        for route in site::routes(&app).await {
            let path = route.path.replace(['{', '}'], "");
            Ask::new(&visitor, verb.clone(), &format!("{path}?canary={path}")).expecting_trouble().await;
        }
        for n in 0..50 {
            Ask::new(&visitor, verb.clone(), &format!("/canary-{n}"))
                .header("host", format!("canary-{n}"))
                .await;
        }
    }
    everything_once(&app);
    let text = shown(&app);
    assert!(!text.to_lowercase().contains("canary"), "{text}");
    let series = series(&text);
    assert!(series.len() < SERIES, "{} series", series.len());
    assert!(text.contains("http_route=\"_overflow\""), "{text}");
    let overall: f64 = app.scraped("http_server_request_duration_seconds_count", &[]);
    assert!(overall > 1_000.0, "all are counted: {overall}");
}

#[tokio::test]
async fn requests_are_counted_by_route_and_status() {
    let app = App::with(Engine::Sqlite, &[]).await;
    let ada = app.signed_in("ada").await;
    let entry = ada.saves(serde_json::json!({ "title": "Tides" })).await;
    for _ in 0..3 {
        ada.get(&entry.page()).await.ok();
    }
    ada.get("/resources/0198a000-0000-7000-8000-000000000000").await.error_page(404);
    let count = |status: &str| {
        let labels = [("http_route", "/resources/{id}"), ("http_response_status_code", status)];
        app.scraped("http_server_request_duration_seconds_count", &labels)
    };
    assert_eq!((count("200"), count("404")), (3.0, 1.0));
    assert!(app.scraped("http_server_active_requests", &[]).abs() < f64::EPSILON);
}

#[tokio::test]
async fn the_limiters_decisions_are_counted_by_policy_and_outcome() {
    let app = App::with(Engine::Sqlite, &["--rate-limit-pages=2/h", "--rate-limit-api=shadow 1/h"]).await;
    let visitor = app.visitor();
    for status in [200, 200, 429, 429, 429] {
        visitor.get("/login").await.is(status);
    }
    for _ in 0..3 {
        visitor.get("/api/v1/resources").await.ok();
    }
    let text = shown(&app);
    let count = |policy: &str, decision: &str| {
        let labels = format!("{{decision=\"{decision}\",mode=\"local\",policy=\"{policy}\"}} ");
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(&format!("coffer_rate_limit_decisions_total{labels}")));
        line.unwrap_or_else(|| panic!("{policy} {decision}: {text}")).parse::<u64>().expect("a count")
    };
    assert_eq!((count("pages", "allowed"), count("pages", "blocked")), (2, 3));
    assert_eq!((count("api", "allowed"), count("api", "shadow_blocked")), (1, 2));
}

#[tokio::test]
async fn a_scrape_is_answered_on_its_own_address() {
    let (app, address) = scraped(&[]).await;
    let answer = app.http().get(format!("http://{address}/metrics")).send().await.expect("an answer");
    assert_eq!(answer.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    assert!(answer.text().await.expect("text").contains("\ncoffer_build_info{version="));
    app.visitor().get("/metrics").await.error_page(404);
    let elsewhere = app.http().get(format!("http://{address}/resources")).send().await.expect("an answer");
    assert_eq!(elsewhere.status(), 404);
}

#[tokio::test]
async fn with_a_token_only_its_holder_may_scrape() {
    let (app, address) = scraped(&["--metrics-token=open sesame"]).await;
    let scrape = async |token: Option<&str>| {
        let request = app.http().get(format!("http://{address}/metrics"));
        let request = match token {
            Some(token) => request.header("authorization", token),
            None => request,
        };
        request.send().await.expect("an answer").status().as_u16()
    };
    assert_eq!(scrape(None).await, 401);
    assert_eq!(scrape(Some("Bearer open sesam")).await, 401);
    assert_eq!(scrape(Some("open sesame")).await, 401);
    assert_eq!(scrape(Some("Bearer open sesame")).await, 200);
}
