//! Ranked results, page by page.

use std::time::Duration;

use serde_json::json;

use crate::support::app::App;
use crate::support::on_both_engines;

on_both_engines!(ranked_pages_continue_where_the_last_one_ended);
async fn ranked_pages_continue_where_the_last_one_ended(app: App) {
    let owner = app.signed_in("owner").await;
    // The more often, the better; of equals the latest first.
    for (title, body) in [("a", 1), ("b", 3), ("c", 1), ("d", 5), ("e", 2), ("f", 1), ("g", 4)] {
        let filler = vec!["calm"; 5 - body].join(" ");
        let body = format!("{} {filler}", vec!["tide"; body].join(" "));
        owner.saves(json!({ "title": title, "body": body })).await;
        app.later(Duration::from_secs(1));
    }
    let mut titles = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = owner.get(&format!("/api/v1/resources?q=tide+&limit=3&cursor={cursor}")).await.ok().json();
        let items = page["items"].as_array().expect("items");
        titles.extend(items.iter().map(|item| item["title"].as_str().expect("a title").to_owned()));
        match page["next_cursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => break,
        }
    }
    assert_eq!(titles.concat(), "dgbefca");
}
