//! Searches for words find what the viewer may see and the filters let through, after every kind of change.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::actor::{Actor, Entry};
use crate::support::app::App;
use crate::support::on_both_engines;

struct Readers([(&'static str, Actor); 3]);

impl Readers {
    async fn of(app: &App) -> Self {
        let (owner, member) = (app.signed_in("owner").await, app.signed_in("other").await);
        Self([("owner", owner), ("member", member), ("visitor", app.visitor())])
    }

    fn owner(&self) -> &Actor {
        &self.0[0].1
    }

    /// Who finds anything, ranked and in order of time, as the first letters of their roles.
    async fn who_find(&self, query: &str) -> String {
        let mut found = String::new();
        for (role, actor) in &self.0 {
            let count = async |sort: &str| {
                let path = format!("/api/v1/resources?q={}&sort={sort}", coffer::web::forms::encode(query));
                actor.get(&path).await.ok().json()["items"].as_array().expect("items").len()
            };
            let (ranked, newest) = (count("relevance").await, count("newest").await);
            assert_eq!(ranked, newest, "{query:?} for the {role}, ranked and newest first");
            found.push_str(if ranked > 0 { &role[..1] } else { "" });
        }
        found
    }

    async fn change(&self, entry: &Entry, change: Value) {
        self.owner().json(Method::PATCH, &entry.api(), change).if_match("*").await.ok();
    }
}

on_both_engines!(who_may_see_it_finds_it_after_every_change);
async fn who_may_see_it_finds_it_after_every_change(app: App) {
    let readers = Readers::of(&app).await;
    let entry = readers.owner().saves(json!({ "title": "Tide", "body": "x" })).await;
    assert_eq!(readers.who_find("tide ").await, "o");
    readers.change(&entry, json!({ "visibility": "members" })).await;
    assert_eq!(readers.who_find("tide ").await, "om");
    assert_eq!(readers.who_find("tide by:owner").await, "om");
    assert_eq!(readers.who_find("tide by:other").await, "");
    readers.change(&entry, json!({ "visibility": "public" })).await;
    assert_eq!(readers.who_find("tide ").await, "omv");
    assert_eq!(readers.who_find("tide -visibility:public").await, "");
    readers.owner().json_free(Method::DELETE, &entry.api()).await.is(204);
    assert_eq!(readers.who_find("tide ").await, "");
    readers.owner().json_free(Method::POST, &format!("{}/restore", entry.api())).await.ok();
    assert_eq!(readers.who_find("tide ").await, "omv");
    let first = format!("{}/revisions/1/restore", entry.api());
    readers.owner().json_free(Method::POST, &first).if_match("*").await.ok();
    assert_eq!(readers.who_find("tide ").await, "omv");
}

on_both_engines!(filters_beside_words_follow_every_change);
async fn filters_beside_words_follow_every_change(app: App) {
    let readers = Readers::of(&app).await;
    let draft = json!({ "title": "Tide", "url": "https://www.example.org/x", "tags": ["sea/deep"], "visibility": "public" });
    let entry = readers.owner().saves(draft).await;
    let found = async |query: &str| readers.who_find(query).await;
    for met in [
        "tide tag:sea",
        "tide tag:sea/deep",
        "tide site:example.org",
        "tide kind:link",
        "tide visibility:public",
        "tide -tag:land -is:pinned -site:example.com",
        "tide or ebb tag:sea",
        "\"tide\" tag:sea -ebb",
        "-ebb tag:sea",
    ] {
        assert_eq!(found(met).await, "omv", "{met}");
    }
    for unmet in [
        "tide -tag:sea",
        "tide tag:deep",
        "tide site:www.example.com",
        "tide -kind:link",
        "tide is:pinned",
        "tide is:unread",
    ] {
        assert_eq!(found(unmet).await, "", "{unmet}");
    }
    let change = json!({ "tags": ["Land"], "url": "https://example.com/x", "pinned": true, "unread": true });
    readers.change(&entry, change).await;
    for met in ["tide tag:land", "tide -tag:sea", "tide site:example.com -site:example.org"] {
        assert_eq!(found(met).await, "omv", "{met}");
    }
    // Pins and what is read later are their owner's.
    for met in ["tide is:pinned", "tide is:unread"] {
        assert_eq!(found(met).await, "o", "{met}");
    }
    assert_eq!(found("tide tag:sea").await, "");
}

on_both_engines!(a_mark_cannot_be_typed);
async fn a_mark_cannot_be_typed(app: App) {
    let readers = Readers::of(&app).await;
    readers.owner().saves(json!({ "title": "Tide", "body": "x", "visibility": "public" })).await;
    for typed in
        ["\u{E000}vpublic", "\u{E000}v", "\"\u{E000}vpublic\"", "tide \u{E000}klink", "vpublic", "kn"]
    {
        assert_eq!(readers.who_find(typed).await, "", "{typed:?}");
    }
    readers
        .owner()
        .saves(
            json!({ "title": "Ebb \u{E000}vpublic", "body": "\u{E000}vpublic", "tags": ["\u{E000}vpublic"] }),
        )
        .await;
    assert_eq!(readers.who_find("ebb ").await, "o");
}
