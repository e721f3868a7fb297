//! Getting in and out: set-up, registration, logging in, the session's cookie and its end.

use std::future::IntoFuture as _;
use std::time::Duration;

use coffer::identity::Role;
use coffer::web::forms::encode;
use reqwest::header::{HeaderName, HeaderValue};

use crate::support::actor::Actor;
use crate::support::app::{App, Engine, PASSWORD};
use crate::support::on_both_engines;

const COOKIE: &str = "__Host-coffer";
const DAY: Duration = Duration::from_hours(24);

fn account<'a>(username: &'a str, email: &'a str) -> [(&'a str, &'a str); 4] {
    [("email", email), ("username", username), ("display_name", "Ada L."), ("password", PASSWORD)]
}

async fn setup_path(app: &App) -> Option<String> {
    let token = app.coffer.accounts.begin_setup().await.expect("the database answers");
    token.map(|token| format!("/setup/{token}"))
}

on_both_engines!(the_setup_link_makes_the_first_admin_once);
async fn the_setup_link_makes_the_first_admin_once(app: App) {
    let path = setup_path(&app).await.expect("a link while there is no account");
    let ada = app.visitor();
    ada.get(&path).await.ok().has("h1", "Welcome to coffer");
    ada.post_form(&path, &account("ada", "ada@example.org")).await.redirects_to("/resources");
    assert_eq!(ada.get("/api/v1/me").await.ok().json()["role"], "admin");
    let eve = app.visitor();
    eve.get(&path).await.is(410).has("h1", "no longer works");
    eve.post_form(&path, &account("eve", "eve@example.org")).await.is(410);
    assert!(!eve.is_signed_in().await);
    assert_eq!(setup_path(&app).await, None, "no second set-up");
}

on_both_engines!(the_setup_link_ends_after_half_an_hour);
async fn the_setup_link_ends_after_half_an_hour(app: App) {
    let path = setup_path(&app).await.expect("a link");
    app.later(Duration::from_mins(29));
    app.visitor().get(&path).await.ok();
    app.later(Duration::from_mins(2));
    app.visitor().get(&path).await.is(410);
    app.visitor().post_form(&path, &account("ada", "ada@example.org")).await.is(410);
    let fresh = setup_path(&app).await.expect("a fresh link at the next start");
    app.visitor().post_form(&fresh, &account("ada", "ada@example.org")).await.redirects_to("/resources");
}

on_both_engines!(the_setup_link_ends_with_the_first_account_however_it_came);
async fn the_setup_link_ends_with_the_first_account_however_it_came(app: App) {
    let path = setup_path(&app).await.expect("a link");
    app.has_account("ada", Role::Admin).await;
    app.visitor().get(&path).await.is(410);
    app.visitor().post_form(&path, &account("eve", "eve@example.org")).await.is(410);
}

on_both_engines!(only_the_latest_setup_link_works);
async fn only_the_latest_setup_link_works(app: App) {
    let first = setup_path(&app).await.expect("a link");
    let second = setup_path(&app).await.expect("another link");
    app.visitor().get(&first).await.is(410);
    app.visitor().get(&second).await.ok();
    app.visitor().get(&format!("{second}x")).await.is(410);
}

on_both_engines!(two_people_at_one_setup_link_make_one_account);
async fn two_people_at_one_setup_link_make_one_account(app: App) {
    let path = setup_path(&app).await.expect("a link");
    let (ada, eve) = (app.visitor(), app.visitor());
    let (adas, eves) = (account("ada", "ada@example.org"), account("eve", "eve@example.org"));
    let (first, second) =
        tokio::join!(ada.post_form(&path, &adas).into_future(), eve.post_form(&path, &eves).into_future());
    let mut statuses = [first.status(), second.status()];
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 410]);
}

on_both_engines!(a_refused_setup_can_be_mended);
async fn a_refused_setup_can_be_mended(app: App) {
    let path = setup_path(&app).await.expect("a link");
    let ada = app.visitor();
    let short = [("email", "ada@example.org"), ("username", "Ada Lovelace"), ("password", "short")];
    let refused = ada.post_form(&path, &short).await.is(422);
    refused
        .holds("email", "ada@example.org")
        .holds("username", "Ada Lovelace")
        .has("#password-error", "12")
        .has("#username-error", "lowercase letters");
    ada.post_form(&path, &account("ada", "ada@example.org")).await.redirects_to("/resources");
}

on_both_engines!(signup_by_invitation_is_not_open);
async fn signup_by_invitation_is_not_open(app: App) {
    refuses_registration(&app, "by invitation").await;
}

on_both_engines!(closed_signup_is_closed, "--signup=closed");
async fn closed_signup_is_closed(app: App) {
    refuses_registration(&app, "closed").await;
}

async fn refuses_registration(app: &App, how: &str) {
    let ada = app.visitor();
    ada.get("/login").await.ok().has_no("a[href='/register']");
    ada.get("/register").await.is(403).has("h1", how).has_no("input[name='password']");
    ada.post_form("/register", &account("ada", "ada@example.org")).await.is(403).has("h1", how);
    assert!(app.coffer.accounts.all().await.expect("accounts").is_empty());
}

on_both_engines!(a_refused_registration_still_holds_what_was_typed, "--signup=open");
async fn a_refused_registration_still_holds_what_was_typed(app: App) {
    app.has_account("taken", Role::Member).await;
    let ada = app.visitor();
    let long = "a".repeat(33);
    let good = account("ada", "ada@example.org");
    for (field, value) in [
        ("email", "not an address"),
        ("email", "a b@example.org"),
        ("email", "a\0b@example.org"),
        ("email", ""),
        ("username", "Taken"),
        ("username", "a"),
        ("username", "a_b"),
        ("username", "-ab"),
        ("username", &long),
        ("username", "аda"),
        ("display_name", "a\0b"),
        ("display_name", &"x".repeat(81)),
        ("password", "short"),
        ("password", "ada@example.org"),
        ("password", "with\0nul with nul"),
    ] {
        let typed = good.map(|(name, kept)| if name == field { (name, value) } else { (name, kept) });
        let mut refused = ada
            .post_form("/register", &typed)
            .await
            .is(422)
            .has(&format!("#{field}-error"), "")
            .lacks(PASSWORD);
        for (name, value) in typed.into_iter().filter(|(name, _)| *name != "password") {
            refused = refused.holds(name, &value.replace('\0', "\u{fffd}"));
        }
    }
    assert_eq!(app.coffer.accounts.all().await.expect("accounts").len(), 1);
}

on_both_engines!(people_log_in_by_name_or_address_in_any_case);
async fn people_log_in_by_name_or_address_in_any_case(app: App) {
    app.has_account("ada", Role::Member).await;
    for login in ["ada", "ADA", " ada ", "ada@example.org", "Ada@Example.ORG"] {
        let ada = app.visitor();
        ada.post_form("/login", &[("login", login), ("password", PASSWORD)]).await.redirects_to("/resources");
        assert!(ada.is_signed_in().await, "{login}");
    }
}

on_both_engines!(a_wrong_login_says_no_more_than_that);
async fn a_wrong_login_says_no_more_than_that(app: App) {
    app.has_account("ada", Role::Member).await;
    let long = "x".repeat(100_000);
    for (login, password) in [
        ("ada", "wrong horse battery"),
        ("nobody", PASSWORD),
        ("", ""),
        ("ada", ""),
        ("ada", &long),
        (&long, PASSWORD),
        ("a\0da", PASSWORD),
        ("ada\0", PASSWORD),
        ("' OR 1=1 --", PASSWORD),
    ] {
        let visitor = app.visitor();
        let refused = visitor
            .post_form("/login", &[("login", login), ("password", password), ("next", "/tags")])
            .await
            .is(422);
        refused
            .has("#login-error", "Wrong username or password")
            .holds("next", "/tags")
            .holds("login", &login.replace('\0', "\u{fffd}"))
            .has_no("input[type='password'][value]");
        assert_eq!(visitor.cookie(COOKIE), None);
    }
}

on_both_engines!(logging_in_leads_back_but_never_away);
async fn logging_in_leads_back_but_never_away(app: App) {
    app.has_account("ada", Role::Member).await;
    for (next, place) in [
        ("/tags", "/tags"),
        ("/resources?q=a%20b&sort=title", "/resources?q=a%20b&sort=title"),
        ("", "/resources"),
        ("https://evil.example/", "/resources"),
        ("//evil.example", "/resources"),
        ("/\\evil.example", "/resources"),
        ("\\\\evil.example", "/resources"),
        ("/\t/evil.example", "/resources"),
        ("/\n/evil.example", "/resources"),
        ("javascript:alert(1)", "/resources"),
        ("tags", "/resources"),
        ("/\0", "/resources"),
        ("@evil.example", "/resources"),
        ("/%0d%0aSet-Cookie:a=b", "/%0d%0aSet-Cookie:a=b"),
    ] {
        let ada = app.visitor();
        let form = [("login", "ada"), ("password", PASSWORD), ("next", next)];
        ada.post_form("/login", &form).await.redirects_to(place);
        let encoded = encode(next);
        ada.get(&format!("/login?next={encoded}")).await.redirects_to(place);
        app.visitor().get(&format!("/login?next={encoded}")).await.ok();
    }
}

on_both_engines!(a_login_begins_a_new_session);
async fn a_login_begins_a_new_session(app: App) {
    let ada = app.signed_in("ada").await;
    let before = ada.copied_cookies();
    ada.signs_in().await;
    assert_ne!(ada.cookie(COOKIE), before.cookie(COOKIE), "a new id");
    assert!(ada.is_signed_in().await);
    assert!(!before.is_signed_in().await, "the old id is no session any more");
}

on_both_engines!(a_session_that_somebody_else_chose_is_not_taken_up);
async fn a_session_that_somebody_else_chose_is_not_taken_up(app: App) {
    app.has_account("ada", Role::Member).await;
    for planted in ["AAAAAAAAAAAAAAAAAAAAAA", "x", "", "\"", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
        let ada = app.visitor();
        ada.sets_cookie(COOKIE, planted);
        assert!(!ada.is_signed_in().await);
        ada.post_form("/login", &[("login", "ada"), ("password", PASSWORD)]).await.redirects_to("/resources");
        assert_ne!(ada.cookie(COOKIE).as_deref(), Some(planted));
        assert!(ada.is_signed_in().await);
    }
}

on_both_engines!(logging_out_ends_the_session_on_the_server);
async fn logging_out_ends_the_session_on_the_server(app: App) {
    let ada = app.signed_in("ada").await;
    let stolen = ada.copied_cookies();
    let elsewhere = app.another_browser_of("ada").await;
    let out = ada.post_form("/logout", &[]).await.redirects_to("/login");
    let removal = format!("{COOKIE}=;");
    let lines = out.all_of_header("set-cookie");
    let removal = lines.into_iter().find(|line| line.starts_with(&removal)).expect("a removal");
    for attribute in ["Max-Age=0", "Path=/", "Secure"] {
        assert!(removal.contains(attribute), "{attribute} in {removal}");
    }
    assert_eq!(ada.cookie(COOKIE), None);
    assert!(!stolen.is_signed_in().await, "the old cookie is worth nothing");
    stolen.get("/trash").await.redirects_to("/login?next=%2Ftrash");
    assert!(elsewhere.is_signed_in().await, "the other browser stays signed in");
    ada.get("/login").await.ok().has(".toast", "You are logged out");
}

on_both_engines!(all_sessions_of_a_person_end_at_once);
async fn all_sessions_of_a_person_end_at_once(app: App) {
    let (ada, eve) = (app.signed_in("ada").await, app.signed_in("eve").await);
    let elsewhere = app.another_browser_of("ada").await;
    let id = app.viewer("ada").await.id().expect("an account");
    app.coffer.sessions.end_all(id).await.expect("the database answers");
    assert!(!ada.is_signed_in().await && !elsewhere.is_signed_in().await);
    assert!(eve.is_signed_in().await);
}

async fn login_cookie(ada: &Actor, host: &str, origin: &str) -> String {
    let form = [("login", "ada"), ("password", PASSWORD)];
    let answer = ada.post_form("/login", &form).header("host", host).header("origin", origin).await.is(303);
    let mut cookies = answer.all_of_header("set-cookie");
    // The other one tells which browser this is.
    cookies.retain(|cookie| !cookie.contains("coffer-device="));
    assert_eq!(cookies.len(), 1, "{cookies:?}");
    cookies.remove(0)
}

fn attributes(cookie: &str) -> Vec<String> {
    let mut attributes: Vec<_> = cookie.split("; ").skip(1).map(str::to_owned).collect();
    attributes.sort_unstable();
    attributes
}

on_both_engines!(the_cookie_is_as_narrow_as_a_cookie_can_be);
async fn the_cookie_is_as_narrow_as_a_cookie_can_be(app: App) {
    app.has_account("ada", Role::Member).await;
    let origin = app.origin();
    let cookie = login_cookie(&app.visitor(), &origin.replace("http://", ""), &origin).await;
    assert!(cookie.starts_with("__Host-coffer="), "{cookie}");
    assert_eq!(attributes(&cookie), ["HttpOnly", "Path=/", "SameSite=Lax", "Secure"]);
}

on_both_engines!(behind_https_the_browser_is_told_to_stay_there, "--base-url=https://links.example.org");
async fn behind_https_the_browser_is_told_to_stay_there(app: App) {
    app.has_account("ada", Role::Member).await;
    let cookie = login_cookie(&app.visitor(), "links.example.org", "https://links.example.org").await;
    assert!(cookie.starts_with("__Host-coffer=") && cookie.contains("; Secure"), "{cookie}");
    let page = app.visitor().get("/login").header("host", "links.example.org").await.ok();
    page.header_is("strict-transport-security", "max-age=31536000");
    app.visitor().get("/login").await.error_page(421);
}

on_both_engines!(
    subdomains_are_https_only_where_that_is_asked_for,
    "--base-url=https://links.example.org",
    "--hsts-subdomains"
);
async fn subdomains_are_https_only_where_that_is_asked_for(app: App) {
    let page = app.visitor().get("/login").header("host", "links.example.org").await.ok();
    page.header_is("strict-transport-security", "max-age=31536000; includeSubDomains");
}

on_both_engines!(on_plain_http_elsewhere_the_cookie_still_works, "--base-url=http://links.example.org");
async fn on_plain_http_elsewhere_the_cookie_still_works(app: App) {
    app.has_account("ada", Role::Member).await;
    let cookie = login_cookie(&app.visitor(), "links.example.org", "http://links.example.org").await;
    assert!(cookie.starts_with("coffer="), "{cookie}");
    assert_eq!(attributes(&cookie), ["HttpOnly", "Path=/", "SameSite=Lax"]);
    let page = app.visitor().get("/login").header("host", "links.example.org").await.ok();
    page.header_is("strict-transport-security", "");
}

on_both_engines!(a_session_that_nobody_uses_ends);
async fn a_session_that_nobody_uses_ends(app: App) {
    let ada = app.signed_in("ada").await;
    app.later(6 * DAY);
    assert!(ada.is_signed_in().await);
    app.later(6 * DAY);
    assert!(ada.is_signed_in().await, "each visit begins the seven days anew");
    app.later(8 * DAY);
    assert!(!ada.is_signed_in().await);
    ada.get("/trash").await.redirects_to("/login?next=%2Ftrash");
}

on_both_engines!(
    a_session_ends_one_day_however_much_it_is_used,
    "--session-idle-days=365",
    "--session-max-days=30"
);
async fn a_session_ends_one_day_however_much_it_is_used(app: App) {
    let ada = app.signed_in("ada").await;
    for _ in 0..29 {
        app.later(DAY);
        assert!(ada.is_signed_in().await);
    }
    app.later(2 * DAY);
    assert!(!ada.is_signed_in().await);
}

#[tokio::test]
async fn the_file_holds_no_password_and_no_session_id() {
    let app = App::with(Engine::Sqlite, &[]).await;
    let cookie = app.signed_in("ada").await.cookie(COOKIE).expect("a session");
    for file in ["coffer.db", "coffer.db-wal"] {
        let bytes = std::fs::read(app.data_dir().join(file)).expect("the database's files");
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains(&cookie) && !text.contains(PASSWORD), "{file}");
    }
}

on_both_engines!(every_answer_carries_the_headers_of_its_kind);
async fn every_answer_carries_the_headers_of_its_kind(app: App) {
    let ada = app.signed_in("ada").await;
    for path in [
        "/resources", "/login", "/absent", "/api/v1/me", "/api/v1/absent", "/api/docs", "/static/coffer.js",
        "/healthz", "/readyz", "/import/x",
    ] {
        let answer = ada.get(path).await;
        let answer = answer
            .header_is("x-content-type-options", "nosniff")
            .header_is("referrer-policy", "same-origin")
            .header_is("cross-origin-resource-policy", "same-origin")
            .header_is("strict-transport-security", "")
            .header_is("server", "");
        let policy = answer.header("content-security-policy");
        if answer.is_page() {
            let headers = answer.headers();
            assert_eq!(headers["x-frame-options"], "DENY");
            assert_eq!(headers["cross-origin-opener-policy"], "same-origin");
            assert!(answer.header("permissions-policy").contains("camera=()"));
            assert!(
                policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"),
                "{policy}"
            );
        } else {
            assert_eq!(policy, "default-src 'none'; frame-ancestors 'none'; base-uri 'none'", "{path}");
        }
        assert!(
            policy.contains("frame-ancestors 'none'")
                && policy.contains("base-uri 'none'")
                && !policy.contains("unsafe"),
            "{policy}"
        );
        let kept = answer.header("cache-control");
        assert!(
            kept.contains("no-store") || path.starts_with("/static/") || path.starts_with("/api/docs"),
            "{path}: {kept}"
        );
    }
}

#[tokio::test]
async fn data_styles_and_unchanged_answers_have_short_headers() {
    let app = App::with(Engine::Sqlite, &[]).await;
    let ada = app.signed_in("ada").await;
    let me = ada.get("/api/v1/resources/changes").await.is(200);
    let (tag, asset) = (me.header("etag"), ada.get("/static/coffer.js").await.is(200));
    let unchanged = ada.get("/api/v1/resources/changes").header("if-none-match", &tag).await.is(304);
    // It would take the place of the policy of a page that the browser keeps.
    let unchanged = unchanged.header_is("content-security-policy", "").header_is("reporting-endpoints", "");
    for answer in [me, asset, unchanged] {
        let line =
            |(name, value): (&HeaderName, &HeaderValue)| name.as_str().len() + value.len() + ": \r\n".len();
        let bytes: usize = answer.headers().iter().map(line).sum();
        assert!(bytes < 500, "{bytes} bytes\n{answer}");
    }
}

on_both_engines!(request_ids_are_our_own_and_never_twice);
async fn request_ids_are_our_own_and_never_twice(app: App) {
    let visitor = app.visitor();
    let mut ids = std::collections::BTreeSet::new();
    for _ in 0..20 {
        let answer = visitor.get("/login").header("x-request-id", "0123456789abcdef").await.ok();
        ids.insert(answer.header("x-request-id"));
    }
    assert!(ids.len() == 20 && !ids.contains("0123456789abcdef"), "{ids:?}");
}
