//! Requests that other sites make a browser send are refused, and what was typed comes back.

use coffer::identity::Role;
use reqwest::Method;
use serde_json::json;

use crate::support::actor::{Actor, Ask, Entry};
use crate::support::answer::Answer;
use crate::support::app::{App, PASSWORD};
use crate::support::dump::Dump;
use crate::support::on_both_engines;
use crate::support::owner::Owner;
use crate::support::site::{Route, routes, unsafe_routes};

/// Every form of the signed-in pages but the upload, for a link and a thrown-away note.
fn forms(link: &Entry, trashed: &Entry) -> Vec<String> {
    let (link, trashed) = (link.page(), trashed.page());
    let mut forms = vec!["/resources".to_owned(), link.clone(), "/logout".to_owned(), "/login".to_owned()];
    forms.extend(["details", "pin", "unpin", "unread", "read", "trash"].map(|act| format!("{link}/{act}")));
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

/// Visitors' forms, which hold no token. What they do in a second tab is in `tabs`.
const WAYS_IN: [&str; 3] = ["/login", "/login/second-factor", "/register"];

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
            if token == Some("") && WAYS_IN.contains(&path.as_str()) {
                continue;
            }
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
    owner.post_form(&entry.page(), &form).await.error_page(409).has("main textarea", "Every word");
    owner.post_form(&format!("{}/delete", entry.page()), &[]).await.redirects_to("/trash");
    owner.post_form(&entry.page(), &form).await.error_page(404).has("main textarea", "Every word");
}

/// What a browser can be made to send, with a body that brings these fields in it.
const KINDS: [&str; 5] = [
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=b",
    "text/plain",
    "application/json",
    "",
];

/// Fields that would do for every form.
const FIELDS: [(&str, &str); 7] = [
    ("title", "Taken"),
    ("version", "1"),
    ("login", "owner"),
    ("password", PASSWORD),
    ("current_password", PASSWORD),
    ("email", "owner@example.org"),
    ("display_name", "Taken"),
];

fn body(route: &Route, kind: &str, token: Option<&str>) -> Vec<u8> {
    let fields = FIELDS.into_iter().chain(token.map(|token| ("csrf", token)));
    if kind.starts_with("multipart") {
        let parts = fields.map(|(name, value)| {
            format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        });
        let file = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"b.html\"\r\n\r\n\
            <!DOCTYPE NETSCAPE-Bookmark-file-1><DL><DT><A HREF=\"https://in.example/\">In</A></DL>\r\n--b--\r\n";
        return (parts.collect::<String>() + file).into_bytes();
    }
    if route.is_api() {
        return b"{\"title\":\"Taken\"}".to_vec();
    }
    let pairs: Vec<_> = fields
        .map(|(name, value)| format!("{name}={}", value.replace(' ', "+").replace('@', "%40")))
        .collect();
    pairs.join("&").into_bytes()
}

/// Everything but the token's header.
fn asks<'a>(actor: &'a Actor, route: &Route, path: &str, kind: &str, token: Option<&str>) -> Ask<'a> {
    let ask = actor.sends(route.method.clone(), path, kind, body(route, kind, token)).if_match("*");
    let ask = if kind.is_empty() { ask.without("content-type") } else { ask };
    ask.without("x-csrf-token")
}

#[track_caller]
fn is_refused(answer: &Answer, what: &str) {
    assert!([403, 415].contains(&answer.status()), "{what} is not refused\n{answer}");
    let cookies = answer.all_of_header("set-cookie");
    assert!(cookies.is_empty(), "{what} sets {cookies:?}\n{answer}");
}

/// What is refused may be written down, and that is all. The cache's outbox is swept as time passes.
async fn held(app: &App) -> Dump {
    Dump::of(&app.coffer.db).await.without(&["audit_events", "audit_head", "installation", "outbox"])
}

on_both_engines!(
    every_address_that_changes_something_needs_our_own_page_and_its_token,
    "--fetch=on",
    "--signup=open"
);
async fn every_address_that_changes_something_needs_our_own_page_and_its_token(app: App) {
    let owner = Owner::new(&app, "owner", Role::Admin).await;
    let (actor, right) = (&owner.actor, owner.actor.token());
    let other = app.signed_in("other").await.token();
    app.all_is_sent().await;
    let before = held(&app).await;
    for route in unsafe_routes(&app).await {
        let path = owner.address(&route);
        for kind in KINDS {
            let what = format!("{route} as {kind:?}");
            for token in [None, Some(""), Some("wrong"), Some(other.as_str())] {
                if token == Some("") && WAYS_IN.contains(&route.path.as_str()) {
                    continue;
                }
                let refused = asks(actor, &route, &path, kind, token).await;
                is_refused(&refused, &format!("{what} with the token {token:?}"));
                let Some(token) = token else { continue };
                let refused = asks(actor, &route, &path, kind, None).header("x-csrf-token", token).await;
                is_refused(&refused, &format!("{what} with the token {token:?} in the header"));
            }
            for (how, wrong) in WRONG_ORIGIN {
                let ask = asks(actor, &route, &path, kind, Some(&right)).header("x-csrf-token", &right);
                is_refused(&wrong(ask).await, &format!("{what}, {how},"));
            }
        }
        held(&app).await.is(&before, &route.to_string());
        assert!(actor.is_signed_in().await, "{route} ended the session");
    }
}

on_both_engines!(nor_do_visitors_come_in_from_elsewhere, "--fetch=on", "--signup=open");
async fn nor_do_visitors_come_in_from_elsewhere(app: App) {
    let owner = Owner::new(&app, "owner", Role::Member).await;
    app.all_is_sent().await;
    let before = held(&app).await;
    // Programs call the API without a cookie; what it answers them stays with them.
    for route in unsafe_routes(&app).await.into_iter().filter(|route| !route.is_api()) {
        for kind in KINDS {
            for (how, wrong) in WRONG_ORIGIN {
                let visitor = app.visitor();
                let refused = wrong(asks(&visitor, &route, &owner.address(&route), kind, None)).await;
                is_refused(&refused, &format!("{route} as {kind:?} by a visitor, {how},"));
            }
        }
        held(&app).await.is(&before, &route.to_string());
    }
}

on_both_engines!(our_own_pages_pass, "--fetch=on", "--signup=open");
async fn our_own_pages_pass(app: App) {
    // Otherwise the refusals above would say nothing.
    let mut owner = Owner::new(&app, "owner", Role::Admin).await;
    for (turn, route) in unsafe_routes(&app).await.into_iter().enumerate() {
        let kind =
            if route.is_api() { "application/json" } else { KINDS[usize::from(route.path == "/import")] };
        let token = owner.actor.token();
        let ask = asks(&owner.actor, &route, &owner.address(&route), kind, Some(&token));
        let answer = ask.header("x-csrf-token", &token).await;
        assert!(!answer.text().contains("didn’t come from one of coffer"), "{answer}");
        assert!(![401, 415].contains(&answer.status()), "{answer}");
        if owner.actor.is_signed_in().await {
            // Logging in is one of them, and brings a new one.
            owner.actor.learns_token().await;
        } else {
            owner = Owner::new(&app, &format!("owner-{turn}"), Role::Admin).await;
        }
    }
}

on_both_engines!(looking_changes_nothing, "--fetch=on", "--signup=open");
async fn looking_changes_nothing(app: App) {
    let owner = Owner::new(&app, "owner", Role::Admin).await;
    let visitor = app.visitor();
    app.all_is_sent().await;
    // That a person took their data along is written down, and a session keeps the key that is shown to it. What writes
    // have touched is forgotten after a minute.
    let trail = ["audit_events", "audit_head", "sessions", "outbox", "installation"];
    let before = Dump::of(&app.coffer.db).await.without(&trail);
    for route in routes(&app).await.into_iter().filter(|route| route.method == Method::GET) {
        let path = owner.address(&route);
        for person in [&owner.actor, &visitor] {
            for method in [Method::GET, Method::HEAD] {
                Ask::new(person, method.clone(), &path).await;
                Ask::new(person, method, &path).by_htmx().await;
            }
        }
    }
    crate::routes::crawl(&owner.actor).await;
    Dump::of(&app.coffer.db).await.without(&trail).is(&before, "looking");
}

on_both_engines!(a_device_that_is_kept_signed_in_needs_the_token_too, "--fetch=on");
async fn a_device_that_is_kept_signed_in_needs_the_token_too(app: App) {
    let owner = Owner::new(&app, "owner", Role::Admin).await;
    let device = app.visitor();
    let form = [("login", "owner"), ("password", PASSWORD), ("stay", "yes")];
    device.post_form("/login", &form).await.redirects_to("/resources");
    let sessions = ["sessions", "refresh_families", "refresh_tokens", "outbox", "installation"];
    let before = held(&app).await.without(&sessions);
    for route in unsafe_routes(&app).await.into_iter().filter(|route| !route.is_api()) {
        for kind in KINDS {
            // Only the cookie that brings a new session is left.
            device.sets_cookie("__Host-coffer", "");
            let refused = asks(&device, &route, &owner.address(&route), kind, None).await;
            assert!([403, 415].contains(&refused.status()), "{route} as {kind:?} without a token\n{refused}");
        }
    }
    held(&app).await.without(&sessions).is(&before, "what was refused");
    device.get("/trash").await.ok();
}
