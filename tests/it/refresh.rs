//! Staying signed in: a browser's cookie and a program's refresh token, each used once.

use std::time::Duration;

use coffer::identity::Role;
use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::actor::Actor;
use crate::support::app::{App, PASSWORD};
use crate::support::on_both_engines;

const SESSION: &str = "__Host-coffer";
const STAY: &str = "__Host-coffer-stay";
/// Longer than a session is good for.
const AWAY: Duration = Duration::from_hours(8 * 24);

/// Logged in with the box ticked.
async fn stays(app: &App, username: &str) -> Actor {
    let actor = Actor::new(username, app);
    let form = [("login", username), ("password", PASSWORD), ("stay", "yes")];
    actor.post_form("/login", &form).await.redirects_to("/resources");
    actor.learns_token().await;
    actor
}

async fn staying(app: &App) -> Actor {
    app.has_account("ada", Role::Member).await;
    stays(app, "ada").await
}

/// Opens a page, and then whether there is a session.
async fn is_let_in(actor: &Actor) -> bool {
    actor.get("/tags").await;
    actor.is_signed_in().await
}

on_both_engines!(nobody_stays_who_has_not_asked_for_it);
async fn nobody_stays_who_has_not_asked_for_it(app: App) {
    let ada = app.signed_in("ada").await;
    assert_eq!(ada.cookie(STAY), None);
    app.later(AWAY);
    ada.get("/trash").await.redirects_to("/login?next=%2Ftrash");
}

on_both_engines!(who_stays_is_let_in_again_with_a_fresh_session_and_cookie);
async fn who_stays_is_let_in_again_with_a_fresh_session_and_cookie(app: App) {
    let ada = staying(&app).await;
    for _ in 0..3 {
        let (session, stay) = (ada.cookie(SESSION), ada.cookie(STAY));
        app.later(AWAY);
        assert!(!ada.is_signed_in().await, "the API sets no cookies");
        ada.get("/trash").await.ok().has(".account-name", "ada");
        assert!(ada.cookie(SESSION) != session && ada.cookie(STAY) != stay && ada.is_signed_in().await);
    }
}

on_both_engines!(the_cookie_is_narrow_and_lasts_ninety_days);
async fn the_cookie_is_narrow_and_lasts_ninety_days(app: App) {
    app.has_account("ada", Role::Member).await;
    let form = [("login", "ada"), ("password", PASSWORD), ("stay", "yes")];
    let answer = app.visitor().post_form("/login", &form).await.is(303);
    let cookies = answer.all_of_header("set-cookie");
    let stay = cookies.iter().find(|line| line.starts_with(STAY)).expect("a cookie");
    for attribute in ["Path=/", "HttpOnly", "SameSite=Lax", "Secure", "Max-Age=77"] {
        assert!(stay.contains(&format!("; {attribute}")), "{attribute} in {stay}");
    }
}

on_both_engines!(a_form_that_outlives_its_session_is_carried_out);
async fn a_form_that_outlives_its_session_is_carried_out(app: App) {
    let ada = staying(&app).await;
    app.later(AWAY);
    ada.post_form("/resources", &[("title", "Still saved"), ("kind", "note")]).await.is(303);
    ada.get("/resources").await.ok().has(".entry-title", "Still saved");
    app.later(AWAY);
    let forged = ada.post_form("/resources", &[("title", "Forged"), ("kind", "note")]);
    forged.with_form_token(Some("wrong")).await.error_page(403);
}

on_both_engines!(tabs_that_ask_at_once_get_the_same_child);
async fn tabs_that_ask_at_once_get_the_same_child(app: App) {
    let ada = staying(&app).await;
    app.later(AWAY);
    let tabs: Vec<Actor> = (0..8).map(|_| ada.copied_cookies()).collect();
    assert!(join_all(tabs.iter().map(is_let_in)).await.into_iter().all(|is_in| is_in));
    let children: Vec<_> = tabs.iter().map(|tab| tab.cookie(STAY)).collect();
    assert!(children[0] != ada.cookie(STAY) && children.iter().all(|child| *child == children[0]));
    app.later(Duration::from_secs(9));
    assert!(is_let_in(&ada).await, "within the grace");
    assert_eq!(ada.cookie(STAY), children[0]);
    let devices = tabs[0].get("/api/v1/me/sessions").await.ok().json();
    assert_eq!(devices["items"].as_array().map(Vec::len), Some(1), "one device");
}

on_both_engines!(a_used_cookie_that_comes_later_ends_the_device);
async fn a_used_cookie_that_comes_later_ends_the_device(app: App) {
    let ada = staying(&app).await;
    let elsewhere = stays(&app, "ada").await;
    let stolen = ada.copied_cookies();
    app.later(AWAY);
    assert!(is_let_in(&ada).await && is_let_in(&elsewhere).await);
    app.later(Duration::from_secs(11));
    assert!(!is_let_in(&stolen).await);
    assert_eq!(stolen.cookie(STAY), None, "it is taken back");
    assert!(!is_let_in(&ada).await, "the child and its session are over too");
    assert!(elsewhere.is_signed_in().await, "the other device stays");
    assert_eq!(told(&app).await, (1, 1), "written down once, and one letter");
}

/// How often a replay was written down, and how many letters tell of it.
async fn told(app: &App) -> (i64, usize) {
    const EVENTS: &str =
        "SELECT COUNT(*) FROM audit_events WHERE action = 'refresh.reused' AND outcome = 'refused'";
    let events = match &app.coffer.db {
        coffer::db::Db::Postgres(pool) => sqlx::query_scalar(EVENTS).fetch_one(pool.executor()).await,
        coffer::db::Db::Sqlite { read, .. } => sqlx::query_scalar(EVENTS).fetch_one(read.executor()).await,
    };
    let mut letters = app.letters_to("ada@example.org").await;
    letters.retain(|letter| letter.subject.contains("logged out for security"));
    (events.expect("a number"), letters.len())
}

on_both_engines!(logging_out_ends_the_stay_too);
async fn logging_out_ends_the_stay_too(app: App) {
    let ada = staying(&app).await;
    let stolen = ada.copied_cookies();
    ada.post_form("/logout", &[]).await.redirects_to("/login");
    assert_eq!(ada.cookie(STAY), None);
    assert!(!is_let_in(&stolen).await);
}

on_both_engines!(a_device_that_is_logged_out_elsewhere_does_not_come_back);
async fn a_device_that_is_logged_out_elsewhere_does_not_come_back(app: App) {
    let ada = staying(&app).await;
    let phone = stays(&app, "ada").await;
    let page = ada.get("/settings/sessions").await.ok().text_has("Kept logged in");
    let end = page.attributes(".holdings form", "action").remove(0);
    ada.post_form(&end, &[]).await.redirects_to("/settings/sessions");
    assert!(!is_let_in(&phone).await && is_let_in(&ada).await);
    let laptop = stays(&app, "ada").await;
    laptop.post_form("/settings/sessions/others/end", &[]).await.redirects_to("/settings/sessions");
    app.later(AWAY);
    assert!(!is_let_in(&ada).await && is_let_in(&laptop).await);
}

on_both_engines!(ending_all_of_a_persons_sessions_ends_every_stay);
async fn ending_all_of_a_persons_sessions_ends_every_stay(app: App) {
    let ada = staying(&app).await;
    let person = app.viewer("ada").await.id().expect("an account");
    app.coffer.sessions.end_all(person).await.expect("they end");
    assert!(!is_let_in(&ada).await);
}

on_both_engines!(a_stay_is_over_after_its_days, "--stay-days=20");
async fn a_stay_is_over_after_its_days(app: App) {
    let ada = staying(&app).await;
    for _ in 0..2 {
        app.later(AWAY);
        assert!(is_let_in(&ada).await);
    }
    app.later(AWAY);
    assert!(!is_let_in(&ada).await);
    assert_eq!(ada.cookie(STAY), None);
}

on_both_engines!(who_logs_in_here_next_ends_the_stay);
async fn who_logs_in_here_next_ends_the_stay(app: App) {
    let ada = staying(&app).await;
    app.has_account("eve", Role::Member).await;
    let old = ada.copied_cookies();
    ada.post_form("/login", &[("login", "eve"), ("password", PASSWORD)]).await.is(303);
    assert_eq!((ada.cookie(STAY), is_let_in(&old).await), (None, false));
    app.later(AWAY);
    assert!(!is_let_in(&ada).await);
}

on_both_engines!(made_up_cookies_open_nothing);
async fn made_up_cookies_open_nothing(app: App) {
    for value in ["", "x", "cor_", "cof_0000", &format!("cor_{}", "0".repeat(49)), "é", "%00"] {
        let visitor = app.visitor();
        visitor.sets_cookie(STAY, value);
        assert!(!is_let_in(&visitor).await, "{value}");
    }
}

// What follows is the same for programs.

async fn asks(app: &App, path: &str, body: Value) -> crate::support::answer::Answer {
    app.visitor().json(Method::POST, path, body).await
}

async fn signs_in(app: &App) -> Value {
    app.has_account("ada", Role::Member).await;
    asks(app, "/api/v1/auth/token", json!({ "login": "ada", "password": PASSWORD })).await.ok().json()
}

fn text<'a>(pair: &'a Value, name: &str) -> &'a str {
    pair[name].as_str().expect("a token")
}

async fn renews(app: &App, pair: &Value) -> crate::support::answer::Answer {
    asks(app, "/api/v1/auth/refresh", json!({ "refresh_token": pair["refresh_token"] })).await
}

async fn me(app: &App, pair: &Value) -> crate::support::answer::Answer {
    let bearer = format!("Bearer {}", text(pair, "access_token"));
    app.visitor().get("/api/v1/me").header("authorization", bearer).await
}

on_both_engines!(a_program_signs_in_renews_and_signs_out);
async fn a_program_signs_in_renews_and_signs_out(app: App) {
    let first = signs_in(&app).await;
    assert_eq!(first["token_type"], "Bearer");
    assert!(first["expires_in"].as_i64().is_some_and(|seconds| (880..=900).contains(&seconds)), "{first}");
    assert_eq!(me(&app, &first).await.ok().json()["username"], "ada");
    app.later(Duration::from_mins(16));
    me(&app, &first).await.is(401).problem("token_expired");
    let second = renews(&app, &first).await.ok().json();
    me(&app, &second).await.ok();
    asks(&app, "/api/v1/auth/revoke", json!({ "token": second["refresh_token"] })).await.is(204);
    me(&app, &second).await.is(401).problem("token_revoked");
    renews(&app, &second).await.is(401).problem("token_revoked");
    asks(&app, "/api/v1/auth/revoke", json!({ "token": "never heard of" })).await.is(204);
}

on_both_engines!(programs_that_renew_at_once_get_the_same_pair);
async fn programs_that_renew_at_once_get_the_same_pair(app: App) {
    let first = signs_in(&app).await;
    let answers = join_all((0..8).map(|_| renews(&app, &first))).await;
    let pairs: Vec<Value> = answers.into_iter().map(|answer| answer.ok().json()).collect();
    for name in ["refresh_token", "access_token"] {
        assert!(pairs.iter().all(|pair| pair[name] == pairs[0][name] && pair[name] != first[name]));
    }
}

on_both_engines!(a_refresh_token_that_comes_again_later_ends_the_family);
async fn a_refresh_token_that_comes_again_later_ends_the_family(app: App) {
    let first = signs_in(&app).await;
    let second = renews(&app, &first).await.ok().json();
    app.later(Duration::from_secs(59));
    assert_eq!(
        renews(&app, &first).await.ok().json()["refresh_token"],
        second["refresh_token"],
        "within the grace"
    );
    app.later(Duration::from_secs(2));
    renews(&app, &first).await.is(401).problem("token_reused");
    me(&app, &second).await.is(401).problem("token_revoked");
    renews(&app, &second).await.is(401).problem("token_revoked");
    assert_eq!(told(&app).await, (1, 1));
}

on_both_engines!(a_program_is_told_what_is_wrong);
async fn a_program_is_told_what_is_wrong(app: App) {
    signs_in(&app).await;
    for (login, password) in [("ada", "wrong horse battery"), ("nobody", PASSWORD), ("a\0b", PASSWORD)] {
        let body = json!({ "login": login, "password": password });
        asks(&app, "/api/v1/auth/token", body).await.is(401).problem("bad_credentials");
    }
    let odd = json!({ "login": "ada", "password": PASSWORD, "scopes": ["everything"] });
    asks(&app, "/api/v1/auth/token", odd).await.is(422).problem("unknown_scope");
    for token in ["", "x", "cor_", "\0", &"é".repeat(40)] {
        let body = json!({ "refresh_token": token });
        asks(&app, "/api/v1/auth/refresh", body).await.is(401).problem("bad_token");
    }
    app.visitor().sends(Method::POST, "/api/v1/auth/token", "text/plain", "{}").await.is(415);
}

on_both_engines!(a_program_is_a_device_too);
async fn a_program_is_a_device_too(app: App) {
    let pair = signs_in(&app).await;
    let ada = app.another_browser_of("ada").await;
    let page = ada.get("/settings/sessions").await.ok().text_has("Program with an access token");
    let end = page.attributes(".holdings form", "action").remove(0);
    ada.post_form(&end, &[]).await.redirects_to("/settings/sessions");
    me(&app, &pair).await.is(401).problem("token_revoked");
    assert!(ada.is_signed_in().await);
}

on_both_engines!(a_program_names_its_device);
async fn a_program_names_its_device(app: App) {
    app.has_account("ada", Role::Member).await;
    let login = |device: &str| json!({ "login": "ada", "password": PASSWORD, "device": device });
    let pair = asks(&app, "/api/v1/auth/token", login(" Ada’s phone ")).await.ok().json();
    let ada = app.another_browser_of("ada").await;
    ada.get("/settings/sessions").await.ok().has(".holdings h2", "Ada’s phone");
    let named = |sessions: Value| {
        let items = sessions["items"].as_array().expect("items").clone();
        items.iter().filter(|item| item["name"] == "Ada’s phone").count()
    };
    assert_eq!(named(ada.get("/api/v1/me/sessions").await.ok().json()), 1);
    renews(&app, &pair).await.ok();
    assert_eq!(named(ada.get("/api/v1/me/sessions").await.ok().json()), 1, "after a renewal too");
    for bad in ["x".repeat(81), "a\nb".to_owned()] {
        asks(&app, "/api/v1/auth/token", login(&bad)).await.invalid("device");
    }
}

on_both_engines!(a_program_asks_for_no_more_than_its_owner_may_have);
async fn a_program_asks_for_no_more_than_its_owner_may_have(app: App) {
    app.has_account("root", Role::Admin).await;
    app.has_account("ada", Role::Member).await;
    let login =
        |login: &str, scopes: Value| json!({ "login": login, "password": PASSWORD, "scopes": scopes });
    for scopes in [json!([]), json!(["resources:read", "admin:read"])] {
        asks(&app, "/api/v1/auth/token", login("ada", scopes)).await.invalid("scopes");
    }
    asks(&app, "/api/v1/auth/token", login("root", json!(["admin:read"]))).await.ok();
    let all = asks(&app, "/api/v1/auth/token", login("ada", Value::Null)).await.ok().json();
    let mine = json!(["resources:read", "resources:write", "account:read", "account:write"]);
    assert_eq!(all["scopes"], mine);
    let ada = app.another_browser_of("ada").await;
    let draft = json!({ "name": "x", "scopes": ["admin:write"] });
    ada.json(Method::POST, "/api/v1/me/tokens", draft).await.invalid("scopes");
}

on_both_engines!(a_token_tells_its_holder_what_it_is_good_for);
async fn a_token_tells_its_holder_what_it_is_good_for(app: App) {
    let pair = signs_in(&app).await;
    let personal = crate::tokens::token(&app, "ada", &["resources:read"]).await;
    let look = async |token: &Value| {
        asks(&app, "/api/v1/auth/introspect", json!({ "token": token })).await.ok().json()
    };
    for (token, kind) in [
        (&json!(personal), "personal"),
        (&pair["access_token"], "access"),
        (&pair["refresh_token"], "refresh"),
    ] {
        let seen = look(token).await;
        assert_eq!((&seen["active"], &seen["token"]["kind"]), (&json!(true), &json!(kind)));
        assert_eq!(seen["token"]["username"], "ada");
        assert!(seen["token"]["expires_at"].is_string() && seen["token"]["scopes"].is_array(), "{seen}");
    }
    assert_eq!(look(&json!(personal)).await["token"]["scopes"], json!(["resources:read"]));
    let nothing = json!({ "active": false, "token": null });
    assert_eq!(look(&json!("cof_nonsense")).await, nothing);
    renews(&app, &pair).await.ok();
    assert_eq!(look(&pair["refresh_token"]).await, nothing, "it is used up");
    asks(&app, "/api/v1/auth/revoke", json!({ "token": pair["access_token"] })).await.is(204);
    assert_eq!(look(&pair["access_token"]).await, nothing);
}

on_both_engines!(a_browsers_cookie_is_no_programs_token);
async fn a_browsers_cookie_is_no_programs_token(app: App) {
    let ada = staying(&app).await;
    let cookie = json!({ "refresh_token": ada.cookie(STAY) });
    asks(&app, "/api/v1/auth/refresh", cookie).await.is(401).problem("bad_token");
    let body = json!({ "login": "ada", "password": PASSWORD });
    let pair = asks(&app, "/api/v1/auth/token", body).await.ok().json();
    let visitor = app.visitor();
    visitor.sets_cookie(STAY, text(&pair, "refresh_token"));
    assert!(!is_let_in(&visitor).await && is_let_in(&ada).await);
}
