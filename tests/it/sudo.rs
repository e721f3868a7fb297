//! Sudo mode: what reaches far asks for the password once more, and loses nothing over it.

use std::time::Duration;

use crate::support::actor::Actor;
use crate::support::app::{App, PASSWORD};
use crate::support::on_both_engines;

const COOKIE: &str = "__Host-coffer";
/// A form that needs sudo mode.
const FORM: &str = "/admin/invites";

/// An admin whose password was typed too long ago.
async fn admin_of_yesterday(app: &App) -> Actor {
    let ada = app.admin("ada").await;
    app.later(Duration::from_mins(11));
    ada
}

on_both_engines!(a_fresh_login_is_not_asked_again);
async fn a_fresh_login_is_not_asked_again(app: App) {
    let ada = app.admin("ada").await;
    app.later(Duration::from_mins(9));
    ada.post_form(FORM, &[]).await.redirects_to(FORM);
    ada.get("/sudo?next=/tags").await.redirects_to("/tags");
}

on_both_engines!(a_form_is_held_up_in_its_place_and_then_goes_through);
async fn a_form_is_held_up_in_its_place_and_then_goes_through(app: App) {
    let ada = admin_of_yesterday(&app).await;
    let typed =
        [("note", "High tide\n\"low\" tide & <b>"), ("new_password", "a secret of mine"), ("code", "123456")];
    let held = ada.post_form(FORM, &typed).await.is(403).has("h1", "Confirm your password");
    let held = held.holds("note", typed[0].1).lacks("a secret of mine").lacks("123456");
    assert_eq!(held.attributes("main form", "action"), [FORM]);
    let again = [("note", typed[0].1), ("sudo_password", PASSWORD)];
    ada.post_form(FORM, &again).await.redirects_to(FORM);
    ada.get(FORM).await.ok().has("label", "Your new invitation link");
}

on_both_engines!(a_wrong_password_holds_it_up_still);
async fn a_wrong_password_holds_it_up_still(app: App) {
    let ada = admin_of_yesterday(&app).await;
    let wrong = [("note", "High tide"), ("sudo_password", "wrong horse battery")];
    let held = ada
        .post_form(FORM, &wrong)
        .await
        .is(422)
        .has("#sudo-error", "not correct")
        .holds("note", "High tide");
    held.lacks("wrong horse").has_no("input[type='password'][value]");
    ada.get(FORM).await.ok().lacks("Not yet used");
}

on_both_engines!(sudo_lasts_ten_minutes_under_a_new_session_id);
async fn sudo_lasts_ten_minutes_under_a_new_session_id(app: App) {
    let ada = admin_of_yesterday(&app).await;
    let before = ada.copied_cookies();
    ada.get("/sudo?next=/tags").await.ok().holds("next", "/tags");
    ada.post_form("/sudo", &[("next", "/tags"), ("sudo_password", PASSWORD)]).await.redirects_to("/tags");
    assert_ne!(ada.cookie(COOKIE), before.cookie(COOKIE));
    assert!(ada.is_signed_in().await && !before.is_signed_in().await);
    app.later(Duration::from_mins(9));
    ada.post_form(FORM, &[]).await.redirects_to(FORM);
    app.later(Duration::from_mins(2));
    ada.post_form(FORM, &[]).await.is(403);
}

on_both_engines!(sudo_leads_on_within_the_site_only);
async fn sudo_leads_on_within_the_site_only(app: App) {
    let ada = admin_of_yesterday(&app).await;
    for (next, place) in
        [("//evil.example", "/resources"), ("https://evil.example", "/resources"), ("/tags?q=1", "/tags?q=1")]
    {
        ada.post_form("/sudo", &[("next", next), ("sudo_password", PASSWORD)]).await.redirects_to(place);
        app.later(Duration::from_mins(11));
    }
    app.visitor().get("/sudo?next=/tags").await.redirects_to("/login?next=%2Fsudo%3Fnext%3D%2Ftags");
    app.visitor().post_form("/sudo", &[("sudo_password", PASSWORD)]).await.is(401);
}
