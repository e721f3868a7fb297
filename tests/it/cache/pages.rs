//! Pages for visitors: kept as bytes, named by a tag, gone with the first change.

use reqwest::Method;
use serde_json::json;

use crate::support::app::App;
use crate::support::on_both_engines;

on_both_engines!(a_visitor_who_has_the_page_is_not_sent_it_again);
async fn a_visitor_who_has_the_page_is_not_sent_it_again(app: App) {
    let ada = app.signed_in("ada").await;
    let entry = ada.saves(json!({ "title": "Tide tables", "visibility": "public" })).await;
    let visitor = app.visitor();
    for path in [entry.page(), "/resources".to_owned(), "/".to_owned()] {
        visitor
            .get(&path)
            .await
            .ok()
            .text_has("Tide tables")
            .header_is("cache-control", "public, max-age=5, stale-while-revalidate=10");
        let tag = visitor.get(&path).await.ok().header("etag");
        let again = visitor.get(&path).header("if-none-match", &tag).await.is(304);
        again.header_is("etag", &tag).header_is("cache-status", "coffer; hit; detail=l1");
        ada.json(Method::PATCH, &entry.api(), json!({ "body": path })).if_match("*").await.ok();
        let changed = visitor.get(&path).header("if-none-match", &tag).await;
        assert!(changed.status() == 200 || path == "/", "{path}: a change makes another tag");
    }
    let json = visitor.get(&entry.api()).await.ok().header("etag");
    visitor.get(&entry.api()).header("if-none-match", &json).await.is(304);
}

on_both_engines!(what_belongs_to_somebody_is_kept_by_nobody_else);
async fn what_belongs_to_somebody_is_kept_by_nobody_else(app: App) {
    let ada = app.signed_in("ada").await;
    let entry = ada.saves(json!({ "title": "Tide tables", "visibility": "public" })).await;
    for path in [entry.page(), entry.api(), "/resources".to_owned(), "/api/v1/resources".to_owned()] {
        ada.get(&path).await.ok().header_is("cache-control", "private, no-store");
    }
    let visitor = app.visitor();
    visitor.get(&entry.page()).await.ok().text_has("Tide tables");
    ada.json(Method::PATCH, &entry.api(), json!({ "visibility": "private" })).if_match("*").await.ok();
    visitor.get(&entry.page()).await.is(404);
    visitor.get(&entry.api()).await.is(404);
    visitor.get("/resources").await.ok().lacks("Tide tables");
}

on_both_engines!(the_compressed_page_is_the_page);
async fn the_compressed_page_is_the_page(app: App) {
    let ada = app.signed_in("ada").await;
    let entry = ada.saves(json!({ "title": "Tide tables", "visibility": "public" })).await;
    let visitor = app.visitor();
    let plain = visitor.get(&entry.page()).await.ok();
    let packed = visitor.get(&entry.page()).header("accept-encoding", "gzip").await.ok();
    let packed = packed.header_is("content-encoding", "gzip");
    let mut text = String::new();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(packed.bytes()), &mut text)
        .expect("gzip");
    assert_eq!(text, plain.text());
}
