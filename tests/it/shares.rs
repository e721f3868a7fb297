//! Share links: an address shows what its maker may share, for a time, and leads nowhere once it is revoked.

use std::time::Duration;

use coffer::identity::RequestMeta;
use coffer::shares::NewShare;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::actor::Actor;
use crate::support::app::{App, Engine};
use crate::support::on_both_engines;

const SHARES: &str = "/api/v1/me/shares";
const DAY: Duration = Duration::from_hours(24);

/// The path of the new link, and its address in the API.
async fn shares(owner: &Actor, what: Value) -> (String, String) {
    let made = owner.json(Method::POST, SHARES, what).await.is(201);
    let url = made.json()["url"].as_str().expect("an address").to_owned();
    let path = format!("/s/{}", url.rsplit('/').next().expect("a token"));
    assert_eq!(path.len(), 25, "128 bits");
    (path, made.header("location"))
}

async fn views(owner: &Actor) -> Value {
    owner.get(SHARES).await.ok().json()["items"][0]["views"].clone()
}

on_both_engines!(a_private_entry_is_shown_by_its_link_alone);
async fn a_private_entry_is_shown_by_its_link_alone(app: App) {
    let ada = app.signed_in("ada").await;
    let entry = ada.saves(json!({ "title": "Pearl", "body": "*Found* at noon", "tags": ["sea"] })).await;
    let (path, link) = shares(&ada, json!({ "entry": entry.id })).await;
    for person in [app.visitor(), app.signed_in("eve").await] {
        let page = person.get(&path).await.ok().has("h1", "Pearl").has(".prose em", "Found");
        page.header_is("cache-control", "private, no-store")
            .header_is("x-robots-tag", "noindex")
            .has(".record dd", "ada");
        person.get(&entry.page()).await.is(404);
        person.get(&format!("{path}/entries/{}", entry.id)).await.ok().has("h1", "Pearl");
    }
    ada.get(&path).await.ok();
    assert_eq!(views(&ada).await, json!(2), "her own view does not count");
    ada.json_free(Method::DELETE, &link).await.is(204);
    app.visitor().get(&path).await.is(404);
    ada.json_free(Method::DELETE, &link).await.is(404);
}

on_both_engines!(a_link_ends_with_its_makers_right);
async fn a_link_ends_with_its_makers_right(app: App) {
    let (ada, visitor) = (app.signed_in("ada").await, app.visitor());
    let entry = ada.saves(json!({ "title": "Pearl" })).await;
    let (path, _) = shares(&ada, json!({ "entry": entry.id, "days": 2 })).await;
    visitor.get(&path).await.ok();
    ada.json_free(Method::DELETE, &entry.api()).await.is(204);
    visitor.get(&path).await.is(404);
    ada.json_free(Method::POST, &format!("{}/restore", entry.api())).await.ok();
    visitor.get(&path).await.ok();

    app.later(DAY);
    visitor.get(&path).await.ok();
    app.later(DAY);
    visitor.get(&path).await.is(404);
    ada.get("/settings/shares").await.ok().has(".badge", "Expired");

    let (path, _) = shares(&ada, json!({ "entry": entry.id })).await;
    let admin = app.admin("root").await;
    let user = app.viewer("ada").await.id().expect("an account");
    admin.json(Method::PATCH, &format!("/api/v1/admin/users/{user}"), json!({ "disabled": true })).await.ok();
    visitor.get(&path).await.is(404);
}

on_both_engines!(a_tag_and_a_search_show_the_makers_own_entries);
async fn a_tag_and_a_search_show_the_makers_own_entries(app: App) {
    let (ada, eve, visitor) = (app.signed_in("ada").await, app.signed_in("eve").await, app.visitor());
    let own = ada.saves(json!({ "title": "Own pearl", "tags": ["sea/shells"] })).await;
    let other = ada.saves(json!({ "title": "Stone", "tags": ["land"] })).await;
    eve.saves(json!({ "title": "Eve's pearl", "tags": ["sea/shells"], "visibility": "public" })).await;
    for what in [json!({ "tag": "Sea" }), json!({ "query": "pearl" })] {
        let (path, _) = shares(&ada, what).await;
        let page = visitor.get(&path).await.ok().lacks("Stone").lacks("Eve");
        assert_eq!(page.texts(".entry-title"), ["Own pearl"]);
        let href = page.attributes(".entry-title a", "href").remove(0);
        visitor.get(&href).await.ok().has("h1", "Own pearl").has(".record a", "Everything shared here");
        visitor.get(&href.replace(&own.id, &other.id)).await.is(404);
        visitor.get(&href.replace(&own.id, "x")).await.is(404);
    }
}

on_both_engines!(a_title_of_a_shared_list_opens_its_site);
async fn a_title_of_a_shared_list_opens_its_site(app: App) {
    let (ada, visitor) = (app.signed_in("ada").await, app.visitor());
    let url = "https://pearls.example/";
    ada.saves(json!({ "title": "Pearl", "url": url, "tags": ["sea"] })).await;
    let (path, _) = shares(&ada, json!({ "tag": "sea" })).await;
    let page = visitor.get(&path).await.ok();
    assert_eq!(page.attributes(".entry-title a", "href"), [url]);
    let details = page.attributes(".entry-source a", "href").remove(0);
    visitor.get(&details).await.ok().has("h1", "Pearl");
}

on_both_engines!(a_long_list_goes_on_page_by_page);
async fn a_long_list_goes_on_page_by_page(app: App) {
    let ada = app.signed_in("ada").await;
    for number in 0..21 {
        app.later(Duration::from_secs(1));
        ada.saves(json!({ "title": format!("Pearl {number}"), "tags": ["sea"] })).await;
    }
    let (path, _) = shares(&ada, json!({ "tag": "sea" })).await;
    let first = app.visitor().get(&path).await.ok();
    assert_eq!(first.texts(".entry-title").len(), 20);
    let next = first.attributes("a[rel=next]", "href").remove(0);
    assert_eq!(app.visitor().get(&next).await.ok().texts(".entry-title"), ["Pearl 0"]);
    assert_eq!(views(&ada).await, json!(1), "a further page is no further view");
}

on_both_engines!(only_what_is_ones_own_can_be_shared);
async fn only_what_is_ones_own_can_be_shared(app: App) {
    let (ada, eve) = (app.signed_in("ada").await, app.signed_in("eve").await);
    let public = ada.saves(json!({ "title": "Pearl", "visibility": "public" })).await;
    let gone = eve.saves(json!({ "title": "Gone" })).await;
    eve.json_free(Method::DELETE, &gone.api()).await.is(204);
    for id in [&public.id, &gone.id] {
        eve.json(Method::POST, SHARES, json!({ "entry": id })).await.is(404);
        eve.get(&format!("/settings/shares?entry={id}")).await.is(404);
    }
    for (what, field) in [
        (json!({}), "entry"),
        (json!({ "tag": "a", "query": "b" }), "entry"),
        (json!({ "tag": "a,b" }), "tag"),
        (json!({ "query": "before:never" }), "query"),
        (json!({ "query": "foo:bar" }), "query"),
        (json!({ "tag": "nobodys" }), "tag"),
        (json!({ "query": "tag=rust" }), "query"),
        (json!({ "query": "q=rust&sort=title" }), "query"),
        (json!({ "query": "x".repeat(1_001) }), "query"),
        (json!({ "tag": "a", "days": 0 }), "days"),
        (json!({ "tag": "a", "days": 366 }), "days"),
    ] {
        let refused = eve.json(Method::POST, SHARES, what).await.is(422).json();
        assert!(refused["errors"].to_string().contains(field), "{field}: {refused}");
    }
    app.visitor().json(Method::POST, SHARES, json!({ "tag": "a" })).await.is(401);
    app.visitor().get("/s/short").await.is(404);
}

on_both_engines!(the_settings_show_an_address_once);
async fn the_settings_show_an_address_once(app: App) {
    let ada = app.signed_in("ada").await;
    let entry = ada.saves(json!({ "title": "Pearl" })).await;
    let share = ada.get(&entry.page()).await.ok().attributes(".actions a", "href").remove(1);
    let page = ada.get(&share).await.ok().has("h2", "Share “Pearl”");
    let fields = [("entry", entry.id.as_str()), ("tag", ""), ("q", ""), ("days", "7")];
    assert_eq!(page.attributes("input[name=entry]", "value"), [entry.id.as_str()]);
    ada.post_form("/settings/shares", &fields).await.redirects_to("/settings/shares");
    let page = ada.get("/settings/shares").await.ok().has(".holdings h3", "Pearl");
    let address = page.attributes("#secret", "value").remove(0);
    let path = address.replace(&app.coffer.deps.public_url.address(), "");
    app.visitor().get(&path).await.ok().has("h1", "Pearl");
    let again = ada.get("/settings/shares").await.ok().has_no("#secret").has(".holdings", "Viewed once");
    let revoke = again.attributes(".holdings form", "action").remove(0);
    ada.post_form(&revoke, &[]).await.redirects_to("/settings/shares");
    app.visitor().get(&path).await.is(404).has("main", "may have expired or been revoked");
    let wrong = [("entry", entry.id.as_str()), ("days", "0")];
    ada.post_form("/settings/shares", &wrong).await.is(422).has("#days-error", "Choose 1 to 365 days.");
}

#[tokio::test]
async fn a_revoked_link_ends_on_every_node() {
    let app = App::with_limits(Engine::Postgres, &[]).await;
    let other = app.another_node().await;
    let ada = app.signed_in("ada").await;
    let entry = ada.saves(json!({ "title": "Pearl" })).await;
    let (path, link) = shares(&ada, json!({ "entry": entry.id })).await;
    app.visitor().at(&other).get(&path).await.ok();
    ada.json_free(Method::DELETE, &link).await.is(204);
    let gone = async || {
        let status = app.visitor().at(&other).get(&path).await.status();
        if status == 404 { Ok(()) } else { Err(status) }
    };
    crate::support::wait::eventually(Duration::from_secs(2), gone).await.expect("it ends in time");
}

on_both_engines!(a_token_is_stored_hashed_and_old_links_are_forgotten);
async fn a_token_is_stored_hashed_and_old_links_are_forgotten(app: App) {
    app.signed_in("ada").await.saves(json!({ "title": "Tides", "tags": ["sea"] })).await;
    let (ada, shares) = (app.viewer("ada").await, &app.coffer.library.shares);
    let new = NewShare { tag: "sea".to_owned(), days: 1, ..NewShare::default() };
    let made = shares.create(&ada, &new, &RequestMeta::default()).await.expect("a link");
    let dump = format!("{:?}", crate::support::dump::Dump::of(&app.coffer.db).await);
    assert!(!dump.contains(&made.token), "{dump}");
    let owner = ada.member().expect("an account");
    app.later(DAY * 30);
    shares.forget_old().await.expect("it runs");
    assert_eq!(shares.list(owner).await.expect("links").len(), 1);
    app.later(DAY * 2);
    shares.forget_old().await.expect("it runs");
    assert!(shares.list(owner).await.expect("links").is_empty());
}

on_both_engines!(a_link_is_readable_as_json);
async fn a_link_is_readable_as_json(app: App) {
    let (ada, visitor) = (app.signed_in("ada").await, app.visitor());
    let entry = ada.saves(json!({ "title": "Pearl", "body": "*Found*", "tags": ["sea"] })).await;
    let json = async |path: &str| visitor.get(&path.replace("/s/", "/api/v1/shares/")).await;
    let (path, link) = shares(&ada, json!({ "entry": entry.id })).await;
    let shown = json(&path).await.ok().header_is("x-robots-tag", "noindex").json();
    assert_eq!((&shown["title"], &shown["shared_by"]), (&json!("Pearl"), &json!("ada")));
    let item = &shown["items"][0];
    assert_eq!((&item["body"], &item["tags"]), (&json!("*Found*"), &json!(["sea"])));
    assert_eq!(views(&ada).await, json!(1));
    ada.json_free(Method::DELETE, &link).await.is(204);
    json(&path).await.is(404).header_is("content-type", "application/problem+json");

    for number in 0..20 {
        app.later(Duration::from_secs(1));
        ada.saves(json!({ "title": format!("Pearl {number}"), "tags": ["sea"] })).await;
    }
    let (path, _) = shares(&ada, json!({ "tag": "sea" })).await;
    let first = json(&path).await.ok().json();
    assert_eq!((first["items"].as_array().expect("items").len(), &first["title"]), (20, &json!("sea")));
    let cursor = first["next_cursor"].as_str().expect("a cursor");
    let last = json(&format!("{path}?cursor={cursor}")).await.ok().json();
    assert_eq!((&last["items"][0]["body"], &last["next_cursor"]), (&json!("*Found*"), &Value::Null));
    json(&format!("{path}?cursor=x")).await.is(400);
    json(&format!("{path}?tag=land")).await.is(400);
}
