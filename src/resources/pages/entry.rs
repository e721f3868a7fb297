//! One resource: read it, pin it, throw it away and take it back.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use uuid::Uuid;

use super::names::{Known, distinct};
use super::views::{At, TagLink, host};
use crate::app::App;
use crate::cache::{Scope, Scopes};
use crate::error::{Error, Result};
use crate::resources::{Change, Precondition, Resource, TRASH_LIFE, Via, normal_url};
use crate::web::chrome::{Chrome, Notice, page, redirect};
use crate::web::path::Id;
use crate::web::rendered;
use crate::web::viewer::Viewer;

#[derive(Template)]
#[template(path = "resources/show.html")]
struct ShowPage {
    chrome: Chrome,
    id: String,
    kind: &'static str,
    title: String,
    url: Option<String>,
    /// The address as people read it.
    address: Option<String>,
    host: Option<String>,
    /// Rendered and sanitised Markdown; empty for none.
    body_html: Arc<str>,
    tags: Vec<TagLink>,
    visibility: &'static str,
    pinned: bool,
    by: String,
    /// Their profile, if they have one.
    keeper: Option<String>,
    created: At,
    changed: At,
    version: i64,
    mine: bool,
    trashed: Option<Trashed>,
}

struct Trashed {
    at: At,
    /// The day it is deleted for ever.
    gone_text: String,
}

impl Trashed {
    fn of(resource: &Resource) -> Option<Self> {
        resource.trashed_at.map(|at| Self { at: at.into(), gone_text: at.plus(TRASH_LIFE).day() })
    }
}

#[derive(Template)]
#[template(path = "resources/trash.html")]
struct TrashPage {
    chrome: Chrome,
    rows: Vec<TrashRow>,
}

struct TrashRow {
    id: String,
    href: String,
    title: String,
    /// What its buttons are called: no two on the page alike.
    name: String,
    /// `None` for a note.
    host: Option<String>,
    trashed: Trashed,
}

impl TrashRow {
    fn of(resource: Resource) -> Option<Self> {
        Some(Self {
            trashed: Trashed::of(&resource)?,
            id: resource.id.to_string(),
            href: format!("/resources/{}", resource.id),
            host: resource.url.as_deref().map(host),
            title: resource.title,
            name: String::new(),
        })
    }
}

pub async fn show(
    State(app): State<App>,
    viewer: Viewer,
    chrome: Chrome,
    headers: HeaderMap,
    Id(id): Id,
) -> Result<Response> {
    let draw = || draw(app.clone(), viewer.clone(), chrome.clone(), id);
    rendered::page(&app, (&viewer, &chrome), &headers, Scopes::one(Scope::Resource(id)), draw).await
}

async fn draw(app: App, viewer: Viewer, chrome: Chrome, id: Uuid) -> Result<Response> {
    let resource = app.resources.find(&viewer, id).await?;
    let toast = chrome.toast.is_some();
    // A page that is kept stays right: only disabling the account takes the profile away, and touches all.
    let has_profile = app.resources.has_profile_behind(&resource).await?;
    let shown = ShowPage {
        chrome: chrome.section("library"),
        id: id.to_string(),
        kind: resource.kind.as_str(),
        address: resource.url.as_deref().map(normal_url::shown),
        host: resource.url.as_deref().map(host),
        body_html: resource.shown.html(&resource.body),
        tags: TagLink::all(&resource.tags.0),
        visibility: resource.visibility.as_str(),
        pinned: resource.pinned,
        created: resource.created_at.into(),
        changed: resource.updated_at.into(),
        version: resource.version,
        mine: resource.is_mine(&viewer),
        trashed: Trashed::of(&resource),
        title: resource.title.clone(),
        url: resource.url.clone(),
        by: resource.owner_name.clone(),
        keeper: has_profile.then(|| format!("/u/{}", resource.owner_username)),
    };
    page(&shown, toast)
}

pub async fn pin(State(app): State<App>, viewer: Viewer, Id(id): Id) -> Result<Response> {
    set_pinned(&app, &viewer, id, true).await
}

pub async fn unpin(State(app): State<App>, viewer: Viewer, Id(id): Id) -> Result<Response> {
    set_pinned(&app, &viewer, id, false).await
}

async fn set_pinned(app: &App, viewer: &Viewer, id: Uuid, pinned: bool) -> Result<Response> {
    let change = Change { pinned: Some(pinned), ..Change::default() };
    app.resources.update(viewer, id, &Precondition::None, change, Via::Web).await?;
    Ok(redirect(&format!("/resources/{id}"), Some(Notice::Saved)))
}

pub async fn trash(State(app): State<App>, viewer: Viewer, Id(id): Id) -> Result<Response> {
    app.resources.trash(&viewer, id, &Precondition::None).await?;
    Ok(redirect("/resources", Some(Notice::Trashed(id))))
}

pub async fn restore(State(app): State<App>, viewer: Viewer, Id(id): Id) -> Result<Response> {
    match app.resources.restore(&viewer, id, &Precondition::None).await {
        Ok(_) => Ok(redirect(&format!("/resources/{id}"), Some(Notice::Restored))),
        Err(Error::DuplicateUrl(existing)) => {
            Ok(redirect(&format!("/resources/{existing}"), Some(Notice::NotRestored)))
        }
        Err(error) => Err(error),
    }
}

pub async fn delete(State(app): State<App>, viewer: Viewer, Id(id): Id) -> Result<Response> {
    app.resources.delete(&viewer, id).await?;
    Ok(redirect("/trash", Some(Notice::Deleted)))
}

pub async fn trashed(State(app): State<App>, viewer: Viewer, chrome: Chrome) -> Result<Response> {
    let rows = app.resources.trashed(&viewer).await?;
    let mut rows: Vec<_> = rows.into_iter().filter_map(TrashRow::of).collect();
    let known = rows.iter().map(|row| Known {
        title: &row.title,
        host: row.host.as_deref(),
        day: &row.trashed.at.text,
    });
    let names = distinct(&known.collect::<Vec<_>>());
    rows.iter_mut().zip(names).for_each(|(row, name)| row.name = name);
    let toast = chrome.toast.is_some();
    page(&TrashPage { chrome: chrome.section("trash"), rows }, toast)
}
