//! Public profiles and feeds for browsers and feed readers.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::get;
use serde::Deserialize;

use super::{Profile, atom};
use crate::error::{Error, Result};
use crate::identity::Viewer;
use crate::public_url::PublicUrl;
use crate::resources::pages::views::{At, Row, Waiting};
use crate::resources::{Resources, ResourcesState, cached};
use crate::web::deps::WebDeps;
use crate::web::forms::{Query, encode};
use crate::web::page_cache;
use crate::web::page_context::{PageContext, page};
use crate::web::path::Username;

/// The feed of all public resources.
pub const FEED: &str = "/feed.atom";

pub fn routes() -> Router<ResourcesState> {
    Router::new()
        .route(FEED, get(feed))
        .route("/u/{username}", get(profile))
        .route("/u/{username}/feed.atom", get(feed_of))
}

/// The path of a profile.
pub fn href(profile: &Profile) -> String {
    format!("/u/{}", profile.username)
}

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
    context: PageContext,
    username: String,
    name: String,
    public: i64,
    since: At,
    feed: String,
    rows: Vec<Row<'a>>,
    waiting: Waiting,
    next: Option<String>,
    first: Option<String>,
    older_follow: bool,
}

async fn profile(
    State(resources): State<Arc<Resources>>,
    viewer: Viewer,
    context: PageContext,
    headers: HeaderMap,
    Username(username): Username,
    Query(params): Query<ProfileQuery>,
) -> Result<Response> {
    let render =
        || render(resources.clone(), viewer.clone(), context.clone(), username.clone(), params.clone());
    page_cache::page(
        &resources.cache,
        &viewer,
        &context,
        &headers,
        cached::list_scopes(&Viewer::Visitor),
        render,
    )
    .await
}

async fn render(
    resources: Arc<Resources>,
    viewer: Viewer,
    context: PageContext,
    username: String,
    params: ProfileQuery,
) -> Result<Response> {
    let profile = resources.profile(&username).await?;
    let listing = resources.public_resources_of(&profile, &params.cursor).await?;
    // The heading names the owner of them all, and all are public.
    let rows = Row::all(&listing, &viewer).into_iter().map(|row| Row { by: None, visibility: None, ..row });
    let (here, toast) = (href(&profile), context.toast.is_some());
    let shown = ProfilePage {
        context,
        username: profile.username.clone(),
        name: profile.display_name.clone(),
        public: profile.public,
        since: profile.since.into(),
        feed: feed_href(&profile),
        rows: rows.collect(),
        waiting: Waiting::default(),
        next: listing.next.as_ref().map(|cursor| format!("{here}?cursor={}", encode(cursor))),
        first: (!params.cursor.is_empty()).then_some(here),
        older_follow: false,
    };
    page(&shown, toast)
}

async fn feed(
    State(resources): State<Arc<Resources>>,
    State(deps): State<Arc<WebDeps>>,
    headers: HeaderMap,
) -> Result<Response> {
    latest(&resources, &deps.public_url, &headers, None).await
}

async fn feed_of(
    State(resources): State<Arc<Resources>>,
    State(deps): State<Arc<WebDeps>>,
    headers: HeaderMap,
    Username(username): Username,
) -> Result<Response> {
    latest(&resources, &deps.public_url, &headers, Some(username)).await
}

async fn latest(
    resources: &Arc<Resources>,
    site: &PublicUrl,
    headers: &HeaderMap,
    of: Option<String>,
) -> Result<Response> {
    let id = ["feed", of.as_deref().unwrap_or_default()];
    let render = {
        let (resources, origin, of) = (resources.clone(), site.address(), of.clone());
        async move {
            let feed = resources.feed(of.as_deref()).await?;
            // Rendering fifty texts would block the other requests of this thread.
            let written = tokio::task::spawn_blocking(move || atom::write(&feed, &origin)).await;
            written.map(Bytes::from).map_err(|error| Error::Internal(format!("writing a feed: {error}")))
        }
    };
    let media_type = "application/atom+xml; charset=utf-8";
    page_cache::document(
        &resources.cache,
        headers,
        &id,
        media_type,
        cached::list_scopes(&Viewer::Visitor),
        render,
    )
    .await
}
