//! The library in a browser.

mod conflict;
mod editor;
mod form;
mod history;
mod library;
mod names;
mod rows;
mod show;
mod tags;
mod trash;
pub(super) mod views;

use axum::Router;
use axum::routing::{get, post};

use crate::resources::ResourcesState;

pub fn routes() -> Router<ResourcesState> {
    Router::new()
        .route("/", get(library::home))
        .route("/resources", get(library::list).post(editor::create))
        .route("/resources/new", get(editor::new))
        .route("/resources/{id}", get(show::find).post(editor::update))
        .route("/resources/{id}/edit", get(editor::edit))
        .route("/resources/{id}/row", get(rows::row))
        .route("/resources/{id}/details", get(rows::details).post(rows::update_details))
        .route("/resources/{id}/pin", post(show::pin))
        .route("/resources/{id}/unpin", post(show::unpin))
        .route("/resources/{id}/trash", post(trash::trash))
        .route("/resources/{id}/restore", post(trash::restore))
        .route("/resources/{id}/delete", post(trash::delete))
        .route("/resources/{id}/revisions", get(history::revisions))
        .route("/resources/{id}/revisions/{version}", get(history::revision))
        .route("/resources/{id}/revisions/{version}/restore", post(history::restore_revision))
        .route("/tags", get(tags::tags))
        .route("/trash", get(trash::trashed))
}
