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

use super::{Profile, Selection, atom, sitemap};
use crate::error::{Error, Result};
use crate::identity::Viewer;
use crate::public_url::PublicUrl;
use crate::resources::listing::Listing;
use crate::resources::pages::views::{At, Row, TagLink, Waiting};
use crate::resources::{Resources, ResourcesState, cached};
use crate::web::deps::WebDeps;
use crate::web::forms::{Query, StrictQuery, encode};
use crate::web::page_cache;
use crate::web::page_context::{PageContext, page};
use crate::web::path::Username;

pub const FEED: &str = "/feed.atom";

pub fn routes() -> Router<ResourcesState> {
    Router::new()
        .route(FEED, get(feed))
        .route("/u/{username}", get(profile))
        .route("/u/{username}/feed.atom", get(feed_of))
        .merge(sitemap::routes())
}

pub fn href(profile: &Profile) -> String {
    format!("/u/{}", profile.username)
}

pub fn feed_href(profile: &Profile) -> String {
    format!("/u/{}/feed.atom", profile.username)
}

/// What a feed or a profile with this tag has behind its path.
pub fn tag_query(tag: &str) -> String {
    format!("?tag={}", encode(tag))
}

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct ProfileQuery {
    tag: String,
    cursor: String,
}

impl ProfileQuery {
    /// The tag and the cursor as the page's next one has them.
    fn with_cursor(&self, cursor: &str) -> String {
        if self.tag.is_empty() {
            return format!("?cursor={}", encode(cursor));
        }
        format!("{}&cursor={}", tag_query(&self.tag), encode(cursor))
    }

    fn without_cursor(&self) -> String {
        if self.tag.is_empty() { String::new() } else { tag_query(&self.tag) }
    }
}

/// Any other parameter is refused by its name, as it would change nothing.
#[derive(Default, Deserialize)]
#[serde(default)]
struct FeedQuery {
    tag: String,
}

#[derive(Template)]
#[template(path = "public/profile.html")]
struct ProfilePage<'a> {
    context: PageContext,
    username: String,
    name: String,
    public: i64,
    since: At,
    /// Of those shown; empty for any.
    tag: String,
    feed: String,
    /// The address of the page, for others to name it.
    address: String,
    rows: Vec<Row<'a>>,
    waiting: Waiting,
    next: Option<String>,
    first: Option<String>,
    older_follow: bool,
}

async fn profile(
    State(resources): State<Arc<Resources>>,
    State(deps): State<Arc<WebDeps>>,
    viewer: Viewer,
    context: PageContext,
    headers: HeaderMap,
    Username(username): Username,
    Query(params): Query<ProfileQuery>,
) -> Result<Response> {
    let render = || {
        let drawing = Drawing { resources: resources.clone(), site: deps.public_url.address() };
        drawing.profile(viewer.clone(), context.clone(), username.clone(), params.clone())
    };
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

struct Drawing {
    resources: Arc<Resources>,
    site: String,
}

impl Drawing {
    async fn profile(
        self,
        viewer: Viewer,
        context: PageContext,
        username: String,
        params: ProfileQuery,
    ) -> Result<Response> {
        let profile = self.resources.profile(&username).await?;
        let listing = self.resources.public_resources_of(&profile, &params.tag, &params.cursor).await?;
        let (here, toast) = (href(&profile), context.toast.is_some());
        let shown = ProfilePage {
            context,
            username: profile.username.clone(),
            name: profile.display_name.clone(),
            public: profile.public,
            since: profile.since.into(),
            feed: format!("{}{}", feed_href(&profile), params.without_cursor()),
            address: format!("{}{here}{}", self.site, params.without_cursor()),
            rows: rows(&listing, &viewer, &here),
            waiting: Waiting::default(),
            next: listing.next.as_ref().map(|cursor| format!("{here}{}", params.with_cursor(cursor))),
            first: (!params.cursor.is_empty()).then(|| format!("{here}{}", params.without_cursor())),
            older_follow: false,
            tag: params.tag,
        };
        page(&shown, toast)
    }
}

/// The heading names the owner of them all, all are public, and their tags stay on the profile.
fn rows<'a>(listing: &'a Listing, viewer: &Viewer, here: &str) -> Vec<Row<'a>> {
    let within = |tag: TagLink| TagLink { href: format!("{here}{}", tag_query(&tag.name)), ..tag };
    let of_profile = |row: Row<'a>| Row {
        by: None,
        visibility: None,
        tags: row.tags.into_iter().map(within).collect(),
        ..row
    };
    Row::all(listing, viewer).into_iter().map(of_profile).collect()
}

async fn feed(
    State(resources): State<Arc<Resources>>,
    State(deps): State<Arc<WebDeps>>,
    headers: HeaderMap,
    StrictQuery(FeedQuery { tag }): StrictQuery<FeedQuery>,
) -> Result<Response> {
    latest(&resources, &deps.public_url, &headers, Selection { username: None, tag }).await
}

async fn feed_of(
    State(resources): State<Arc<Resources>>,
    State(deps): State<Arc<WebDeps>>,
    headers: HeaderMap,
    Username(username): Username,
    StrictQuery(FeedQuery { tag }): StrictQuery<FeedQuery>,
) -> Result<Response> {
    latest(&resources, &deps.public_url, &headers, Selection { username: Some(username), tag }).await
}

async fn latest(
    resources: &Arc<Resources>,
    site: &PublicUrl,
    headers: &HeaderMap,
    of: Selection,
) -> Result<Response> {
    let id = ["feed", of.username.as_deref().unwrap_or_default(), &of.tag];
    let render = {
        let (resources, origin, of) = (resources.clone(), site.address(), of.clone());
        async move {
            let feed = resources.feed(&of).await?;
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
