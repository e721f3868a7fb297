//! What is a person's own stays theirs, at every address that takes an id; the addresses are the router's.

use coffer::identity::Role;
use coffer::limiter::policy::Policy;
use reqwest::Method;
use serde_json::json;

use crate::support::actor::{Actor, Ask};
use crate::support::answer::Answer;
use crate::support::app::App;
use crate::support::dump::Dump;
use crate::support::on_both_engines;
use crate::support::owner::{MARK, Owner};
use crate::support::site::{Route, routes};

/// Who refuses is written down; nothing else may change.
const WRITTEN_DOWN: [&str; 2] = ["audit_events", "audit_head"];

/// A link that came by mail is for its holder: what such a link does to others is tried in
/// registration.rs, reset.rs and invites.rs. An icon's address can't be guessed either, and is public to whom has it.
fn is_for_its_holder(route: &Route) -> bool {
    route.has("token") || route.path == "/icons/{id}"
}

/// As the pages or their scripts would send it, with fields for every form and body.
async fn sends(actor: &Actor, route: &Route, path: &str) -> Answer {
    if route.method == Method::GET {
        return actor.get(path).await;
    }
    if !route.is_api() {
        let form = [
            ("title", "Taken"),
            ("name", "Taken"),
            ("version", "2"),
            ("visibility", "public"),
            ("role", "member"),
        ];
        return actor.post_form(path, &form).await;
    }
    if route.method == Method::PUT {
        return actor.json(Method::PUT, path, json!({ "title": "Taken" })).header("if-none-match", "*").await;
    }
    let body = match (route.method.as_str(), route.path.as_str()) {
        ("PATCH", path) if path.contains("users") => r#"{"role":"member"}"#,
        ("PATCH", path) if path.contains("searches") => r#"{"name":"Taken"}"#,
        ("PATCH", _) => r#"{"title":"Taken"}"#,
        _ => return actor.json_free(route.method.clone(), path).if_match("*").await,
    };
    actor.sends(route.method.clone(), path, "application/json", body).if_match("*").await
}

async fn with_ids(app: &App) -> Vec<Route> {
    let mut routes = routes(app).await;
    routes.retain(|route| route.path.contains('{') && !is_for_its_holder(route));
    assert!(routes.len() > 25, "{routes:?}");
    routes
}

#[track_caller]
fn leads_to_login(answer: &Answer) {
    let asked = answer.status() == 303 && answer.header("location").starts_with("/login?next=");
    assert!(asked || [401, 404].contains(&answer.status()), "{answer}");
}

on_both_engines!(nobody_else_reaches_what_is_private, "--fetch=on");
async fn nobody_else_reaches_what_is_private(app: App) {
    let owner = Owner::new(&app, "owner", Role::Member).await;
    let (other, admin, visitor) = (app.signed_in("other").await, app.admin("root").await, app.visitor());
    app.all_is_sent().await;
    let before = Dump::of(&app.coffer.db).await.without(&WRITTEN_DOWN);
    for route in with_ids(&app).await {
        let path = owner.address(&route);
        sends(&other, &route, &path).await.is(404).lacks(MARK);
        if !route.is_for_admins() {
            sends(&admin, &route, &path).await.is(404).lacks(MARK);
        }
        leads_to_login(&sends(&visitor, &route, &path).await.lacks(MARK));
        Dump::of(&app.coffer.db).await.is(&before, &route.to_string());
    }
}

on_both_engines!(the_owner_reaches_all_of_it, "--fetch=on", "--rate-limit-second-factor=1/h");
async fn the_owner_reaches_all_of_it(app: App) {
    // A client is held back, and can be released.
    for _ in 0..2 {
        let _ = app.coffer.limiter.attempt(Policy::SecondFactor, uuid::Uuid::nil()).await;
    }
    // Otherwise the refusals above would say nothing.
    let mut owner = Owner::new(&app, "owner", Role::Admin).await;
    // Who shows nothing has no profile.
    owner.actor.saves(json!({ "title": "Shown", "visibility": "public" })).await;
    for route in with_ids(&app).await {
        let answer = sends(&owner.actor, &route, &owner.address(&route)).await;
        assert!(answer.status() < 400 || [409, 412, 422].contains(&answer.status()), "{answer}");
        if route.method != Method::GET {
            owner = Owner::of(&app, signed_in_again(&app, owner.actor).await).await;
        }
    }
}

/// Some addresses end sessions, the own ones too.
async fn signed_in_again(app: &App, actor: Actor) -> Actor {
    if actor.is_signed_in().await { actor } else { app.another_browser_of(&actor.name).await }
}

on_both_engines!(no_page_of_anybody_else_shows_it, "--fetch=on");
async fn no_page_of_anybody_else_shows_it(app: App) {
    let owner = Owner::new(&app, "owner", Role::Member).await;
    let people = [app.signed_in("other").await, app.admin("root").await, app.visitor()];
    for route in routes(&app).await.into_iter().filter(|route| route.method == Method::GET) {
        for person in &people {
            let answer = person.get(&owner.address(&route)).await;
            assert!(answer.status() < 500, "{answer}");
            answer.lacks(MARK).lacks(&MARK.to_lowercase());
        }
    }
}

on_both_engines!(the_admins_pages_are_not_there_for_members, "--fetch=on");
async fn the_admins_pages_are_not_there_for_members(app: App) {
    let owner = Owner::new(&app, "owner", Role::Admin).await;
    let (member, visitor) = (app.signed_in("member").await, app.visitor());
    let before = Dump::of(&app.coffer.db).await.without(&WRITTEN_DOWN);
    let mut count = 0;
    for route in routes(&app).await.into_iter().filter(Route::is_for_admins) {
        let path = owner.address(&route);
        sends(&member, &route, &path).await.is(404);
        leads_to_login(&sends(&visitor, &route, &path).await);
        Ask::new(&member, Method::HEAD, &path).await;
        Dump::of(&app.coffer.db).await.is(&before, &route.to_string());
        count += 1;
    }
    assert!(count > 10, "the admins' addresses: {count}");
}
