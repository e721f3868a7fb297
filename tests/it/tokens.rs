//! Personal API tokens: what they open, what they never open, and how they are made and revoked.

use std::collections::BTreeMap;
use std::time::Duration;

use coffer::identity::{RequestMeta, Role, Scope};
use coffer::tokens::NewToken;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::actor::{Actor, Ask};
use crate::support::app::{App, PASSWORD};
use crate::support::on_both_engines;

const LIST: &str = "/api/v1/me/tokens";

/// A token of a person who has an account.
pub async fn token(app: &App, username: &str, scopes: &[&str]) -> String {
    let viewer = app.viewer(username).await;
    let scopes = scopes.iter().map(ToString::to_string).collect();
    let new = NewToken { name: "a test".to_owned(), scopes, days: 90 };
    let owner = viewer.member().expect("an account");
    app.coffer.tokens.make(owner, &new, None, &RequestMeta::default()).await.expect("a token").secret
}

/// What a program sends: no cookie, no sign of a page of ours.
fn by<'a>(program: &'a Actor, method: Method, path: &str, token: &str) -> Ask<'a> {
    Ask::new(program, method, path).header("authorization", format!("Bearer {token}"))
}

/// The scope that each operation of the API asks for, by its own description; none where no token is looked at.
fn operations() -> BTreeMap<(Method, String), Option<String>> {
    let document = coffer::app::openapi("");
    let mut all = BTreeMap::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("an item") {
            let ways =
                operation["security"].as_array().unwrap_or_else(|| panic!("{method} {path} says who may"));
            let scopes = ways.iter().find_map(|way| way["bearer"].as_array());
            let scope = scopes.map(|scopes| {
                assert_eq!(scopes.len(), 1, "{method} {path} needs one scope");
                scopes[0].as_str().expect("a scope").to_owned()
            });
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).expect("a method");
            all.insert((method, path.clone()), scope);
        }
    }
    all
}

on_both_engines!(every_route_takes_the_scope_it_names_and_no_other);
async fn every_route_takes_the_scope_it_names_and_no_other(app: App) {
    app.has_account("ada", Role::Admin).await;
    let program = app.visitor();
    for scope in Scope::ALL {
        let token = token(&app, "ada", &[scope.as_str()]).await;
        for ((method, path), needed) in operations() {
            let path = path.replace("{id}", &uuid::Uuid::from_u128(7).to_string()).replace("{version}", "1");
            let path = path.replace("{username}", "ada");
            let answer = by(&program, method.clone(), &path, &token).await;
            let refused = answer.status() == 403 && answer.json()["code"] == "insufficient_scope";
            let wanted = needed.as_deref().is_some_and(|needed| needed != scope.as_str());
            assert_eq!(refused, wanted, "{method} {path} with {}: {answer}", scope.as_str());
        }
    }
}

#[test]
fn every_route_that_tells_of_somebody_names_a_scope() {
    let open = operations().into_iter().filter(|(_, scope)| scope.is_none());
    let open: Vec<String> = open.map(|((method, path), _)| format!("{method} {path}")).collect();
    let auth = ["introspect", "refresh", "revoke", "rotate", "token"];
    assert_eq!(open, auth.map(|name| format!("POST /api/v1/auth/{name}")));
}

on_both_engines!(a_program_works_with_its_token_alone);
async fn a_program_works_with_its_token_alone(app: App) {
    app.has_account("ada", Role::Member).await;
    let token = token(&app, "ada", &["resources:read", "resources:write"]).await;
    let program = app.visitor();
    let draft =
        by(&program, Method::POST, "/api/v1/resources", &token).header("content-type", "application/json");
    let saved = draft.with_body(r#"{"title":"By a program"}"#).await.is(201).json();
    let path = format!("/api/v1/resources/{}", saved["id"].as_str().expect("an id"));
    assert_eq!(by(&program, Method::GET, &path, &token).await.ok().json()["owner"], "ada");
    by(&program, Method::DELETE, &path, &token).await.is(204);
    by(&program, Method::GET, "/api/v1/me", &token).await.is(403).problem("insufficient_scope");
}

on_both_engines!(a_bad_token_is_refused_even_with_a_session);
async fn a_bad_token_is_refused_even_with_a_session(app: App) {
    let ada = app.signed_in("ada").await;
    let good = token(&app, "ada", &["account:read"]).await;
    let other_letter = if good.ends_with('a') { "b" } else { "a" };
    let bad = ["", "x", "cof_", &good[..52], &format!("{}{other_letter}", &good[..52]), "\u{e9}"];
    for bad in bad.iter().copied().chain([format!("coa_{}", "0".repeat(49)).as_str()]) {
        by(&ada, Method::GET, "/api/v1/me", bad).await.is(401).problem("bad_token");
    }
    by(&ada, Method::GET, "/api/v1/me", &good).await.ok().text_has("\"csrf\":\"\"");
    ada.get("/api/v1/me").header("authorization", "Basic YTpi").await.ok();
}

on_both_engines!(pages_know_no_tokens);
async fn pages_know_no_tokens(app: App) {
    app.has_account("ada", Role::Admin).await;
    let all: Vec<&str> = Scope::ALL.iter().map(|scope| scope.as_str()).collect();
    let token = token(&app, "ada", &all).await;
    let program = app.visitor();
    for path in ["/settings/tokens", "/settings/sessions", "/admin/invites", "/trash"] {
        by(&program, Method::GET, path, &token).await.is(303);
    }
    by(&program, Method::POST, "/resources", &token).await.error_page(403);
}

on_both_engines!(a_token_does_no_more_than_its_owner_may_now);
async fn a_token_does_no_more_than_its_owner_may_now(app: App) {
    let ada = app.signed_in("ada").await;
    app.has_account("eve", Role::Member).await;
    let secret = ada.saves(json!({ "title": "Ada’s own" })).await;
    let token = token(&app, "eve", &["resources:read", "account:read"]).await;
    let program = app.visitor();
    by(&program, Method::GET, &secret.api(), &token).await.is(404);
    assert_eq!(by(&program, Method::GET, "/api/v1/me", &token).await.ok().json()["role"], "member");
    let gone = if app.engine == crate::support::app::Engine::Sqlite { "1" } else { "now()" };
    for (change, status) in [("role = 'admin'", 200), (&*format!("disabled_at = {gone}"), 401)] {
        changes_eve(&app, change).await;
        let answer = by(&program, Method::GET, "/api/v1/me", &token).await.is(status);
        assert!(answer.json()["role"] == "admin" || answer.json()["code"] == "bad_token");
    }
}

async fn changes_eve(app: &App, change: &str) {
    let sql = format!("UPDATE users SET {change} WHERE username = 'eve'");
    let mut tx = app.coffer.db.begin().await.expect("a transaction");
    let ran = match tx.conn() {
        coffer::db::Engine::Postgres(conn) => {
            sqlx::query(sqlx::AssertSqlSafe(sql)).execute(conn).await.map(drop)
        }
        coffer::db::Engine::Sqlite(conn) => {
            sqlx::query(sqlx::AssertSqlSafe(sql)).execute(conn).await.map(drop)
        }
    };
    ran.expect("the statement runs");
    tx.commit().await.expect("it stays");
}

on_both_engines!(a_token_is_over_after_its_days);
async fn a_token_is_over_after_its_days(app: App) {
    let ada = app.signed_in("ada").await;
    let made = ada.json(Method::POST, LIST, json!({ "name": "ci", "scopes": ["account:read"], "days": 7 }));
    let made = made.await.is(201).json();
    let (program, token) = (app.visitor(), made["token"].as_str().expect("a token"));
    by(&program, Method::GET, "/api/v1/me", token).await.ok();
    app.later(Duration::from_hours(7 * 24 + 1));
    by(&program, Method::GET, "/api/v1/me", token).await.is(401).problem("token_expired");
    app.another_browser_of("ada").await.get("/settings/tokens").await.ok().has(".badge", "Expired");
}

on_both_engines!(a_token_is_made_shown_once_and_revoked);
async fn a_token_is_made_shown_once_and_revoked(app: App) {
    let ada = app.signed_in("ada").await;
    let draft = json!({ "name": "Backup", "scopes": ["account:read", "resources:read", "account:read"] });
    let made = ada.json(Method::POST, LIST, draft).await.is(201);
    let (location, made) = (made.header("location"), made.json());
    assert_eq!(made["scopes"], json!(["resources:read", "account:read"]));
    let token = made["token"].as_str().expect("a token");
    let program = app.visitor();
    by(&program, Method::GET, "/api/v1/me", token).await.ok();
    let listed = ada.get(LIST).await.ok().lacks(token).json()["items"][0].clone();
    assert_eq!((&listed["id"], &listed["name"]), (&made["id"], &json!("Backup")));
    assert!(
        listed["last_used_at"].is_string() && listed["expires_at"].as_str() > listed["created_at"].as_str()
    );
    ada.json_free(Method::DELETE, &location).await.is(204);
    by(&program, Method::GET, "/api/v1/me", token).await.is(401).problem("token_revoked");
    ada.json_free(Method::DELETE, &location).await.is(404);
    assert_eq!(ada.get(LIST).await.ok().json()["items"], json!([]));
    app.later(Duration::from_hours(91 * 24));
    app.coffer.tokens.forget_revoked().await.expect("forgotten");
    by(&program, Method::GET, "/api/v1/me", token).await.is(401).problem("bad_token");
}

on_both_engines!(a_token_rotates_itself);
async fn a_token_rotates_itself(app: App) {
    app.has_account("ada", Role::Member).await;
    let old = token(&app, "ada", &["account:read"]).await;
    let program = app.visitor();
    let rotates = async |token: &str| {
        program.json(Method::POST, "/api/v1/auth/rotate", json!({ "token": token })).await
    };
    let expires = |made: &Value| made["expires_at"].as_str().expect("a time").to_owned();
    app.later(Duration::from_hours(24));
    let (made, again) = (rotates(&old).await.ok().json(), rotates(&old).await.ok().json());
    assert_eq!(made, again, "an answer that got lost comes again");
    let new = made["token"].as_str().expect("a token");
    assert_eq!((&made["name"], &made["scopes"]), (&json!("a test"), &json!(["account:read"])));
    assert!(expires(&made) > app.now().plus(Duration::from_hours(89 * 24)).json());
    for good in [&old, new] {
        by(&program, Method::GET, "/api/v1/me", good).await.ok();
    }
    let listed = by(&program, Method::GET, LIST, new).await.ok().json();
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(1));
    app.later(Duration::from_secs(61));
    by(&program, Method::GET, "/api/v1/me", &old).await.is(401).problem("token_revoked");
    rotates(&old).await.is(401).problem("token_revoked");
    rotates("cof_nonsense").await.is(401).problem("bad_token");
    by(&program, Method::GET, "/api/v1/me", new).await.ok();
}

on_both_engines!(the_page_makes_lists_and_revokes);
async fn the_page_makes_lists_and_revokes(app: App) {
    let ada = app.signed_in("ada").await;
    ada.get("/settings/tokens")
        .await
        .ok()
        .has("h1", "API tokens")
        .text_has("You have no tokens yet")
        .lacks("admin:read");
    let form = [("name", "Backup <1>"), ("days", "30"), ("account_read", "on")];
    ada.post_form("/settings/tokens", &form).await.redirects_to("/settings/tokens");
    let made = ada.get("/settings/tokens").await.ok().has("label", "Copy it now");
    let token = made.attributes("#secret", "value").remove(0);
    let program = app.visitor();
    by(&program, Method::GET, "/api/v1/me", &token).await.ok();
    by(&program, Method::GET, "/api/v1/tags", &token).await.is(403);
    let page = ada.get("/settings/tokens").await.ok().lacks(&token).has(".holdings h2", "Backup <1>");
    let revoke = page.has(".holdings", "account:read").attributes(".holdings form", "action").remove(0);
    ada.post_form(&revoke, &[]).await.redirects_to("/settings/tokens");
    by(&program, Method::GET, "/api/v1/me", &token).await.is(401);
    ada.get("/settings/tokens").await.ok().has(".toast", "revoked").text_has("You have no tokens yet");
}

on_both_engines!(what_is_wrong_is_said_at_the_field);
async fn what_is_wrong_is_said_at_the_field(app: App) {
    let ada = app.signed_in("ada").await;
    let wrong = ada.post_form("/settings/tokens", &[("name", " "), ("days", "4000")]).await.is(422);
    wrong.has("#name-error", "name").has("#days-error", "365").has("#scopes-error", "at least one");
    let makes = |name: &str, scopes: Value, days: i64| {
        ada.json(Method::POST, LIST, json!({ "name": name, "scopes": scopes, "days": days }))
    };
    for (name, field) in [("", "name"), ("a\0b", "name"), (&*"x".repeat(81), "name")] {
        makes(name, json!(["account:read"]), 90).await.invalid(field);
    }
    makes("ci", json!([]), 90).await.invalid("scopes");
    for days in [0, 366, -1, 1 << 40] {
        makes("ci", json!(["account:read"]), days).await.invalid("days");
    }
    let unknown = makes("ci", json!(["account:read", "all", "none"]), 90).await;
    let said = "Unknown scope: all, none. The API reference lists all scopes.";
    let told = unknown.is(422).problem("unknown_scope").json();
    assert_eq!(told["errors"], json!([{ "field": "scopes", "message": said }]));
    assert_eq!(ada.get(LIST).await.ok().json()["items"], json!([]));
}

on_both_engines!(tokens_need_sudo_mode);
async fn tokens_need_sudo_mode(app: App) {
    let ada = app.signed_in("ada").await;
    let draft = json!({ "name": "ci", "scopes": ["account:read"] });
    let made = ada.json(Method::POST, LIST, draft.clone()).await.is(201);
    app.later(Duration::from_mins(11));
    ada.json(Method::POST, LIST, draft).await.is(403).problem("sudo_required");
    ada.json_free(Method::DELETE, &made.header("location")).await.is(403).problem("sudo_required");
    let form = [("name", "Kept"), ("days", "30"), ("account_read", "on")];
    let held = ada.post_form("/settings/tokens", &form).await.is(403).holds("name", "Kept");
    held.holds("account_read", "on").has("h1", "Confirm your password");
}

on_both_engines!(a_token_makes_no_stronger_token);
async fn a_token_makes_no_stronger_token(app: App) {
    app.has_account("ada", Role::Admin).await;
    let token = token(&app, "ada", &["account:write", "account:read"]).await;
    let program = app.visitor();
    let makes = |scopes: Value| {
        let body = json!({ "name": "child", "scopes": scopes, "days": 89 }).to_string();
        by(&program, Method::POST, LIST, &token).header("content-type", "application/json").with_body(body)
    };
    makes(json!(["account:read"])).await.is(201);
    makes(json!(["account:read", "admin:write"])).await.is(403).problem("insufficient_scope");
    makes(json!(["resources:read"])).await.is(403).problem("insufficient_scope");
    app.later(Duration::from_hours(48));
    makes(json!(["account:read"])).await.invalid("days");
}

on_both_engines!(nobody_sees_or_revokes_somebody_elses_tokens);
async fn nobody_sees_or_revokes_somebody_elses_tokens(app: App) {
    let (ada, eve) = (app.signed_in("ada").await, app.signed_in("eve").await);
    let made =
        ada.json(Method::POST, LIST, json!({ "name": "ci", "scopes": ["account:read"] })).await.is(201);
    let id = made.json()["id"].as_str().expect("an id").to_owned();
    eve.json_free(Method::DELETE, &format!("{LIST}/{id}")).await.is(404);
    eve.post_form(&format!("/settings/tokens/{id}/revoke"), &[]).await.error_page(404);
    assert_eq!(eve.get(LIST).await.ok().json()["items"], json!([]));
    let token = made.json()["token"].as_str().expect("a token").to_owned();
    by(&app.visitor(), Method::GET, "/api/v1/me", &token).await.ok();
}

#[tokio::test]
async fn the_command_line_makes_lists_and_revokes() {
    let app = App::with(crate::support::app::Engine::Sqlite, &[]).await;
    app.has_account("ada", Role::Member).await;
    let stopped = app.stop().await;
    let coffer = |arguments: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_coffer"));
        let output = command.args(arguments).args(&stopped.settings).output().expect("coffer runs");
        (output.status.success(), String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let (made, token) = coffer(&["token", "create", "--name", "ci", "--scope", "resources:read"]);
    assert!(made && token.len() == 53 && token.starts_with("cof_"), "{token}");
    let (_, listed) = coffer(&["token", "list"]);
    assert!(listed.contains("\tci\tresources:read\tuntil ") && !listed.contains(&token), "{listed}");
    let id = listed.split('\t').next().expect("an id");
    assert!(coffer(&["token", "revoke", id]).0 && !coffer(&["token", "revoke", id]).0);
    assert_eq!(coffer(&["token", "list"]), (true, String::new()));
    assert!(!coffer(&["token", "create", "--name", "ci", "--scope", "all"]).0);
}

on_both_engines!(an_access_token_of_a_sign_in_holds_the_scopes_asked_for);
async fn an_access_token_of_a_sign_in_holds_the_scopes_asked_for(app: App) {
    app.has_account("ada", Role::Member).await;
    let program = app.visitor();
    let body = json!({ "login": "ada", "password": PASSWORD, "scopes": ["resources:read"] });
    let pair = program.json(Method::POST, "/api/v1/auth/token", body).await.ok().json();
    let access = pair["access_token"].as_str().expect("a token");
    by(&program, Method::GET, "/api/v1/tags", access).await.ok();
    by(&program, Method::GET, "/api/v1/me", access).await.is(403).problem("insufficient_scope");
    let renewed = json!({ "refresh_token": pair["refresh_token"] });
    let renewed = program.json(Method::POST, "/api/v1/auth/refresh", renewed).await.ok().json();
    assert_eq!(renewed["scopes"], json!(["resources:read"]));
}

/// A token that reads what is hers.
async fn makes_token(ada: &Actor) -> String {
    let draft = json!({ "name": "backup", "scopes": ["account:read"] });
    let made = ada.json(Method::POST, "/api/v1/me/tokens", draft).await.is(201).json();
    made["token"].as_str().expect("a token").to_owned()
}

async fn works(app: &App, token: &str) -> bool {
    let bearer = format!("Bearer {token}");
    app.visitor().get("/api/v1/me").header("authorization", bearer).await.status() == 200
}

const NEW_PASSWORD: &str = "staple orbit lantern";

on_both_engines!(a_changed_password_revokes_tokens_where_one_asks_for_it);
async fn a_changed_password_revokes_tokens_where_one_asks_for_it(app: App) {
    let (ada, eve) = (app.signed_in("ada").await, app.signed_in("eve").await);
    ada.get("/settings/security").await.ok().has_no("[name='revoke_tokens']");
    let tokens = [makes_token(&ada).await, makes_token(&ada).await];
    let eves = makes_token(&eve).await;
    let page = ada.get("/settings/security").await.ok().has("label.tick", "Also revoke my API tokens");
    page.has_no("[name='revoke_tokens'][checked]");

    let change = [("current_password", PASSWORD), ("password", NEW_PASSWORD)];
    ada.post_form("/settings/password", &change).await.redirects_to("/settings/security");
    assert!(works(&app, &tokens[0]).await, "they are left alone otherwise");
    ada.learns_token().await;

    let all = [("current_password", "wrong horse battery"), ("password", PASSWORD), ("revoke_tokens", "yes")];
    let again = ada.post_form("/settings/password", &all).await.is(422);
    again.has("#current_password-error", "not your current password").has("label.tick", "Also revoke");
    assert!(works(&app, &tokens[0]).await);
    let all = [("current_password", NEW_PASSWORD), all[1], all[2]];
    ada.post_form("/settings/password", &all).await.redirects_to("/settings/security");
    ada.get("/settings/security").await.ok().has(".toast", "your API tokens are revoked");
    assert!(!works(&app, &tokens[0]).await && !works(&app, &tokens[1]).await);
    assert!(works(&app, &eves).await);
    let activity = ada.get("/settings/activity").await.ok();
    assert_eq!(activity.text().matches("Revoked an API token").count(), 2);
    ada.get("/settings/security").await.ok().has_no("[name='revoke_tokens']");
}

on_both_engines!(a_reset_password_revokes_tokens_where_one_asks_for_it);
async fn a_reset_password_revokes_tokens_where_one_asks_for_it(app: App) {
    let ada = app.signed_in("ada").await;
    let token = makes_token(&ada).await;
    for (asks, still_works) in [("", true), ("yes", false)] {
        let visitor = app.visitor();
        visitor.post_form("/password/forgot", &[("email", "ada@example.org")]).await.ok();
        let link =
            app.letter_to("ada@example.org", "Choose a new password").await.link(&app, "/password/reset/");
        visitor.get(&link).await.ok().has("label.tick", "Also revoke my API tokens");
        let form = [("password", NEW_PASSWORD), ("revoke_tokens", asks)];
        visitor.post_form(&link, &form).await.redirects_to("/login");
        assert_eq!(works(&app, &token).await, still_works);
    }
}
