//! One resource: read it, pin it, keep it to be read later.

use std::sync::Arc;

use askama::Template;
use axum::extract::{FromRef, FromRequestParts, State};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use axum::response::Response;
use axum_htmx::HxRequest;
use uuid::Uuid;

use super::back::Back;
use super::trash::Trashed;
use super::views::{At, Broken, TagLink, host};
use super::{flash, rows};
use crate::cache::Scopes;
use crate::error::{Error, Result};
use crate::identity::Viewer;
use crate::markdown;
use crate::resources::visibility::may_be_seen_by;
use crate::resources::{Change, Kind, Precondition, Resource, Resources, Via, cached, normal_url};
use crate::web::deps::WebDeps;
use crate::web::flash::Flash;
use crate::web::page_cache;
use crate::web::page_context::{PageContext, page, redirect};
use crate::web::path::Id;

/// Characters of a public entry's text that other sites show.
const DESCRIBED: usize = 200;

#[derive(Template)]
#[template(path = "resources/show.html")]
struct ShowPage {
    context: PageContext,
    resource: Arc<Resource>,
    /// The address as people read it.
    address: Option<String>,
    host: Option<String>,
    /// Rendered and sanitised Markdown; empty for none.
    body_html: Arc<str>,
    tags: Vec<TagLink>,
    profile: Option<String>,
    /// What other sites may show of it, if it is public.
    preview: Option<Preview>,
    created: At,
    changed: At,
    broken: Option<Broken>,
    mine: bool,
    can_fetch: bool,
    trashed: Option<Trashed>,
}

struct Preview {
    address: String,
    description: String,
}

impl Preview {
    fn new(resource: &Resource, site: &str) -> Option<Self> {
        may_be_seen_by(None, resource).then(|| Self {
            address: format!("{site}/resources/{}", resource.id),
            description: markdown::to_text(&resource.body).chars().take(DESCRIBED).collect(),
        })
    }
}

pub async fn find(
    State(resources): State<Arc<Resources>>,
    State(deps): State<Arc<WebDeps>>,
    viewer: Viewer,
    context: PageContext,
    headers: HeaderMap,
    Id(id): Id,
) -> Result<Response> {
    let render = || {
        let site = deps.public_url.address();
        render(resources.clone(), site, viewer.clone(), context.clone(), id)
    };
    page_cache::page(&resources.cache, &viewer, &context, &headers, Scopes::one(cached::scope(id)), render)
        .await
}

async fn render(
    resources: Arc<Resources>,
    site: String,
    viewer: Viewer,
    context: PageContext,
    id: Uuid,
) -> Result<Response> {
    let resource = resources.find(&viewer, id).await?;
    let toast = context.toast.is_some();
    // A cached page stays true: only disabling the account removes its profile, and that invalidates everything.
    let has_profile = resources.owner_has_profile(&resource).await?;
    let shown = ShowPage {
        context: context.section("library"),
        address: resource.url.as_deref().map(normal_url::shown),
        host: resource.url.as_deref().map(host),
        body_html: resource.html(),
        tags: TagLink::all(&resource.tags.0),
        profile: has_profile.then(|| format!("/u/{}", resource.owner_username)),
        preview: Preview::new(&resource, &site),
        created: resource.created_at.into(),
        changed: resource.updated_at.into(),
        broken: Broken::new(&resource),
        mine: resource.is_mine(&viewer),
        can_fetch: resource.kind == Kind::Link && resources.is_fetching(),
        trashed: Trashed::new(&resource),
        resource,
    };
    page(&shown, toast)
}

/// Where a flag is set: in a row of the list, or on a page to go back to.
pub struct FlagPlace {
    context: PageContext,
    from: Back,
    by_htmx: bool,
}

impl<S> FromRequestParts<S> for FlagPlace
where
    Arc<WebDeps>: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let Ok(HxRequest(by_htmx)) = HxRequest::from_request_parts(parts, state).await;
        let Ok(from) = Back::from_request_parts(parts, state).await;
        Ok(Self { context: PageContext::from_request_parts(parts, state).await?, from, by_htmx })
    }
}

pub async fn pin(
    State(resources): State<Arc<Resources>>,
    viewer: Viewer,
    place: FlagPlace,
    Id(id): Id,
) -> Result<Response> {
    let pinned = Change { pinned: Some(true), ..Change::default() };
    place.set(&resources, &viewer, id, pinned, flash::PINNED).await
}

pub async fn unpin(
    State(resources): State<Arc<Resources>>,
    viewer: Viewer,
    place: FlagPlace,
    Id(id): Id,
) -> Result<Response> {
    let unpinned = Change { pinned: Some(false), ..Change::default() };
    place.set(&resources, &viewer, id, unpinned, flash::UNPINNED).await
}

pub async fn keep_unread(
    State(resources): State<Arc<Resources>>,
    viewer: Viewer,
    place: FlagPlace,
    Id(id): Id,
) -> Result<Response> {
    let unread = Change { unread: Some(true), ..Change::default() };
    place.set(&resources, &viewer, id, unread, flash::UNREAD).await
}

pub async fn mark_read(
    State(resources): State<Arc<Resources>>,
    viewer: Viewer,
    place: FlagPlace,
    Id(id): Id,
) -> Result<Response> {
    let read = Change { unread: Some(false), ..Change::default() };
    place.set(&resources, &viewer, id, read, flash::READ).await
}

impl FlagPlace {
    async fn set(
        self,
        resources: &Resources,
        viewer: &Viewer,
        id: Uuid,
        change: Change,
        flash: Flash,
    ) -> Result<Response> {
        let resource = resources.update(viewer, id, &Precondition::None, change, Via::Web).await?;
        if self.by_htmx {
            return rows::part(self.context.with(flash), &resource, viewer);
        }
        Ok(redirect(&self.from.at(resource.id), Some(flash)))
    }
}
