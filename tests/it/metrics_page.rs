//! `/admin/metrics`: what it shows, to whom, from all nodes, and that looking changes nothing.

use std::time::{Duration, Instant};

use coffer::serve::figures::record;
use serde_json::Value;
use sqlx::ConnectOptions as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

use crate::browser::{has_complained_only_of, logs_in};
use crate::support::actor::Actor;
use crate::support::app::{App, Engine, Node};
use crate::support::browser::Browser;
use crate::support::on_both_engines;
use crate::support::wait::eventually;

const SECTIONS: [&str; 9] =
    ["routes", "cache", "limits", "access", "database", "dependencies", "processes", "failures", "logs"];
const LIVE: &str = "/admin/metrics/live";

/// Writes down what has happened, and lets the span end.
async fn a_span_ends(app: &App) {
    record(&app.coffer).await;
    app.later(Duration::from_secs(10));
}

async fn figures(actor: &Actor, query: &str) -> Value {
    actor.get(&format!("/api/v1/admin/metrics{query}")).await.ok().json()
}

fn route<'a>(figures: &'a Value, name: &str) -> Option<&'a Value> {
    figures["routes"].as_array().expect("routes").iter().find(|route| route["name"] == name)
}

on_both_engines!(admins_see_every_section_and_the_same_figures_as_json);
async fn admins_see_every_section_and_the_same_figures_as_json(app: App) {
    let admin = app.admin("root").await;
    for _ in 0..7 {
        admin.get("/tags").await.ok();
    }
    admin.get("/absent").await.error_page(404);
    a_span_ends(&app).await;
    let page = admin.get("/admin/metrics").await.ok().has("h1", "Metrics");
    for section in SECTIONS {
        assert_eq!(page.attributes(&format!("#{section}"), "id"), [section]);
    }
    let page = page.has("#routes th", "GET /tags").has("#access th", "password");
    assert_eq!(page.attributes(".plot svg[role=img]", "aria-describedby").len(), 3);
    let figures = figures(&admin, "?range=15m").await;
    let tags = route(&figures, "GET /tags").expect("the route");
    assert_eq!(tags["requests"], 7.0);
    assert!(
        tags["p99"].as_f64().is_some_and(|p99| p99 > 0.0) && tags["p50"].as_f64() <= tags["p99"].as_f64(),
        "{tags}"
    );
    assert_eq!(route(&figures, "GET _unmatched").expect("the route")["refused"], 1.0);
    // The page has the twenty that took longest, which differ from run to run; the figures have all.
    let queries = figures["database"]["queries"].as_array().expect("queries");
    let names: Vec<_> = queries.iter().map(|query| query["name"].as_str().expect("a name")).collect();
    assert!(names.contains(&"sessions.load"), "{names:?}");
    assert_eq!(page.texts("#queries code"), names.iter().copied().take(20).collect::<Vec<_>>());
    let page = page.has("#queries summary", &format!("Queries by total time (20 of {})", names.len()));
    // Of the machine, such as of its disk, anything may be said.
    let attention = figures["attention"].as_array().expect("what wants attention");
    assert!(attention.iter().all(|what| what["section"] == "processes"), "{attention:?}");
    let status = if attention.is_empty() { "Healthy." } else { "Degraded." };
    page.has(".status", status);
}

on_both_engines!(nobody_else_sees_it);
async fn nobody_else_sees_it(app: App) {
    let member = app.signed_in("ada").await;
    for path in ["/admin/metrics", LIVE] {
        member.get(path).await.error_page(404);
        app.visitor().get(path).await.redirects_to(&format!("/login?next={}", path.replace('/', "%2F")));
    }
    member.get("/api/v1/admin/metrics").await.is(404).problem("not_found");
    app.visitor().get("/api/v1/admin/metrics").await.is(401).problem("sign_in_required");
}

#[tokio::test]
async fn a_range_or_order_that_is_none_is_told_at_its_place() {
    let app = App::with(Engine::Sqlite, &[]).await;
    let admin = app.admin("root").await;
    admin.get("/admin/metrics?range=year").await.is(422).has(".notice", "Choose 15m, 1h, 6h or 24h.");
    admin.get("/admin/metrics?sort=%00").await.is(422);
    admin.get("/api/v1/admin/metrics?range=year").await.is(422).problem("invalid");
    admin.get("/api/v1/admin/metrics?colour=red").await.is(400).problem("bad_parameter");
    let odd = "/admin/metrics?route=<script>alert(1)</script>&instance=%22%3E";
    admin.get(odd).await.ok().lacks("<script>alert(1)");
}

#[tokio::test]
async fn a_poll_is_cheap_and_changes_nothing() {
    let app = App::with(Engine::Sqlite, &[]).await;
    let admin = app.admin("root").await;
    a_span_ends(&app).await;
    let first = admin.get(LIVE).by_htmx().await.ok().has("h1", "Metrics").has_no("html > body > header");
    let tag = first.header("etag");
    admin.get(LIVE).header("if-none-match", &tag).await.is(304).header_is("etag", &tag);
    a_span_ends(&app).await;
    assert_ne!(admin.get(LIVE).header("if-none-match", &tag).await.ok().header("etag"), tag);
    a_span_ends(&app).await;
    assert!(route(&figures(&admin, "").await, "GET /admin/metrics/live").is_none(), "looking is not counted");
    // A session that only looks ends when its idle time is over.
    for _ in 0..8 {
        app.later(Duration::from_hours(22));
        if admin.get(LIVE).await.status() != 200 {
            return;
        }
    }
    panic!("polls kept the session alive");
}

#[tokio::test]
async fn without_scripts_every_state_is_a_link() {
    let app = App::with(Engine::Sqlite, &[]).await;
    let admin = app.admin("root").await;
    admin.get("/tags").await.ok();
    a_span_ends(&app).await;
    let page = admin.get("/admin/metrics").await.ok();
    let links = page.attributes(".metrics a[href^='/admin/metrics']", "href");
    for link in ["/admin/metrics?range=6h", "/admin/metrics?sort=p99#routes", "/admin/metrics?pause=on"] {
        assert!(links.contains(&link.to_owned()), "{link} in {links:?}");
    }
    let detail = links.iter().find(|link| link.contains("route=GET")).expect("a route");
    admin.get(detail).await.ok().has("#route caption", "by duration");
    let paused = admin.get("/admin/metrics?pause=on").await.ok();
    assert!(paused.attributes("#live", "hx-get").is_empty());
    assert_eq!(
        admin.get("/admin/metrics?range=24h").await.ok().attributes("#live", "hx-trigger"),
        ["every 60s"]
    );
}

#[tokio::test]
async fn all_nodes_are_in_one_view_and_history_outlives_a_node() {
    let app = App::with_redis(Engine::Postgres).await;
    let other: Node = app.another_node().await;
    let admin = app.admin("root").await;
    for node in [&*app, &other] {
        let there = admin.at(node);
        there.get("/tags").await.ok();
        there.get("/tags").await.ok();
    }
    let both = eventually(Duration::from_secs(20), async || {
        record(&other.coffer).await;
        a_span_ends(&app).await;
        let figures = figures(&admin, "?range=15m").await;
        let requests = route(&figures, "GET /tags").map(|route| route["requests"].clone());
        if requests == Some(4.0.into()) { Ok(figures) } else { Err(format!("{requests:?}")) }
    });
    let all = both.await.unwrap_or_else(|error| panic!("{error}"));
    let instances = all["instances"].as_array().expect("instances");
    assert_eq!(instances.len(), 2, "{instances:?}");
    let one = instances[0].as_str().expect("a name").replace(':', "%3A");
    let alone = figures(&admin, &format!("?range=15m&instance={one}")).await;
    assert_eq!(route(&alone, "GET /tags").expect("the route")["requests"], 2.0);
    // One that starts now knows what was before.
    let newcomer = app.another_node().await;
    let there = admin.at(&newcomer);
    let knows = eventually(Duration::from_secs(20), async || {
        let figures = figures(&there, "?range=1h").await;
        let requests = route(&figures, "GET /tags").map(|route| route["requests"].clone());
        if requests == Some(4.0.into()) { Ok(()) } else { Err(format!("{requests:?}")) }
    });
    knows.await.unwrap_or_else(|error| panic!("{error}"));
}

#[tokio::test]
async fn watching_counts_in_no_limit_but_for_whom_it_is_not() {
    let app = App::with(Engine::Sqlite, &["--rate-limit-pages=20/h", "--rate-limit-admin=5/h"]).await;
    let admin = app.admin("root").await;
    for _ in 0..40 {
        admin.get(LIVE).await.ok();
    }
    let visitor = app.visitor();
    for _ in 0..20 {
        visitor.get(LIVE).await;
    }
    visitor.get(LIVE).await.error_page(429);
}

#[tokio::test]
async fn who_is_held_back_is_shown_and_let_go_on() {
    let app = App::with(Engine::Sqlite, &["--rate-limit-api=1/h"]).await;
    let admin = app.admin("root").await;
    admin.get("/admin/metrics").await.ok().has("#limits", "No one is blocked right now.");
    let visitor = app.visitor();
    visitor.get("/api/v1/resources").await.ok();
    visitor.get("/api/v1/resources").await.is(429);
    let page = admin.get("/admin/metrics").await.ok().has("#limits .clients li", "1 time");
    let form = "#limits form[action='/admin/limits/release'] input[name=client]";
    let client = page.attributes(form, "value").pop().expect("a client");
    admin.post_form("/admin/limits/release", &[("client", &client)]).await.redirects_to("/admin/limits");
    visitor.get("/api/v1/resources").await.ok();
}

#[tokio::test]
async fn redis_tells_what_memory_it_takes() {
    let app = App::with_redis(Engine::Sqlite).await;
    let admin = app.admin("root").await;
    coffer::serve::figures::ask(&app.coffer).await;
    a_span_ends(&app).await;
    let figures = figures(&admin, "").await;
    let dependencies = figures["dependencies"].as_array().expect("dependencies");
    let memory = |name: &str| {
        let found = dependencies.iter().find(|dependency| dependency["name"] == name).expect("it is there");
        found["memory_bytes"].as_f64()
    };
    assert!(memory("redis").is_some_and(|bytes| bytes > 100_000.0), "{figures}");
    assert_eq!(memory("sqlite"), None);
}

#[tokio::test]
async fn a_dead_redis_is_told_in_words() {
    let app = App::with_redis(Engine::Sqlite).await;
    let admin = app.admin("root").await;
    app.redis().kill();
    let told = eventually(Duration::from_secs(30), async || {
        coffer::serve::figures::ask(&app.coffer).await;
        a_span_ends(&app).await;
        let page = admin.get("/admin/metrics").await.ok();
        if page.text().contains("Redis is unreachable") { Ok(page) } else { Err("it says nothing of Redis") }
    });
    let page = told.await.unwrap_or_else(|error| panic!("{error}"));
    page.has(".status", "Degraded.").has("#dependencies td.bad", "no");
}

#[tokio::test]
async fn a_redis_that_hangs_delays_no_page_of_the_admins() {
    let app = App::with_redis(Engine::Sqlite).await;
    let admin = app.admin("root").await;
    app.redis().freeze();
    for path in ["/admin", "/admin/metrics", "/admin/limits", "/api/v1/admin/limits"] {
        let asked = Instant::now();
        admin.get(path).await.ok();
        assert!(asked.elapsed() < Duration::from_millis(1_500), "{path}: {:?}", asked.elapsed());
    }
}

#[tokio::test]
async fn the_page_renews_itself_and_leaves_open_what_was_unfolded() {
    let app = App::with(Engine::Sqlite, &[]).await;
    let admin = app.admin("root").await;
    admin.get("/tags").await.ok();
    a_span_ends(&app).await;
    let browser = Browser::open(&app.origin(), true, 1280, 900).await;
    logs_in(&browser, "root").await;
    browser.goto("/admin/metrics?range=15m").await;
    browser.has("#routes th", "GET /tags").await;
    let _: () = browser.run("document.getElementById('traffic-numbers').open = true").await;
    let before = "window.kept = document.querySelector('.controls a'); window.kept.focus(); \
        getSelection().selectAllChildren(document.querySelector('#logs h2')); scrollTo(0, 300)";
    let _: () = browser.run(before).await;
    admin.get("/trash").await.ok();
    a_span_ends(&app).await;
    browser.has("#routes th", "GET /trash").await;
    let open: bool = browser.run("return document.getElementById('traffic-numbers').open").await;
    assert!(open, "what was unfolded stays so");
    let kept = "return [document.activeElement === window.kept, getSelection().toString(), scrollY]";
    let kept: (bool, String, f64) = browser.run(kept).await;
    assert_eq!(kept, (true, "Logs".to_owned(), 300.0), "focus, selection and scrolling stay");
    has_complained_only_of(&browser, &[]).await;
}

/// As another program does.
pub async fn opens_the_file(app: &App) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(app.data_dir().join("coffer.db"));
    options.connect().await.expect("it opens")
}

#[tokio::test]
async fn a_route_that_fails_is_named_with_its_cause_however_rare_it_is() {
    let app = App::with(Engine::Sqlite, &[]).await;
    let admin = app.admin("root").await;
    for _ in 0..200 {
        admin.get("/healthz").await.ok();
    }
    let mut other = opens_the_file(&app).await;
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.expect("it locks the file");
    for _ in 0..3 {
        admin.post_form("/resources", &[("url", "tides.example")]).expecting_trouble().await.is(503);
    }
    coffer::serve::figures::ask(&app.coffer).await;
    a_span_ends(&app).await;
    let cause = "The database (sqlite) is unavailable, and POST /resources is failing (since ";
    let page = admin.get("/admin/metrics").await.ok().has(".status", cause);
    page.has(".status", "database is locked").has(".status", "/readyz says not ready (503).");
    sqlx::query("ROLLBACK").execute(&mut other).await.expect("it lets go");
    // Asked now, whatever was found before.
    let page = admin.get("/admin/metrics").await.ok().has(".status", "/readyz says ready.");
    let page = page.has(".status", "Failing.").has("title", "Failing · Metrics");
    let page = page.has(".notice.alarm h2", "Needs attention");
    let page = page.has(".notice.alarm", "POST /resources is failing (since ");
    let page = page.has(".notice.alarm", "database is locked").has("#failures td", "database is locked");
    page.has(".notice.alarm", "Another program has locked the database. Stop it.");
    let failed = [("db_query_summary", "db.begin"), ("error_type", "unavailable")];
    assert!(app.scraped("coffer_db_errors_total", &failed) >= 3.0);
}

/// Has `GET /admin/audit` fail so often; the time of the day of the first.
async fn fails(app: &App, admin: &Actor, times: usize) -> String {
    let first = app.now();
    for _ in 0..times {
        admin.get("/admin/audit").expecting_trouble().await.is(500);
    }
    first.html()[11..19].to_owned()
}

#[tokio::test]
async fn a_route_fails_since_its_first_failure_after_a_success() {
    let app = App::with(Engine::Sqlite, &[]).await;
    let admin = app.admin("root").await;
    let mut other = opens_the_file(&app).await;
    let said = async |since: &str| {
        a_span_ends(&app).await;
        let page = admin.get("/admin/metrics").await.ok();
        page.has(".status", &format!("GET /admin/audit is failing (since {since} UTC: internal"));
    };
    sqlx::query("ALTER TABLE audit_events RENAME TO lost").execute(&mut other).await.expect("renamed");
    // More than are remembered.
    let first = fails(&app, &admin, 60).await;
    app.later(Duration::from_mins(2));
    fails(&app, &admin, 50).await;
    said(&first).await;

    sqlx::query("ALTER TABLE lost RENAME TO audit_events").execute(&mut other).await.expect("renamed back");
    admin.get("/admin/audit").await.ok();
    app.later(Duration::from_mins(2));
    sqlx::query("ALTER TABLE audit_events RENAME TO lost").execute(&mut other).await.expect("renamed");
    let again = fails(&app, &admin, 3).await;
    said(&again).await;
}
