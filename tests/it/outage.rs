//! The database away and back: everyone is told the truth, nothing typed is lost, no one is signed out.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;

use crate::support::app::App;
use crate::support::postgres::PostgresServer;
use crate::support::wait::eventually;

const LIMIT: Duration = Duration::from_secs(20);

#[tokio::test]
async fn without_its_database_coffer_says_so_and_heals() {
    let server = PostgresServer::start().await;
    let app = App::with_postgres(&server).await;
    let ada = app.signed_in("ada").await;
    let entry = ada.saves(json!({ "title": "Acknowledged" })).await;
    server.stop();

    let asked = Instant::now();
    ada.get("/resources").expecting_trouble().await.error_page(503).header_is("retry-after", "5");
    ada.get(&entry.api())
        .expecting_trouble()
        .await
        .is(503)
        .problem("unavailable")
        .header_is("retry-after", "5");
    let change = ada.json(Method::PATCH, &entry.api(), json!({ "title": "New" })).if_match("*");
    change.expecting_trouble().await.is(503).problem("unavailable");
    let form = [("kind", "note"), ("title", "Typed"), ("body", "Every word")];
    let refused = ada.post_form("/resources", &form).expecting_trouble().await.error_page(503);
    refused.has("main textarea", "Typed").has("main textarea", "Every word").lacks("postgres");
    assert!(asked.elapsed() < Duration::from_secs(10), "each within the time limit: {:?}", asked.elapsed());
    app.visitor().get("/healthz").await.ok();
    let ready = app.visitor().get("/readyz").expecting_trouble().await.is(503).json();
    assert_eq!(ready["dependencies"][0], json!({ "name": "postgres", "up": false, "required": true }));

    server.restart().await;
    let healed = eventually(LIMIT, async || {
        let answer = ada.get(&entry.api()).expecting_trouble().await;
        if answer.status() == 200 { Ok(()) } else { Err(answer) }
    });
    healed.await.expect("coffer is well again");
    assert!(ada.is_signed_in().await);
    ada.get("/readyz").await.ok();
    assert_eq!(ada.get(&entry.api()).await.ok().json()["title"], "Acknowledged");
}
