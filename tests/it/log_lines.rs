//! The line of each request, as a running coffer writes it.

use std::time::Duration;

use serde_json::Value;

use crate::limits::from;
use crate::startup::{COFFER, Place, READY, log, succeeded};
use crate::support::actor::Actor;
use crate::support::server::Server;
use crate::support::wait::eventually;

const LIMIT: Duration = Duration::from_secs(30);
const PASSWORD: &str = "a long password for the log";
const API: &str = "/api/v1/resources";
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

struct Program {
    server: Server,
    origin: String,
    _place: Place,
}

impl Program {
    /// With root, an admin.
    async fn with(settings: &[&str]) -> Self {
        let place = Place::new();
        let data = format!("--data-dir={}", place.path("data"));
        let create = ["user", "create", &data, "--username=root", "--email=root@example.org", "--role=admin"];
        succeeded(&place.run_with_input(&create, &[], &format!("{PASSWORD}\n")));
        let mut command = vec!["env", "-i", COFFER, "serve", "--port=0", "--log-format=json", &data];
        command.extend(settings);
        let server = Server::new("coffer", "KILL", &command);
        let said = server.start(READY).await.unwrap_or_else(|log| panic!("coffer doesn't start: {log}"));
        let (_, rest) = said.split_once(READY).expect("the log says where");
        let end = rest.find(|c: char| c.is_whitespace() || c == '"').unwrap_or(rest.len());
        Self { origin: rest[..end].replace("localhost", "127.0.0.1"), server, _place: place }
    }

    fn visitor(&self, name: &str) -> Actor {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .timeout(LIMIT)
            .build();
        Actor::at_origin(name, &self.origin, http.expect("an HTTP client"))
    }

    /// The lines of all requests, once the one with this id is among them: lines come after their answers.
    async fn lines_until(&self, request_id: &str) -> Vec<Value> {
        let written = eventually(LIMIT, async || {
            let lines: Vec<Value> =
                log(&self.server).lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
            let is_there = lines.iter().any(|line| line["request_id"] == request_id);
            if is_there { Ok(lines) } else { Err(format!("no {request_id} in {lines:?}")) }
        });
        let mut lines = written.await.unwrap_or_else(|error| panic!("{error}"));
        lines.retain(|line| line["event"] == "request");
        lines
    }
}

#[tokio::test]
async fn a_client_is_called_the_same_in_the_log_and_on_the_pages() {
    let program = Program::with(&["--trusted-proxies=127.0.0.1", "--rate-limit-api=2/h"]).await;
    let visitor = program.visitor("visitor");
    for address in ["198.51.100.7", "2001:db8::7"] {
        from(&visitor, address, API).await.ok();
        from(&visitor, address, API).await.ok();
        from(&visitor, address, API).await.is(429);
        let id = from(&visitor, address, "/login").await.ok().header("x-request-id");
        let lines = program.lines_until(&id).await;
        let line = lines.iter().find(|line| line["request_id"] == id).expect("the line");
        let client = line["client"].as_str().expect("a client");
        assert_eq!(client.len(), 12, "{line}");
        assert!(lines.iter().any(|line| line["status"] == 200 && line["client"] == client), "{lines:?}");

        let root = program.visitor("root");
        root.post_form("/login", &[("login", "root"), ("password", PASSWORD)])
            .await
            .redirects_to("/resources");
        for page in ["/admin/limits", "/admin/metrics"] {
            let named = root.get(page).await.ok().texts(".clients b code");
            assert!(named.iter().any(|name| name == client), "{client} on {page}: {named:?}");
        }
    }
}

#[tokio::test]
async fn of_refusals_one_in_a_hundred_has_a_line() {
    let program = Program::with(&["--rate-limit-api=1/h"]).await;
    let visitor = program.visitor("visitor");
    visitor.get(API).await.ok();
    for _ in 0..201 {
        visitor.get(API).await.is(429);
    }
    let id = visitor.get("/login").await.ok().header("x-request-id");
    let lines = program.lines_until(&id).await;
    let of = |status: u16| lines.iter().filter(|line| line["status"] == status).count();
    assert_eq!((of(429), of(200)), (3, 2), "{lines:?}");
}

#[tokio::test]
async fn only_a_trusted_proxy_says_which_trace_a_request_is_part_of() {
    for (proxies, wanted) in [("127.0.0.1", Value::from(TRACE)), ("192.0.2.1", Value::Null)] {
        let program = Program::with(&[&format!("--trusted-proxies={proxies}")]).await;
        let parent = format!("00-{TRACE}-b7ad6b7169203331-01");
        let answer = program.visitor("visitor").get("/login").header("traceparent", &parent).await.ok();
        let id = answer.header("x-request-id");
        let lines = program.lines_until(&id).await;
        let line = lines.iter().find(|line| line["request_id"] == id).expect("the line");
        assert_eq!(line["trace_id"], wanted, "{line}");
    }
}

#[tokio::test]
async fn a_page_is_one_line_and_its_files_are_for_those_who_look_closer() {
    for (settings, is_close) in [(&[][..], false), (&["--log=debug"], true)] {
        let coffer = Program::with(settings).await;
        let visitor = coffer.visitor("visitor");
        let page = visitor.get("/login").await.ok();
        let styles = page.attributes("link[rel=stylesheet]", "href");
        assert!(!styles.is_empty());
        for style in &styles {
            visitor.get(style).await.ok();
        }
        let last = visitor.get("/login").await.ok();
        let lines = coffer.lines_until(&last.header("x-request-id")).await;
        let files = lines.iter().filter(|line| line["route"] == "/static/{*path}").count();
        assert_eq!(files, if is_close { styles.len() } else { 0 }, "{lines:?}");
        assert_eq!(lines.iter().filter(|line| line["route"] == "/login").count(), 2);
    }
}
