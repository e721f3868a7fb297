//! Where a person is signed in: the list, and ending it there.

use std::time::Duration;

use coffer::identity::Role;
use reqwest::Method;
use serde_json::Value;

use crate::support::actor::Actor;
use crate::support::app::{App, PASSWORD};
use crate::support::on_both_engines;

const LIST: &str = "/api/v1/me/sessions";
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

async fn devices(actor: &Actor) -> Vec<Value> {
    actor.get(LIST).await.ok().json()["items"].as_array().expect("items").clone()
}

/// The ids of the devices that don't ask.
async fn others(actor: &Actor) -> Vec<String> {
    let others = devices(actor).await.into_iter().filter(|device| device["current"] == false);
    others.map(|device| device["id"].as_str().expect("an id").to_owned()).collect()
}

on_both_engines!(the_list_shows_browser_network_and_times);
async fn the_list_shows_browser_network_and_times(app: App) {
    app.has_account("ada", Role::Member).await;
    let ada = app.visitor();
    let form = [("login", "ada"), ("password", PASSWORD)];
    ada.post_form("/login", &form).header("user-agent", FIREFOX).await.is(303);
    app.later(Duration::from_hours(1));
    let elsewhere = app.another_browser_of("ada").await;
    let page = elsewhere.get("/settings/sessions").await.ok().has("h1", "Devices");
    let page =
        page.has(".holdings h2", "Firefox on Linux").has(".badge", "This device").text_has("This network");
    assert_eq!(page.texts(".holdings li").len(), 2);
    assert!(page.texts(".holdings li")[0].contains("This device"), "the one that asks comes first");
    let listed = devices(&elsewhere).await;
    assert_eq!((&listed[0]["current"], &listed[1]["browser"]), (&true.into(), &"Firefox on Linux".into()));
    assert_eq!(listed[1]["same_network"], true);
    assert!(listed[1]["first_seen"].as_str() < listed[0]["first_seen"].as_str());
}

on_both_engines!(the_list_holds_nothing_that_signs_in);
async fn the_list_holds_nothing_that_signs_in(app: App) {
    let ada = app.signed_in("ada").await;
    let cookie = ada.cookie("__Host-coffer").expect("a session");
    ada.get("/settings/sessions").await.ok().lacks(&cookie);
    for device in devices(&ada).await {
        let thief = app.visitor();
        thief.sets_cookie("__Host-coffer", device["id"].as_str().expect("an id"));
        assert!(!thief.is_signed_in().await);
    }
}

on_both_engines!(one_device_is_logged_out_by_page_and_by_json);
async fn one_device_is_logged_out_by_page_and_by_json(app: App) {
    let ada = app.signed_in("ada").await;
    for by_page in [true, false] {
        let elsewhere = app.another_browser_of("ada").await;
        let id = others(&ada).await.remove(0);
        if by_page {
            let end = format!("/settings/sessions/{id}/end");
            ada.post_form(&end, &[]).await.redirects_to("/settings/sessions");
            ada.get("/settings/sessions")
                .await
                .ok()
                .has(".toast", "logged out")
                .text_has("not logged in anywhere else");
        } else {
            ada.json_free(Method::DELETE, &format!("{LIST}/{id}")).await.is(204);
        }
        assert!(!elsewhere.is_signed_in().await && ada.is_signed_in().await);
        ada.json_free(Method::DELETE, &format!("{LIST}/{id}")).await.is(404).problem("not_found");
    }
}

on_both_engines!(all_others_are_logged_out_at_once);
async fn all_others_are_logged_out_at_once(app: App) {
    let (ada, eve) = (app.signed_in("ada").await, app.signed_in("eve").await);
    let mut elsewhere = Vec::new();
    for _ in 0..4 {
        elsewhere.push(app.another_browser_of("ada").await);
    }
    let (there, here) = (&elsewhere[0], &ada);
    there.json_free(Method::DELETE, LIST).await.is(204);
    assert!(there.is_signed_in().await && !here.is_signed_in().await && eve.is_signed_in().await);
    let back = app.another_browser_of("ada").await;
    back.post_form("/settings/sessions/others/end", &[]).await.redirects_to("/settings/sessions");
    for old in &elsewhere {
        assert!(!old.is_signed_in().await);
    }
    assert!(back.is_signed_in().await && devices(&back).await.len() == 1);
}

on_both_engines!(nobody_ends_somebody_elses_device);
async fn nobody_ends_somebody_elses_device(app: App) {
    let (ada, eve) = (app.signed_in("ada").await, app.signed_in("eve").await);
    let id = devices(&ada).await[0]["id"].as_str().expect("an id").to_owned();
    eve.json_free(Method::DELETE, &format!("{LIST}/{id}")).await.is(404);
    eve.post_form(&format!("/settings/sessions/{id}/end"), &[]).await.error_page(404);
    assert!(ada.is_signed_in().await);
    app.visitor().get("/settings/sessions").await.redirects_to("/login?next=%2Fsettings%2Fsessions");
    app.visitor().get(LIST).await.is(401).problem("sign_in_required");
}

on_both_engines!(when_it_was_last_seen_is_noted_every_five_minutes);
async fn when_it_was_last_seen_is_noted_every_five_minutes(app: App) {
    let ada = app.signed_in("ada").await;
    let seen = async || devices(&ada).await[0]["last_seen"].clone();
    let first = seen().await;
    app.later(Duration::from_mins(4));
    seen().await;
    assert_eq!(seen().await, first);
    app.later(Duration::from_mins(2));
    seen().await;
    assert_ne!(seen().await, first);
}
