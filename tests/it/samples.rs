//! The sample entries of a first run.

use coffer::resources::Visibility;
use serde_json::json;

use crate::support::app::App;
use crate::support::on_both_engines;

on_both_engines!(forty_entries_come_and_go_with_a_click);
async fn forty_entries_come_and_go_with_a_click(app: App) {
    let ada = app.signed_in("ada").await;
    let own = ada.saves(json!({ "title": "Own", "tags": ["sea"] })).await;
    ada.json_free(reqwest::Method::DELETE, &own.api()).await.is(204);
    let page = ada.get("/resources").await.ok().has(".first-steps form", "Load sample entries");
    page.has(".first-steps p", "Ten of them are public.");
    ada.post_form("/samples", &[]).await.redirects_to("/resources");
    let list = ada.get("/resources").await.ok().has(".found", "40 entries");
    assert_eq!(list.texts(".entry-title").len(), 40);
    for (search, wanted) in
        [("q=oatcakes", 2), ("q=is:pinned", 3), ("q=is:unread", 3), ("q=kind:note", 10), ("tag=recipes", 3)]
    {
        let found = ada.get(&format!("/resources?{search}")).await.ok().texts(".entry-title");
        assert!(found.len() >= wanted, "{search}: {found:?}");
    }
    let public = app.visitor().get("/u/ada").await.ok();
    assert_eq!(public.texts(".entry-title").len(), 10, "{public}");
    for visibility in Visibility::ALL {
        let only = format!("/api/v1/resources?q=visibility:{}", visibility.as_str());
        assert!(!ada.get(&only).await.ok().json()["items"].as_array().expect("items").is_empty(), "{only}");
    }

    let changed = ada.get("/api/v1/resources?q=sourdough").await.ok().json()["items"][0].clone();
    let changed = format!("/api/v1/resources/{}", changed["id"].as_str().expect("an id"));
    ada.json(reqwest::Method::PATCH, &changed, json!({ "title": "My sourdough" })).if_match("*").await.ok();
    let report = ada.post_form("/samples/remove", &[]).await.is(303).header("location");
    ada.get(&report).await.ok().has("#stayed", "My sourdough");
    assert_eq!(ada.get("/resources").await.ok().texts(".entry-title"), ["My sourdough"]);
    ada.post_form("/samples/remove", &[]).await.redirects_to("/resources");
    ada.get("/resources").await.ok().text_has("The sample entries that are left were changed");
}

on_both_engines!(samples_that_were_loaded_twice_are_removed_at_once);
async fn samples_that_were_loaded_twice_are_removed_at_once(app: App) {
    let ada = app.signed_in("ada").await;
    for _ in 0..2 {
        ada.post_form("/samples", &[]).await.redirects_to("/resources");
    }
    ada.get("/resources").await.ok().has(".found", "40 entries");
    ada.post_form("/samples/remove", &[]).await.is(303);
    assert!(ada.get("/resources").await.ok().texts(".entry-title").is_empty());
}
