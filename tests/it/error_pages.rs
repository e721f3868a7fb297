//! Error pages: each says what it is about and what helps, and nothing that does not.

use coffer::identity::Role;

use crate::support::app::{App, PASSWORD};
use crate::support::on_both_engines;

const HERE: [&str; 4] =
    ["/no/such", "/resources/0191d3c0-0000-7000-8000-000000000000", "/u/nobody", "/admin/users"];

on_both_engines!(who_is_logged_in_is_not_told_to_log_in);
async fn who_is_logged_in_is_not_told_to_log_in(app: App) {
    let (ada, visitor) = (app.signed_in("ada").await, app.visitor());
    for path in HERE {
        let page = ada.get(path).await.error_page(404).has("main", "Check the address");
        let told = page.texts("main").concat().to_lowercase();
        assert!(!told.contains("sign in") && !told.contains("log in"), "{path}: {told}");
    }
    for path in &HERE[..3] {
        visitor.get(path).await.error_page(404).has("main", "log in to see it").has("header a", "Log in");
    }
    let used = format!("/verify-email/{}", "A".repeat(43));
    ada.get(&used).await.error_page(410).has("main", "has been used").lacks("have an account");
    visitor.get(&used).await.error_page(410).has("main", "Already have an account?");
    for person in [&ada, &visitor] {
        let told = person.get("/api/v1/resources/0191d3c0-0000-7000-8000-000000000000").await.is(404);
        assert!(!told.problem("not_found").text().contains("ign in"));
    }
}

on_both_engines!(a_form_of_an_earlier_session_is_no_reason_to_log_in);
async fn a_form_of_an_earlier_session_is_no_reason_to_log_in(app: App) {
    let ada = app.signed_in("ada").await;
    let form = [("title", "Typed"), ("kind", "note")];
    let refused =
        ada.post_form("/resources", &form).with_form_token(Some("of-another")).await.error_page(403);
    let told =
        refused.has("main", "Open the page again").has("main textarea", "Typed").texts("main").concat();
    assert!(!told.to_lowercase().contains("log in"), "{told}");
}

on_both_engines!(too_many_wrong_passwords_say_so_and_when_to_come_back, "--rate-limit-login-pair=5/15min");
async fn too_many_wrong_passwords_say_so_and_when_to_come_back(app: App) {
    app.has_account("ada", Role::Member).await;
    // The same for a name that no one has.
    for name in ["ada", "nobody"] {
        let visitor = app.visitor();
        let wrong = [("login", name), ("password", "wrong horse battery")];
        for _ in 0..5 {
            visitor.post_form("/login", &wrong).await.is(422);
        }
        let login = format!("{}/login", app.origin());
        let refused = visitor.post_form("/login", &wrong).header("referer", login).await.error_page(429);
        refused
            .has("main", &format!("too many wrong passwords for “{name}”"))
            .has("[data-countdown]", "You can try again in")
            .has("[data-countdown]", "minutes")
            .has("a[href='/login'][data-after-countdown='Try again']", "Try again in")
            .has_no("textarea")
            .lacks("not saved")
            .lacks("wrong horse");
    }
}

on_both_engines!(from_one_place_it_is_not_about_one_account, "--rate-limit-login-address=2/h");
async fn from_one_place_it_is_not_about_one_account(app: App) {
    let visitor = app.visitor();
    for name in ["ada", "bob"] {
        visitor.post_form("/login", &[("login", name), ("password", PASSWORD)]).await.is(422);
    }
    let refused = visitor.post_form("/login", &[("login", "<b>eve</b>"), ("password", PASSWORD)]).await;
    refused
        .error_page(429)
        .has("main", "too many login attempts from your network")
        .lacks("eve")
        .lacks("not saved");
}

on_both_engines!(other_limits_say_when_too, "--rate-limit-sudo=1/h", "--rate-limit-second-factor=1/h");
async fn other_limits_say_when_too(app: App) {
    let ada = app.signed_in("ada").await;
    let wrong = [("current_password", "wrong horse battery"), ("password", "staple orbit lantern")];
    ada.post_form("/settings/password", &wrong).await.is(422);
    let refused = ada.post_form("/settings/password", &wrong).await.error_page(429);
    refused.has("main", "too many wrong passwords").has("[data-countdown]", "minutes").lacks("not saved");
}
