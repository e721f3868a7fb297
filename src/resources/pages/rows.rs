//! One row of a list, edited in place.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use axum_htmx::{HxRequest, VaryHxRequest};

use super::form::EntryForm;
use super::views::Row;
use crate::error::{Error, FieldErrors, Result};
use crate::resources::{Resources, Via};
use crate::web::chrome::{Chrome, Notice, redirect};
use crate::web::forms::Form;
use crate::web::path::Id;
use crate::web::viewer::Viewer;

/// A row after it was edited.
#[derive(Template)]
#[template(path = "resources/row_part.html")]
struct RowPart<'a> {
    chrome: Chrome,
    row: Row<'a>,
}

#[derive(Template)]
#[template(path = "resources/row_edit.html")]
struct RowEditPart {
    chrome: Chrome,
    id: String,
    form: EntryForm,
    errors: FieldErrors,
    summary: Option<String>,
}

pub async fn row(
    State(resources): State<Arc<Resources>>,
    viewer: Viewer,
    chrome: Chrome,
    Id(id): Id,
) -> Result<Html<String>> {
    let resource = resources.find(&viewer, id).await?;
    Ok(Html(RowPart { row: Row::from_resource(&resource, &viewer), chrome }.render()?))
}

/// The form that replaces a row; without JavaScript, the editor.
pub async fn details(
    State(resources): State<Arc<Resources>>,
    viewer: Viewer,
    HxRequest(by_htmx): HxRequest,
    chrome: Chrome,
    Id(id): Id,
) -> Result<Response> {
    viewer.signed_in()?;
    let resource = resources.find(&viewer, id).await?;
    if !by_htmx || !resource.is_mine(&viewer) {
        let editor = Redirect::to(&format!("/resources/{id}/edit"));
        return Ok((VaryHxRequest, editor).into_response());
    }
    let part = RowEditPart {
        chrome,
        id: id.to_string(),
        form: EntryForm::from(&*resource),
        errors: FieldErrors::default(),
        summary: None,
    };
    Ok((VaryHxRequest, Html(part.render()?)).into_response())
}

pub async fn update_details(
    State(resources): State<Arc<Resources>>,
    viewer: Viewer,
    HxRequest(by_htmx): HxRequest,
    chrome: Chrome,
    Id(id): Id,
    Form(form): Form<EntryForm>,
) -> Result<Response> {
    let saved = match form.details() {
        Ok(change) => resources.update(&viewer, id, &form.read_version().into(), change, Via::Web).await,
        Err(errors) => Err(Error::Invalid(errors)),
    };
    let refused = |status: StatusCode, form: EntryForm, errors: FieldErrors, summary: &str| {
        let part = RowEditPart {
            chrome: chrome.clone(),
            id: id.to_string(),
            form,
            errors,
            summary: Some(summary.to_owned()),
        };
        Ok((status, Html(part.render()?)).into_response())
    };
    match saved {
        Ok(resource) if by_htmx => {
            let chrome = chrome.with(Notice::Saved);
            Ok(Html(RowPart { row: Row::from_resource(&resource, &viewer), chrome }.render()?)
                .into_response())
        }
        Ok(_) => Ok(redirect(&format!("/resources/{id}"), Some(Notice::Saved))),
        Err(Error::Invalid(errors)) => refused(
            StatusCode::UNPROCESSABLE_ENTITY,
            form.shown(),
            errors,
            "Not saved yet: something needs another look.",
        ),
        Err(Error::VersionConflict(current)) => {
            let form = EntryForm { version: current.version.to_string(), ..form.shown() };
            refused(
                StatusCode::CONFLICT,
                form,
                FieldErrors::default(),
                "This was changed meanwhile. Save again to replace these fields, or cancel to see what stands.",
            )
        }
        Err(error) => Err(error),
    }
}
