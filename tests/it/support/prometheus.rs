//! A real Prometheus of the test's own.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use serde_json::Value;

use super::server::{Server, free_port};
use super::wait::eventually;

const LIMIT: Duration = Duration::from_mins(1);
const READY: &str = "Server is ready to receive web requests";

pub struct Prometheus {
    _server: Server,
    _folder: tempfile::TempDir,
    url: String,
    http: reqwest::Client,
}

impl Prometheus {
    /// With this configuration, in which `/etc/prometheus/rules.yml` are coffer's rules. It scrapes every second, and
    /// holds alerts of health back for two; those of budgets, and of the machine that the tests share, keep their
    /// patience.
    pub async fn start(config: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name).display().to_string();
        fs::write(path("rules.yml"), impatient_rules()).expect("a file");
        let config = config.replace("/etc/prometheus/rules.yml", &path("rules.yml"));
        let config = format!("global: {{scrape_interval: 1s, evaluation_interval: 1s}}\n{config}");
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
        let http = reqwest::Client::builder().no_proxy().build().expect("an HTTP client");
        Self { _server: server, _folder: folder, url: format!("http://127.0.0.1:{port}"), http }
    }

    pub async fn get(&self, path: &str, query: &[(&str, &str)]) -> Value {
        let url = reqwest::Url::parse_with_params(&format!("{}{path}", self.url), query).expect("an address");
        self.http.get(url).send().await.expect("an answer").json().await.expect("JSON")
    }

    /// Waits until the expression has an answer.
    pub async fn answers(&self, expression: &str) {
        let answered = eventually(LIMIT, async || {
            let said = self.get("/api/v1/query", &[("query", expression)]).await;
            assert_eq!(said["status"], "success", "{expression}: {said}");
            let there = said["data"]["result"].as_array().is_some_and(|result| !result.is_empty());
            if there { Ok(()) } else { Err("no data") }
        });
        answered.await.unwrap_or_else(|error| panic!("{expression}: {error}"));
    }

    pub async fn firing(&self) -> BTreeSet<String> {
        let said = self.get("/api/v1/alerts", &[]).await;
        let alerts = said["data"]["alerts"].as_array().expect("alerts");
        let firing = alerts.iter().filter(|alert| alert["state"] == "firing");
        firing.map(|alert| alert["labels"]["alertname"].as_str().expect("a name").to_owned()).collect()
    }
}

fn impatient_rules() -> String {
    let rules = concat!(env!("CARGO_MANIFEST_DIR"), "/observability/prometheus/rules.yml");
    let rules = fs::read_to_string(rules).expect("rules");
    let (budgets, health) = rules.split_once("  - name: coffer_health\n").expect("a group");
    let minutes = ["0m", "1m", "2m", "5m"];
    let health = minutes
        .iter()
        .fold(health.to_owned(), |rules, minutes| rules.replace(&format!("for: {minutes}\n"), "for: 2s\n"));
    format!("{budgets}  - name: coffer_health\n{health}")
}
