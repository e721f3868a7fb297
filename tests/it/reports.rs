//! What browsers report of the content policy: anyone may send it, little of it is believed, nothing is kept.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::startup::{COFFER, Place, READY, log};
use crate::support::actor::{Actor, Ask};
use crate::support::app::{App, Engine};
use crate::support::dump::Dump;
use crate::support::server::Server;
use crate::support::wait::eventually;

const PATH: &str = "/csp-report";
const LIMIT: Duration = Duration::from_secs(20);

fn violation() -> Value {
    json!({ "csp-report": {
        "document-uri": "https://links.example.org/invite/canary-of-an-invitation",
        "violated-directive": "script-src-elem 'self'",
        "blocked-uri": "https://evil.example/canary-of-an-address",
        "script-sample": "canary-of-a-sample",
        "original-policy": "default-src 'none'",
    } })
}

fn reported() -> Value {
    json!([
        { "type": "deprecation", "url": "https://links.example.org/", "body": { "id": "canary-of-an-id" } },
        { "type": "csp-violation", "age": 3, "user_agent": "canary-of-a-browser", "body": {
            "documentURL": "https://links.example.org/resources?q=canary-of-a-search",
            "effectiveDirective": "style-src-attr",
            "blockedURL": "inline",
        } },
    ])
}

/// As a browser sends it: without cookies and without an origin.
fn report<'a>(browser: &'a Actor, kind: &str, body: impl Into<Vec<u8>>) -> Ask<'a> {
    Ask::new(browser, Method::POST, PATH).header("content-type", kind).with_body(body)
}

#[tokio::test]
async fn every_page_says_where_to_complain() {
    let app = App::with(Engine::Sqlite, &[]).await;
    for path in ["/login", "/nowhere", "/api/docs"] {
        let answer = app.visitor().get(path).await;
        assert!(answer.header("content-security-policy").ends_with("report-uri /csp-report; report-to csp"));
        answer.header_is("reporting-endpoints", "csp=\"/csp-report\"");
    }
}

#[tokio::test]
async fn what_is_no_report_is_refused() {
    let app = App::with(Engine::Sqlite, &[]).await;
    let anybody = app.visitor();
    let before = Dump::of(&app.coffer.db).await;
    report(&anybody, "application/json", violation().to_string())
        .await
        .is(415)
        .problem("unsupported_media_type");
    report(&anybody, "text/plain", "x").await.is(415);
    for bad in ["", "{", "[]", "{\"csp-report\": 5}", "\0", "[[[[[[[["] {
        report(&anybody, "application/csp-report", bad).await.is(400).problem("bad_body");
    }
    for bad in ["", "{}", "[1]", "[{\"type\": 5}]"] {
        report(&anybody, "application/reports+json", bad).await.is(400).problem("bad_body");
    }
    report(&anybody, "application/reports+json", "x".repeat(20_000)).await.is(413).problem("too_large");
    report(&anybody, "application/reports+json", "[]").await.is(204);
    report(&anybody, "application/csp-report", violation().to_string()).await.is(204);
    anybody.get(PATH).await.is(405);
    Dump::of(&app.coffer.db).await.is(&before, "a report");
}

#[tokio::test]
async fn a_report_is_one_line_of_words_that_are_known() {
    let place = Place::new();
    let data = format!("--data-dir={}", place.path("data"));
    let server = Server::new("coffer", "KILL", &[COFFER, "serve", "--port=0", "--log-format=json", &data]);
    let said = server.start(READY).await.unwrap_or_else(|log| panic!("coffer doesn't start: {log}"));
    let (_, rest) = said.split_once(READY).expect("the log says where");
    let origin = &rest[..rest.find(|c: char| c.is_whitespace() || c == '"').unwrap_or(rest.len())];
    let anybody =
        Actor::at_origin("anybody", origin, reqwest::Client::builder().no_proxy().build().expect("a client"));
    report(&anybody, "application/csp-report", violation().to_string()).await.is(204);
    let many = Value::from(vec![reported()[1].clone(); 50]);
    report(&anybody, "application/reports+json", many.to_string()).await.is(204);
    report(&anybody, "application/reports+json", reported().to_string()).await.is(204);
    let unknown = json!({ "csp-report": { "violated-directive": "\u{1b}[31m" } });
    report(&anybody, "application/csp-report", unknown.to_string()).await.is(204);
    let told = eventually(LIMIT, async || {
        let log = log(&server);
        let lines: Vec<_> =
            log.lines().filter(|line| line.contains("csp_report")).map(str::to_owned).collect();
        if lines.len() == 1 + 5 + 1 + 1 { Ok(lines) } else { Err(format!("{lines:#?}")) }
    });
    let lines = told.await.unwrap_or_else(|lines| panic!("{lines}"));
    for word in ["\"script-src\"", "\"https://evil.example\"", "\"/invite\""] {
        assert!(lines[0].contains(word), "{word} in {}", lines[0]);
    }
    assert!(lines[1].contains("\"style-src\"") && lines[1].contains("\"/resources\""), "{}", lines[1]);
    for word in ["\"directive\":\"other\"", "\"blocked\":\"other\"", "\"page\":\"other\""] {
        assert!(lines[7].contains(word), "{word} in {}", lines[7]);
    }
    assert!(!log(&server).contains("canary"), "{}", log(&server));
}
