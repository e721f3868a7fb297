//! The editor: new and edit. No typed text is lost.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use uuid::Uuid;

use super::conflict::ConflictPage;
use super::form::{EntryForm, Input};
use crate::error::{Code, Error, FieldErrors, Result};
use crate::resources::{Precondition, Resources, Via};
use crate::web::chrome::{Chrome, Notice, page, redirect};
use crate::web::forms::{Form, Query};
use crate::web::path::Id;
use crate::web::viewer::Viewer;

#[derive(Template)]
#[template(path = "resources/form.html")]
struct FormPage {
    chrome: Chrome,
    heading: &'static str,
    action: String,
    cancel_href: String,
    kind: String,
    /// Empty for a new resource.
    version: String,
    inputs: Vec<Input>,
    /// The name of the field with the focus; empty for none.
    autofocus: &'static str,
    errors: FieldErrors,
    summary: Option<&'static str>,
    duplicate: Option<DuplicateOf>,
}

impl FormPage {
    fn labels(&self) -> Vec<(&'static str, &'static str)> {
        self.inputs.iter().map(|input| (input.name, input.label)).collect()
    }
}

/// Why a form was not saved.
#[derive(Default)]
struct Refusal {
    errors: FieldErrors,
    duplicate: Option<DuplicateOf>,
}

struct DuplicateOf {
    href: String,
    title: String,
}

/// What a bookmarklet or a share target sends.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Captured {
    kind: String,
    url: String,
    title: String,
    text: String,
}

pub async fn new(
    State(resources): State<Arc<Resources>>,
    viewer: Viewer,
    chrome: Chrome,
    Query(captured): Query<Captured>,
) -> Result<Response> {
    viewer.signed_in()?;
    if !captured.url.is_empty()
        && let Ok(existing) = resources.lookup(&viewer, &captured.url).await
    {
        return Ok(redirect(&format!("/resources/{}", existing.id), Some(Notice::AlreadySaved)));
    }
    let kind = if captured.kind == "note" { "note" } else { "link" };
    let form = EntryForm {
        kind: kind.to_owned(),
        url: captured.url,
        title: captured.title,
        body: captured.text,
        ..EntryForm::default()
    };
    page(&new_page(chrome, form.shown(), Refusal::default()), false)
}

pub async fn create(
    State(resources): State<Arc<Resources>>,
    viewer: Viewer,
    chrome: Chrome,
    Form(form): Form<EntryForm>,
) -> Result<Response> {
    let created = match form.draft() {
        Ok(draft) => resources.create(&viewer, &draft, Via::Web).await,
        Err(errors) => Err(Error::Invalid(errors)),
    };
    match created {
        Ok(resource) => Ok(redirect(&format!("/resources/{}", resource.id), Some(Notice::Saved))),
        // From the library's field for one address: show the resource that has it.
        Err(Error::DuplicateUrl(id)) if form.kind.is_empty() => {
            Ok(redirect(&format!("/resources/{id}"), Some(Notice::AlreadySaved)))
        }
        Err(error) => {
            let refusal = explain(&resources, &viewer, error).await?;
            refused(&new_page(chrome, form.shown(), refusal))
        }
    }
}

fn new_page(chrome: Chrome, form: EntryForm, refusal: Refusal) -> FormPage {
    let autofocus = match form.kind.as_str() {
        "note" if refusal.errors.is_empty() => "title",
        "link" if form.url.is_empty() => "url",
        _ => "",
    };
    FormPage {
        heading: if form.kind == "note" { "Write a note" } else { "Save a link" },
        autofocus,
        ..form_page(chrome, "/resources", form, refusal)
    }
}

pub async fn edit(
    State(resources): State<Arc<Resources>>,
    viewer: Viewer,
    chrome: Chrome,
    Id(id): Id,
) -> Result<Response> {
    viewer.signed_in()?;
    let resource = resources.latest(&viewer, id).await?;
    if !resource.is_mine(&viewer) {
        return Err(Error::Forbidden("Only the person who keeps this can change it."));
    }
    page(&edit_page(chrome, id, EntryForm::from(&resource), Refusal::default()), false)
}

pub async fn update(
    State(resources): State<Arc<Resources>>,
    viewer: Viewer,
    chrome: Chrome,
    Id(id): Id,
    Form(form): Form<EntryForm>,
) -> Result<Response> {
    viewer.signed_in()?;
    let current = resources.latest(&viewer, id).await?;
    let Some(read_version) = form.read_version() else {
        return Err(Error::Malformed {
            code: Code::BadParameter,
            message: "The form's version is missing. Open the editor again.".into(),
        });
    };
    let updated = match form.change(current.kind) {
        Ok(change) => {
            let expected = Precondition::Version(read_version);
            resources.update(&viewer, id, &expected, change, Via::Web).await
        }
        Err(errors) => Err(Error::Invalid(errors)),
    };
    match updated {
        Ok(_) => Ok(redirect(&format!("/resources/{id}"), Some(Notice::Saved))),
        Err(Error::VersionConflict(_)) => {
            let saved = resources.latest(&viewer, id).await?;
            let conflict = page(&ConflictPage::new(chrome, &form, &saved), false)?;
            Ok((StatusCode::PRECONDITION_FAILED, conflict).into_response())
        }
        Err(error) => {
            let refusal = explain(&resources, &viewer, error).await?;
            refused(&edit_page(chrome, id, form.shown(), refusal))
        }
    }
}

fn edit_page(chrome: Chrome, id: Uuid, form: EntryForm, refusal: Refusal) -> FormPage {
    FormPage {
        heading: if form.kind == "note" { "Edit the note" } else { "Edit the link" },
        ..form_page(chrome, &format!("/resources/{id}"), form, refusal)
    }
}

fn form_page(chrome: Chrome, href: &str, form: EntryForm, refusal: Refusal) -> FormPage {
    let Refusal { errors, duplicate } = refusal;
    FormPage {
        chrome: chrome.section("library"),
        heading: "",
        action: href.to_owned(),
        cancel_href: href.to_owned(),
        inputs: form.inputs(),
        kind: form.kind,
        version: form.version,
        autofocus: "",
        summary: (!errors.is_empty()).then_some("Not saved yet: please look at these fields."),
        errors,
        duplicate,
    }
}

/// The errors that the form can show; all others go to the error page.
async fn explain(resources: &Resources, viewer: &Viewer, error: Error) -> Result<Refusal> {
    match error {
        Error::Invalid(errors) => Ok(Refusal { errors, duplicate: None }),
        Error::DuplicateUrl(id) => {
            let existing = resources.latest(viewer, id).await?;
            let duplicate = DuplicateOf { href: format!("/resources/{id}"), title: existing.title };
            Ok(Refusal { duplicate: Some(duplicate), ..Refusal::default() })
        }
        error => Err(error),
    }
}

fn refused(form: &FormPage) -> Result<Response> {
    let status =
        if form.duplicate.is_some() { StatusCode::CONFLICT } else { StatusCode::UNPROCESSABLE_ENTITY };
    Ok((status, page(form, false)?).into_response())
}
