//! Titles, descriptions and icons of links, fetched in the background from a site of strangers' pages.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::browser::logs_in;
use crate::flows::WAYS;
use crate::support::actor::{Actor, Entry};
use crate::support::app::{App, Engine};
use crate::support::browser::Browser;
use crate::support::on_both_engines;
use crate::support::pages::{Pages, Reply};
use crate::support::wait::eventually;

const FETCHING: [&str; 2] = ["--fetch=on", "--fetch-allow=127.0.0.0/8"];
const LIMIT: Duration = Duration::from_secs(20);
/// A picture of one pixel.
const GIF: &[u8] = b"GIF89a\x01\0\x01\0\0\0\0;";

on_both_engines!(a_link_without_a_title_gets_what_its_page_says, "--fetch=on", "--fetch-allow=127.0.0.0/8");
async fn a_link_without_a_title_gets_what_its_page_says(app: App) {
    let (owner, site) = (app.signed_in("owner").await, tides(Pages::closed().await));
    owner.post_form("/resources", &[("url", &site.url("/tides"))]).await.is(303);
    let list =
        owner.get("/resources").await.ok().has(".entry-title", "/tides").has(".entry", "Fetching the title");
    list.has("[hx-get^='/resources/fetched']", "");
    site.opens();

    let entry = only(&owner).await;
    let filled = becomes(&owner, &entry, "title", "Tide tables & more").await;
    assert_eq!(filled["body"], "High \\*and\\* low water", "{filled}");
    assert_eq!(filled["version"], 2);
    let done = eventually(LIMIT, async || icon_of(&owner, &entry).await).await.expect("an icon");
    let list = owner
        .get("/resources")
        .await
        .ok()
        .has(".entry-title", "Tide tables & more")
        .has_no("[hx-get^='/resources/fetched']");
    assert_eq!(list.attributes(".entry img", "src"), [done.as_str()]);
    let icon = app.visitor().get(&done).await.ok().header_is("content-type", "image/gif");
    let icon = icon.header_is("content-security-policy", "default-src 'none'; sandbox");
    let icon = icon.header_is("x-content-type-options", "nosniff");
    assert_eq!(icon.bytes(), GIF);
    app.visitor().get("/icons/00000000000000000000000000000000").await.is(404);
    app.visitor().get("/icons/x").await.is(404);
    owner.get(&format!("{}/revisions", entry.page())).await.ok().text_has("from its page");
    owner.get("/resources?q=low+water").await.ok().has(".entry-title", "Tide tables");
}

on_both_engines!(what_was_typed_stays, "--fetch=on", "--fetch-allow=127.0.0.0/8");
async fn what_was_typed_stays(app: App) {
    let (owner, site) = (app.signed_in("owner").await, tides(Pages::closed().await));
    let titled = owner.saves(json!({ "url": site.url("/else"), "title": "Mine" })).await;
    let entry = owner.saves(json!({ "url": site.url("/tides") })).await;
    let edit = owner.get(&format!("{}/edit", entry.page())).await.ok();
    let url = site.url("/tides");
    let address = edit.attributes("[name=title]", "value").remove(0);
    eventually(LIMIT, async || is_waiting(&site, 1)).await.expect("the page is asked for");
    let changed =
        owner.json(Method::PATCH, &entry.api(), json!({ "title": "My tides" })).if_match("\"1\"").await;
    changed.ok();
    site.opens();
    let filled = becomes(&owner, &entry, "body", "High \\*and\\* low water").await;
    assert_eq!(filled["title"], "My tides");
    assert_eq!(owner.get(&titled.api()).await.json()["title"], "Mine");
    assert!(!site.requests().iter().any(|request| request.contains("/else")));

    // The editor was opened before both.
    let form = [("title", address.as_str()), ("url", &url), ("body", ""), ("version", "1")];
    owner.post_form(&entry.page(), &form).await.is(412);
}

on_both_engines!(
    a_form_that_was_opened_before_is_saved_beside_what_came,
    "--fetch=on",
    "--fetch-allow=127.0.0.0/8"
);
async fn a_form_that_was_opened_before_is_saved_beside_what_came(app: App) {
    let (owner, site) = (app.signed_in("owner").await, tides(Pages::closed().await));
    let entry = owner.saves(json!({ "url": site.url("/tides") })).await;
    let edit = owner.get(&format!("{}/edit", entry.page())).await.ok();
    let address = edit.attributes("[name=title]", "value").remove(0);
    site.opens();
    becomes(&owner, &entry, "title", "Tide tables & more").await;
    let url = site.url("/tides");
    let form = [("title", address.as_str()), ("url", &url), ("body", ""), ("tags", "sea"), ("version", "1")];
    owner.post_form(&entry.page(), &form).await.is(303);
    let saved = owner.get(&entry.api()).await.json();
    assert_eq!(saved["title"], "Tide tables & more");
    assert_eq!((&saved["body"], &saved["tags"]), (&json!("High \\*and\\* low water"), &json!(["sea"])));
    let stale = [("title", "Other"), ("url", &*url), ("version", "1")];
    owner.post_form(&entry.page(), &stale).await.is(412);
}

on_both_engines!(fetch_again_replaces_the_title, "--fetch=on", "--fetch-allow=127.0.0.0/8");
async fn fetch_again_replaces_the_title(app: App) {
    let (owner, site) = (app.signed_in("owner").await, tides(Pages::start().await));
    let other = app.signed_in("other").await;
    let entry = owner
        .saves(json!({ "url": site.url("/tides"), "title": "Old", "body": "Mine", "visibility": "public" }))
        .await;
    let again = format!("{}/fetch", entry.page());
    owner.get(&entry.page()).await.ok().has(&format!("form[action='{again}'] button"), "Fetch again");
    other.get(&entry.page()).await.ok().has_no(&format!("form[action='{again}']"));
    other.post_form(&again, &[]).await.is(403);
    owner.post_form(&again, &[]).await.is(303);
    let filled = becomes(&owner, &entry, "title", "Tide tables & more").await;
    assert_eq!(filled["body"], "Mine");
    let note = owner.saves(json!({ "title": "A note" })).await;
    owner.get(&note.page()).await.ok().has_no(&format!("form[action='{}/fetch']", note.page()));
    owner.post_form(&format!("{}/fetch", note.page()), &[]).await.is(303);
    assert_eq!(owner.get(&note.api()).await.json()["version"], 1);
}

on_both_engines!(nothing_is_fetched_where_it_is_off, "--fetch=off", "--fetch-allow=127.0.0.0/8");
async fn nothing_is_fetched_where_it_is_off(app: App) {
    let (owner, site) = (app.signed_in("owner").await, tides(Pages::start().await));
    let entry = owner.saves(json!({ "url": site.url("/tides") })).await;
    owner.get("/resources").await.ok().has_no("[hx-get^='/resources/fetched']");
    owner.get(&entry.page()).await.ok().has_no(&format!("form[action='{}/fetch']", entry.page()));
    owner.post_form(&format!("{}/fetch", entry.page()), &[]).await.is(303);
    assert_eq!(owner.get(&entry.api()).await.json()["version"], 1);
    assert!(site.requests().is_empty());
}

on_both_engines!(pages_that_say_nothing_leave_the_address, "--fetch=on", "--fetch-allow=127.0.0.1");
async fn pages_that_say_nothing_leave_the_address(app: App) {
    let (owner, site) = (app.signed_in("owner").await, tides(Pages::start().await));
    let html = |status, body: &str| Reply {
        status,
        headers: vec![("content-type", "text/html".to_owned())],
        body: body.into(),
    };
    let text =
        Reply { headers: vec![("content-type", "text/plain".to_owned())], ..html(200, "<title>No</title>") };
    let inward = site.url("/tides").replace("127.0.0.1", "127.0.0.2");
    let inward = Reply { status: 302, headers: vec![("location", inward)], body: Vec::new() };
    site.replies("/empty", html(200, ""));
    site.replies("/error", html(500, "<title>Broken</title>"));
    site.replies("/text", text);
    site.replies("/inward", inward);
    let mut entries = Vec::new();
    for path in ["/empty", "/error", "/text", "/inward", "/missing"] {
        entries.push(owner.saves(json!({ "url": site.url(path) })).await);
    }
    entries.push(owner.saves(json!({ "url": "http://192.168.1.1/admin" })).await);
    eventually(LIMIT, async || is_done(&owner).await).await.expect("the queue is empty");
    for entry in &entries {
        let kept = owner.get(&entry.api()).await.json();
        assert_eq!(kept["version"], 1, "{kept}");
    }
    assert!(!site.requests().iter().any(|request| request.contains("/tides")));
}

on_both_engines!(two_pages_of_one_person_are_fetched_at_once, "--fetch=on", "--fetch-allow=127.0.0.0/8");
async fn two_pages_of_one_person_are_fetched_at_once(app: App) {
    let (owner, site) = (app.signed_in("owner").await, Pages::closed().await);
    for number in 0..5 {
        owner.saves(json!({ "url": site.url(&format!("/{number}")) })).await;
    }
    app.later(Duration::from_secs(2));
    eventually(LIMIT, async || is_waiting(&site, 2)).await.expect("two pages are asked for");
    let other = app.signed_in("other").await;
    other.saves(json!({ "url": site.url("/other") })).await;
    eventually(LIMIT, async || is_waiting(&site, 3)).await.expect("another person has a turn");
    site.opens();
    eventually(LIMIT, async || is_done(&owner).await).await.expect("the queue is empty");
    assert_eq!(site.most_at_once(), 3);
}

on_both_engines!(the_queue_outlives_the_program, "--fetch=on", "--fetch-allow=127.0.0.0/8");
async fn the_queue_outlives_the_program(app: App) {
    let (owner, site) = (app.signed_in("owner").await, tides(Pages::closed().await));
    let entry = owner.saves(json!({ "url": site.url("/tides") })).await;
    eventually(LIMIT, async || is_waiting(&site, 1)).await.expect("the page is asked for");
    let app = app.with_redis_again().await;
    let owner = owner.at(&app);
    app.later(Duration::from_mins(2));
    site.opens();
    becomes(&owner, &entry, "title", "Tide tables & more").await;
}

#[tokio::test]
async fn each_page_is_fetched_by_one_node() {
    let app = App::with(Engine::Postgres, &FETCHING).await;
    let _second = app.another_node().await;
    let (owner, site) = (app.signed_in("owner").await, Pages::start().await);
    for number in 0..12 {
        let path = format!("/{number}");
        site.has(&path, format!("<title>Page {number}</title>"));
        owner.saves(json!({ "url": site.url(&path) })).await;
    }
    app.later(Duration::from_secs(10));
    eventually(LIMIT, async || is_done(&owner).await).await.expect("the queue is empty");
    for number in 0..12 {
        let request = format!("GET /{number}");
        assert_eq!(site.requests().iter().filter(|seen| **seen == request).count(), 1, "{request}");
    }
}

#[tokio::test]
async fn the_title_comes_into_the_list_by_itself() {
    for (javascript, width) in WAYS {
        let app = App::with(Engine::Sqlite, &FETCHING).await;
        let (owner, site) = (app.signed_in("owner").await, tides(Pages::closed().await));
        owner.saves(json!({ "title": "Moon" })).await;
        let browser = Browser::open(&app.origin(), javascript, width, 900).await;
        logs_in(&browser, "owner").await;
        browser.fill("Save a link", &site.url("/tides")).await;
        browser.press("Save").await;
        browser.has(".entries", "Fetching the title").await;
        site.opens();
        if !javascript {
            eventually(LIMIT, async || is_done(&owner).await).await.expect("the queue is empty");
            browser.goto("/resources").await;
        }
        browser.has(".entries", "Tide tables & more").await;
        browser.has_no(".fetching").await;

        site.has("/tides", "<title>Tides of today</title>");
        browser.follow("Details of “Tide tables & more”").await;
        browser.press("Fetch again").await;
        if !javascript {
            eventually(LIMIT, async || is_done(&owner).await).await.expect("the queue is empty");
            browser.goto("/resources").await;
            browser.follow("Details of “Tides of today”").await;
        }
        browser.has("h1", "Tides of today").await;
        assert_eq!(browser.complaints().await, Vec::<String>::new());
    }
}

/// With a page that has a title, a description and an icon.
fn tides(site: Pages) -> Pages {
    site.has(
        "/tides",
        "<title>Tide tables &amp; more</title><meta name=description content='High *and* low water'>
         <link rel=icon href=/icon.gif>",
    );
    let gif =
        Reply { status: 200, headers: vec![("content-type", "text/html".to_owned())], body: GIF.to_vec() };
    site.replies("/icon.gif", gif);
    site
}

async fn only(owner: &Actor) -> Entry {
    let list = owner.get("/api/v1/resources").await.json();
    Entry { id: list["items"][0]["id"].as_str().expect("an entry").to_owned() }
}

async fn becomes(owner: &Actor, entry: &Entry, field: &str, value: &str) -> Value {
    let probe = async || {
        let body = owner.get(&entry.api()).await.json();
        if body[field] == value { Ok(body) } else { Err(body.to_string()) }
    };
    eventually(LIMIT, probe).await.expect("the entry is filled in")
}

async fn icon_of(owner: &Actor, entry: &Entry) -> Result<String, String> {
    let body = owner.get(&entry.api()).await.json();
    body["icon"].as_str().map(str::to_owned).ok_or_else(|| body.to_string())
}

fn is_waiting(site: &Pages, count: usize) -> Result<(), String> {
    if site.waiting() == count { Ok(()) } else { Err(format!("{} are waiting", site.waiting())) }
}

async fn is_done(owner: &Actor) -> Result<(), String> {
    let list = owner.get("/resources").await.text();
    if list.contains("Fetching the title") { Err("the list still waits".to_owned()) } else { Ok(()) }
}
