//! One resource: read it, pin it.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use uuid::Uuid;

use super::trash::Trashed;
use super::views::{At, TagLink, host};
use crate::cache::{Scope, Scopes};
use crate::error::Result;
use crate::resources::{Change, Kind, Precondition, Resource, Resources, Via, normal_url};
use crate::web::chrome::{Chrome, Notice, page, redirect};
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

pub async fn pin(State(resources): State<Arc<Resources>>, viewer: Viewer, Id(id): Id) -> Result<Response> {
    set_pinned(&resources, &viewer, id, true).await
}

pub async fn unpin(State(resources): State<Arc<Resources>>, viewer: Viewer, Id(id): Id) -> Result<Response> {
    set_pinned(&resources, &viewer, id, false).await
}

async fn set_pinned(resources: &Resources, viewer: &Viewer, id: Uuid, pinned: bool) -> Result<Response> {
    let change = Change { pinned: Some(pinned), ..Change::default() };
    resources.update(viewer, id, &Precondition::None, change, Via::Web).await?;
    Ok(redirect(&format!("/resources/{id}"), Some(Notice::Saved)))
}
