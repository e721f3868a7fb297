//! The library in a browser.

mod editor;
mod entry;
mod history;
mod library;
mod names;
pub(super) mod views;

use axum::Router;
use axum::routing::{get, post};

use crate::app::App;

pub fn routes() -> Router<App> {
    Router::new()
        .route("/", get(library::home))
        .route("/resources", get(library::index).post(editor::create))
        .route("/resources/new", get(editor::new))
        .route("/resources/{id}", get(entry::show).post(editor::update))
        .route("/resources/{id}/edit", get(editor::edit))
        .route("/resources/{id}/row", get(library::row))
        .route("/resources/{id}/details", get(library::details).post(library::save_details))
        .route("/resources/{id}/pin", post(entry::pin))
        .route("/resources/{id}/unpin", post(entry::unpin))
        .route("/resources/{id}/trash", post(entry::trash))
        .route("/resources/{id}/restore", post(entry::restore))
        .route("/resources/{id}/delete", post(entry::delete))
        .route("/resources/{id}/revisions", get(history::index))
        .route("/resources/{id}/revisions/{version}", get(history::show))
        .route("/resources/{id}/revisions/{version}/restore", post(history::restore))
        .route("/tags", get(library::tags))
        .route("/trash", get(entry::trashed))
}
