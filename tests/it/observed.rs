//! A real Prometheus, scraping coffer while people use it: every expression of every panel and alert has an answer,
//! and when Redis dies exactly the alerts for that fire.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use coffer::telemetry::listener;
use coffer::telemetry::metrics::{Decision, Mode, Outcome, Tier};
use serde_json::Value;
use tokio::net::TcpListener;

use crate::installation::{alerts, dashboards, rules};
use crate::support::actor::Actor;
use crate::support::app::{App, Engine};
use crate::support::server::{Server, free_port};
use crate::support::wait::eventually;

const LIMIT: Duration = Duration::from_mins(1);
const READY: &str = "Server is ready to receive web requests";

struct Prometheus {
    _server: Server,
    _folder: tempfile::TempDir,
    url: String,
    http: reqwest::Client,
}

impl Prometheus {
    /// Scrapes every second, and holds alerts of health back for two; those of budgets, and of the machine that the
    /// tests share, keep their patience.
    async fn scraping(app: &App) -> Self {
        let listening = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let target = listening.local_addr().expect("a bound port");
        tokio::spawn(listener::serve(listening, app.coffer.clone()));
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name).display().to_string();
        let rules = fs::read_to_string("observability/prometheus/rules.yml").expect("rules");
        let (budgets, health) = rules.split_once("  - name: coffer_health\n").expect("a group");
        let mut health = health.to_owned();
        for minutes in ["0m", "1m", "2m", "5m"] {
            health = health.replace(&format!("for: {minutes}\n"), "for: 2s\n");
        }
        fs::write(path("rules.yml"), format!("{budgets}  - name: coffer_health\n{health}")).expect("a file");
        let config = format!(
            "global: {{scrape_interval: 1s, evaluation_interval: 1s}}\nrule_files: ['{}']\n\
             scrape_configs: [{{job_name: coffer, static_configs: [{{targets: ['{target}']}}]}}]\n",
            path("rules.yml")
        );
        fs::write(path("prometheus.yml"), config).expect("a file");
        let port = free_port();
        let command = [
            "prometheus".to_owned(),
            format!("--config.file={}", path("prometheus.yml")),
            format!("--storage.tsdb.path={}", path("data")),
            format!("--web.listen-address=127.0.0.1:{port}"),
        ];
        let server = Server::new("prometheus", "KILL", &command.each_ref().map(String::as_str));
        server
            .start(READY)
            .await
            .unwrap_or_else(|log| panic!("Prometheus doesn't start (bin/setup installs it): {log}"));
        Self { _server: server, _folder: folder, url: format!("http://127.0.0.1:{port}"), http: app.http() }
    }

    async fn get(&self, path: &str, query: &[(&str, &str)]) -> Value {
        let url = reqwest::Url::parse_with_params(&format!("{}{path}", self.url), query).expect("an address");
        self.http.get(url).send().await.expect("an answer").json().await.expect("JSON")
    }

    /// Waits until the expression has an answer.
    async fn answers(&self, expression: &str) {
        let answered = eventually(LIMIT, async || {
            let said = self.get("/api/v1/query", &[("query", expression)]).await;
            assert_eq!(said["status"], "success", "{expression}: {said}");
            let there = said["data"]["result"].as_array().is_some_and(|result| !result.is_empty());
            if there { Ok(()) } else { Err("no data") }
        });
        answered.await.unwrap_or_else(|error| panic!("{expression}: {error}"));
    }

    async fn firing(&self) -> BTreeSet<String> {
        let said = self.get("/api/v1/alerts", &[]).await;
        let alerts = said["data"]["alerts"].as_array().expect("alerts");
        let firing = alerts.iter().filter(|alert| alert["state"] == "firing");
        firing.map(|alert| alert["labels"]["alertname"].as_str().expect("a name").to_owned()).collect()
    }
}

/// As somebody uses it, and what else would be counted on a busy day.
async fn a_bit_of_everything(app: &App, ada: &Actor) {
    let metrics = &app.coffer.metrics;
    let cache = metrics.cache.of("tried");
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
    let prometheus = Prometheus::scraping(&app).await;
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
