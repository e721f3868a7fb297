//! Several pasted addresses: shown first, then saved.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

use super::back::Back;
use super::changed::{Changed, What};
use crate::error::{Error, Result};
use crate::identity::Viewer;
use crate::resources::{Draft, Resources, Via, addresses};
use crate::web::forms::Form;
use crate::web::page_context::{PageContext, page, redirect};

#[derive(Template)]
#[template(path = "resources/several.html")]
struct SeveralPage {
    context: PageContext,
    rows: Vec<Address>,
    /// Those that can be saved, one a line.
    urls: String,
    new: usize,
    back: String,
}

struct Address {
    url: String,
    /// Where it is kept already.
    existing: Option<String>,
    in_trash: bool,
}

/// What would be saved.
pub(super) async fn preview(
    resources: &Arc<Resources>,
    viewer: &Viewer,
    context: PageContext,
    back: &Back,
    urls: Vec<String>,
) -> Result<Response> {
    let mut rows = Vec::new();
    for url in urls {
        let existing = match resources.lookup(viewer, &url).await {
            Ok(existing) => Some(format!("/resources/{}", existing.id)),
            Err(Error::NotFound) => None,
            Err(error) => return Err(error),
        };
        let in_trash = existing.is_none() && resources.find_in_trash(viewer, &url).await?.is_some();
        rows.push(Address { url, existing, in_trash });
    }
    let new: Vec<&str> = rows
        .iter()
        .filter(|row| row.existing.is_none() && !row.in_trash)
        .map(|row| row.url.as_str())
        .collect();
    let shown = SeveralPage {
        context: context.section("library"),
        urls: new.join("\n"),
        new: new.len(),
        back: back.list_or("/resources").to_owned(),
        rows,
    };
    Ok((StatusCode::OK, page(&shown, false)?).into_response())
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct SeveralForm {
    urls: String,
    tags: String,
    back: String,
}

/// Saves them all; what was saved meanwhile is passed over.
pub async fn create(
    State(resources): State<Arc<Resources>>,
    viewer: Viewer,
    Form(form): Form<SeveralForm>,
) -> Result<Response> {
    viewer.signed_in()?;
    let tags = crate::resources::tag::split_tags(&form.tags);
    let mut saved = 0;
    for url in addresses::find(&form.urls) {
        let draft = Draft { url: Some(url), tags: tags.clone(), ..Draft::default() };
        match resources.create(&viewer, &draft, Via::Web).await {
            Ok(_) => saved += 1,
            Err(Error::DuplicateUrl(_)) => {}
            Err(error) => return Err(error),
        }
    }
    let back = Back::from_field(&form.back);
    let flash = Changed { what: What::Saved, entries: saved, id: uuid::Uuid::nil() }.flash();
    Ok(redirect(back.list_or("/resources"), Some(flash)))
}
