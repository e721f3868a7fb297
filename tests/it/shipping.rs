//! Lines of the log on their way to another machine, by rsyslog and the document's own snippet.

use std::fs;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpListener;

use crate::startup::{Place, log};
use crate::support::documents::under;
use crate::support::server::Server;
use crate::support::wait::eventually;

const LIMIT: Duration = Duration::from_secs(30);

/// rsyslog with this configuration, and a socket at which it takes lines as the journal hands them on.
async fn rsyslog(place: &Place, config: &str) -> Server {
    let own = format!(
        "module(load=\"imuxsock\" SysSock.Use=\"off\")\ninput(type=\"imuxsock\" Socket=\"{}\")\n\
         global(workDirectory=\"{}\")\n",
        place.path("socket"),
        place.path("")
    );
    fs::write(place.path("rsyslog.conf"), own + config).expect("a configuration");
    let command =
        ["/usr/sbin/rsyslogd", "-n", "-f", &place.path("rsyslog.conf"), "-i", &place.path("rsyslog.pid")];
    let server = Server::new("rsyslog", "KILL", &command);
    server
        .start("")
        .await
        .unwrap_or_else(|log| panic!("rsyslog doesn't start (bin/setup installs it): {log}"));
    let listens = eventually(LIMIT, async || {
        fs::exists(place.path("socket")).unwrap_or(false).then_some(()).ok_or_else(|| log(&server))
    });
    listens.await.unwrap_or_else(|error| panic!("rsyslog has no socket: {error}"));
    server
}

#[tokio::test]
async fn rsyslog_sends_each_line_as_it_is() {
    let place = Place::new();
    let (coffer, _) = place.serves(&["--port=0", "--metrics-address=off"]).await;
    let lines: Vec<String> =
        log(&coffer).lines().filter(|line| line.starts_with('{')).map(str::to_owned).collect();
    assert!(!lines.is_empty(), "{}", log(&coffer));

    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let port = listener.local_addr().expect("a bound port").port();
    let snippet = under("production", "Log shipping", "rsyslog").concat();
    let config = snippet.replace("logs.example.org", "127.0.0.1").replace("6514", &port.to_string());
    let _rsyslog = rsyslog(&place, &config).await;
    for line in &lines {
        let mut logger = Command::new("logger");
        let sent =
            logger.args(["--tag=coffer", "--size=64KiB", "--socket", &place.path("socket"), "--", line]);
        assert!(sent.status().expect("logger runs").success());
    }
    let (stream, _) =
        tokio::time::timeout(LIMIT, listener.accept()).await.expect("in time").expect("rsyslog");
    let mut arrived = BufReader::new(stream).lines();
    for line in lines {
        let found = tokio::time::timeout(LIMIT, arrived.next_line()).await.expect("in time");
        let found = found.expect("a line").expect("one more");
        assert_eq!(found, line);
        serde_json::from_str::<Value>(&found).expect("JSON");
    }
}
