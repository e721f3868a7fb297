//! The trash over the API: what is deleted from it is gone for good.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::actor::{Actor, Entry};
use crate::support::app::App;
use crate::support::on_both_engines;

const TRASH: &str = "/api/v1/trash";

async fn throws_away(actor: &Actor, title: &str) -> Entry {
    let entry = actor.saves(json!({ "title": title })).await;
    actor.json_free(Method::DELETE, &entry.api()).await.is(204);
    entry
}

fn in_trash(entry: &Entry) -> String {
    format!("{TRASH}/{}", entry.id)
}

on_both_engines!(one_entry_is_deleted_for_good);
async fn one_entry_is_deleted_for_good(app: App) {
    let (owner, other) = (app.signed_in("owner").await, app.signed_in("other").await);
    let (entry, kept) =
        (throws_away(&owner, "Old tide").await, owner.saves(json!({ "title": "Kept" })).await);
    owner.json_free(Method::DELETE, &in_trash(&kept)).await.is(403).problem("forbidden");
    other.json_free(Method::DELETE, &in_trash(&entry)).await.is(404).problem("not_found");
    let stale = owner.json_free(Method::DELETE, &in_trash(&entry)).if_match("\"1\"").await;
    assert_eq!(stale.is(412).problem("version_conflict").json()["current_version"], 2);
    owner.json_free(Method::DELETE, &in_trash(&entry)).if_match("\"2\"").await.is(204);
    owner.json_free(Method::DELETE, &in_trash(&entry)).await.is(404);
    owner.get(&entry.api()).await.is(404);
    owner.get(&kept.api()).await.ok();
}

on_both_engines!(the_whole_trash_is_emptied_and_nothing_else);
async fn the_whole_trash_is_emptied_and_nothing_else(app: App) {
    let (owner, other) = (app.signed_in("owner").await, app.signed_in("other").await);
    let theirs = throws_away(&other, "Their old tide").await;
    let kept = owner.saves(json!({ "title": "Kept" })).await;
    let mut gone = Vec::new();
    for number in 0..3 {
        gone.push(throws_away(&owner, &format!("Old {number}")).await.id);
    }
    let start = owner.get("/api/v1/resources/changes").await.ok().json();
    assert_eq!(owner.json_free(Method::DELETE, TRASH).await.ok().json(), json!({ "deleted": 3 }));
    assert_eq!(owner.json_free(Method::DELETE, TRASH).await.ok().json(), json!({ "deleted": 0 }));
    owner.get(&kept.api()).await.ok();
    other.get(&theirs.api()).await.ok();
    let after = start["next_cursor"].as_str().expect("a cursor");
    let told = owner.get(&format!("/api/v1/resources/changes?after={after}")).await.ok().json();
    let mut ids: Vec<Value> =
        told["items"].as_array().expect("items").iter().map(|item| item["id"].clone()).collect();
    ids.sort_by_key(Value::to_string);
    gone.sort();
    assert_eq!(ids, gone, "each is told as gone");
    assert!(told["items"].as_array().expect("items").iter().all(|item| item["deleted"] == true));
}
