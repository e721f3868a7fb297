//! Whatever a request waits for, it waits for no longer than the one limit of them all.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;

use crate::support::app::{App, Engine};

/// The limit, and what a busy machine adds.
const LIMIT: Duration = Duration::from_millis(4_500);

async fn all_waits_come_out_of_one(engine: Engine) {
    let app = App::with_redis(engine).await;
    let ada = app.signed_in("ada").await;
    ada.saves(json!({ "title": "before", "body": "text" })).await;
    app.redis().freeze();
    // All connections that can write.
    let mut held = Vec::new();
    for _ in 0..if engine == Engine::Sqlite { 1 } else { 10 } {
        held.push(app.coffer.db.begin().await.expect("a connection"));
    }
    let began = Instant::now();
    let draft = json!({ "title": "meanwhile", "body": "text" });
    let (page, save) =
        tokio::join!(async { ada.get("/resources?q=cold").expecting_trouble().await }, async {
            ada.json(Method::POST, "/api/v1/resources", draft).expecting_trouble().await
        });
    assert!(began.elapsed() < LIMIT, "{:?}", began.elapsed());
    save.is(503).header_is("retry-after", "5");
    assert!([200, 503].contains(&page.status()), "{page}");
    drop(held);
    app.redis().thaw();
    let found = ada.get("/api/v1/resources?q=meanwhile").await.ok().json();
    assert_eq!(found["items"], json!([]), "what was refused was not saved");
}

#[tokio::test(flavor = "multi_thread")]
async fn all_waits_come_out_of_one_on_sqlite() {
    all_waits_come_out_of_one(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_waits_come_out_of_one_on_postgres() {
    all_waits_come_out_of_one(Engine::Postgres).await;
}
