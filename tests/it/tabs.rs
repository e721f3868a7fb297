//! Two tabs of one browser: a form by which one gets in is sent when the other tab has got in already.

use std::time::Duration;

use coffer::identity::Role;

use crate::support::actor::Actor;
use crate::support::app::{App, PASSWORD};
use crate::support::on_both_engines;

const SESSION: &str = "__Host-coffer";

/// The form as the second tab holds it, which was opened by a visitor.
async fn sends(tab: &Actor, path: &str, fields: &[(&str, &str)]) -> crate::support::answer::Answer {
    tab.post_form(path, fields).with_form_token(Some("")).await
}

on_both_engines!(the_second_tabs_log_in_leads_on);
async fn the_second_tabs_log_in_leads_on(app: App) {
    let ada = app.signed_in("ada").await;
    let written = ada.token();
    let before = ada.copied_cookies();
    let form = [("login", "ada"), ("password", PASSWORD), ("next", "/tags")];
    sends(&ada, "/login", &form).await.redirects_to("/tags");
    assert!(ada.is_signed_in().await && !before.is_signed_in().await, "under a new id");
    // What the first tab holds can still be sent.
    let note = [("title", "Written in the first tab"), ("kind", "note")];
    ada.post_form("/resources", &note).with_form_token(Some(&written)).await.is(303);
    let elsewhere = [("login", "ada"), ("password", PASSWORD), ("next", "//evil.example")];
    sends(&ada, "/login", &elsewhere).await.redirects_to("/resources");
}

on_both_engines!(a_wrong_password_in_the_second_tab_ends_nothing);
async fn a_wrong_password_in_the_second_tab_ends_nothing(app: App) {
    let ada = app.signed_in("ada").await;
    let form = [("login", "ada"), ("password", "wrong horse battery"), ("next", "/tags")];
    sends(&ada, "/login", &form)
        .await
        .is(422)
        .has("#login-error", "Wrong username or password")
        .holds("next", "/tags");
    assert!(ada.is_signed_in().await);
}

on_both_engines!(to_be_kept_logged_in_is_honoured_in_the_second_tab);
async fn to_be_kept_logged_in_is_honoured_in_the_second_tab(app: App) {
    let ada = app.signed_in("ada").await;
    let form = [("login", "ada"), ("password", PASSWORD), ("stay", "yes"), ("next", "/tags")];
    sends(&ada, "/login", &form).await.redirects_to("/tags");
    let kept = ada.cookie("__Host-coffer-stay");
    assert!(kept.is_some() && ada.is_signed_in().await);
    sends(&ada, "/login", &form).await.redirects_to("/tags");
    assert_eq!(ada.cookie("__Host-coffer-stay"), kept);
}

on_both_engines!(somebody_else_may_log_in_in_the_second_tab);
async fn somebody_else_may_log_in_in_the_second_tab(app: App) {
    let ada = app.signed_in("ada").await;
    app.has_account("eve", Role::Member).await;
    let before = ada.copied_cookies();
    sends(&ada, "/login", &[("login", "eve"), ("password", PASSWORD)]).await.redirects_to("/resources");
    assert_eq!(ada.get("/api/v1/me").await.ok().json()["username"], "eve");
    assert!(!before.is_signed_in().await);
}

on_both_engines!(a_code_is_not_asked_for_twice_and_nothing_is_granted_without);
async fn a_code_is_not_asked_for_twice_and_nothing_is_granted_without(app: App) {
    let ada = app.signed_in("ada").await;
    ada.sets_up_second_factor(&app).await;
    app.later(Duration::from_mins(11));
    let form = [("login", "ada"), ("password", PASSWORD), ("next", "/tags")];
    sends(&ada, "/login", &form).await.redirects_to("/tags");
    assert!(ada.is_signed_in().await);
    ada.get("/settings/security/totp").await.redirects_to("/sudo?next=%2Fsettings%2Fsecurity%2Ftotp");
    // The page that asks for the code was open in the second tab too.
    sends(&ada, "/login/second-factor", &[("code", "000000")]).await.redirects_to("/login");
    ada.get("/login").await.redirects_to("/resources");
}

on_both_engines!(who_is_in_needs_no_second_account, "--signup=open");
async fn who_is_in_needs_no_second_account(app: App) {
    let ada = app.signed_in("ada").await;
    let form = [("email", "ada2@example.org"), ("username", "ada2"), ("password", PASSWORD)];
    sends(&ada, "/register", &form).await.redirects_to("/resources");
    assert_eq!(ada.get("/api/v1/me").await.ok().json()["username"], "ada");
}

on_both_engines!(other_sites_log_nobody_in_or_over);
async fn other_sites_log_nobody_in_or_over(app: App) {
    let ada = app.signed_in("ada").await;
    app.has_account("eve", Role::Member).await;
    let session = ada.cookie(SESSION);
    let form = [("login", "eve"), ("password", PASSWORD)];
    for token in ["", "wrong"] {
        let ask = ada.post_form("/login", &form).with_form_token(Some(token));
        ask.header("sec-fetch-site", "cross-site").await.error_page(403);
    }
    ada.post_form("/login", &form).with_form_token(Some("wrong")).await.error_page(403);
    ada.post_form("/login", &form).with_form_token(None).await.error_page(403);
    assert_eq!(ada.cookie(SESSION), session);
}
