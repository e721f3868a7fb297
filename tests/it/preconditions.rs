//! `ETag`, `If-Match`, `If-None-Match`: no change overwrites another one unseen, and changed resources are sent again.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::actor::{Actor, Entry};
use crate::support::app::App;
use crate::support::on_both_engines;

async fn etag(actor: &Actor, entry: &Entry) -> String {
    actor.get(&entry.api()).await.ok().header("etag")
}

/// A conditional GET with this tag.
async fn status(actor: &Actor, entry: &Entry, tag: &str) -> u16 {
    actor.get(&entry.api()).header("if-none-match", tag).await.status()
}

on_both_engines!(throwing_away_heeds_if_match);
async fn throwing_away_heeds_if_match(app: App) {
    let owner = app.signed_in("owner").await;
    let entry = owner.saves(json!({ "title": "Tides" })).await;
    owner.json(Method::PATCH, &entry.api(), json!({ "title": "Ebb" })).if_match("\"1\"").await.ok();
    for stale in ["\"1\"", "W/\"2\"", "\"1\", \"3\"", "\"x\""] {
        let refused = owner.json_free(Method::DELETE, &entry.api()).if_match(stale).await;
        let told = refused.is(412).problem("version_conflict").json();
        assert_eq!(
            (&told["current_version"], &told["current"]["title"]),
            (&json!(2), &json!("Ebb")),
            "{stale}"
        );
    }
    let nonsense = owner.json(Method::PATCH, &entry.api(), json!({ "url": "x" })).if_match("\"1\"").await;
    nonsense.is(422).problem("invalid");
    for bad in ["2", "", "\"2"] {
        owner.json_free(Method::DELETE, &entry.api()).if_match(bad).await.is(400).problem("bad_if_match");
    }
    assert_eq!(owner.get(&entry.api()).await.ok().json()["trashed_at"], Value::Null);
    owner.json_free(Method::DELETE, &entry.api()).if_match("\"1\", \"2\"").await.is(204);
    let trashed = etag(&owner, &entry).await;
    owner.json_free(Method::DELETE, &entry.api()).if_match("\"2\"").await.is(412).problem("version_conflict");
    for again in [trashed.as_str(), "*"] {
        owner.json_free(Method::DELETE, &entry.api()).if_match(again).await.is(204);
    }
    owner.json_free(Method::DELETE, &entry.api()).await.is(204);
    assert_eq!(etag(&owner, &entry).await, trashed);
}

on_both_engines!(what_is_looked_up_is_not_sent_again_unchanged);
async fn what_is_looked_up_is_not_sent_again_unchanged(app: App) {
    let owner = app.signed_in("owner").await;
    let entry = owner.saves(json!({ "url": "https://tides.example/" })).await;
    let looks_up = || owner.get("/api/v1/resources/lookup?url=tides.example");
    let kept = looks_up().await.ok().header("etag");
    looks_up().header("if-none-match", &kept).await.is(304).header_is("etag", &kept);
    owner.json(Method::PATCH, &entry.api(), json!({ "title": "Ebb" })).if_match("*").await.ok();
    looks_up().header("if-none-match", &kept).await.ok().text_has("Ebb");
}

on_both_engines!(taking_back_heeds_if_match);
async fn taking_back_heeds_if_match(app: App) {
    let owner = app.signed_in("owner").await;
    let entry = owner.saves(json!({ "title": "Tides" })).await;
    owner.json_free(Method::DELETE, &entry.api()).await.is(204);
    let (first, restore) = (etag(&owner, &entry).await, format!("{}/restore", entry.api()));
    owner.json_free(Method::POST, &restore).if_match("\"1\"").await.is(412).problem("version_conflict");
    owner.json_free(Method::POST, &restore).if_match(&first).await.ok().header_is("etag", "\"3\"");
    owner.json_free(Method::DELETE, &entry.api()).await.is(204);
    owner.json_free(Method::POST, &restore).if_match(&first).await.is(412).problem("version_conflict");
    owner.json_free(Method::POST, &restore).await.ok();
    owner.json_free(Method::POST, &restore).if_match("\"5\"").await.ok().header_is("etag", "\"5\"");
}

on_both_engines!(what_was_thrown_away_is_not_unchanged);
async fn what_was_thrown_away_is_not_unchanged(app: App) {
    let owner = app.signed_in("owner").await;
    let entry = owner.saves(json!({ "title": "Tides", "visibility": "public" })).await;
    let visitor = app.visitor();
    let kept = etag(&owner, &entry).await;
    assert_eq!((status(&owner, &entry, &kept).await, status(&visitor, &entry, &kept).await), (304, 304));
    owner.json_free(Method::DELETE, &entry.api()).await.is(204);
    assert_eq!((status(&owner, &entry, &kept).await, status(&visitor, &entry, &kept).await), (200, 404));
    let trashed = etag(&owner, &entry).await;
    assert_eq!(status(&owner, &entry, &format!("{kept}, W/{trashed}")).await, 304);
    owner.post_form(&format!("{}/restore", entry.page()), &[]).await.redirects_to(&entry.page());
    assert_eq!(
        (status(&owner, &entry, &trashed).await, status(&visitor, &entry, &trashed).await),
        (200, 200)
    );
    app.later(Duration::from_secs(1));
    owner.post_form(&format!("{}/trash", entry.page()), &[]).await.redirects_to("/resources");
    assert_eq!((status(&owner, &entry, &trashed).await, status(&owner, &entry, &kept).await), (200, 200));
}

on_both_engines!(a_tag_spelled_anew_is_not_unchanged_wherever_it_is_carried);
async fn a_tag_spelled_anew_is_not_unchanged_wherever_it_is_carried(app: App) {
    let owner = app.signed_in("owner").await;
    let other = owner.saves(json!({ "title": "Other", "tags": ["Vue"] })).await;
    let carrier = owner.saves(json!({ "title": "Carrier", "tags": ["Vue"] })).await;
    let mut read = etag(&owner, &other).await;
    for spelling in ["vue", "VUE", "Vue"] {
        let tags = json!({ "tags": [spelling] });
        owner.json(Method::PATCH, &carrier.api(), tags).if_match("*").await.ok();
        assert_eq!(status(&owner, &other, &read).await, 200, "{spelling}");
        read = etag(&owner, &other).await;
        assert_eq!(status(&owner, &other, &read).await, 304, "{spelling}");
    }
}

on_both_engines!(a_change_of_nothing_makes_no_version);
async fn a_change_of_nothing_makes_no_version(app: App) {
    let owner = app.signed_in("owner").await;
    let draft = json!({ "title": "Tides", "url": "https://tides.example/a", "body": "High\r\nwater ", "tags": ["Sea", "moon"], "pinned": true, "unread": true });
    let entry = owner.saves(draft.clone()).await;
    let (before, stands) = (owner.get(&entry.api()).await.ok().json(), etag(&owner, &entry).await);
    app.later(Duration::from_mins(1));
    for same in [
        json!({}),
        json!({ "title": "  Tides " }),
        json!({ "url": "tides.example/a" }),
        json!({ "tags": ["moon", "Sea", "sea"] }),
        json!({ "visibility": "private", "pinned": true, "unread": true }),
        json!({ "title": draft["title"], "body": draft["body"], "tags": draft["tags"] }),
    ] {
        for tag in ["\"1\"", "*", &stands] {
            let answer = owner.json(Method::PATCH, &entry.api(), same.clone()).if_match(tag).await.ok();
            assert_eq!(answer.header_is("etag", &stands).json(), before, "{same}");
        }
        owner.json(Method::PATCH, &entry.api(), same).if_match("\"2\"").await.is(412);
    }
    for act in ["pin", "unread"] {
        owner.post_form(&format!("{}/{act}", entry.page()), &[]).await.redirects_to(&entry.page());
    }
    let form = [("title", "Tides"), ("tags", "moon, Sea"), ("visibility", "private"), ("version", "1")];
    owner.post_form(&format!("{}/details", entry.page()), &form).await.redirects_to(&entry.page());
    let first = format!("{}/revisions/1/restore", entry.api());
    owner.json_free(Method::POST, &first).if_match("\"1\"").await.ok().header_is("etag", &stands);
    let revisions = owner.get(&format!("{}/revisions", entry.api())).await.ok().json();
    assert_eq!(revisions["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(owner.get(&entry.api()).await.ok().json(), before);
}

on_both_engines!(every_field_that_changes_makes_a_version);
async fn every_field_that_changes_makes_a_version(app: App) {
    let owner = app.signed_in("owner").await;
    let entry =
        owner.saves(json!({ "title": "Tides", "url": "https://tides.example/a", "tags": ["sea"] })).await;
    let changes = [
        json!({ "title": "tides" }),
        json!({ "url": "https://tides.example/a?b" }),
        json!({ "url": "http://tides.example/a?b" }),
        json!({ "body": " " }),
        json!({ "tags": ["sea", "moon"] }),
        json!({ "tags": ["moon"] }),
        json!({ "tags": [] }),
        json!({ "visibility": "members" }),
        json!({ "pinned": true }),
        json!({ "unread": true }),
    ];
    for (change, version) in changes.into_iter().zip(1..) {
        let answer =
            owner.json(Method::PATCH, &entry.api(), change).if_match(&format!("\"{version}\"")).await;
        answer.ok().header_is("etag", &format!("\"{}\"", version + 1));
    }
}

on_both_engines!(a_visitor_is_asked_to_sign_in_before_anything_else);
async fn a_visitor_is_asked_to_sign_in_before_anything_else(app: App) {
    let entry = app.signed_in("owner").await.saves(json!({ "title": "Tides", "visibility": "public" })).await;
    let (visitor, api) = (app.visitor(), entry.api());
    let asks = [
        visitor.json(Method::PATCH, &api, json!({ "title": 1 })),
        visitor.sends(Method::PATCH, &api, "text/plain", "x"),
        visitor.json_free(Method::POST, &format!("{api}/revisions/1/restore")),
        visitor.json_free(Method::POST, &format!("{api}/revisions/1/restore")).if_match("1"),
        visitor.json_free(Method::POST, &format!("{api}/restore")).if_match("1"),
        visitor.json_free(Method::DELETE, &api).if_match("1"),
        visitor.json_free(Method::DELETE, "/api/v1/resources/x"),
        visitor.get("/api/v1/resources/x/revisions"),
        visitor.get("/api/v1/resources/lookup"),
        visitor.get("/api/v1/export"),
        visitor.sends(Method::POST, "/api/v1/resources", "text/plain", "x"),
        visitor.json(Method::POST, "/api/v1/resources", json!([])),
        visitor.json(Method::POST, "/api/v1/me/tokens", json!({})),
        visitor.json_free(Method::DELETE, "/api/v1/me/tokens/x"),
        visitor.json_free(Method::DELETE, "/api/v1/me/sessions/x"),
        visitor.get("/api/v1/admin/users?limit=x"),
        visitor.json(Method::PATCH, "/api/v1/admin/users/x", json!({ "role": 1 })),
    ];
    for ask in asks {
        ask.await.is(401).problem("sign_in_required");
    }
}

on_both_engines!(lists_are_sent_again_when_they_changed);
async fn lists_are_sent_again_when_they_changed(app: App) {
    let owner = app.signed_in("owner").await;
    let entry = owner.saves(json!({ "title": "Tides", "tags": ["sea"] })).await;
    for path in ["/api/v1/resources", "/api/v1/tags"] {
        let known = owner.get(path).await.ok().header("etag");
        owner.get(path).header("if-none-match", &known).await.is(304).header_is("etag", &known);
    }
    let known = owner.get("/api/v1/resources").await.ok().header("etag");
    owner.json(Method::PATCH, &entry.api(), json!({ "title": "Ebb" })).if_match("\"1\"").await.ok();
    owner.get("/api/v1/resources").header("if-none-match", &known).await.ok().text_has("Ebb");
}
