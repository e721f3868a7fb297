//! One row of a list, edited in place.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use axum_htmx::{HxRequest, VaryHxRequest};

use super::back::Back;
use super::conflict::ConflictField;
use super::flash;
use super::form::EntryForm;
use super::views::Row;
use crate::error::{Error, FieldErrors, Result};
use crate::identity::Viewer;
use crate::resources::{Resource, Resources, Via};
use crate::web::forms::Form;
use crate::web::html;
use crate::web::page_context::{PageContext, redirect};
use crate::web::path::Id;

/// A row after it was edited.
#[derive(Template)]
#[template(path = "resources/row_part.html")]
struct RowPart<'a> {
    context: PageContext,
    row: Row<'a>,
}

#[derive(Template)]
#[template(path = "resources/row_edit.html")]
struct RowEditPart {
    context: PageContext,
    id: String,
    form: EntryForm,
    errors: FieldErrors,
    summary: Option<&'static str>,
    /// Where another tab or program has saved something else meanwhile: those fields.
    saved: Vec<ConflictField>,
}

/// Nothing in a row's place, and what became of the entry.
#[derive(Template)]
#[template(path = "resources/row_gone.html")]
struct RowGonePart {
    context: PageContext,
}

pub async fn row(
    State(resources): State<Arc<Resources>>,
    viewer: Viewer,
    context: PageContext,
    Id(id): Id,
) -> Result<Response> {
    let resource = resources.find(&viewer, id).await?;
    part(context, &resource, &viewer)
}

/// The row after a change.
pub(super) fn part(context: PageContext, resource: &Resource, viewer: &Viewer) -> Result<Response> {
    let row = listed(resource, viewer);
    Ok(Html(html::render(&RowPart { context, row })?).into_response())
}

pub(super) fn listed<'a>(resource: &'a Resource, viewer: &Viewer) -> Row<'a> {
    Row { can_be_picked: true, ..Row::from_resource(resource, viewer) }
}

pub(super) fn gone(context: PageContext) -> Result<Response> {
    Ok(Html(html::render(&RowGonePart { context })?).into_response())
}

/// The form that replaces a row; without JavaScript, the editor.
pub async fn details(
    State(resources): State<Arc<Resources>>,
    viewer: Viewer,
    HxRequest(by_htmx): HxRequest,
    context: PageContext,
    Id(id): Id,
) -> Result<Response> {
    viewer.signed_in()?;
    let resource = resources.find(&viewer, id).await?;
    if !by_htmx || !resource.is_mine(&viewer) {
        let editor = Redirect::to(&format!("/resources/{id}/edit"));
        return Ok((VaryHxRequest, editor).into_response());
    }
    let part = RowEditPart {
        context,
        id: id.to_string(),
        form: EntryForm::from(&*resource),
        errors: FieldErrors::default(),
        summary: None,
        saved: Vec::new(),
    };
    Ok((VaryHxRequest, Html(html::render(&part)?)).into_response())
}

pub async fn update_details(
    State(resources): State<Arc<Resources>>,
    viewer: Viewer,
    HxRequest(by_htmx): HxRequest,
    context: PageContext,
    from: Back,
    Id(id): Id,
    Form(form): Form<EntryForm>,
) -> Result<Response> {
    let saved = match form.details() {
        Ok(change) => resources.update(&viewer, id, &form.read_version().into(), change, Via::Web).await,
        Err(errors) => Err(Error::Invalid(errors)),
    };
    match saved {
        Ok(resource) if by_htmx => part(context.with(flash::SAVED), &resource, &viewer),
        Ok(_) => Ok(redirect(&from.at(id), Some(flash::SAVED))),
        Err(Error::Invalid(errors)) => {
            let part = RowEditPart {
                context,
                id: id.to_string(),
                form: form.shown(),
                errors,
                summary: Some("Not saved. Check the fields below."),
                saved: Vec::new(),
            };
            Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(html::render(&part)?)).into_response())
        }
        Err(Error::VersionConflict { .. }) => {
            let part = conflict(context, form, &resources.latest(&viewer, id).await?);
            Ok((StatusCode::CONFLICT, Html(html::render(&part)?)).into_response())
        }
        Err(error) => Err(error),
    }
}

/// The form once more, with what was saved meanwhile beside what was typed.
fn conflict(context: PageContext, form: EntryForm, current: &Resource) -> RowEditPart {
    let of_row = |field: &ConflictField| matches!(field.name, "title" | "tags" | "visibility");
    let form = form.shown();
    let saved = ConflictField::all(&form, current).into_iter().filter(|field| field.differs && of_row(field));
    RowEditPart {
        context,
        id: current.id.to_string(),
        saved: saved.collect(),
        form: EntryForm { version: current.version.to_string(), ..form },
        errors: FieldErrors::default(),
        summary: Some(
            "This entry was changed in the meantime. Save again to replace the saved version with yours, or cancel to keep it.",
        ),
    }
}
