//! Private feeds: what their owner sees, at an address that can be renewed and ends at once.

use atom_syndication::Feed;
use coffer::identity::RequestMeta;
use coffer::shares::feeds::PrivateFeedDraft;
use reqwest::Method;
use serde_json::{Value, json};

use crate::browser::{logs_in, path_of};
use crate::support::actor::Actor;
use crate::support::app::{App, Engine};
use crate::support::browser::Browser;
use crate::support::on_both_engines;

const FEEDS: &str = "/api/v1/me/feeds";
const SECRET: &str = "return document.querySelector('#secret').value";

/// The path of the new feed, and its address in the API.
async fn follows(owner: &Actor, what: Value) -> (String, String) {
    let made = owner.json(Method::POST, FEEDS, what).await.is(201);
    (path(&made.json()), made.header("location"))
}

fn path(made: &Value) -> String {
    let url = made["url"].as_str().expect("an address");
    assert_eq!(url.split('/').nth(4).expect("a token").len(), 22, "128 bits");
    path_of(url).to_owned()
}

async fn titles(app: &App, path: &str) -> Vec<String> {
    let answer = app.visitor().get(path).await.ok();
    let feed = Feed::read_from(answer.text().as_bytes()).expect("a feed");
    feed.entries.iter().map(|entry| entry.title.as_str().to_owned()).collect()
}

on_both_engines!(a_feed_has_what_its_owner_sees);
async fn a_feed_has_what_its_owner_sees(app: App) {
    let (ada, eve) = (app.signed_in("ada").await, app.signed_in("eve").await);
    ada.saves(json!({ "title": "Pearl", "body": "*Found*", "tags": ["sea/shells"] })).await;
    let stone = ada.saves(json!({ "title": "Stone", "url": "https://stones.example/" })).await;
    eve.saves(json!({ "title": "For members", "visibility": "members" })).await;
    eve.saves(json!({ "title": "Hidden", "tags": ["sea"] })).await;
    let draft = json!({ "name": "Stones", "search": "q=stone&sort=title" });
    let search = ada.json(Method::POST, "/api/v1/searches", draft).await.is(201);
    let (library, _) = follows(&ada, json!({})).await;
    let (tag, _) = follows(&ada, json!({ "tag": "Sea" })).await;
    let (saved, _) = follows(&ada, json!({ "search": search.json()["id"] })).await;
    assert_eq!(titles(&app, &library).await, ["For members", "Stone", "Pearl"]);
    assert_eq!(titles(&app, &tag).await, ["Pearl"]);
    assert_eq!(titles(&app, &saved).await, ["Stone"]);
    app.visitor()
        .get(&library)
        .await
        .header_is("cache-control", "private, no-store")
        .header_is("x-robots-tag", "noindex")
        .header_is("referrer-policy", "no-referrer")
        .text_has("&lt;em&gt;Found&lt;/em&gt;")
        .lacks("Hidden");
    app.visitor().get(&format!("{library}?tag=sea")).await.error_page(400).text_has("tag");
    ada.json_free(Method::DELETE, &stone.api()).await.is(204);
    assert!(titles(&app, &saved).await.is_empty());
    ada.json_free(Method::DELETE, &search.header("location")).await.is(204);
    app.visitor().get(&saved).await.is(404);
}

on_both_engines!(an_address_ends_when_it_is_renewed_or_taken_away);
async fn an_address_ends_when_it_is_renewed_or_taken_away(app: App) {
    let (ada, eve, visitor) = (app.signed_in("ada").await, app.signed_in("eve").await, app.visitor());
    let (old, feed) = follows(&ada, json!({})).await;
    eve.json_free(Method::POST, &format!("{feed}/renew")).await.is(404);
    eve.json_free(Method::DELETE, &feed).await.is(404);
    visitor.get(&old).await.ok();
    let renewed = ada.json_free(Method::POST, &format!("{feed}/renew")).await.ok();
    visitor.get(&old).await.is(404);
    visitor.get(&path(&renewed.json())).await.ok();
    assert_eq!(ada.get(FEEDS).await.ok().json()["items"].as_array().expect("items").len(), 1);
    ada.json_free(Method::DELETE, &feed).await.is(204);
    visitor.get(&path(&renewed.json())).await.is(404);
    ada.json_free(Method::DELETE, &feed).await.is(404);
    let activity = ada.get("/settings/activity").await.ok().text();
    for event in ["Created a private feed", "Gave a private feed a new address", "Deleted a private feed"] {
        assert!(activity.contains(event), "{event}");
    }
}

on_both_engines!(a_disabled_account_has_no_feed);
async fn a_disabled_account_has_no_feed(app: App) {
    let (ada, admin) = (app.signed_in("ada").await, app.admin("root").await);
    let (path, _) = follows(&ada, json!({})).await;
    let user = format!("/api/v1/admin/users/{}", app.viewer("ada").await.id().expect("an account"));
    app.visitor().get(&path).await.ok();
    admin.json(Method::PATCH, &user, json!({ "disabled": true })).await.ok();
    app.visitor().get(&path).await.is(404);
    admin.json(Method::PATCH, &user, json!({ "disabled": false })).await.ok();
    app.visitor().get(&path).await.ok();
}

on_both_engines!(what_can_be_no_feed_is_refused);
async fn what_can_be_no_feed_is_refused(app: App) {
    let (ada, eve) = (app.signed_in("ada").await, app.signed_in("eve").await);
    let draft = json!({ "name": "Stones", "search": "q=stone" });
    let search = ada.json(Method::POST, "/api/v1/searches", draft).await.is(201).json()["id"].clone();
    for (what, field) in [
        (json!({ "tag": "a,b" }), "tag"),
        (json!({ "search": search }), "search"),
        (json!({ "tag": "a", "search": search }), "search"),
    ] {
        eve.json(Method::POST, FEEDS, what).await.invalid(field);
    }
    eve.post_form("/settings/feeds", &[("tag", "a,b")])
        .await
        .is(422)
        .has("#refused", "No feed was created")
        .holds("tag", "a,b");
    app.visitor().json(Method::POST, FEEDS, json!({})).await.is(401);
    app.visitor().get("/f/short/feed.atom").await.is(404);
    for _ in 0..100 {
        follows(&eve, json!({})).await;
    }
    eve.json(Method::POST, FEEDS, json!({})).await.invalid("tag").text_has("100 private feeds");
}

on_both_engines!(a_feeds_token_is_stored_hashed);
async fn a_feeds_token_is_stored_hashed(app: App) {
    app.has_account("ada", coffer::identity::Role::Member).await;
    let (ada, shares) = (app.viewer("ada").await, &app.coffer.library.shares);
    let made = shares.create_feed(&ada, &PrivateFeedDraft::default(), &RequestMeta::default()).await;
    let dump = format!("{:?}", crate::support::dump::Dump::of(&app.coffer.db).await);
    assert!(!dump.contains(&made.expect("a feed").token), "{dump}");
}

#[tokio::test]
async fn a_feed_is_made_renewed_and_deleted_in_the_settings() {
    let app = App::with(Engine::Sqlite, &[]).await;
    let ada = app.signed_in("ada").await;
    ada.saves(json!({ "title": "Pearl", "tags": ["sea"] })).await;
    for (javascript, width, height) in
        [(true, 390, 844), (false, 390, 844), (true, 1280, 800), (false, 1280, 800)]
    {
        let browser = Browser::open(&app.origin(), javascript, width, height).await;
        logs_in(&browser, "ada").await;
        browser.goto("/settings/shares").await;
        browser.fill("Or a tag", "sea").await;
        browser.press("Create feed").await;
        browser.has(".feeds h3", "sea").await;
        let first = path_of(&browser.run::<String>(SECRET).await).to_owned();
        assert_eq!(titles(&app, &first).await, ["Pearl"]);
        browser.goto("/settings/shares").await;
        browser.press("New address for the feed of sea, which ends the old one").await;
        browser.has("label[for=secret]", "Your new address").await;
        let second = path_of(&browser.run::<String>(SECRET).await).to_owned();
        app.visitor().get(&first).await.is(404);
        assert_eq!(titles(&app, &second).await, ["Pearl"]);
        browser.press("Delete the feed of sea").await;
        browser.has(".toast", "Feed deleted.").await;
        app.visitor().get(&second).await.is(404);
    }
}
