//! The form of an entry, and the editor. No typed text is lost.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use uuid::Uuid;

use super::back::Back;
use super::conflict::ConflictPage;
use super::flash;
use super::form::{EntryForm, Input};
use super::views::At;
use crate::error::{Code, Error, FieldErrors, Result};
use crate::identity::Viewer;
use crate::resources::{Precondition, Resources, Via};
use crate::web::forms::Form;
use crate::web::page_context::{PageContext, page, redirect};
use crate::web::path::Id;

const OWN_TAGS: usize = 300;

#[derive(Template)]
#[template(path = "resources/form.html")]
pub(super) struct FormPage {
    pub context: PageContext,
    pub heading: &'static str,
    pub action: String,
    /// Where saving and cancelling lead; empty for the entry's own page.
    pub back: String,
    pub cancel_href: String,
    pub kind: String,
    /// Empty for a new resource.
    pub version: String,
    pub inputs: Vec<Input>,
    /// The name of the field with the focus; empty for none.
    pub autofocus: &'static str,
    pub errors: FieldErrors,
    pub summary: Option<&'static str>,
    pub duplicate: Option<DuplicateOf>,
    /// The tags to choose from where no script completes them.
    pub own_tags: Vec<String>,
    /// Of a new link: what the trash holds of its address.
    pub in_trash: Option<InTrash>,
}

impl FormPage {
    fn labels(&self) -> Vec<(&'static str, &'static str)> {
        self.inputs.iter().map(|input| (input.name, input.label)).collect()
    }
}

/// Why a form was not saved.
#[derive(Default)]
pub(super) struct Refusal {
    pub errors: FieldErrors,
    pub duplicate: Option<DuplicateOf>,
}

pub(super) struct DuplicateOf {
    pub href: String,
    pub title: String,
}

pub(super) struct InTrash {
    pub href: String,
    pub title: String,
    pub since: At,
}

pub async fn edit(
    State(resources): State<Arc<Resources>>,
    viewer: Viewer,
    context: PageContext,
    from: Back,
    Id(id): Id,
) -> Result<Response> {
    viewer.signed_in()?;
    let resource = resources.latest(&viewer, id).await?;
    if !resource.is_mine(&viewer) {
        return Err(Error::Forbidden("Only the owner can change this."));
    }
    let toast = context.toast.is_some();
    let form = EntryForm { back: from.as_str().to_owned(), ..EntryForm::from(&resource) };
    let own_tags = own_tags(&resources, &viewer).await?;
    page(&FormPage { own_tags, ..edit_page(context, id, form, Refusal::default()) }, toast)
}

/// The viewer's tags, for people who see no completion.
pub(super) async fn own_tags(resources: &Resources, viewer: &Viewer) -> Result<Vec<String>> {
    Ok(resources.own_tags(viewer).await?.into_iter().map(|tag| tag.name).take(OWN_TAGS).collect())
}

pub async fn update(
    State(resources): State<Arc<Resources>>,
    viewer: Viewer,
    mut context: PageContext,
    Id(id): Id,
    Form(form): Form<EntryForm>,
) -> Result<Response> {
    viewer.signed_in()?;
    let current = resources.latest(&viewer, id).await?;
    let Some(read_version) = form.read_version() else {
        return Err(Error::Malformed {
            code: Code::BadParameter,
            message: "The version is missing from this form. Open the editor again.".into(),
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
        Ok(_) => Ok(redirect(&Back::from_field(&form.back).at(id), Some(flash::SAVED))),
        Err(Error::VersionConflict { .. }) => {
            let saved = resources.latest(&viewer, id).await?;
            let had_toast = context.toast.take().is_some();
            let conflict = page(&ConflictPage::new(context, &form, &saved), had_toast)?;
            Ok((StatusCode::PRECONDITION_FAILED, conflict).into_response())
        }
        Err(error) => {
            let refusal = explain(&resources, &viewer, error).await?;
            refused(edit_page(context, id, form.shown(), refusal))
        }
    }
}

fn edit_page(context: PageContext, id: Uuid, form: EntryForm, refusal: Refusal) -> FormPage {
    FormPage {
        heading: if form.kind == "note" { "Edit note" } else { "Edit link" },
        ..form_page(context, &format!("/resources/{id}"), form, refusal)
    }
}

pub(super) fn form_page(context: PageContext, href: &str, form: EntryForm, refusal: Refusal) -> FormPage {
    let Refusal { errors, duplicate } = refusal;
    let back = Back::from_field(&form.back);
    FormPage {
        context: context.section("library"),
        heading: "",
        action: href.to_owned(),
        cancel_href: back.clone().or(Back::from_field(href)).as_str().to_owned(),
        back: back.as_str().to_owned(),
        inputs: form.inputs(),
        kind: form.kind,
        version: form.version,
        autofocus: "",
        summary: (!errors.is_empty()).then_some("Not saved. Check these fields:"),
        errors,
        duplicate,
        own_tags: Vec::new(),
        in_trash: None,
    }
}

/// The errors that the form can show; all others go to the error page.
pub(super) async fn explain(resources: &Resources, viewer: &Viewer, error: Error) -> Result<Refusal> {
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

/// The form once more, without good news from before.
pub(super) fn refused(mut form: FormPage) -> Result<Response> {
    let had_toast = form.context.toast.take().is_some();
    let is_taken = form.duplicate.is_some() || form.in_trash.is_some();
    let status = if is_taken { StatusCode::CONFLICT } else { StatusCode::UNPROCESSABLE_ENTITY };
    Ok((status, page(&form, had_toast)?).into_response())
}
