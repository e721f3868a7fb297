//! No address leads off the site, whatever `next` says, and no session can be prepared for another person.

use std::time::Duration;

use coffer::identity::Role;
use coffer::web::forms::encode;
use reqwest::Method;

use crate::support::actor::Actor;
use crate::support::answer::Answer;
use crate::support::app::{App, PASSWORD};
use crate::support::on_both_engines;
use crate::support::owner::Owner;
use crate::support::site::routes;

const COOKIE: &str = "__Host-coffer";

/// What browsers take, or once took, for another site's address or for a script.
const ELSEWHERE: [&str; 20] = [
    "https://evil.example/",
    "http:evil.example",
    "https:/evil.example",
    "//evil.example",
    "///evil.example",
    "////evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "\\/evil.example",
    "/\t/evil.example",
    "\t//evil.example",
    " //evil.example",
    "/\r\n//evil.example",
    "\u{0}//evil.example",
    "javascript:alert('evil.example')",
    "JaVaScRiPt://evil.example/%0aalert(1)",
    "data:text/html,evil.example",
    "evil.example",
    "@evil.example",
    "/\u{85}/evil.example",
];

/// Follows the address as a browser would, from our own page.
fn stays_here(address: &str) -> bool {
    let base = url::Url::parse("https://links.example.org/login").expect("an address");
    base.join(address).is_ok_and(|url| url.origin() == base.origin())
}

#[track_caller]
fn leads_nowhere_else(answer: &Answer, what: &str) {
    let place = answer.header("location");
    assert!(
        place.is_empty() || (place.starts_with('/') && stays_here(&place)),
        "{what} leads to {place:?}\n{answer}"
    );
    assert!(!answer.all_of_header("refresh").concat().contains("evil"), "{what}\n{answer}");
    if !answer.header("content-type").starts_with("text/html") {
        return;
    }
    for (css, name) in [
        ("a[href]", "href"),
        ("form[action]", "action"),
        ("[formaction]", "formaction"),
        ("[hx-get]", "hx-get"),
        ("[hx-post]", "hx-post"),
        ("link[href]", "href"),
        ("script[src]", "src"),
        ("meta[http-equiv=refresh]", "content"),
    ] {
        for address in answer.attributes(css, name) {
            assert!(
                !address.contains("evil") || stays_here(&address),
                "{what} shows {name}={address:?}\n{answer}"
            );
        }
    }
}

on_both_engines!(no_address_leads_elsewhere_whatever_next_says, "--fetch=on", "--signup=open");
async fn no_address_leads_elsewhere_whatever_next_says(app: App) {
    let owner = Owner::new(&app, "owner", Role::Member).await;
    // Now sudo mode is over, so that its question comes too.
    app.later(Duration::from_mins(11));
    let people = [&owner.actor, &app.visitor()];
    for route in
        routes(&app).await.into_iter().filter(|route| !route.is_api() && !route.path.contains("delete"))
    {
        let path = owner.address(&route);
        // Whoever takes it is tried with all of them below.
        for next in [0, 3, 6, 14].map(|which| ELSEWHERE[which]) {
            for person in people {
                let person = person.copied_cookies();
                let answer = if route.method == Method::GET {
                    person.get(&format!("{path}?next={}", encode(next))).await
                } else if route.path.contains("end") || route.path == "/logout" {
                    continue;
                } else {
                    person.post_form(&path, &[("next", next), ("login", "nobody"), ("title", "T")]).await
                };
                leads_nowhere_else(&answer, &format!("{route} with next={next:?}"));
            }
        }
    }
}

on_both_engines!(a_login_and_sudo_lead_on_within_the_site_alone);
async fn a_login_and_sudo_lead_on_within_the_site_alone(app: App) {
    let owner = app.signed_in("owner").await;
    for next in ELSEWHERE.into_iter().chain(["/tags"]) {
        let place = if next == "/tags" { "/tags" } else { "/resources" };
        let form = [("login", "owner"), ("password", PASSWORD), ("next", next)];
        app.visitor().post_form("/login", &form).await.redirects_to(place);
        for path in ["/login", "/sudo"] {
            owner.get(&format!("{path}?next={}", encode(next))).await.redirects_to(place);
        }
        owner.post_form("/sudo", &[("next", next)]).await.redirects_to(place);
    }
    app.later(Duration::from_mins(11));
    let form = [("sudo_password", PASSWORD), ("next", "//evil.example")];
    owner.post_form("/sudo", &form).await.redirects_to("/resources");
}

/// A well-formed session id that an attacker knows, and plants.
const PLANTED: &str = "AAAAAAAAAAAAAAAAAAAAAQ";

/// Whoever holds the planted id, and whatever session it was before, is not let in by this sign-in.
async fn a_new_session(victim: &Actor, attacker: &Actor, planted: &str, what: &str) {
    let given = victim.cookie(COOKIE).expect("a session");
    assert_ne!(given, planted, "{what} keeps a planted session");
    assert!(victim.is_signed_in().await, "{what}");
    attacker.sets_cookie(COOKIE, planted);
    assert!(!attacker.is_signed_in().await, "{what} lets the planted session in");
}

on_both_engines!(a_planted_session_is_not_taken_up, "--signup=open");
async fn a_planted_session_is_not_taken_up(app: App) {
    let admin = app.admin("root").await;
    admin.post_form("/admin/invites", &[]).await.redirects_to("/admin/invites");
    let link = admin.get("/admin/invites").await.ok().attributes("#link", "value").remove(0);
    let invitation = format!("/invite/{}", link.split_once("/invite/").expect("an invitation").1);
    let account = |name: &'static str, email: &'static str| {
        vec![("username", name), ("email", email), ("password", PASSWORD)]
    };
    for (path, form) in [
        ("/login", vec![("login", "root"), ("password", PASSWORD)]),
        ("/register", account("ada", "ada@example.org")),
        (invitation.as_str(), account("bob", "bob@example.org")),
    ] {
        let victim = app.visitor();
        victim.sets_cookie(COOKIE, PLANTED);
        victim.post_form(path, &form).await.redirects_to("/resources");
        a_new_session(&victim, &app.visitor(), PLANTED, path).await;
    }
}

on_both_engines!(a_session_of_somebody_else_is_not_taken_up);
async fn a_session_of_somebody_else_is_not_taken_up(app: App) {
    let (eve, ada) = (app.signed_in("eve").await, app.signed_in("ada").await);
    let victim = app.visitor();
    let eves = eve.cookie(COOKIE).expect("a session");
    victim.sets_cookie(COOKIE, &eves);
    victim.learns_token().await;
    let form = [("login", "ada"), ("password", PASSWORD)];
    victim.post_form("/login", &form).await.redirects_to("/resources");
    assert_ne!(victim.cookie(COOKIE), Some(eves));
    // Eve still holds the id that she planted.
    assert_ne!(eve.get("/api/v1/me").await.json()["username"], "ada");
    assert!(ada.is_signed_in().await);
}

on_both_engines!(more_rights_come_with_a_new_session);
async fn more_rights_come_with_a_new_session(app: App) {
    let ada = app.signed_in("ada").await;
    app.later(Duration::from_mins(11));
    let overheard = ada.copied_cookies();
    ada.post_form("/sudo", &[("sudo_password", PASSWORD)]).await.redirects_to("/resources");
    assert_ne!(ada.cookie(COOKIE), overheard.cookie(COOKIE));
    assert!(!overheard.is_signed_in().await, "sudo mode is the new session's alone");
    ada.learns_token().await;
    let overheard = ada.copied_cookies();
    let form = [("current_password", PASSWORD), ("password", "staple orbit lantern")];
    ada.post_form("/settings/password", &form).await.redirects_to("/settings/security");
    assert_ne!(ada.cookie(COOKIE), overheard.cookie(COOKIE));
    assert!(!overheard.is_signed_in().await && ada.is_signed_in().await);
    let overheard = ada.copied_cookies();
    ada.learns_token().await;
    ada.post_form("/logout", &[]).await.redirects_to("/login");
    assert!(!overheard.is_signed_in().await, "a session that was left does not live on");
}
