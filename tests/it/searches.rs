//! Saved searches: named, put in order, followed by a feed, and each person's own.

use reqwest::Method;
use serde_json::{Value, json};

use crate::browser::logs_in;
use crate::support::actor::Actor;
use crate::support::app::{App, Engine};
use crate::support::browser::Browser;
use crate::support::on_both_engines;

const SEARCHES: &str = "/api/v1/searches";

async fn saves(owner: &Actor, name: &str, search: &str) -> String {
    let draft = json!({ "name": name, "search": search });
    owner.json(Method::POST, SEARCHES, draft).await.is(201).header("location")
}

async fn names(owner: &Actor) -> Vec<String> {
    let list = owner.get(SEARCHES).await.ok().json();
    let items = list["items"].as_array().expect("items").iter();
    items.map(|item| item["name"].as_str().expect("a name").to_owned()).collect()
}

async fn changes(owner: &Actor, place: &str, change: Value) -> Value {
    owner.json(Method::PATCH, place, change).await.ok().json()
}

on_both_engines!(a_saved_search_is_named_moved_and_deleted);
async fn a_saved_search_is_named_moved_and_deleted(app: App) {
    let owner = app.signed_in("owner").await;
    let sea = saves(&owner, " The  sea ", "?q=tide tag:sea").await;
    let twin = owner.get(&sea).await.ok().json();
    assert_eq!((&twin["name"], &twin["search"]), (&json!("The sea"), &json!("q=tide%20tag%3Asea")));
    saves(&owner, "Notes", "kind=note").await;
    let mine = saves(&owner, "Mine", "mine=true&sort=title").await;
    assert_eq!(names(&owner).await, ["The sea", "Notes", "Mine"]);
    changes(&owner, &mine, json!({ "position": 1 })).await;
    assert_eq!(names(&owner).await, ["Mine", "The sea", "Notes"]);
    changes(&owner, &mine, json!({ "position": 2, "name": "My own" })).await;
    changes(&owner, &sea, json!({ "position": 99 })).await;
    assert_eq!(names(&owner).await, ["My own", "Notes", "The sea"]);
    let changed = changes(&owner, &sea, json!({ "search": "tag=sea" })).await;
    assert_eq!((&changed["name"], &changed["search"]), (&json!("The sea"), &json!("tag=sea")));
    owner.json_free(Method::DELETE, &mine).await.is(204);
    owner.get(&mine).await.is(404);
    owner.json_free(Method::DELETE, &mine).await.is(404);
    assert_eq!(names(&owner).await, ["Notes", "The sea"]);
}

on_both_engines!(what_is_no_search_is_refused);
async fn what_is_no_search_is_refused(app: App) {
    let owner = app.signed_in("owner").await;
    let sea = saves(&owner, "Sea", "tag=sea").await;
    saves(&owner, "Moon", "tag=moon").await;
    let long = "x".repeat(101);
    for (name, search, field) in [
        ("", "q=tide", "name"),
        (" ", "q=tide", "name"),
        ("a\0b", "q=tide", "name"),
        (long.as_str(), "q=tide", "name"),
        ("Moon", "q=tide", "name"),
        ("Tide", "", "search"),
        ("Tide", "q=", "search"),
        ("Tide", "q=is:", "search"),
        ("Tide", "q=foo:bar", "search"),
        ("Tide", "kind=book", "search"),
        ("Tide", "q=tide&cursor=x", "search"),
        ("Tide", "state=trash", "search"),
    ] {
        let draft = json!({ "name": name, "search": search });
        owner.json(Method::POST, SEARCHES, draft.clone()).await.invalid(field);
        owner.json(Method::PATCH, &sea, draft).await.invalid(field);
    }
    for (change, field) in [(json!({ "name": null }), "name"), (json!({ "position": 0 }), "position")] {
        owner.json(Method::PATCH, &sea, change).await.invalid(field);
    }
    owner.post_form("/searches", &[("name", "Sun"), ("search", "state=trash")]).await.error_page(422);
    assert_eq!(names(&owner).await, ["Sea", "Moon"]);
    for number in names(&owner).await.len()..100 {
        saves(&owner, &format!("Search {number}"), "q=tide").await;
    }
    let draft = json!({ "name": "One more", "search": "q=tide" });
    owner.json(Method::POST, SEARCHES, draft).await.invalid("name").text_has("100 saved searches");
}

on_both_engines!(a_saved_search_says_that_it_keeps_a_date);
async fn a_saved_search_says_that_it_keeps_a_date(app: App) {
    let owner = app.signed_in("owner").await;
    owner.saves(json!({ "title": "Tide" })).await;
    let list = owner.get("/resources").await.ok();
    let week = list.texts(".sieve a").iter().position(|label| label == "Past week").expect("a link");
    let page = owner.get(&list.attributes(".sieve a", "href")[week]).await.ok();
    page.has(".save-search .help", "“Past week” is kept as after:2");
    owner.get("/resources?q=after:2020").await.ok().has(".entry-title", "Tide").has_no(".save-search .help");
}

on_both_engines!(a_list_on_paper_says_what_it_lists);
async fn a_list_on_paper_says_what_it_lists(app: App) {
    let owner = app.signed_in("owner").await;
    owner.saves(json!({ "title": "Tide" })).await;
    let page = owner.get("/resources?q=tide&kind=note&sort=title").await.ok();
    page.has(".print-only", "Search: tide, kind:note, by title");
    owner.get("/resources?kind=note").await.ok().has(".print-only", "Search: kind:note");
    owner.get("/resources").await.ok().has_no(".print-only");
}

on_both_engines!(a_refused_name_stays_in_its_form);
async fn a_refused_name_stays_in_its_form(app: App) {
    let owner = app.signed_in("owner").await;
    let sea = saves(&owner, "Sea", "tag=sea").await;
    saves(&owner, "Moon", "tag=moon").await;
    let typed = [("name", "Moon"), ("search", "q=tide&kind=note")];
    let page = owner.post_form("/searches", &typed).await.is(422).holds("name", "Moon");
    page.holds("search", "q=tide&kind=note")
        .has("#name-error", "You have another saved search with this name.")
        .has(".card .meta", "tide, kind:note");
    let page = sea.replace("/api/v1", "");
    let refused = owner.post_form(&page, &[("name", "Moon")]).await.is(422);
    refused.has(".field-error", "another saved search").has(".searches h2", "Sea");
    owner.post_form(&page, &[("name", " ")]).await.is(422).has(".field-error", "Enter a name");
    assert_eq!(names(&owner).await, ["Sea", "Moon"]);
}

on_both_engines!(the_feed_of_a_saved_search_is_its_owners);
async fn the_feed_of_a_saved_search_is_its_owners(app: App) {
    let (owner, other) = (app.signed_in("owner").await, app.signed_in("other").await);
    owner.saves(json!({ "title": "Private tide", "url": "https://tides.example/", "body": "*High*" })).await;
    owner.saves(json!({ "title": "Ebb" })).await;
    other.saves(json!({ "title": "Shared tide", "visibility": "members", "body": "x".repeat(30_000) })).await;
    other.saves(json!({ "title": "Hidden tide" })).await;
    let place = saves(&owner, "Tides & more", "q=tide&sort=title").await;
    let feed = format!("{}/feed.atom", place.trim_start_matches("/api/v1"));
    let atom = owner.get(&feed).await.ok().header_is("content-type", "application/atom+xml; charset=utf-8");
    atom.text_has("<title>Tides &amp; more</title>")
        .text_has("Private tide")
        .text_has("&lt;em&gt;High&lt;/em&gt;")
        .text_has("Shared tide")
        .lacks("Hidden tide")
        .lacks("Ebb")
        .lacks(&"x".repeat(1_000))
        .text_has(&feed);
    other.get(&feed).await.is(404);
    app.visitor().get(&feed).await.is(303).lacks("Tides");
}

on_both_engines!(a_list_links_its_owners_saved_searches);
async fn a_list_links_its_owners_saved_searches(app: App) {
    let (owner, other) = (app.signed_in("owner").await, app.signed_in("other").await);
    owner.saves(json!({ "title": "Tide", "visibility": "public" })).await;
    owner.get("/resources").await.ok().has_no("form[action='/searches']").has_no("#searches");
    let form = owner.get("/resources?q=tide&kind=note").await.ok().holds("search", "q=tide&kind=note");
    drop(form);
    let named = [("name", "Tides"), ("search", "q=tide&kind=note")];
    owner.post_form("/searches", &named).await.redirects_to("/resources?q=tide&kind=note");
    let list = owner.get("/resources?q=tide&kind=note").await.ok().has(".toast", "Search saved.");
    list.has("[aria-labelledby=searches] [aria-current]", "Tides").has_no("form[action='/searches']");
    owner.get("/resources").await.ok().has("[aria-labelledby=searches] a", "Tides");
    other.get("/resources").await.ok().lacks("Tides");
    other.get("/searches").await.ok().lacks("Tides");
    app.visitor().get("/resources?q=tide").await.ok().has_no("form[action='/searches']").lacks("Tides");
}

#[tokio::test]
async fn a_search_is_saved_from_the_list_and_looked_after() {
    let app = App::with(Engine::Sqlite, &[]).await;
    let owner = app.signed_in("owner").await;
    owner.saves(json!({ "title": "Tide tables", "tags": ["sea"] })).await;
    for (javascript, width, height) in
        [(true, 390, 844), (false, 390, 844), (true, 1280, 800), (false, 1280, 800)]
    {
        let browser = Browser::open(&app.origin(), javascript, width, height).await;
        logs_in(&browser, "owner").await;
        for (query, name) in [("q=tide", "Tides"), ("tag=sea", "Sea")] {
            browser.goto(&format!("/resources?{query}")).await;
            browser.press("Save this search").await;
            browser.fill("Name of this search", name).await;
            browser.press("Save search").await;
            browser.has(".toast", "Search saved.").await;
        }
        browser.goto("/searches").await;
        browser.press("Move up “Sea”").await;
        browser.has(".searches li:first-child h2", "Sea").await;
        browser.press("Move down “Sea”").await;
        browser.has(".searches li:first-child h2", "Tides").await;
        browser.fill("Name of “Tides”", "High water").await;
        browser.press("Rename “Tides”").await;
        browser.has(".toast", "Renamed.").await;
        browser.follow("High water").await;
        browser.has(".entry", "Tide tables").await;
        if width == 390 {
            browser.tick("Filter and sort").await;
        }
        browser.follow("Sea").await;
        browser.is_at("/resources?tag=sea").await;
        for name in ["Sea", "High water"] {
            browser.goto("/searches").await;
            browser.press(&format!("Delete… “{name}”")).await;
            browser.press(&format!("Delete “{name}”")).await;
            browser.has(".toast", "Saved search deleted.").await;
        }
        browser.has("h2", "No saved searches yet").await;
    }
}
