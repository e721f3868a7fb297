//! Prometheus and Alertmanager over two nodes, as the document has them, and the letter that an operator gets.

use std::fs;
use std::time::Duration;

use tempfile::TempDir;

use super::tour::Tour;
use crate::cache::long_or;
use crate::snippets::alertmanager_takes;
use crate::support::documents::under;
use crate::support::prometheus::Prometheus;
use crate::support::server::Server;
use crate::support::wait::eventually;

/// Alertmanager gathers what belongs together for half a minute.
const LIMIT: Duration = Duration::from_mins(2);

pub struct Watch {
    prometheus: Prometheus,
    _alertmanager: Server,
    _folder: TempDir,
}

impl Watch {
    pub async fn over(tour: &Tour) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let [prometheus, alertmanager]: [String; 2] =
            under("production", "Alerts", "yaml").try_into().expect("Prometheus and Alertmanager");
        let (alertmanager, port) = start(tour, &alertmanager, &folder).await;
        let targets = [&tour.first, &tour.second].map(|node| format!("127.0.0.1:{}", node.metrics_port()));
        let config = prometheus
            .replace("localhost:9464", &targets.join(", "))
            .replace("localhost:9093", &format!("127.0.0.1:{port}"));
        let prometheus = Prometheus::start(&config).await;
        prometheus.answers("count(up{job=\"coffer\"} == 1) == 2").await;
        let rules = prometheus.get("/api/v1/rules", &[]).await;
        assert!(rules.to_string().contains("CofferDown"), "{rules}");
        Self { prometheus, _alertmanager: alertmanager, _folder: folder }
    }

    /// Waits until the alert fires and, with `bin/test --long`, until its letter is there.
    pub async fn tells_of(&self, tour: &Tour, alert: &str) {
        let fires = eventually(LIMIT, async || {
            let firing = self.prometheus.firing().await;
            if firing.contains(alert) { Ok(()) } else { Err(format!("{firing:?}")) }
        });
        fires.await.unwrap_or_else(|error| panic!("{alert} fires: {error}"));
        if !long_or(true, false) {
            return;
        }
        let arrives = eventually(LIMIT, async || {
            let letters = tour.world.mail.letters();
            let is_there = letters.iter().any(|letter| letter.subject.contains(alert));
            if is_there { Ok(()) } else { Err(format!("{letters:#?}")) }
        });
        arrives.await.unwrap_or_else(|error| panic!("a letter about {alert}: {error}"));
    }
}

async fn start(tour: &Tour, config: &str, folder: &TempDir) -> (Server, u16) {
    let path = |name: &str| folder.path().join(name).display().to_string();
    fs::write(path("password"), "p@ss word").expect("a file");
    let config = config
        .replace("mail.example.org:587", tour.world.mail.url().trim_start_matches("smtp://"))
        .replace("auth_username: user", "auth_username: coffer")
        .replace("/etc/alertmanager/password", &path("password"));
    fs::write(path("alertmanager.yml"), config).expect("a file");
    alertmanager_takes(&path("alertmanager.yml"));
    let trusts = format!("SSL_CERT_FILE={}", tour.world.mail.authority());
    let (file, storage) =
        (format!("--config.file={}", path("alertmanager.yml")), format!("--storage.path={}", path("data")));
    Server::on_free_port("alertmanager", "KILL", "Listening on", |port| {
        let listen = format!("--web.listen-address=127.0.0.1:{port}");
        let command = [
            "env",
            &trusts,
            "prometheus-alertmanager",
            &file,
            &storage,
            &listen,
            "--cluster.listen-address=",
        ];
        command.map(str::to_owned).to_vec()
    })
    .await
}
