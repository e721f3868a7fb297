//! The way in, in a real browser, with and without JavaScript: invited, registered, confirmed, two-step login, out and
//! in again, and another device shown the door.

use std::time::Duration;

use coffer::identity::Role;

use crate::browser::{has_complained_only_of, logs_in, path_of};
use crate::support::actor::Actor;
use crate::support::app::{App, Engine, PASSWORD};
use crate::support::authenticator::Authenticator;
use crate::support::browser::Browser;

const STEP: Duration = Duration::from_secs(30);

#[tokio::test]
async fn from_an_invitation_to_a_device_list_with_javascript() {
    let app = App::with(Engine::Postgres, &[]).await;
    from_an_invitation_to_a_device_list(&app, true).await;
}

#[tokio::test]
async fn from_an_invitation_to_a_device_list_without_javascript() {
    let app = App::with(Engine::Sqlite, &[]).await;
    from_an_invitation_to_a_device_list(&app, false).await;
}

async fn from_an_invitation_to_a_device_list(app: &App, javascript: bool) {
    let browser = Browser::open(&app.origin(), javascript, 1280, 900).await;
    app.has_account("owner", Role::Admin).await;
    let invitation = invites(&browser).await;
    registers(app, &browser, &invitation).await;
    let phone = sets_up_two_step_login(app, &browser).await;
    browser.press("Log out").await;
    browser.sees("You are logged out.").await;
    logs_in_with_a_code(app, &browser, &phone).await;
    shows_another_device_the_door(app, &browser, &phone).await;
    has_complained_only_of(&browser, &["status of 422"]).await;
}

async fn invites(browser: &Browser) -> String {
    logs_in(browser, "owner").await;
    browser.goto("/admin/invites").await;
    browser.press("Create invitation").await;
    browser.has("label", "you won’t see it again").await;
    let link: String = browser.run("return document.querySelector('#link').value").await;
    browser.press("Log out").await;
    browser.sees("You are logged out.").await;
    path_of(&link).to_owned()
}

async fn registers(app: &App, browser: &Browser, invitation: &str) {
    browser.goto(invitation).await;
    browser.fill("Email", "eve@example.org").await;
    browser.fill("Username", "eve").await;
    browser.fill("Password", PASSWORD).await;
    browser.press("Create account").await;
    browser.sees("Check your email for a link to confirm your address").await;

    let letter = app.letter_to("eve@example.org", "Confirm your email").await;
    browser.goto(&letter.link(app, "/verify-email/")).await;
    browser.press("Confirm this email").await;
    browser.sees("Your email is confirmed.").await;
}

async fn sets_up_two_step_login(app: &App, browser: &Browser) -> Authenticator {
    browser.follow("Security").await;
    browser.follow("Set up two-step login").await;
    browser.has("h1", "Set up two-step login").await;
    let key: String = browser.run("return document.querySelector('.totp-key').textContent").await;
    let phone = Authenticator::from_key(&key);
    browser.fill("Code", &phone.code(app.now())).await;
    browser.press("Turn on two-step login").await;
    browser.has("h1", "Your recovery codes").await;
    browser.follow("I have saved them").await;
    browser.sees("You have 10 recovery codes left").await;
    phone
}

async fn logs_in_with_a_code(app: &App, browser: &Browser, phone: &Authenticator) {
    browser.goto("/login").await;
    browser.fill("Email or username", "eve@example.org").await;
    browser.fill("Password", PASSWORD).await;
    browser.press("Log in").await;
    browser.has("h1", "Enter your code").await;
    browser.fill("Code", "000000").await;
    browser.press("Log in").await;
    browser.sees("That code is wrong").await;
    app.later(2 * STEP);
    browser.fill("Code", &phone.code(app.now())).await;
    browser.press("Log in").await;
    browser.has("h1", "Library").await;
}

async fn shows_another_device_the_door(app: &App, browser: &Browser, phone: &Authenticator) {
    app.later(2 * STEP);
    let other = Actor::new("eve", app);
    other.gives_password().await;
    other.gives_code(&phone.code(app.now())).await.redirects_to("/tags");
    assert!(other.is_signed_in().await);

    browser.goto("/settings/sessions").await;
    browser.has("h2", "Chrome").await;
    browser.has(".badge", "This device").await;
    let button: String = browser
        .run("return document.querySelector('.holdings button').textContent.trim().replace(/\\s+/g, ' ')")
        .await;
    browser.press(&button).await;
    browser.sees("Device logged out.").await;
    browser.sees("You are not logged in anywhere else.").await;
    assert!(!other.is_signed_in().await);
}
