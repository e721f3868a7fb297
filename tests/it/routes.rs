//! Every address answers, as a page and as JSON.

use serde_json::json;

use crate::support::app::App;
use crate::support::on_both_engines;

on_both_engines!(a_saved_link_has_a_page_and_a_json_twin);
async fn a_saved_link_has_a_page_and_a_json_twin(app: App) {
    let owner = app.signed_in("owner").await;
    let entry = owner.saves(json!({ "title": "Tide tables", "url": "https://tides.example/" })).await;
    owner.get(&entry.page()).await.ok().has("h1", "Tide tables");
    let twin = owner.get(&entry.api()).await.ok().json();
    assert_eq!((&twin["title"], &twin["owner"]), (&json!("Tide tables"), &json!("owner")));
}
