//! Making an account does not tell which addresses have one; an address is an account's once it is confirmed.

use std::time::Duration;

use coffer::identity::Role;

use crate::invites::invited_by;
use crate::support::actor::Actor;
use crate::support::answer::Answer;
use crate::support::app::{App, PASSWORD};
use crate::support::on_both_engines;

const COOKIE: &str = "__Host-coffer";

async fn registers(app: &App, username: &str, email: &str) -> Actor {
    let actor = app.visitor();
    let form = [("email", email), ("username", username), ("password", PASSWORD)];
    actor.post_form("/register", &form).await.redirects_to("/resources");
    actor.learns_token().await;
    actor
}

async fn confirmation(app: &App, address: &str) -> String {
    app.letter_to(address, "Confirm").await.link(app, "/verify-email/")
}

async fn logs_in_by(app: &App, login: &str) -> bool {
    let form = [("login", login), ("password", PASSWORD)];
    app.visitor().post_form("/login", &form).await.status() == 303
}

/// Everything of an answer that does not differ from one request to the next anyway.
fn outside(answer: &Answer) -> (u16, String, Vec<String>, String) {
    let cookies = answer.all_of_header("set-cookie").into_iter();
    let cookies = cookies.map(|line| match line.split_once('=') {
        // Its value is chance.
        Some((name, rest)) if name.starts_with(COOKIE) => rest
            .split_once(';')
            .map_or(String::new(), |(value, rest)| format!("{name} {} {rest}", value.len())),
        _ => line,
    });
    let body = answer.text().replace(&answer.header("x-request-id"), "");
    (answer.status(), answer.header("location"), cookies.collect(), body)
}

on_both_engines!(a_taken_address_looks_like_a_free_one, "--signup=open");
async fn a_taken_address_looks_like_a_free_one(app: App) {
    app.has_account("ada", Role::Member).await;
    let mut answers = Vec::new();
    for (username, email) in [("eve-one", "free@example.org"), ("eve-two", "ADA@example.org")] {
        let eve = app.visitor();
        let form = [("email", email), ("username", username), ("display_name", "E"), ("password", PASSWORD)];
        let made = eve.post_form("/register", &form).await;
        eve.learns_token().await;
        let page = eve.get("/settings/profile").await.ok();
        let again = eve.post_form("/settings/email/resend", &[]).await;
        let hide = |text: &str| text.replace(&eve.token(), "").replace(email, "").replace(username, "");
        let (status, place, cookies, body) = outside(&made);
        answers.push((status, place, cookies, body, hide(&page.text()), outside(&again)));
        assert!(!logs_in_by(&app, email).await || email.starts_with("ADA"), "{email}");
    }
    assert_eq!(answers[0], answers[1]);
}

on_both_engines!(the_owner_of_an_address_hears_that_it_was_given, "--signup=open");
async fn the_owner_of_an_address_hears_that_it_was_given(app: App) {
    app.has_account("ada", Role::Member).await;
    registers(&app, "eve", "Ada@Example.org").await;
    let letter = app.letter_to("ada@example.org", "You already have an account").await;
    letter.says("/password/forgot").says("/login");
    assert!(!letter.text.contains("verify-email"), "{letter:?}");
    assert!(logs_in_by(&app, "ada@example.org").await, "it is still ada's");
    assert_eq!(app.viewer("eve").await.member().expect("an account").email, "Ada@Example.org");
}

on_both_engines!(an_address_is_confirmed_by_its_letter, "--signup=open");
async fn an_address_is_confirmed_by_its_letter(app: App) {
    let ada = registers(&app, "ada", "ada@example.org").await;
    ada.get("/settings/profile").await.ok().text_has("not confirmed yet");
    assert!(logs_in_by(&app, "ada").await && !logs_in_by(&app, "ada@example.org").await);
    let link = confirmation(&app, "ada@example.org").await;
    for _ in 0..3 {
        ada.get(&link).await.ok().has("h1", "Confirm your email").has("strong", "ada@example.org");
    }
    assert!(!logs_in_by(&app, "ada@example.org").await, "opening the link alone changes nothing");
    ada.post_form(&link, &[]).await.redirects_to("/settings/profile");
    ada.get("/settings/profile").await.ok().has(".toast", "is confirmed").lacks("not confirmed yet");
    assert!(logs_in_by(&app, "ada@example.org").await);
    ada.get(&link).await.error_page(410);
    ada.post_form(&link, &[]).await.error_page(410);
}

on_both_engines!(a_confirmation_needs_the_account_too, "--signup=open");
async fn a_confirmation_needs_the_account_too(app: App) {
    registers(&app, "eve", "ada@example.org").await;
    let link = confirmation(&app, "ada@example.org").await;
    let visitor = app.visitor();
    let next = link.replace('/', "%2F").replace('-', "%2D").replace('_', "%5F");
    visitor.get(&link).await.redirects_to(&format!("/login?next={next}"));
    visitor.post_form(&link, &[]).await.error_page(401);
    let ada = app.signed_in("ada-herself").await;
    ada.get(&link)
        .await
        .ok()
        .text_has("belongs to a different account")
        .has_no(&format!("form[action='{link}']"));
    ada.post_form(&link, &[]).await.error_page(401);
    assert!(!logs_in_by(&app, "ada@example.org").await);
}

on_both_engines!(a_confirmation_lasts_an_hour_and_only_the_latest_works, "--signup=open");
async fn a_confirmation_lasts_an_hour_and_only_the_latest_works(app: App) {
    let ada = registers(&app, "ada", "ada@example.org").await;
    let first = confirmation(&app, "ada@example.org").await;
    ada.post_form("/settings/email/resend", &[]).await.redirects_to("/settings/profile");
    let second = confirmation(&app, "ada@example.org").await;
    assert_ne!(first, second);
    ada.get(&first).await.error_page(410);
    app.later(Duration::from_mins(59));
    ada.get(&second).await.ok();
    app.later(Duration::from_mins(2));
    ada.post_form(&second, &[]).await.error_page(410);
    ada.post_form("/settings/email/resend", &[]).await.redirects_to("/settings/profile");
    let third = confirmation(&app, "ada@example.org").await;
    ada.post_form(&third, &[]).await.redirects_to("/settings/profile");
    ada.post_form("/settings/email/resend", &[]).await.redirects_to("/settings/profile");
    assert_eq!(app.letters_to("ada@example.org").await.len(), 3, "nothing is left to confirm");
}

on_both_engines!(the_first_to_confirm_has_the_address, "--signup=open");
async fn the_first_to_confirm_has_the_address(app: App) {
    let eve = registers(&app, "eve", "ada@example.org").await;
    let eves = confirmation(&app, "ada@example.org").await;
    let ada = registers(&app, "ada", "ada@example.org").await;
    let adas = confirmation(&app, "ada@example.org").await;
    ada.post_form(&adas, &[]).await.redirects_to("/settings/profile");
    eve.post_form(&eves, &[]).await.redirects_to("/settings/profile");
    eve.get("/settings/profile")
        .await
        .ok()
        .has(".toast", "belongs to another account")
        .text_has("not confirmed yet");
    let form = [("login", "ada@example.org"), ("password", PASSWORD)];
    let who = app.visitor();
    who.post_form("/login", &form).await.redirects_to("/resources");
    assert_eq!(who.get("/api/v1/me").await.ok().json()["username"], "ada");
}

on_both_engines!(a_taken_username_says_nothing_about_the_address, "--signup=open");
async fn a_taken_username_says_nothing_about_the_address(app: App) {
    app.has_account("ada", Role::Member).await;
    let mut bodies = Vec::new();
    for email in ["free@example.org", "ada@example.org"] {
        let form = [("email", email), ("username", "ada"), ("password", PASSWORD)];
        let refused = app.visitor().post_form("/register", &form).await.is(422);
        bodies.push(refused.has("#username-error", "taken").has_no("#email-error").text().replace(email, ""));
    }
    assert_eq!(bodies[0], bodies[1]);
    assert!(
        app.letters_to("ada@example.org").await.is_empty()
            && app.letters_to("free@example.org").await.is_empty()
    );
}

on_both_engines!(an_invitation_tells_no_more_than_registering);
async fn an_invitation_tells_no_more_than_registering(app: App) {
    let admin = app.admin("root").await;
    let mut answers = Vec::new();
    for (username, email) in [("bob", "bob@example.org"), ("eve", "root@example.org")] {
        let link = invited_by(&admin).await;
        let form = [("email", email), ("username", username), ("password", PASSWORD)];
        answers.push(outside(&app.visitor().post_form(&link, &form).await.is(303)));
    }
    assert_eq!(answers[0], answers[1]);
    confirmation(&app, "bob@example.org").await;
    app.letter_to("root@example.org", "You already have an account").await;
}

on_both_engines!(a_login_looks_the_same_for_an_unknown_name);
async fn a_login_looks_the_same_for_an_unknown_name(app: App) {
    app.has_account("ada", Role::Member).await;
    let mut answers = Vec::new();
    for login in ["ada", "bob", "ada@example.org", "bob@example.org"] {
        let form = [("login", login), ("password", "wrong horse battery")];
        let refused = app.visitor().post_form("/login", &form).await.is(422);
        let (status, place, cookies, body) = outside(&refused);
        let typed = format!("value=\"{login}\"");
        assert!(body.contains(&typed), "{body}");
        answers.push((status, place, cookies, body.replace(&typed, "")));
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:#?}");
}

on_both_engines!(the_first_admin_logs_in_by_address_at_once_and_confirms_it_later);
async fn the_first_admin_logs_in_by_address_at_once_and_confirms_it_later(app: App) {
    let token = app.coffer.accounts.begin_setup().await.expect("a token").expect("no one is here yet");
    let ada = app.visitor();
    let form = [("email", "ada@example.org"), ("username", "ada"), ("password", PASSWORD)];
    ada.post_form(&format!("/setup/{token}"), &form).await.redirects_to("/resources");
    ada.learns_token().await;
    assert!(logs_in_by(&app, "ada@example.org").await);
    let link = confirmation(&app, "ada@example.org").await;
    ada.post_form(&link, &[]).await.redirects_to("/settings/profile");
    ada.get("/settings/profile").await.ok().lacks("not confirmed yet");
}

on_both_engines!(an_address_that_no_letter_can_be_sent_to_is_refused_at_its_field, "--signup=open");
async fn an_address_that_no_letter_can_be_sent_to_is_refused_at_its_field(app: App) {
    let (visitor, ada) = (app.visitor(), app.signed_in("ada").await);
    for bad in [
        "a@[127.0.0.1]", "a@[IPv6:::1]", "a@[::1]", "a@127.0.0.1", "a@2130706433", "jürgen@example.org",
        "a@ex%61mple.org",
    ] {
        let form = [("email", bad), ("username", "new-one"), ("password", PASSWORD)];
        visitor.post_form("/register", &form).await.is(422).has("#email-error", "a");
        ada.post_form("/settings/email", &[("email", bad)]).await.is(422).has("#email-error", "a");
        visitor.post_form("/password/forgot", &[("email", bad)]).await.is(422).has("#email-error", "a");
    }
    app.all_is_sent().await;
    let literal = [("email", "a@[127.0.0.1]"), ("username", "new-one"), ("password", PASSWORD)];
    visitor.post_form("/register", &literal).await.is(422).has("#email-error", "can’t send email to this");
    let form = [("email", "ada@müller.example"), ("username", "new-one"), ("password", PASSWORD)];
    visitor.post_form("/register", &form).await.redirects_to("/resources");
    app.letter_to("ada@xn--mller-kva.example", "Confirm your email").await.link(&app, "/verify-email/");
}
