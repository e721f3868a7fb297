//! Whoever is signed in, or shows a good token, has a limit of their own: what others do at the same address costs them
//! nothing, and what they show gains strangers nothing.

use std::time::Duration;

use reqwest::Method;

use crate::limits::{from, told};
use crate::metrics_page::opens_the_file;
use crate::support::actor::Actor;
use crate::support::answer::Answer;
use crate::support::app::{App, Engine, Node};
use crate::support::on_both_engines;
use crate::tokens::token;

const BEHIND_PROXY: &str = "--trusted-proxies=127.0.0.1";
const HERE: &str = "198.51.100.7";
const API: &str = "/api/v1/resources";

async fn with_token(node: &Node, bearer: &str) -> Answer {
    let ask = node.visitor();
    let ask = ask.get(API).header("x-forwarded-for", HERE);
    ask.header("authorization", format!("Bearer {bearer}")).await
}

/// No token of coffer, but it looks like one: the check sum fits.
fn guess(number: u8) -> String {
    coffer::tokens::format::Prefix::Personal.write(&[number; 32])
}

/// Whose it is can't be found out, so no one has guessed.
#[tokio::test]
async fn a_token_that_could_not_be_looked_up_is_charged_to_nobody() {
    let app = App::with(Engine::Sqlite, &[BEHIND_PROXY, "--rate-limit-api=3/h"]).await;
    let mut other = opens_the_file(&app).await;
    sqlx::query("ALTER TABLE api_tokens RENAME TO lost").execute(&mut other).await.expect("renamed");
    for number in 0..5 {
        let bearer = format!("Bearer {}", guess(number));
        let ask = app.visitor();
        let ask = ask.get(API).header("x-forwarded-for", HERE).header("authorization", bearer);
        ask.expecting_trouble().await.is(500);
    }
    sqlx::query("ALTER TABLE lost RENAME TO api_tokens").execute(&mut other).await.expect("renamed back");
    from(&app.visitor(), HERE, API).await.ok();
}

/// Asks until the address is refused.
async fn flood(node: &Node, path: &str) {
    let guest = node.visitor();
    while from(&guest, HERE, path).await.status() != 429 {}
}

on_both_engines!(
    a_good_token_is_counted_by_its_own_limit,
    super::BEHIND_PROXY,
    "--rate-limit-api=5/h",
    "--rate-limit-token=20/h"
);
async fn a_good_token_is_counted_by_its_own_limit(app: App) {
    app.has_account("ada", coffer::identity::Role::Member).await;
    let good = token(&app, "ada", &["resources:read"]).await;
    flood(&app, API).await;
    for _ in 0..20 {
        with_token(&app, &good).await.ok();
    }
    let refused = with_token(&app, &good).await.is(429).problem("too_many_requests");
    assert_eq!(refused.json()["violated-policies"], serde_json::json!(["token"]));
    assert_eq!(from(&app.visitor(), HERE, API).await.status(), 429, "the others wait on");
}

on_both_engines!(a_good_token_passes_among_guesses, super::BEHIND_PROXY, "--rate-limit-unknown-token=5/h");
async fn a_good_token_passes_among_guesses(app: App) {
    app.has_account("ada", coffer::identity::Role::Member).await;
    let good = token(&app, "ada", &["resources:read"]).await;
    let mut heard = Vec::new();
    for number in 0..8 {
        let answer = with_token(&app, &guess(number)).await;
        let left = 4_i64.saturating_sub(number.into()).max(0);
        assert_eq!(told(&answer, "ratelimit", "r"), [("unknown-token".to_owned(), left)], "{answer}");
        heard.push(answer.status());
    }
    assert_eq!(heard, [401, 401, 401, 401, 401, 429, 429, 429]);
    with_token(&app, &good).await.ok();
    for number in 8..40 {
        with_token(&app, &guess(number)).await.is(429);
    }
    with_token(&app, &good).await.ok();
    from(&app.visitor(), HERE, API).await.ok();
}

on_both_engines!(
    a_token_that_is_new_here_passes_whatever_its_address_has_used_up,
    super::BEHIND_PROXY,
    "--rate-limit-api=5/h",
    "--rate-limit-unknown-token=5/h"
);
async fn a_token_that_is_new_here_passes_whatever_its_address_has_used_up(app: App) {
    app.has_account("ada", coffer::identity::Role::Member).await;
    flood(&app, API).await;
    for number in 0..30 {
        with_token(&app, &guess(number)).await;
    }
    for _ in 0..12 {
        let good = token(&app, "ada", &["resources:read"]).await;
        let answer = with_token(&app, &good).await.ok();
        assert_eq!(told(&answer, "ratelimit-policy", "q").len(), 1, "{answer}");
    }
}

on_both_engines!(bursts_are_told, "--rate-limit-token=600/min burst 100");
async fn bursts_are_told(app: App) {
    app.has_account("ada", coffer::identity::Role::Member).await;
    let good = token(&app, "ada", &["resources:read"]).await;
    with_token(&app, &good).await.header_is("ratelimit-policy", "\"token\";q=100;w=10");
}

on_both_engines!(an_access_token_is_a_token_too, super::BEHIND_PROXY, "--rate-limit-api=5/h");
async fn an_access_token_is_a_token_too(app: App) {
    app.has_account("ada", coffer::identity::Role::Member).await;
    let login = serde_json::json!({ "login": "ada", "password": crate::support::app::PASSWORD });
    let grant = app.visitor().json(Method::POST, "/api/v1/auth/token", login).await.ok().json();
    let access = grant["access_token"].as_str().expect("a token").to_owned();
    flood(&app, API).await;
    with_token(&app, &access).await.ok();
    with_token(&app, &access).await.ok();
}

on_both_engines!(
    a_token_in_the_body_is_counted_like_one_in_the_header,
    super::BEHIND_PROXY,
    "--rate-limit-api=5/h",
    "--rate-limit-unknown-token=3/h"
);
async fn a_token_in_the_body_is_counted_like_one_in_the_header(app: App) {
    app.has_account("ada", coffer::identity::Role::Member).await;
    let login = serde_json::json!({ "login": "ada", "password": crate::support::app::PASSWORD });
    let grant = app.visitor().json(Method::POST, "/api/v1/auth/token", login).await.ok().json();
    let visitor = app.visitor();
    let refresh = |token: &serde_json::Value| {
        let body = serde_json::json!({ "refresh_token": token });
        visitor.json(Method::POST, "/api/v1/auth/refresh", body).header("x-forwarded-for", HERE)
    };
    flood(&app, API).await;
    let grant = refresh(&grant["refresh_token"]).await.ok().json();
    for status in [401, 401, 401, 429] {
        refresh(&serde_json::json!("cor_wrong")).await.is(status);
    }
    refresh(&grant["refresh_token"]).await.ok();
}

on_both_engines!(a_revoked_token_is_a_guess, super::BEHIND_PROXY, "--rate-limit-unknown-token=3/h");
async fn a_revoked_token_is_a_guess(app: App) {
    let ada = app.signed_in("ada").await;
    let good = token(&app, "ada", &["resources:read"]).await;
    with_token(&app, &good).await.ok();
    app.later(Duration::from_mins(1));
    let list = ada.get("/api/v1/me/tokens").await.ok().json();
    let id = list["items"].as_array().or(list.as_array()).expect("a list")[0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    ada.json_free(Method::DELETE, &format!("/api/v1/me/tokens/{id}")).await.is(204);
    let mut heard = Vec::new();
    for _ in 0..5 {
        heard.push(with_token(&app, &good).await.status());
    }
    assert_eq!(heard, [401, 401, 401, 429, 429]);
}

on_both_engines!(
    a_wrong_host_is_limited_whatever_is_shown,
    super::BEHIND_PROXY,
    "--rate-limit-unknown-token=4/h"
);
async fn a_wrong_host_is_limited_whatever_is_shown(app: App) {
    for scheme in ["Bearer", "bearer"] {
        let address = if scheme == "Bearer" { HERE } else { "198.51.100.8" };
        let mut heard = Vec::new();
        for number in 0..30 {
            let guest = app.visitor();
            let ask = guest.get(API).header("x-forwarded-for", address).header("host", "evil.example");
            heard.push(ask.header("authorization", format!("{scheme} {}", guess(number))).await.status());
        }
        assert_eq!(heard.iter().filter(|status| **status == 421).count(), 4, "{heard:?}");
        assert!(heard[4..].iter().all(|status| *status == 429), "{heard:?}");
    }
}

on_both_engines!(
    a_cookie_alone_is_no_browser,
    super::BEHIND_PROXY,
    "--rate-limit-api=3/h",
    "--rate-limit-pages=50/h"
);
async fn a_cookie_alone_is_no_browser(app: App) {
    let session = "__Host-coffer=AAAAAAAAAAAAAAAAAAAAAA";
    for (number, cookie) in
        ["a=b", session, "__Host-coffer-stay=x", "__Host-coffer-device=x"].iter().enumerate()
    {
        let (guest, address) = (app.visitor(), format!("198.51.100.{number}"));
        let mut heard = Vec::new();
        for _ in 0..5 {
            let ask = guest.get(API).header("x-forwarded-for", &address).header("cookie", cookie);
            heard.push(ask.await.status());
        }
        assert_eq!(heard, [200, 200, 200, 429, 429], "{cookie}");
    }
}

on_both_engines!(
    whoever_is_signed_in_does_not_wait_for_guests,
    super::BEHIND_PROXY,
    "--rate-limit-pages=5/h",
    "--rate-limit-api=5/h",
    "--rate-limit-session=12/h"
);
async fn whoever_is_signed_in_does_not_wait_for_guests(app: App) {
    let ada = app.signed_in("ada").await;
    flood(&app, "/login").await;
    flood(&app, API).await;
    let page = from(&ada, HERE, "/resources").await.ok();
    assert_eq!(told(&page, "ratelimit-policy", "q"), [("session".to_owned(), 12)]);
    from(&ada, HERE, API).await.ok();
    while from(&ada, HERE, API).await.status() == 200 {}
    let refused = from(&ada, HERE, "/resources").await.error_page(429);
    refused.has("header", "ada").has_no("header a[href^='/login']");
    let refused = from(&ada, HERE, API).await.is(429);
    assert_eq!(refused.json()["violated-policies"], serde_json::json!(["session"]));
    from(&app.another_browser_of("ada").await, "198.51.100.9", "/resources").await.ok();
    assert_eq!(from(&app.visitor(), HERE, "/login").await.status(), 429, "guests stay limited");
}

on_both_engines!(
    a_session_that_is_over_is_a_guest,
    super::BEHIND_PROXY,
    "--rate-limit-pages=5/h",
    "--rate-limit-session=100/h"
);
async fn a_session_that_is_over_is_a_guest(app: App) {
    let ada = app.signed_in("ada").await;
    let thief = ada.copied_cookies();
    from(&ada, HERE, "/resources").await.ok();
    ada.post_form("/logout", &[]).await.redirects_to("/login");
    from(&thief, HERE, "/trash").await.redirects_to("/login?next=%2Ftrash");
    let mut passed = 0;
    while passed < 50 && from(&thief.copied_cookies(), HERE, "/login").await.status() != 429 {
        passed += 1;
    }
    assert!(passed <= 5, "{passed}");
}

on_both_engines!(
    administrators_come_to_their_pages_whatever_is_flooded,
    super::BEHIND_PROXY,
    "--rate-limit-pages=5/h",
    "--rate-limit-api=5/h",
    "--rate-limit-session=3/h",
    "--rate-limit-admin=100/h"
);
async fn administrators_come_to_their_pages_whatever_is_flooded(app: App) {
    let root = app.admin("root").await;
    flood(&app, "/login").await;
    flood(&app, API).await;
    while from(&root, HERE, "/resources").await.status() == 200 {}
    let page = from(&root, HERE, "/admin/limits").await.ok();
    let client = page.texts(".clients code").remove(0);
    from(&root, HERE, "/api/v1/admin/limits").await.ok();
    let release = root.post_form("/admin/limits/release", &[("client", &client)]);
    release.header("x-forwarded-for", HERE).await.redirects_to("/admin/limits");
    from(&app.visitor(), HERE, "/login").await.ok();
}

on_both_engines!(
    an_administrator_is_found_where_nobody_knows_them,
    super::BEHIND_PROXY,
    "--rate-limit-pages=5/h",
    "--rate-limit-api=5/h"
);
async fn an_administrator_is_found_where_nobody_knows_them(app: App) {
    let (root, member) = (app.admin("root").await, app.signed_in("member").await);
    app.later(Duration::from_hours(1));
    flood(&app, "/login").await;
    flood(&app, API).await;
    from(&root, HERE, "/admin/limits").await.ok();
    from(&member, HERE, "/admin/limits").await.is(429);
    for number in 0..30_u128 {
        let guest = app.visitor();
        let id = data_encoding::BASE64URL_NOPAD.encode(&number.to_le_bytes());
        guest.sets_cookie("__Host-coffer", &id);
        from(&guest, HERE, "/admin/limits").await.is(429);
        from(&guest, HERE, "/api/v1/admin/limits").await.is(429);
        from(&guest, HERE, "/admin/metrics/live").await.is(429);
    }
    from(&root, HERE, "/admin/limits").await.ok();
}

/// Neither their requests nor any cookies that they make up.
#[tokio::test]
async fn blocked_guests_cost_redis_nothing() {
    let settings = [
        BEHIND_PROXY,
        "--rate-limit-pages=5/h",
        "--rate-limit-api=5/h",
        "--rate-limit-unknown-token=5/h",
        "--rate-limit-patience=10000",
    ];
    let app = App::with_limits(Engine::Postgres, &settings).await;
    let ada = app.signed_in("ada").await;
    flood(&app, "/login").await;
    flood(&app, API).await;
    while with_token(&app, &guess(200)).await.status() != 429 {}
    let count = || {
        let calls = app.redis().calls();
        ["get", "mget", "evalsha"].iter().filter_map(|name| calls.get(*name)).sum::<u64>()
    };
    let before = count();
    for number in 0..100_u128 {
        let guest = Actor::new("guest", &app);
        guest.sets_cookie("__Host-coffer", &data_encoding::BASE64URL_NOPAD.encode(&number.to_le_bytes()));
        from(&guest, HERE, "/resources").await.is(429);
        from(&guest, HERE, API).await.is(429);
        with_token(&app, &guess(u8::try_from(number).expect("a small number"))).await.is(429);
    }
    // The node itself looks now and then how far the database has come.
    let more = count() - before;
    assert!(more < 10, "{more} for 300 requests");
    from(&ada, HERE, "/resources").await.ok();
}
