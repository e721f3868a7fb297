//! Requests that other sites make a browser send are refused, and what was typed comes back.

use reqwest::Method;
use serde_json::json;

use crate::support::actor::{Actor, Ask, Entry};
use crate::support::app::{App, PASSWORD};
use crate::support::on_both_engines;

/// Every form of the signed-in pages but the upload, for a link and a thrown-away note.
fn forms(link: &Entry, trashed: &Entry) -> Vec<String> {
    let (link, trashed) = (link.page(), trashed.page());
    let mut forms = vec!["/resources".to_owned(), link.clone(), "/logout".to_owned(), "/login".to_owned()];
    forms.extend(["details", "pin", "unpin", "trash"].map(|act| format!("{link}/{act}")));
    forms.push(format!("{link}/revisions/1/restore"));
    forms.extend(["restore", "delete"].map(|act| format!("{trashed}/{act}")));
    forms
}

const TYPED: [(&str, &str); 5] = [
    ("title", "Typed with care"),
    ("body", "Line one\nline two"),
    ("url", "https://new.example/"),
    ("version", "1"),
    ("password", "never shown"),
];

async fn library(owner: &Actor) -> (Entry, Entry) {
    let link = owner.saves(json!({ "title": "Stays", "url": "https://stays.example/" })).await;
    let trashed = owner.saves(json!({ "title": "Stays in the trash" })).await;
    owner.json_free(Method::DELETE, &trashed.api()).await.is(204);
    (link, trashed)
}

async fn is_untouched(owner: &Actor, link: &Entry) {
    let kept = owner.get(&link.api()).await.ok().json();
    assert_eq!(
        (&kept["version"], &kept["pinned"], &kept["trashed_at"]),
        (&json!(1), &json!(false), &json!(null))
    );
    owner.get("/trash").await.ok().has(".entry-title", "Stays in the trash");
    let list = owner.get("/api/v1/resources").await.ok().json();
    assert_eq!(list["items"].as_array().map(Vec::len), Some(1));
}

/// One way of getting a request wrong.
type Wrong = fn(Ask<'_>) -> Ask<'_>;

const WRONG_ORIGIN: [(&str, Wrong); 7] = [
    ("no sign of its origin", |ask| ask.without("origin").without("sec-fetch-site")),
    ("cross-site", |ask| ask.header("sec-fetch-site", "cross-site")),
    ("same-site", |ask| ask.header("sec-fetch-site", "same-site")),
    ("typed into the address bar", |ask| ask.header("sec-fetch-site", "none")),
    ("a foreign origin", |ask| ask.without("sec-fetch-site").header("origin", "https://evil.example")),
    ("the same host, another port", |ask| {
        ask.without("sec-fetch-site").header("origin", "http://127.0.0.1:1")
    }),
    ("an opaque origin", |ask| ask.without("sec-fetch-site").header("origin", "null")),
];

on_both_engines!(a_form_from_elsewhere_is_refused_and_given_back);
async fn a_form_from_elsewhere_is_refused_and_given_back(app: App) {
    let owner = app.signed_in("owner").await;
    let (link, trashed) = library(&owner).await;
    for path in forms(&link, &trashed) {
        for (how, wrong) in WRONG_ORIGIN {
            let refused = wrong(owner.post_form(&path, &TYPED)).await.error_page(403);
            let given_back = refused.texts("main textarea");
            assert!(given_back.contains(&"Typed with care".to_owned()), "{path}, {how}: {given_back:?}");
            refused.text_has("Line one\nline two").lacks("never shown");
        }
    }
    is_untouched(&owner, &link).await;
}

on_both_engines!(a_form_without_the_sessions_token_is_refused_and_given_back);
async fn a_form_without_the_sessions_token_is_refused_and_given_back(app: App) {
    let owner = app.signed_in("owner").await;
    let (link, trashed) = library(&owner).await;
    let stranger = app.signed_in("stranger").await;
    for path in forms(&link, &trashed) {
        for token in [None, Some(""), Some("wrong"), Some(stranger.token().as_str())] {
            let refused = owner.post_form(&path, &TYPED).with_form_token(token).await.error_page(403);
            refused.has("main textarea", "Typed with care").lacks("never shown");
        }
        owner.post_form(&path, &TYPED).header("x-csrf-token", "wrong").await.error_page(403);
    }
    is_untouched(&owner, &link).await;
}

on_both_engines!(a_script_sends_the_token_as_a_header);
async fn a_script_sends_the_token_as_a_header(app: App) {
    let owner = app.signed_in("owner").await;
    let form = [("title", "By a script"), ("kind", "note")];
    let ask = owner.post_form("/resources", &form).with_form_token(None);
    ask.header("x-csrf-token", owner.token()).await.is(303);
}

on_both_engines!(an_older_browser_sends_its_origin_only);
async fn an_older_browser_sends_its_origin_only(app: App) {
    let owner = app.signed_in("owner").await;
    let form = [("title", "From an older browser"), ("kind", "note")];
    owner.post_form("/resources", &form).without("sec-fetch-site").await.is(303);
}

on_both_engines!(an_upload_needs_both_too);
async fn an_upload_needs_both_too(app: App) {
    let owner = app.signed_in("owner").await;
    let file = b"<!DOCTYPE NETSCAPE-Bookmark-file-1><DL><DT><A HREF=\"https://in.example/\">In</A></DL>";
    for (_, wrong) in WRONG_ORIGIN {
        wrong(owner.uploads("/import", "b.html", file, &[])).await.error_page(403);
    }
    // The first field of a name counts, and this one comes before the real token.
    owner.uploads("/import", "b.html", file, &[("csrf", "wrong")]).await.error_page(403);
    owner.get("/api/v1/resources").await.ok().lacks("in.example");
    app.visitor().uploads("/import", "b.html", file, &[]).await.error_page(401);
}

on_both_engines!(a_login_from_elsewhere_is_refused);
async fn a_login_from_elsewhere_is_refused(app: App) {
    let owner = app.signed_in("owner").await;
    let visitor = app.visitor();
    for (how, wrong) in WRONG_ORIGIN {
        let form = [("login", owner.name.as_str()), ("password", PASSWORD)];
        wrong(visitor.post_form("/login", &form)).await.error_page(403).lacks(PASSWORD);
        assert!(!visitor.is_signed_in().await, "{how}");
    }
}

on_both_engines!(json_with_the_cookie_needs_the_same);
async fn json_with_the_cookie_needs_the_same(app: App) {
    let owner = app.signed_in("owner").await;
    let (link, trashed) = library(&owner).await;
    let change = || owner.json(Method::PATCH, &link.api(), json!({ "title": "Taken" })).if_match("*");
    for (how, wrong) in WRONG_ORIGIN {
        wrong(change()).await.is(403).problem("cross_site");
        wrong(owner.json_free(Method::DELETE, &link.api())).await.is(403).problem("cross_site");
        wrong(owner.json_free(Method::POST, &format!("{}/restore", trashed.api()))).await.is(403);
        let made = owner.json(Method::POST, "/api/v1/resources", json!({ "title": how }));
        wrong(made).await.is(403).problem("cross_site");
    }
    change().without("x-csrf-token").await.is(403).problem("cross_site");
    change().header("x-csrf-token", "wrong").await.is(403).problem("cross_site");
    change().header("x-csrf-token", "").await.is(403).problem("cross_site");
    is_untouched(&owner, &link).await;
}

on_both_engines!(what_was_typed_survives_the_end_of_the_session);
async fn what_was_typed_survives_the_end_of_the_session(app: App) {
    let owner = app.signed_in("owner").await;
    let elsewhere = owner.copied_cookies();
    elsewhere.post_form("/logout", &[]).await.redirects_to("/login");
    let form = [("title", "Written for an hour"), ("body", "Every word"), ("kind", "note")];
    let answer = owner.post_form("/resources", &form).await.error_page(401);
    answer.has("main textarea", "Written for an hour").has("main textarea", "Every word");
}

on_both_engines!(what_was_typed_survives_the_end_of_the_entry);
async fn what_was_typed_survives_the_end_of_the_entry(app: App) {
    let owner = app.signed_in("owner").await;
    let entry = owner.saves(json!({ "title": "Short-lived" })).await;
    owner.json_free(Method::DELETE, &entry.api()).await.is(204);
    let form = [("title", "Too late"), ("body", "Every word"), ("version", "1")];
    owner.post_form(&entry.page(), &form).await.error_page(403).has("main textarea", "Every word");
    owner.post_form(&format!("{}/delete", entry.page()), &[]).await.redirects_to("/trash");
    owner.post_form(&entry.page(), &form).await.error_page(404).has("main textarea", "Every word");
}
