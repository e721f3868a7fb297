//! Public profiles and feeds for browsers and feed readers.

use askama::Template;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::get;
use serde::Deserialize;

use super::{Profile, atom};
use crate::app::App;
use crate::error::{Error, Result};
use crate::resources::cached;
use crate::resources::pages::views::{At, Row};
use crate::web::chrome::{Chrome, page};
use crate::web::forms::{Query, encode};
use crate::web::page_cache;
use crate::web::path::Username;
use crate::web::viewer::Viewer;

/// The feed of all public resources.
pub const FEED: &str = "/feed.atom";

pub fn routes() -> Router<App> {
    Router::new()
        .route(FEED, get(feed))
        .route("/u/{username}", get(profile))
        .route("/u/{username}/feed.atom", get(feed_of))
}

/// The path of a profile.
#[must_use]
pub fn href(profile: &Profile) -> String {
    format!("/u/{}", profile.username)
}

#[must_use]
pub fn feed_href(profile: &Profile) -> String {
    format!("/u/{}/feed.atom", profile.username)
}

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct ProfileQuery {
    cursor: String,
}

#[derive(Template)]
#[template(path = "public/profile.html")]
struct ProfilePage<'a> {
    chrome: Chrome,
    username: String,
    name: String,
    public: i64,
    since: At,
    feed: String,
    rows: Vec<Row<'a>>,
    next: Option<String>,
    first: Option<String>,
}

async fn profile(
    State(app): State<App>,
    viewer: Viewer,
    chrome: Chrome,
    headers: HeaderMap,
    Username(username): Username,
    Query(params): Query<ProfileQuery>,
) -> Result<Response> {
    let render = || render(app.clone(), viewer.clone(), chrome.clone(), username.clone(), params.clone());
    page_cache::page(&app, &viewer, &chrome, &headers, cached::list_scopes(&Viewer::Visitor), render).await
}

async fn render(
    app: App,
    viewer: Viewer,
    chrome: Chrome,
    username: String,
    params: ProfileQuery,
) -> Result<Response> {
    let profile = app.resources.profile(&username).await?;
    let listing = app.resources.public_resources_of(&profile, &params.cursor).await?;
    // The heading names the owner of them all.
    let rows = Row::all(&listing, &viewer).into_iter().map(|row| Row { by: None, ..row });
    let (here, toast) = (href(&profile), chrome.toast.is_some());
    let shown = ProfilePage {
        chrome,
        username: profile.username.clone(),
        name: profile.display_name.clone(),
        public: profile.public,
        since: profile.since.into(),
        feed: feed_href(&profile),
        rows: rows.collect(),
        next: listing.next.as_ref().map(|cursor| format!("{here}?cursor={}", encode(cursor))),
        first: (!params.cursor.is_empty()).then_some(here),
    };
    page(&shown, toast)
}

async fn feed(State(app): State<App>, headers: HeaderMap) -> Result<Response> {
    latest(&app, &headers, None).await
}

async fn feed_of(
    State(app): State<App>,
    headers: HeaderMap,
    Username(username): Username,
) -> Result<Response> {
    latest(&app, &headers, Some(username)).await
}

async fn latest(app: &App, headers: &HeaderMap, of: Option<String>) -> Result<Response> {
    let id = ["feed", of.as_deref().unwrap_or_default()];
    let render = {
        let (app, of) = (app.clone(), of.clone());
        async move {
            let feed = app.resources.feed(of.as_deref()).await?;
            // Rendering fifty texts would block the other requests of this thread.
            let written = tokio::task::spawn_blocking(move || atom::write(&feed, &app.site.origin())).await;
            written.map(Bytes::from).map_err(|error| Error::Internal(format!("writing a feed: {error}")))
        }
    };
    let media_type = "application/atom+xml; charset=utf-8";
    page_cache::document(app, headers, &id, media_type, cached::list_scopes(&Viewer::Visitor), render).await
}
