//! coffer below a path of a host, behind nginx with the document's snippet, and behind one that takes the path off.

use std::path::Path;

use coffer::identity::Role;
use coffer::resources::{Draft, Via, Visibility};
use serde_json::Value;

use super::{folder, nginx};
use crate::browser::first_day;
use crate::support::app::{App, Engine, PASSWORD};
use crate::support::documents::under;
use crate::support::https::{Reply, Site};
use crate::support::server::{Server, free_port};

/// An app that is reached at `/coffer` of this port.
struct Below {
    app: App,
    port: u16,
    _nginx: Server,
    _folder: tempfile::TempDir,
}

impl Below {
    async fn start(engine: Engine, change: impl Fn(&str) -> String) -> Self {
        let (folder, port) = (folder(), free_port());
        let base_url = format!("--base-url=http://localhost:{port}/coffer");
        let app = App::with(engine, &[&base_url, "--trusted-proxies=127.0.0.1", "--signup=open"]).await;
        let location = change(&under("proxy", "A path below the host", "nginx").concat());
        let node = super::address(&app);
        let config = format!(
            "upstream coffer {{ server {node}; }} server {{ listen 127.0.0.1:{port}; client_max_body_size 33m; {location} }}"
        );
        let nginx = nginx(&config, Path::new(folder.path())).await;
        Self { app, port, _nginx: nginx, _folder: folder }
    }

    fn address(&self) -> String {
        format!("http://localhost:{}/coffer", self.port)
    }

    async fn get(&self, path: &str) -> Reply {
        Site::plain(self.port).get(path, &[]).await.expect("an answer")
    }

    async fn has(&self, path: &str, wanted: &[&str]) {
        let answer = self.get(path).await.text;
        for wanted in wanted {
            assert!(answer.contains(wanted), "{path} has no {wanted}: {answer}");
        }
    }
}

fn passed_on(location: &str) -> String {
    location.to_owned()
}

fn taken_off(location: &str) -> String {
    location.replace("location /coffer {", "location /coffer/ {").replace("http://coffer;", "http://coffer/;")
}

#[tokio::test]
async fn a_first_day_with_the_path_passed_on() {
    let below = Below::start(Engine::Postgres, passed_on).await;
    first_day(&below.app, &below.address(), true).await;
}

#[tokio::test]
async fn a_first_day_with_the_path_taken_off() {
    let below = Below::start(Engine::Sqlite, taken_off).await;
    first_day(&below.app, &below.address(), false).await;
}

#[tokio::test]
async fn every_answer_names_the_path() {
    let below = Below::start(Engine::Sqlite, passed_on).await;
    let note = "[tags](/tags) and `href=\"/tags\"`".to_owned();
    let draft =
        Draft { title: "Tide".into(), body: note, visibility: Visibility::Public, ..Draft::default() };
    below.app.has_account("ada", Role::Member).await;
    let (owner, resources) = (below.app.viewer("ada").await, &below.app.coffer.library.resources);
    resources.create(&owner, &draft, Via::Web).await.expect("a note");

    let address = below.address();
    assert_eq!(below.get("/coffer?q=x").await.status, 308);
    below.has("/coffer?q=x", &["location: /coffer/?q=x"]).await;
    below.has("/coffer/settings/profile", &["location: /coffer/login?next="]).await;
    below.has("/coffer/login", &["action=\"/coffer/login\""]).await;
    below.has("/coffer/login", &["report-uri /coffer/csp-report", "csp=\"/coffer/csp-report\""]).await;
    below.has("/coffer/u/ada/feed.atom", &[&format!("href=\"{address}/u/ada\"")]).await;
    below.has("/coffer/opensearch.xml", &[&format!("template=\"{address}/resources?q=")]).await;
    below
        .has("/coffer/static/manifest.webmanifest", &["\"scope\": \"/coffer/\"", "\"/coffer/capture\""])
        .await;
    below.has("/coffer/api/v1/none", &["\"type\":\"/coffer/api/docs/errors#"]).await;
    below.has("/coffer/api/v1/none", &["See /coffer/api/v1/openapi.json for the full list."]).await;
    let document = below.get("/coffer/api/v1/openapi.json").await.text;
    let document: Value =
        serde_json::from_str(document.split("\r\n\r\n").nth(1).expect("a body")).expect("JSON");
    assert_eq!(document["servers"][0]["url"], "/coffer");
    let problem = &document["components"]["examples"]["not_found"]["value"];
    assert_eq!(problem["type"], "/coffer/api/docs/errors#not_found");
    below.has("/coffer/api/v1/resources?limit=1", &["\"title\":\"Tide\""]).await;
    reads_what_people_wrote(&below).await;
    logs_in(&below).await;
}

/// A link to a page of coffer leads there; text that looks like one stays text.
async fn reads_what_people_wrote(below: &Below) {
    let list = below.get("/coffer/resources").await.text;
    let (_, id) = list.split_once("/coffer/resources/").expect("an entry");
    let page = format!("/coffer/resources/{}", &id[..36]);
    below.has(&page, &["<a href=\"/coffer/tags\"", "<code>href=\"/tags\"</code>"]).await;
}

/// The cookie is the host's, as its prefix demands.
async fn logs_in(below: &Below) {
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let login = format!("login=ada&password={}", PASSWORD.replace(' ', "+"));
    let answer =
        Site::plain(below.port).post("/coffer/login", &form, login.as_bytes()).await.expect("an answer");
    for wanted in ["location: /coffer/resources", "set-cookie: __Host-coffer=", "Path=/"] {
        assert!(answer.text.contains(wanted), "no {wanted}: {}", answer.text);
    }
}

/// All that the browser loads for a page is there.
#[tokio::test]
async fn what_a_page_needs_is_below_the_path() {
    let below = Below::start(Engine::Sqlite, passed_on).await;
    let page = below.get("/coffer/login").await.text;
    let addresses = page.split(['"', '\'']).filter(|value| value.starts_with('/'));
    let mut assets = 0;
    for address in addresses.filter(|address| address.contains("/static/")) {
        assert!(address.starts_with("/coffer/static/"), "{address}");
        assert_eq!(below.get(address).await.status, 200, "{address}");
        assets += 1;
    }
    assert!(assets > 5, "{page}");
}
