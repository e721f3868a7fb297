//! A rolling restart as a proxy sees it: it asks `/readyz` now and then, keeps connections, and loses nothing.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{interval, timeout};

use crate::support::app::{App, Engine, Node};
use crate::support::wait::eventually;
use crate::tokens::token;

const LIMIT: Duration = Duration::from_secs(20);

/// A connection to one of coffer's nodes, as a proxy keeps it.
struct Upstream(TcpStream);

struct Heard {
    status: u16,
    closes: bool,
}

impl Upstream {
    async fn ask(&mut self, request: &str) -> std::io::Result<Heard> {
        self.0.write_all(request.as_bytes()).await?;
        let (mut head, mut byte) = (String::new(), [0]);
        while !head.ends_with("\r\n\r\n") {
            self.0.read_exact(&mut byte).await?;
            head.push(char::from(byte[0]));
        }
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        self.0.read_exact(&mut body).await?;
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        Ok(Heard { status, closes: head.contains("connection: close") })
    }

    /// Whether the other side has said goodbye.
    fn is_closed(&self) -> bool {
        !matches!(self.0.try_read(&mut [0; 1]), Err(error) if error.kind() == std::io::ErrorKind::WouldBlock)
    }
}

async fn ask(address: &str, path: &str) -> std::io::Result<Heard> {
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n");
    Upstream(TcpStream::connect(address).await?).ask(&request).await
}

/// Two nodes, of which one is asked after the other, while it says that it is ready.
struct Proxy {
    bearer: String,
    ready: Vec<(String, bool)>,
    kept: Vec<(String, Upstream)>,
    looked: Instant,
    turn: usize,
}

impl Proxy {
    fn add(&mut self, node: &Node) {
        self.ready.push((node.origin().replace("http://", ""), true));
    }

    /// Like a load balancer, not at once: each half second.
    async fn look(&mut self) {
        if self.looked.elapsed() < Duration::from_millis(500) {
            return;
        }
        self.looked = Instant::now();
        for (address, ready) in &mut self.ready {
            *ready = ask(address, "/readyz").await.is_ok_and(|heard| heard.status == 200);
        }
    }

    /// Saves something; a connection that can't be made is tried at the other node, as nothing was sent yet.
    async fn post(&mut self, number: usize) -> std::io::Result<u16> {
        self.look().await;
        self.turn += 1;
        let mut choices: VecDeque<String> =
            self.ready.iter().filter(|(_, ready)| *ready).map(|(address, _)| address.clone()).collect();
        let turns = self.turn % choices.len().max(1);
        choices.rotate_left(turns);
        let mut last = Err(std::io::Error::other("no node is ready"));
        for address in choices {
            let mut upstream = match self.connection(&address).await {
                Ok(upstream) => upstream,
                Err(error) => {
                    last = Err(error);
                    continue;
                }
            };
            let body = format!("{{\"title\":\"entry {number}\",\"body\":\"text\"}}");
            let request = format!(
                "POST /api/v1/resources HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
                 Content-Length: {}\r\n\r\n{body}",
                self.bearer,
                body.len()
            );
            let heard = upstream.ask(&request).await?;
            if !heard.closes {
                self.kept.push((address, upstream));
            }
            return Ok(heard.status);
        }
        last
    }

    async fn connection(&mut self, address: &str) -> std::io::Result<Upstream> {
        while let Some(at) = self.kept.iter().position(|(kept, _)| kept == address) {
            let (_, upstream) = self.kept.swap_remove(at);
            if !upstream.is_closed() {
                return Ok(upstream);
            }
        }
        Ok(Upstream(TcpStream::connect(address).await?))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rolling_restart_loses_no_post() {
    let settings = ["--trusted-proxies=10.0.0.0/8"];
    let app = App::with(Engine::Postgres, &settings).await;
    app.has_account("ada", coffer::identity::Role::Member).await;
    let bearer = token(&app, "ada", &["resources:read", "resources:write"]).await;
    let mut nodes = VecDeque::from([app.another_node().await, app.another_node().await]);
    let mut proxy = Proxy { bearer, ready: Vec::new(), kept: Vec::new(), looked: Instant::now(), turn: 0 };
    for node in &nodes {
        proxy.add(node);
    }
    let mut often = interval(Duration::from_millis(10));
    let mut saved = 0;
    for _ in 0..2 {
        let old = nodes.pop_front().expect("a node");
        let restart = tokio::spawn(old.stop());
        let mut after = 40;
        while after > 0 {
            often.tick().await;
            let status = timeout(LIMIT, proxy.post(saved)).await.expect("in time").expect("no POST is lost");
            assert_eq!(status, 201);
            saved += 1;
            after -= usize::from(restart.is_finished());
        }
        restart.await.expect("it stops");
        let new = app.another_node().await;
        proxy.add(&new);
        nodes.push_back(new);
    }
    assert!(saved > 80, "{saved}");
    let ada = app.another_browser_of("ada").await;
    let mut found = 0;
    let mut page = ada.get("/api/v1/resources?limit=100").await.ok().json();
    loop {
        found += page["items"].as_array().expect("a list").len();
        let Some(cursor) = page["next_cursor"].as_str().map(str::to_owned) else { break };
        page = ada.get(&format!("/api/v1/resources?limit=100&cursor={cursor}")).await.ok().json();
    }
    assert_eq!(found, saved, "each exactly once");
}

#[tokio::test]
async fn told_to_stop_it_serves_on_and_is_not_ready() {
    let app = App::with(Engine::Postgres, &[]).await;
    let node = app.another_node_with(&["--drain-seconds=3"]).await;
    let address = node.origin().replace("http://", "");
    let mut kept = Upstream(TcpStream::connect(&address).await.expect("it listens"));
    let request = format!("GET /login HTTP/1.1\r\nHost: {address}\r\n\r\n");
    assert!(!kept.ask(&request).await.expect("an answer").closes);
    let coffer = node.coffer.clone();
    let stop = tokio::spawn(node.stop());
    let told = async || if coffer.health.is_stopping() { Ok(()) } else { Err("not yet") };
    eventually(LIMIT, told).await.expect("it is told");
    assert_eq!(ask(&address, "/readyz").await.expect("it still listens").status, 503);
    let last = kept.ask(&request).await.expect("a connection that was idle is served");
    assert!(last.status == 200 && last.closes);
    let new = ask(&address, "/login").await.expect("a new connection is served");
    assert!(new.status == 200 && new.closes);
    stop.await.expect("it stops");
    assert!(TcpStream::connect(&address).await.is_err());
}

#[test]
fn without_a_proxy_nothing_is_waited_for() {
    let drain = |settings: &[&str]| {
        coffer::config::Config::parse(settings.iter().map(ToString::to_string))
            .expect("settings")
            .drain()
            .as_secs()
    };
    assert_eq!(drain(&[]), 0);
    assert_eq!(drain(&["--trusted-proxies=10.0.0.0/8"]), 2);
    assert_eq!(drain(&["--trusted-proxies=10.0.0.0/8", "--drain-seconds=0"]), 0);
    assert_eq!(drain(&["--drain-seconds=7"]), 7);
}
