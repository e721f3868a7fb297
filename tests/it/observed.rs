//! A real Prometheus, scraping coffer while people use it: every expression of every panel and alert has an answer,
//! and when Redis dies exactly the alerts for that fire.

use std::collections::BTreeSet;
use std::time::Duration;

use coffer::serve::metrics;
use coffer::telemetry::metrics::{Decision, Mode, Outcome, Tier};
use tokio::net::TcpListener;

use crate::installation::{alerts, dashboards, rules};
use crate::support::actor::Actor;
use crate::support::app::{App, Engine};
use crate::support::prometheus::Prometheus;
use crate::support::wait::eventually;

const LIMIT: Duration = Duration::from_mins(1);

/// A real Prometheus, scraping this app's figures.
async fn scraping(app: &App) -> Prometheus {
    let listening = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let target = listening.local_addr().expect("a bound port");
    tokio::spawn(metrics::serve(listening, app.coffer.clone()));
    let config = format!(
        "rule_files: ['/etc/prometheus/rules.yml']\n\
         scrape_configs: [{{job_name: coffer, static_configs: [{{targets: ['{target}']}}]}}]\n"
    );
    Prometheus::start(&config).await
}

/// As a user visits it, and what else would be counted on a busy day.
async fn a_bit_of_everything(app: &App, ada: &Actor) {
    let metrics = &app.coffer.metrics;
    let cache = metrics.cache.meter("tried");
    cache.request(Tier::L1, Outcome::Hit);
    cache.request(Tier::L2, Outcome::Hit);
    cache.loaded(Duration::from_millis(2));
    cache.capacity_bytes.set(1 << 20);
    metrics.limiter.policy("tried").decided(Decision::Allowed, Mode::Exact);
    for _ in 0..20 {
        ada.get("/resources").await.ok();
        ada.get("/absent").await.error_page(404);
    }
}

/// The expression with what Grafana would put in.
fn filled(expression: &str) -> String {
    expression.replace("$__rate_interval", "30s").replace("$instance", ".*").replace("${1}", "$1")
}

/// The alert's condition as a number for every series, whether or not it is met.
fn as_number(condition: &str) -> String {
    [" == ", " > ", " < ", " >= "].iter().fold(condition.to_owned(), |text, comparison| {
        text.replace(comparison, &format!("{comparison}bool "))
    })
}

#[tokio::test]
async fn every_panel_and_alert_has_data_and_a_dead_redis_fires_its_alerts_alone() {
    let app = App::with_redis(Engine::Sqlite).await;
    let ada = app.signed_in("ada").await;
    a_bit_of_everything(&app, &ada).await;
    let prometheus = scraping(&app).await;
    prometheus.answers("up{job=\"coffer\"} == 1").await;
    for _ in 0..3 {
        a_bit_of_everything(&app, &ada).await;
        prometheus.answers("count_over_time(up{job=\"coffer\"}[30s]) > 2").await;
    }
    for (path, dashboard) in dashboards() {
        for panel in dashboard["panels"].as_array().expect("panels") {
            let targets = panel["targets"].as_array().expect("targets").iter();
            for target in targets.filter(|target| target["datasource"]["type"] == "prometheus") {
                let expression = filled(target["expr"].as_str().expect("an expression"));
                assert!(!expression.contains("$_"), "{}: {expression}", path.display());
                prometheus.answers(&expression).await;
            }
        }
    }
    for alert in alerts(&rules()) {
        prometheus.answers(&as_number(alert["expr"].as_str().expect("an expression"))).await;
    }
    assert_eq!(prometheus.firing().await, BTreeSet::new(), "all is well");

    app.redis().kill();
    let wanted: BTreeSet<String> = ["CofferCircuitBreakerOpen", "CofferRedisDown"].map(str::to_owned).into();
    let fired = eventually(LIMIT, async || {
        a_bit_of_everything(&app, &ada).await;
        let firing = prometheus.firing().await;
        if firing.is_superset(&wanted) { Ok(firing) } else { Err(format!("{firing:?}")) }
    });
    let firing = fired.await.unwrap_or_else(|error| panic!("{error}"));
    // The limiter says the same of itself, where one is at work.
    let but_the_limiter: BTreeSet<_> =
        firing.into_iter().filter(|name| name != "CofferLimiterLocal").collect();
    assert_eq!(but_the_limiter, wanted);
}
