//! Whole pages: kept as bytes until the first change; a visitor's is named by a tag, a member's is for their session.

use reqwest::Method;
use serde_json::json;

use crate::support::answer::Answer;
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

on_both_engines!(private_pages_are_not_kept_by_shared_caches);
async fn private_pages_are_not_kept_by_shared_caches(app: App) {
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
    let plain = app.visitor().get(&entry.page()).await.ok();
    let packed = app.visitor().get(&entry.page()).header("accept-encoding", "gzip").await.ok();
    assert_eq!(unpacked(&packed), plain.text());
    let unlisted = app.visitor().get(&entry.page()).header("accept-encoding", "br").await.ok();
    for page in [plain, packed, unlisted] {
        assert_eq!(page.all_of_header("vary"), ["cookie, accept-encoding"]);
    }
}

on_both_engines!(a_members_page_is_compressed_once);
async fn a_members_page_is_compressed_once(app: App) {
    let ada = app.signed_in("ada").await;
    let entry = ada.saves(json!({ "title": "Tide tables" })).await;
    for path in [entry.page(), "/resources".to_owned()] {
        let ask = |coding: &'static str| ada.get(&path).header("accept-encoding", coding);
        let packed = ask("gzip, br").await.ok().header_is("cache-status", "coffer; fwd=miss");
        let again = ask("gzip, br").await.ok().header_is("cache-status", "coffer; hit; detail=l1");
        assert_eq!(packed.bytes(), again.bytes());
        assert!(packed.header("vary").contains("accept-encoding"));
        let plain = ask("identity").await.ok().header_is("cache-status", "coffer; hit; detail=l1");
        assert_eq!(unpacked(&packed), plain.header_is("content-encoding", "").text());
    }
}

on_both_engines!(a_page_that_was_kept_plain_is_compressed_for_who_asks);
async fn a_page_that_was_kept_plain_is_compressed_for_who_asks(app: App) {
    let ada = app.signed_in("ada").await;
    let page = ada.saves(json!({ "title": "Tide tables" })).await.page();
    let plain = ada.get(&page).header("accept-encoding", "identity").await.ok();
    let packed = ada.get(&page).header("accept-encoding", "gzip").await.ok();
    assert_eq!(unpacked(&packed), plain.text());
}

on_both_engines!(what_fits_into_a_packet_is_not_compressed);
async fn what_fits_into_a_packet_is_not_compressed(app: App) {
    let ada = app.signed_in("ada").await;
    let small = ada.saves(json!({ "title": "Small", "body": "a".repeat(100) })).await.api();
    let large = ada.saves(json!({ "title": "Large", "body": "a".repeat(1_024) })).await.api();
    for (path, coding) in [(small, ""), (large, "gzip")] {
        let answer = ada.get(&path).header("accept-encoding", "gzip").await.ok();
        answer.header_is("content-encoding", coding);
    }
}

fn unpacked(answer: &Answer) -> String {
    assert_eq!(answer.header("content-encoding"), "gzip");
    let mut text = String::new();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(answer.bytes()), &mut text)
        .expect("gzip");
    text
}

on_both_engines!(a_members_page_is_kept_for_one_session_until_something_changes);
async fn a_members_page_is_kept_for_one_session_until_something_changes(app: App) {
    let (ada, eve) = (app.signed_in("ada").await, app.signed_in("eve").await);
    let elsewhere = app.another_browser_of("ada").await;
    let entry = ada.saves(json!({ "title": "Tide tables", "visibility": "members" })).await;
    let (page, list) = (entry.page(), "/resources".to_owned());
    let change = format!("{page}/edit");
    for path in [&page, &list] {
        for reader in [&ada, &eve, &elsewhere] {
            let first = reader.get(path).await.ok().header_is("cache-status", "coffer; fwd=miss");
            let again = reader.get(path).await.ok().header_is("cache-status", "coffer; hit; detail=l1");
            let again = again.text_has("Tide tables").text_has(&reader.token());
            assert_eq!(first.text(), again.text());
            for other in [&ada, &eve, &elsewhere].into_iter().filter(|other| other.token() != reader.token())
            {
                assert!(!again.text().contains(&other.token()), "{path}: another session's token");
            }
        }
    }
    ada.get(&page).await.ok().text_has(&change);
    eve.get(&page).await.ok().lacks(&change);

    for (number, body) in
        [json!({ "title": "Ebb tables" }), json!({ "tags": ["sea"] })].into_iter().enumerate()
    {
        ada.json(Method::PATCH, &entry.api(), body).if_match("*").await.ok();
        for (reader, path) in [(&ada, &page), (&eve, &page), (&ada, &list), (&eve, &list)] {
            let shown = reader.get(path).await.ok().text_has("Ebb tables");
            assert_eq!(shown.text().contains("tag=sea"), number == 1, "{path}");
        }
    }
    ada.post_form(&format!("{page}/pin"), &[]).await.redirects_to(&page);
    // The first page after it says what happened, the next does not.
    ada.get(&page).await.ok().text_has("Unpin").text_has("Pinned.");
    ada.get(&page).await.ok().text_has("Unpin").lacks("Pinned.");

    app.coffer.accounts.rename(&app.viewer("ada").await, "Ada Lovelace").await.expect("a name");
    ada.get(&list).await.ok().text_has("Ada Lovelace");
    eve.get(&page).await.ok().text_has("Ada Lovelace");

    ada.json(Method::PATCH, &entry.api(), json!({ "visibility": "private" })).if_match("*").await.ok();
    eve.get(&page).await.is(404);
    eve.get(&list).await.ok().lacks("Ebb tables");
    ada.get(&list).await.ok().text_has("Ebb tables");
}
