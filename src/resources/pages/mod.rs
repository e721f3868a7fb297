//! The library in a browser.

mod back;
mod bulk;
mod capture;
mod changed;
mod chosen;
mod conflict;
mod editor;
mod fetch;
mod flash;
mod form;
mod history;
pub mod icons;
mod library;
mod names;
mod pinned;
mod results;
mod rows;
mod searches;
mod several;
mod show;
mod sieve;
mod tag_change;
mod tags;
mod tools;
mod trash;
pub mod views;

pub use self::library::href as list_href;

use axum::Router;
use axum::routing::{get, post};

use crate::resources::ResourcesState;

pub fn routes() -> Router<ResourcesState> {
    Router::new()
        .route("/", get(library::home))
        .route("/resources", get(library::list).post(capture::create))
        .route("/resources/new", get(capture::new))
        .route("/resources/several", post(several::create))
        .route("/resources/many", post(bulk::change))
        .route("/capture", get(tools::window))
        .route(tools::SAVED, get(tools::saved))
        .route("/settings/capture", get(tools::settings))
        .route("/opensearch.xml", get(tools::opensearch))
        .route("/changes/{id}", get(bulk::progress))
        .route("/changes/{id}/undo", post(bulk::undo))
        .route("/resources/fetched", get(fetch::fetched))
        .route("/resources/{id}/fetch", post(fetch::again))
        .route("/resources/{id}", get(show::find).post(editor::update))
        .route("/resources/{id}/edit", get(editor::edit))
        .route("/resources/{id}/row", get(rows::row))
        .route("/resources/{id}/details", get(rows::details).post(rows::update_details))
        .route("/resources/{id}/pin", post(show::pin))
        .route("/resources/{id}/unpin", post(show::unpin))
        .route("/resources/{id}/unread", post(show::keep_unread))
        .route("/resources/{id}/read", post(show::mark_read))
        .route("/resources/{id}/trash", post(trash::trash))
        .route("/resources/{id}/restore", post(trash::restore))
        .route("/resources/{id}/delete", post(trash::delete))
        .route("/resources/{id}/revisions", get(history::revisions))
        .route("/resources/{id}/revisions/{version}", get(history::revision))
        .route("/resources/{id}/revisions/{version}/restore", post(history::restore_revision))
        .route("/searches", get(searches::list).post(searches::create))
        .route("/searches/{id}", post(searches::rename))
        .route("/searches/{id}/up", post(searches::move_up))
        .route("/searches/{id}/down", post(searches::move_down))
        .route("/searches/{id}/delete", post(searches::delete))
        .route("/searches/{id}/feed.atom", get(searches::feed))
        .route("/tags", get(tags::tags))
        .route("/tags/names", get(tags::names))
        .route("/tags/edit", get(tag_change::edit))
        .route("/tags/change", get(tag_change::plan).post(tag_change::change))
        .route("/trash", get(trash::trashed))
        .route("/trash/restore", post(bulk::restore_all))
        .route("/trash/empty", post(trash::empty))
}
