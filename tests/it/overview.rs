//! `/admin`: what is to do, and unlocking an account.

use std::time::Duration;

use coffer::db::Engine as Connection;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::app::{App, PASSWORD};
use crate::support::on_both_engines;

const PAGE: &str = "/admin";
const TWIN: &str = "/api/v1/admin/overview";
/// By an account; the address may try more.
const FEW: &str = "--rate-limit-login-account=3 then 1h to 1h";

/// Guesses until the account is locked.
async fn is_locked_out(app: &App, name: &str) {
    for _ in 0..4 {
        app.visitor().post_form("/login", &[("login", name), ("password", "a wrong guess")]).await;
    }
    assert_eq!(logs_in(app, name).await, 429);
}

async fn logs_in(app: &App, name: &str) -> u16 {
    app.visitor().post_form("/login", &[("login", name), ("password", PASSWORD)]).await.status()
}

on_both_engines!(a_locked_account_is_named_and_let_go_on, super::FEW);
async fn a_locked_account_is_named_and_let_go_on(app: App) {
    let root = app.admin("root").await;
    app.has_account("ada", coffer::identity::Role::Member).await;
    root.get(PAGE).await.ok().has("#held-heading", "Blocked by limits").text_has("No one is blocked.");
    is_locked_out(&app, "ada").await;
    let page = root.get(PAGE).await.ok().has(".clients b", "ada").has(".clients", "Failed logins");
    let person = page.attributes(".clients input[name='person']", "value").remove(0);
    let held = root.get(TWIN).await.ok().json()["held"][0].clone();
    assert_eq!(
        (&held["account"], &held["client"], &held["policy"]),
        (&json!({ "id": person, "username": "ada" }), &Value::Null, &json!("login-account"))
    );
    root.post_form("/admin/unlock", &[("person", &person)]).await.redirects_to(PAGE);
    root.get(PAGE).await.ok().text_has("No one is blocked.");
    assert_eq!(logs_in(&app, "ada").await, 303);
    // By her address too, and by a program's hand.
    is_locked_out(&app, "ada@example.org").await;
    root.get(PAGE).await.ok().has(".clients b", "ada");
    root.json_free(Method::DELETE, &format!("/api/v1/admin/limits/accounts/{person}")).await.is(204);
    assert_eq!(logs_in(&app, "ada@example.org").await, 303);
    let nobody = "0198c0de-0000-7000-8000-000000000000";
    root.json_free(Method::DELETE, &format!("/api/v1/admin/limits/accounts/{nobody}")).await.is(404);
    root.post_form("/admin/unlock", &[("person", nobody)]).await.error_page(404);
    is_locked_out(&app, "nobody").await;
    let page = root.get(PAGE).await.ok().has(".clients code", "").lacks("nobody");
    let digits = page.texts(".clients code").remove(0);
    root.get(TWIN).await.ok().text_has(&format!("\"client\":\"{digits}\"")).lacks("nobody");
}

on_both_engines!(what_is_to_do_is_said);
async fn what_is_to_do_is_said(app: App) {
    let root = app.admin("root").await;
    let page = root.get(PAGE).await.ok();
    let page = page.text_has("Emails are not sent").text_has("Two-step login is off for 1 of 1 admins");
    page.lacks("has been altered").lacks("days old");
    app.later(Duration::from_hours(24 * 400));
    let root = app.another_browser_of("root").await;
    root.get(PAGE).await.ok().text_has("The secret key is 400 days old");
    let head = "UPDATE audit_head SET seq = seq - 1";
    let mut tx = app.coffer.db.begin().await.expect("a transaction");
    match tx.conn() {
        coffer::db::Engine::Postgres(conn) => sqlx::query(head).execute(conn).await.map(drop),
        coffer::db::Engine::Sqlite(conn) => sqlx::query(head).execute(conn).await.map(drop),
    }
    .expect("the database obeys its owner");
    tx.commit().await.expect("it stays");
    let page = root.get(PAGE).await.ok().text_has("has been altered").has(".needs .badge", "urgent");
    let needs = root.get(TWIN).await.ok().json()["needs"].clone();
    let first = json!({ "text": "The audit trail has been altered.", "severe": true, "link": "/admin/audit?check=1" });
    assert_eq!(needs[0], first);
    let shown = page.texts(".needs li span").concat();
    for need in needs.as_array().expect("a list") {
        assert!(shown.contains(need["text"].as_str().expect("a text")), "{need} in {shown}");
    }
}

on_both_engines!(it_is_for_admins);
async fn it_is_for_admins(app: App) {
    let member = app.signed_in("ada").await;
    member.get(PAGE).await.error_page(404);
    member.get(TWIN).await.is(404);
    member.post_form("/admin/unlock", &[("person", "x")]).await.error_page(404);
    let nobody = "/api/v1/admin/limits/accounts/0198c0de-0000-7000-8000-000000000000";
    member.json_free(Method::DELETE, nobody).await.is(404);
    let root = app.admin("root").await;
    app.later(Duration::from_mins(11));
    root.post_form("/admin/unlock", &[("person", "x")]).await.is(403);
}

on_both_engines!(a_schema_of_a_later_coffer_is_to_do);
async fn a_schema_of_a_later_coffer_is_to_do(app: App) {
    const LATER: &str = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9001, 'later', TRUE, '\\x00', 0)";
    let root = app.admin("root").await;
    root.get(PAGE).await.ok().lacks("different version of coffer");
    let mut tx = app.coffer.db.begin().await.expect("a transaction");
    match tx.conn() {
        Connection::Postgres(conn) => sqlx::query(LATER).execute(conn).await.map(drop),
        Connection::Sqlite(conn) => sqlx::query(LATER).execute(conn).await.map(drop),
    }
    .expect("a migration");
    tx.commit().await.expect("a commit");
    root.get(PAGE).await.ok().text_has("migrated by a different version of coffer");
}
