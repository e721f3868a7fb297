//! What belongs to a person: to take along, and to delete.

use std::time::Duration;

use serde_json::{Value, json};

use crate::export::files;
use crate::support::app::{App, PASSWORD};
use crate::support::on_both_engines;

const LONG_AFTER_LOGIN: Duration = Duration::from_mins(11);

on_both_engines!(an_archive_holds_everything_and_no_secret);
async fn an_archive_holds_everything_and_no_secret(app: App) {
    let owner = app.signed_in("owner").await;
    let entry = owner.saves(json!({ "title": "Tides", "body": "first words" })).await;
    let change = [("title", "Tides"), ("body", "second words"), ("kind", "note"), ("version", "1")];
    owner.post_form(&entry.page(), &change).await.is(303);
    owner.post_form("/searches", &[("name", "High water"), ("search", "q=tide")]).await.is(303);
    let zip = owner.get("/settings/data/archive").await.ok();
    assert_eq!(zip.header("content-disposition"), "attachment; filename=\"coffer-archive.zip\"");
    let files = files(zip.bytes());
    let read = |name: &str| files.iter().find(|(file, _)| file == name).expect(name).1.as_str();
    let account: Value = serde_json::from_str(read("account.json")).expect("JSON");
    assert_eq!(account["username"], "owner");
    let activity: Value = serde_json::from_str(read("activity.json")).expect("JSON");
    assert_eq!(activity[0]["action"], "data.export");
    assert!(read("library.json").contains("first words") && read("library.json").contains("second words"));
    let searches: Value = serde_json::from_str(read("searches.json")).expect("JSON");
    assert_eq!((&searches[0]["name"], &searches[0]["search"]), (&json!("High water"), &json!("q=tide")));
    let all: String = files.into_iter().map(|(_, text)| text).collect();
    assert!(!all.contains("argon2"), "{all}");
}

on_both_engines!(taking_along_and_leaving_ask_for_the_password_again);
async fn taking_along_and_leaving_ask_for_the_password_again(app: App) {
    let owner = app.signed_in("owner").await;
    app.later(LONG_AFTER_LOGIN);
    owner.get("/settings/data/archive").await.redirects_to("/sudo?next=%2Fsettings%2Fdata%2Farchive");
    owner.get("/export?format=json").await.redirects_to("/sudo?next=%2Fexport%3Fformat%3Djson");
    owner.get("/api/v1/export?format=json").await.is(403).problem("sudo_required");
    let asked = owner.post_form("/settings/data/delete", &[("username", "owner")]).await;
    asked.has("h1", "password").holds("username", "owner");
    assert!(owner.is_signed_in().await);
}

on_both_engines!(an_account_goes_with_everything_in_it);
async fn an_account_goes_with_everything_in_it(app: App) {
    let leaver = app.signed_in("leaver").await;
    let elsewhere = app.another_browser_of("leaver").await;
    let entry =
        leaver.saves(json!({ "title": "Seen by all", "visibility": "public", "tags": ["sea"] })).await;
    let form = |name| [("username", name)];
    leaver.post_form("/settings/data/delete", &form("someone")).await.is(422).holds("username", "someone");
    leaver.post_form("/settings/data/delete", &form("Leaver ")).await.redirects_to("/login");
    assert!(!leaver.is_signed_in().await && !elsewhere.is_signed_in().await);
    app.visitor().get(&entry.page()).await.error_page(404);
    let login = [("login", "leaver"), ("password", PASSWORD)];
    app.visitor().post_form("/login", &login).await.is(422);
    let admin = app.admin("root").await;
    let trail = admin.get("/api/v1/admin/audit?action=account.delete").await.ok().json();
    assert_eq!(trail["items"].as_array().map(Vec::len), Some(1));
}

on_both_engines!(the_last_admin_stays);
async fn the_last_admin_stays(app: App) {
    let root = app.admin("root").await;
    let form = [("username", "root")];
    root.post_form("/settings/data/delete", &form).await.is(409).has("[role=alert]", "last administrator");
    assert!(root.is_signed_in().await);
    app.admin("second").await;
    root.post_form("/settings/data/delete", &form).await.redirects_to("/login");
}
