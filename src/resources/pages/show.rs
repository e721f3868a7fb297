//! One resource: read it, pin it.

use std::sync::Arc;

use askama::Template;
use axum::extract::{FromRef, FromRequestParts, State};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use axum::response::Response;
use axum_htmx::HxRequest;
use uuid::Uuid;

use super::back::Back;
use super::rows;
use super::trash::Trashed;
use super::views::{At, TagLink, host};
use crate::cache::{Scope, Scopes};
use crate::error::{Error, Result};
use crate::resources::{Change, Kind, Precondition, Resource, Resources, Via, normal_url};
use crate::web::chrome::{Chrome, Notice, page, redirect};
use crate::web::deps::WebDeps;
use crate::web::page_cache;
use crate::web::path::Id;
use crate::web::viewer::Viewer;

#[derive(Template)]
#[template(path = "resources/show.html")]
struct ShowPage {
    chrome: Chrome,
    resource: Arc<Resource>,
    /// The address as people read it.
    address: Option<String>,
    host: Option<String>,
    /// Rendered and sanitised Markdown; empty for none.
    body_html: Arc<str>,
    tags: Vec<TagLink>,
    /// The owner's profile, if there is one.
    profile: Option<String>,
    created: At,
    changed: At,
    mine: bool,
    trashed: Option<Trashed>,
}

pub async fn find(
    State(resources): State<Arc<Resources>>,
    viewer: Viewer,
    chrome: Chrome,
    headers: HeaderMap,
    Id(id): Id,
) -> Result<Response> {
    let render = || render(resources.clone(), viewer.clone(), chrome.clone(), id);
    page_cache::page(&resources.cache, &viewer, &chrome, &headers, Scopes::one(Scope::Resource(id)), render)
        .await
}

async fn render(resources: Arc<Resources>, viewer: Viewer, chrome: Chrome, id: Uuid) -> Result<Response> {
    let resource = resources.find(&viewer, id).await?;
    let toast = chrome.toast.is_some();
    // A cached page stays true: only disabling the account removes its profile, and that invalidates everything.
    let has_profile = resources.owner_has_profile(&resource).await?;
    let shown = ShowPage {
        chrome: chrome.section("library"),
        address: resource.url.as_deref().map(normal_url::shown),
        host: resource.url.as_deref().map(host),
        body_html: resource.html.get_or_render(&resource.body),
        tags: TagLink::all(&resource.tags.0),
        profile: has_profile.then(|| format!("/u/{}", resource.owner_username)),
        created: resource.created_at.into(),
        changed: resource.updated_at.into(),
        mine: resource.is_mine(&viewer),
        trashed: Trashed::new(&resource),
        resource,
    };
    page(&shown, toast)
}

/// Where a pin is set: in a row of the list, or on a page to go back to.
pub struct PinPlace {
    chrome: Chrome,
    from: Back,
    by_htmx: bool,
}

impl<S> FromRequestParts<S> for PinPlace
where
    Arc<WebDeps>: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let Ok(HxRequest(by_htmx)) = HxRequest::from_request_parts(parts, state).await;
        let Ok(from) = Back::from_request_parts(parts, state).await;
        Ok(Self { chrome: Chrome::from_request_parts(parts, state).await?, from, by_htmx })
    }
}

pub async fn pin(
    State(resources): State<Arc<Resources>>,
    viewer: Viewer,
    place: PinPlace,
    Id(id): Id,
) -> Result<Response> {
    let pinned = set_pinned(&resources, &viewer, id, true).await?;
    place.answer(&viewer, &pinned, Notice::Pinned)
}

pub async fn unpin(
    State(resources): State<Arc<Resources>>,
    viewer: Viewer,
    place: PinPlace,
    Id(id): Id,
) -> Result<Response> {
    let unpinned = set_pinned(&resources, &viewer, id, false).await?;
    place.answer(&viewer, &unpinned, Notice::Unpinned)
}

impl PinPlace {
    fn answer(self, viewer: &Viewer, resource: &Resource, notice: Notice) -> Result<Response> {
        if self.by_htmx {
            return rows::part(self.chrome.with(notice), resource, viewer);
        }
        Ok(redirect(&self.from.at(resource.id), Some(notice)))
    }
}

async fn set_pinned(resources: &Resources, viewer: &Viewer, id: Uuid, pinned: bool) -> Result<Resource> {
    let change = Change { pinned: Some(pinned), ..Change::default() };
    resources.update(viewer, id, &Precondition::None, change, Via::Web).await
}
