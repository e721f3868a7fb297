//! Forgotten and changed passwords, changed addresses, new devices.

use std::time::Duration;

use coffer::identity::{RequestMeta, Role};

use crate::support::actor::Actor;
use crate::support::app::{App, PASSWORD};
use crate::support::on_both_engines;

const NEW: &str = "staple orbit lantern";

async fn asks(app: &App, address: &str) -> String {
    app.visitor()
        .post_form("/password/forgot", &[("email", address)])
        .await
        .ok()
        .has("h1", "Check your email");
    app.letter_to(address, "Choose a new password").await.link(app, "/password/reset/")
}

async fn logs_in(app: &App, password: &str) -> bool {
    let form = [("login", "ada"), ("password", password)];
    app.visitor().post_form("/login", &form).await.status() == 303
}

async fn resets(app: &App, link: &str) {
    app.visitor().post_form(link, &[("password", NEW)]).await.redirects_to("/login");
}

on_both_engines!(a_forgotten_password_is_replaced_once);
async fn a_forgotten_password_is_replaced_once(app: App) {
    let ada = app.signed_in("ada").await;
    let link = asks(&app, "ada@example.org").await;
    for _ in 0..3 {
        app.visitor().get(&link).await.ok().has("h1", "Choose a new password");
    }
    app.visitor().post_form(&link, &[("password", "short")]).await.is(422).has("#password-error", "12");
    let browser = app.visitor();
    browser.post_form(&link, &[("password", NEW)]).await.redirects_to("/login");
    assert!(!browser.is_signed_in().await, "a second factor is not gone round");
    assert!(!ada.is_signed_in().await, "every session has ended");
    assert!(logs_in(&app, NEW).await && !logs_in(&app, PASSWORD).await);
    app.letter_to("ada@example.org", "Your password was changed").await.says("/settings/security");
    browser.get(&link).await.is(410).has("a[href='/password/forgot']", "Request a new link");
    browser.post_form(&link, &[("password", PASSWORD)]).await.is(410);
    assert!(logs_in(&app, NEW).await);
}

on_both_engines!(a_reset_link_lasts_an_hour_and_only_the_latest_works);
async fn a_reset_link_lasts_an_hour_and_only_the_latest_works(app: App) {
    app.has_account("ada", Role::Member).await;
    let first = asks(&app, "ada@example.org").await;
    let second = asks(&app, "ada@example.org").await;
    app.visitor().post_form(&first, &[("password", NEW)]).await.is(410);
    app.later(Duration::from_mins(59));
    app.visitor().get(&second).await.ok();
    app.later(Duration::from_mins(2));
    app.visitor().get(&second).await.is(410);
    app.visitor().post_form(&second, &[("password", NEW)]).await.is(410);
    assert!(logs_in(&app, PASSWORD).await);
}

on_both_engines!(two_people_with_one_link_set_one_password);
async fn two_people_with_one_link_set_one_password(app: App) {
    app.has_account("ada", Role::Member).await;
    let link = asks(&app, "ada@example.org").await;
    let (one, two) = (app.visitor(), app.visitor());
    let form = [("password", NEW)];
    let (one, two) = tokio::join!(async { one.post_form(&link, &form).await }, async {
        two.post_form(&link, &form).await
    });
    let mut statuses = [one.status(), two.status()];
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 410]);
}

async fn changes_address(ada: &Actor, to: &str) {
    let form = [("email", to)];
    ada.post_form("/settings/email", &form).await.redirects_to("/settings/profile");
}

on_both_engines!(a_link_for_an_address_that_was_changed_is_void);
async fn a_link_for_an_address_that_was_changed_is_void(app: App) {
    let ada = app.signed_in("ada").await;
    let stale = asks(&app, "ada@example.org").await;
    changes_address(&ada, "new@example.org").await;
    ada.get("/settings/profile").await.ok().has("strong", "new@example.org");
    let link = app.letter_to("new@example.org", "Confirm your new").await.link(&app, "/verify-email/");
    app.visitor().get(&stale).await.ok();
    ada.post_form(&link, &[]).await.redirects_to("/settings/profile");
    app.visitor().get(&stale).await.is(410);
    app.visitor().post_form(&stale, &[("password", NEW)]).await.is(410);
    app.letter_to("ada@example.org", "Your email was changed").await.says("/settings/security");
    app.visitor().post_form("/password/forgot", &[("email", "ada@example.org")]).await.ok();
    app.letter_to("ada@example.org", "Your email was changed").await;
    let fresh = asks(&app, "new@example.org").await;
    resets(&app, &fresh).await;
}

on_both_engines!(an_address_changes_only_with_the_password_and_the_letter);
async fn an_address_changes_only_with_the_password_and_the_letter(app: App) {
    let ada = app.signed_in("ada").await;
    for bad in ["", "nowhere", "a\0b@example.org", "a@b\r\nBcc: c@d", "ada@example.org", &"x".repeat(300)] {
        ada.post_form("/settings/email", &[("email", bad)]).await.is(422).has("#email-error", "");
    }
    app.later(Duration::from_mins(11));
    let held_up = ada.post_form("/settings/email", &[("email", "new@example.org")]).await;
    held_up.is(403).holds("email", "new@example.org").has("form[action='/settings/email']", "");
    let proved = [("email", "new@example.org"), ("sudo_password", PASSWORD)];
    ada.post_form("/settings/email", &proved).await.redirects_to("/settings/profile");
    assert_eq!(ada.get("/api/v1/me").await.ok().json()["email"], "ada@example.org");
    assert!(app.letters_to("ada@example.org").await.is_empty());
}

on_both_engines!(changing_to_a_taken_address_looks_like_any_other);
async fn changing_to_a_taken_address_looks_like_any_other(app: App) {
    app.has_account("bob", Role::Member).await;
    let ada = app.signed_in("ada").await;
    let mut pages = Vec::new();
    for address in ["fee@example.org", "bob@example.org"] {
        changes_address(&ada, address).await;
        pages.push(ada.get("/settings/profile").await.ok().text().replace(address, ""));
    }
    assert_eq!(pages[0], pages[1]);
    app.letter_to("bob@example.org", "You already have an account").await;
}

on_both_engines!(asking_for_a_reset_looks_the_same_for_every_address);
async fn asking_for_a_reset_looks_the_same_for_every_address(app: App) {
    app.has_account("ada", Role::Member).await;
    let mut bodies = Vec::new();
    for address in ["ada@example.org", "ADA@example.org", "nobody@example.org"] {
        let answer = app.visitor().post_form("/password/forgot", &[("email", address)]).await.ok();
        assert!(answer.all_of_header("set-cookie").is_empty());
        let answer = answer.has(".notice", "can’t send email").lacks("spam folder");
        bodies.push(answer.text());
    }
    assert!(bodies.iter().all(|body| *body == bodies[0]), "{bodies:#?}");
    assert_eq!(app.letters_to("ada@example.org").await.len(), 2);
    assert!(app.letters_to("nobody@example.org").await.is_empty());
    for bad in ["", "nowhere", "a\0b@example.org", "a\nb@example.org"] {
        app.visitor().post_form("/password/forgot", &[("email", bad)]).await.is(422).has("#email-error", "");
    }
}

on_both_engines!(no_reset_goes_to_an_address_that_nobody_confirmed, "--signup=open");
async fn no_reset_goes_to_an_address_that_nobody_confirmed(app: App) {
    let form = [("email", "eve@example.org"), ("username", "eve"), ("password", PASSWORD)];
    app.visitor().post_form("/register", &form).await.redirects_to("/resources");
    app.visitor().post_form("/password/forgot", &[("email", "eve@example.org")]).await.ok();
    app.letter_to("eve@example.org", "Confirm your email").await;
    assert_eq!(app.letters_to("eve@example.org").await.len(), 1);
}

on_both_engines!(a_changed_password_ends_all_other_sessions);
async fn a_changed_password_ends_all_other_sessions(app: App) {
    let ada = app.signed_in("ada").await;
    let (before, elsewhere) = (ada.copied_cookies(), app.another_browser_of("ada").await);
    let form = [("current_password", PASSWORD), ("password", NEW)];
    ada.post_form("/settings/password", &form).await.redirects_to("/settings/security");
    assert!(ada.is_signed_in().await, "this browser goes on, under a new id");
    assert!(!before.is_signed_in().await && !elsewhere.is_signed_in().await);
    ada.get("/settings/security").await.ok().has(".toast", "Your password has been changed");
    assert!(logs_in(&app, NEW).await && !logs_in(&app, PASSWORD).await);
    app.letter_to("ada@example.org", "Your password was changed").await;
}

on_both_engines!(a_password_changes_only_with_the_present_one);
async fn a_password_changes_only_with_the_present_one(app: App) {
    let ada = app.signed_in("ada").await;
    for (current, new, field) in [
        ("wrong horse battery", NEW, "#current_password-error"),
        ("", NEW, "#current_password-error"),
        (PASSWORD, "short", "#password-error"),
        (PASSWORD, "ada@example.org", "#password-error"),
        (PASSWORD, "with\0nul with nul", "#password-error"),
    ] {
        let form = [("current_password", current), ("password", new)];
        ada.post_form("/settings/password", &form).await.is(422).has(field, "");
    }
    assert!(ada.is_signed_in().await && logs_in(&app, PASSWORD).await);
    app.visitor().get("/settings/security").await.redirects_to("/login?next=%2Fsettings%2Fsecurity");
    app.visitor().post_form("/settings/password", &[("password", NEW)]).await.error_page(401);
}

on_both_engines!(people_choose_the_name_they_show);
async fn people_choose_the_name_they_show(app: App) {
    let ada = app.signed_in("ada").await;
    ada.get("/settings").await.redirects_to("/settings/profile");
    ada.post_form("/settings/profile", &[("display_name", "Ada Lovelace")])
        .await
        .redirects_to("/settings/profile");
    ada.get("/resources").await.ok().has("a.account-name[href='/settings']", "Ada Lovelace");
    for bad in ["a\0b", &"x".repeat(81)] {
        ada.post_form("/settings/profile", &[("display_name", bad)])
            .await
            .is(422)
            .has("#display_name-error", "");
    }
    let more = [("display_name", " "), ("role", "admin"), ("username", "root"), ("email", "x@example.org")];
    ada.post_form("/settings/profile", &more).await.redirects_to("/settings/profile");
    let me = ada.get("/api/v1/me").await.ok().json();
    assert_eq!(
        (&me["display_name"], &me["username"], &me["role"]),
        (&"ada".into(), &"ada".into(), &"member".into())
    );
    assert_eq!(me["email"], "ada@example.org");
}

on_both_engines!(a_login_from_a_new_device_is_told);
async fn a_login_from_a_new_device_is_told(app: App) {
    app.has_account("ada", Role::Member).await;
    let ada = app.viewer("ada").await;
    let seen = async |browser: &str, network: u8| {
        let origin = RequestMeta {
            network: Some([network; 16]),
            browser: browser.to_owned(),
            ..RequestMeta::default()
        };
        let ada = ada.member().expect("an account");
        app.coffer.accounts.recognise(ada, [7; 16], None, &origin).await.expect("it is noted");
        app.letters_to("ada@example.org").await.len()
    };
    assert_eq!(seen("Firefox on Linux", 1).await, 0, "the first login of all");
    assert_eq!(seen("Firefox on Linux", 1).await, 0, "the same place");
    assert_eq!(seen("Safari on iOS", 1).await, 1, "another browser");
    assert_eq!(seen("Firefox on Linux", 2).await, 2, "another network");
    assert_eq!(seen("Safari on iOS", 1).await, 2, "known by now");
    let letters = app.letters_to("ada@example.org").await;
    letters[0].says("Safari on iOS").says("/settings/sessions");
    app.later(Duration::from_hours(181 * 24));
    app.coffer.accounts.forget_what_is_over().await.expect("it forgets");
    assert_eq!(seen("Firefox on Linux", 2).await, 2, "nothing is known any more, as at the first login");
}

on_both_engines!(a_login_with_another_browser_is_told);
async fn a_login_with_another_browser_is_told(app: App) {
    app.signed_in("ada").await;
    let form = [("login", "ada"), ("password", PASSWORD)];
    let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
    for _ in 0..2 {
        let login = app.visitor();
        login.post_form("/login", &form).header("user-agent", firefox).await.redirects_to("/resources");
    }
    app.letter_to("ada@example.org", "New login to your account").await.says("Firefox");
    assert_eq!(app.letters_to("ada@example.org").await.len(), 1, "told once");
}
