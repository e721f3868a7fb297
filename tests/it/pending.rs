//! Something keeps a form from its handler, such as the end of the session while a person writes: a prompt stands in its
//! place, and then the form goes through.

use std::time::Duration;

use coffer::identity::Role;

use crate::support::actor::Actor;
use crate::support::answer::Answer;
use crate::support::app::{App, PASSWORD};
use crate::support::on_both_engines;

const NOTE: [(&str, &str); 4] = [
    ("title", "Written for an hour"),
    ("body", "Every word\n\n  \"and\" <b>mark</b> & ümlaut 🦀\n"),
    ("tags", "sea, tides"),
    ("kind", "note"),
];

/// Logged out on the server, with the page still open.
async fn logged_out_meanwhile(app: &App) -> Actor {
    let ada = app.signed_in("ada").await;
    let elsewhere = ada.copied_cookies();
    elsewhere.post_form("/logout", &[]).await.redirects_to("/login");
    ada
}

/// Fills the prompt in and sends everything that its form holds.
async fn sends(actor: &Actor, prompt: &Answer, answers: &[(&str, &str)]) -> Answer {
    let action = prompt.attributes("main form", "action").remove(0);
    let names = prompt.attributes("main form input[type='hidden']", "name");
    let values = prompt.attributes("main form input[type='hidden']", "value");
    let hidden = names.iter().map(String::as_str).zip(values.iter().map(String::as_str));
    let (tokens, mut fields): (Vec<_>, Vec<_>) = hidden.partition(|(name, _)| *name == "csrf");
    fields.extend(answers);
    actor.post_form(&action, &fields).with_form_token(tokens.first().map(|(_, token)| *token)).await
}

async fn answers(actor: &Actor, question: &Answer, login: &str, password: &str) -> Answer {
    sends(actor, question, &[("signin_login", login), ("signin_password", password)]).await
}

on_both_engines!(the_password_is_asked_for_in_place_and_then_it_is_saved);
async fn the_password_is_asked_for_in_place_and_then_it_is_saved(app: App) {
    let ada = logged_out_meanwhile(&app).await;
    let question = ada.post_form("/resources", &NOTE).await.is(401).has("h1", "Log in to continue");
    let saved = answers(&ada, &question, "ada", PASSWORD).await.is(303);
    let page = saved.header("location");
    ada.get(&page).await.ok().has("h1", "Written for an hour");
    ada.get(&format!("{page}/edit")).await.ok().holds("body", NOTE[1].1).holds("tags", "sea, tides");
    let list = ada.get("/api/v1/resources").await.ok().json();
    assert_eq!(list["items"].as_array().map(Vec::len), Some(1), "saved once");
}

on_both_engines!(a_wrong_password_loses_nothing);
async fn a_wrong_password_loses_nothing(app: App) {
    let ada = logged_out_meanwhile(&app).await;
    let mut question = ada.post_form("/resources", &NOTE).await.is(401);
    for _ in 0..3 {
        question = answers(&ada, &question, "ada", "wrong horse battery").await.is(401);
        question =
            question.has("#login-error", "What you entered is still here").holds("signin_login", "ada");
        question = question.holds("title", NOTE[0].1).holds("body", NOTE[1].1).lacks("wrong horse");
    }
    answers(&ada, &question, "ada", PASSWORD).await.is(303);
    ada.get("/resources").await.ok().has(".entry-title", "Written for an hour");
}

on_both_engines!(somebody_else_is_asked_whose_it_is_to_be);
async fn somebody_else_is_asked_whose_it_is_to_be(app: App) {
    let ada = logged_out_meanwhile(&app).await;
    app.has_account("eve", Role::Member).await;
    let question = ada.post_form("/resources", &NOTE).await.is(401);
    let asked = answers(&ada, &question, "eve", PASSWORD).await.is(409).has("h1", "Continue as eve?");
    let asked = asked.holds("title", NOTE[0].1).holds("body", NOTE[1].1).has("main textarea", "Every word");
    ada.get("/api/v1/resources").await.ok().lacks("Written for an hour");
    let token = asked.attributes("main input[name='csrf']", "value").remove(0);
    ada.post_form("/resources", &NOTE).with_form_token(Some(&token)).await.is(303);
    assert_eq!(ada.get("/api/v1/resources").await.ok().json()["items"][0]["owner"], "eve");
}

on_both_engines!(a_change_is_carried_out_where_it_was_made);
async fn a_change_is_carried_out_where_it_was_made(app: App) {
    let ada = app.signed_in("ada").await;
    let entry = ada.saves(serde_json::json!({ "title": "Before" })).await;
    ada.copied_cookies().post_form("/logout", &[]).await.redirects_to("/login");
    let change = [("title", "After"), ("body", "More"), ("version", "1")];
    let question = ada.post_form(&entry.page(), &change).await.is(401);
    answers(&ada, &question, "ada", PASSWORD).await.redirects_to(&entry.page());
    ada.get(&entry.page()).await.ok().has("h1", "After");
}

on_both_engines!(a_part_of_a_page_gives_way_to_the_question);
async fn a_part_of_a_page_gives_way_to_the_question(app: App) {
    let ada = app.signed_in("ada").await;
    let entry = ada.saves(serde_json::json!({ "title": "Before" })).await;
    ada.copied_cookies().post_form("/logout", &[]).await.redirects_to("/login");
    let details = format!("{}/details", entry.page());
    let change = [("title", "After"), ("visibility", "private"), ("version", "1")];
    let question = ada.post_form(&details, &change).by_htmx().await.is(401);
    let question = question.header_is("hx-retarget", "body").has("h1", "Log in to continue");
    answers(&ada, &question, "ada", PASSWORD).await.is(303);
    ada.get(&entry.page()).await.ok().has("h1", "After");
}

on_both_engines!(a_part_that_needs_an_account_leads_to_the_login_and_back);
async fn a_part_that_needs_an_account_leads_to_the_login_and_back(app: App) {
    let ada = app.signed_in("ada").await;
    let entry = ada.saves(serde_json::json!({ "title": "Mine", "visibility": "public" })).await;
    let visitor = app.visitor();
    let shown = format!("{}/resources?q=mine", app.origin());
    let part = visitor.get(&format!("{}/details", entry.page())).by_htmx().header("hx-current-url", shown);
    part.await.is(401).header_is("hx-redirect", "/login?next=%2Fresources%3Fq%3Dmine");
}

on_both_engines!(secrets_and_files_are_not_kept);
async fn secrets_and_files_are_not_kept(app: App) {
    let ada = logged_out_meanwhile(&app).await;
    let form = [("title", "Typed"), ("new_password", "a secret of mine")];
    let refused = ada.post_form("/resources", &form).await.error_page(401);
    refused.lacks("a secret of mine").has("main textarea", "Typed");
    let upload =
        ada.uploads("/import", "b.html", b"<DL><DT><A HREF=\"https://in.example/\">In</A></DL>", &[]);
    upload.await.error_page(401).text_has("The file was not saved");
}

on_both_engines!(an_upload_that_is_refused_says_that_its_file_was_not_kept);
async fn an_upload_that_is_refused_says_that_its_file_was_not_kept(app: App) {
    let ada = app.signed_in("ada").await;
    let refused = ada.uploads("/import", "b.html", b"<DL></DL>", &[("csrf", "wrong")]).await;
    refused.error_page(403).text_has("The file was not saved");
}

on_both_engines!(a_form_passes_one_prompt_after_the_other, "--rate-limit-letter-account=1/h");
async fn a_form_passes_one_prompt_after_the_other(app: App) {
    let ada = app.signed_in("ada").await;
    let address = |address| [("email", address)];
    ada.post_form("/settings/email", &address("a@example.org")).await.redirects_to("/settings/profile");
    ada.copied_cookies().post_form("/logout", &[]).await.redirects_to("/login");

    let log_in = ada.post_form("/settings/email", &address("b@example.org")).await.is(401);
    let wait = answers(&ada, &log_in, "ada", PASSWORD).await.error_page(429).has("button", "Try again");
    let wait = wait.has("[data-countdown]", "You can try again in").has("main textarea", "b@example.org");
    app.later(Duration::from_mins(62));
    let password = sends(&ada, &wait, &[]).await.is(403).has("h1", "Confirm your password");
    let password = password.has("main textarea", "b@example.org");
    sends(&ada, &password, &[("sudo_password", PASSWORD)]).await.redirects_to("/settings/profile");
    ada.get("/settings/profile").await.ok().text_has("b@example.org");
}

on_both_engines!(the_question_is_answered_from_our_own_pages_only);
async fn the_question_is_answered_from_our_own_pages_only(app: App) {
    app.has_account("ada", Role::Member).await;
    let visitor = app.visitor();
    let form =
        [("title", "Planted"), ("kind", "note"), ("signin_login", "ada"), ("signin_password", PASSWORD)];
    visitor.post_form("/resources", &form).header("sec-fetch-site", "cross-site").await.error_page(403);
    assert!(!visitor.is_signed_in().await);
}
