//! The trash: move a resource there, restore it, delete it for ever.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use axum_htmx::HxRequest;
use serde::Deserialize;

use super::back::Back;
use super::names::{Known, distinct};
use super::views::{At, host};
use super::{flash, rows};
use crate::error::{Error, Result};
use crate::identity::Viewer;
use crate::resources::{Precondition, Resource, Resources, TRASH_LIFE};
use crate::web::forms::Form;
use crate::web::page_context::{PageContext, page, redirect};
use crate::web::path::Id;

pub struct Trashed {
    pub at: At,
    /// The day it is deleted for ever.
    pub gone_text: String,
}

impl Trashed {
    pub fn new(resource: &Resource) -> Option<Self> {
        resource.trashed_at.map(|at| Self { at: at.into(), gone_text: at.plus(TRASH_LIFE).day() })
    }
}

#[derive(Template)]
#[template(path = "resources/trash.html")]
struct TrashPage {
    context: PageContext,
    rows: Vec<TrashRow>,
}

struct TrashRow {
    id: String,
    href: String,
    title: String,
    /// The text of its buttons, unique on the page.
    name: String,
    /// `None` for a note.
    host: Option<String>,
    trashed: Trashed,
}

impl TrashRow {
    fn new(resource: Resource) -> Option<Self> {
        Some(Self {
            trashed: Trashed::new(&resource)?,
            id: resource.id.to_string(),
            href: format!("/resources/{}", resource.id),
            host: resource.url.as_deref().map(host),
            title: resource.title,
            name: String::new(),
        })
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct TrashForm {
    /// The list that the entry was opened from.
    back: String,
}

pub async fn trash(
    State(resources): State<Arc<Resources>>,
    viewer: Viewer,
    from: Back,
    HxRequest(by_htmx): HxRequest,
    context: PageContext,
    Id(id): Id,
    Form(form): Form<TrashForm>,
) -> Result<Response> {
    resources.trash(&viewer, id, &Precondition::None).await?;
    if by_htmx {
        return rows::gone(context.with(flash::trashed(id)));
    }
    let list = Back::from_field(&form.back).or(from).list_at(id);
    Ok(redirect(list.as_deref().unwrap_or("/resources"), Some(flash::trashed(id))))
}

pub async fn restore(
    State(resources): State<Arc<Resources>>,
    viewer: Viewer,
    from: Back,
    Id(id): Id,
) -> Result<Response> {
    match resources.restore(&viewer, id, &Precondition::None).await {
        Ok(_) => Ok(redirect(&from.at(id), Some(flash::RESTORED))),
        Err(Error::DuplicateUrl(existing)) => {
            Ok(redirect(&format!("/resources/{existing}"), Some(flash::NOT_RESTORED)))
        }
        Err(error) => Err(error),
    }
}

pub async fn delete(State(resources): State<Arc<Resources>>, viewer: Viewer, Id(id): Id) -> Result<Response> {
    resources.delete(&viewer, id, &Precondition::None).await?;
    Ok(redirect("/trash", Some(flash::DELETED)))
}

/// Deletes for ever all that is in the trash.
pub async fn empty(State(resources): State<Arc<Resources>>, viewer: Viewer) -> Result<Response> {
    resources.empty_trash(&viewer).await?;
    Ok(redirect("/trash", Some(flash::EMPTIED)))
}

pub async fn trashed(
    State(resources): State<Arc<Resources>>,
    viewer: Viewer,
    context: PageContext,
) -> Result<Response> {
    let rows = resources.trashed(&viewer).await?;
    let mut rows: Vec<_> = rows.into_iter().filter_map(TrashRow::new).collect();
    let known = rows.iter().map(|row| Known {
        title: &row.title,
        host: row.host.as_deref(),
        day: &row.trashed.at.text,
    });
    let names = distinct(&known.collect::<Vec<_>>());
    rows.iter_mut().zip(names).for_each(|(row, name)| row.name = name);
    let toast = context.toast.is_some();
    page(&TrashPage { context: context.section("trash"), rows }, toast)
}
