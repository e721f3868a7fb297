//! Books: saved, listed, cached, limited and counted like what they replace.

use reqwest::Method;
use serde_json::json;

use crate::support::app::App;
use crate::support::on_both_engines;

fn hits(app: &App) -> f64 {
    app.scraped("coffer_cache_requests_total", &[("cache", "shelf"), ("tier", "l1"), ("outcome", "hit")])
}

on_both_engines!(a_book_is_saved_listed_and_cached);
async fn a_book_is_saved_listed_and_cached(app: App) {
    let ada = app.signed_in("ada").await;
    ada.get("/books").await.ok().has("p", "No books yet.");
    let form = [("title", "Middlemarch"), ("author", "George Eliot")];
    ada.post_form("/books", &form).await.redirects_to("/books");
    ada.get("/books").await.ok().has(".books li", "Middlemarch").has(".toast", "Saved.");
    let before = hits(&app);
    ada.get("/books").await.ok().has_no(".toast");
    assert!(hits(&app) > before, "the list comes from memory");
    ada.json(Method::POST, "/api/v1/books", json!({ "title": "Emma", "author": "Jane Austen" })).await.is(201);
    let books = ada.get("/api/v1/books").await.ok().json();
    assert_eq!(books["items"][0]["title"], "Emma", "{books}");
}

on_both_engines!(a_book_is_its_owners_alone);
async fn a_book_is_its_owners_alone(app: App) {
    let (ada, eve) = (app.signed_in("ada").await, app.signed_in("eve").await);
    ada.post_form("/books", &[("title", "Emma"), ("author", "Jane Austen")]).await.redirects_to("/books");
    eve.get("/books").await.ok().lacks("Emma");
    app.visitor().get("/books").await.redirects_to("/login?next=%2Fbooks");
    ada.post_form("/books", &[("title", ""), ("author", "x")]).await.is(422).has("#title-error", "Enter 1 to 200");
}

on_both_engines!(the_limits_and_the_figures_know_it, "--rate-limit-api=2/min");
async fn the_limits_and_the_figures_know_it(app: App) {
    let (root, visitor) = (app.admin("root").await, app.visitor());
    root.get("/books").await.ok();
    while visitor.get("/api/v1/books").await.status() != 429 {}
    root.get("/admin/metrics").await.ok().has("h1", "Metrics");
    let counted = app.scraped("http_server_request_duration_seconds_count", &[("http_route", "/books")]);
    assert!(counted > 0.5, "{counted}");
}

#[test]
fn the_description_names_it() {
    let document = coffer::app::openapi();
    assert!(document["paths"]["/api/v1/books"]["post"].is_object());
}
