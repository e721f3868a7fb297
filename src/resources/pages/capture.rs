//! Saving something new: the library's field for one address, the form, and what a bookmarklet or a share target sends.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;

use super::back::Back;
use super::editor::{FormPage, InTrash, Refusal, explain, form_page, own_tags, refused};
use super::form::EntryForm;
use super::{flash, several, tools};
use crate::error::{Error, Result};
use crate::identity::Viewer;
use crate::resources::take_back::Typed;
use crate::resources::{Change, Resource, Resources, Via, addresses, normal_url};
use crate::web::forms::{Form, Query};
use crate::web::page_context::{PageContext, page, redirect};

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
    context: PageContext,
    from: Back,
    Query(captured): Query<Captured>,
) -> Result<Response> {
    viewer.signed_in()?;
    if !captured.url.is_empty()
        && let Ok(existing) = resources.lookup(&viewer, &captured.url).await
    {
        return Ok(redirect(&format!("/resources/{}", existing.id), Some(flash::ALREADY_SAVED)));
    }
    let kind = if captured.kind == "note" { "note" } else { "link" };
    let form = EntryForm {
        kind: kind.to_owned(),
        url: captured.url,
        title: captured.title,
        body: captured.text,
        back: from.as_str().to_owned(),
        ..EntryForm::default()
    };
    let toast = context.toast.is_some();
    let own_tags = own_tags(&resources, &viewer).await?;
    page(&FormPage { own_tags, ..new_page(context, form.shown(), Refusal::default()) }, toast)
}

pub async fn create(
    State(resources): State<Arc<Resources>>,
    viewer: Viewer,
    context: PageContext,
    from: Back,
    Form(form): Form<EntryForm>,
) -> Result<Response> {
    let form = match pasted(form) {
        Pasted::One(form) => *form,
        Pasted::Several(urls) => return several::preview(&resources, &viewer, context, &from, urls).await,
    };
    match save(&resources, &viewer, &form).await {
        Ok(Saved::New(resource)) => Ok(saved(&form, from, &resource)),
        Ok(Saved::TakenBack(resource)) => {
            Ok(redirect(&format!("/resources/{}", resource.id), Some(flash::TAKEN_BACK)))
        }
        Ok(Saved::InTrash(resource)) => {
            let in_trash = resource.trashed_at.map(|at| InTrash {
                href: format!("/resources/{}", resource.id),
                title: resource.title,
                since: at.into(),
            });
            refused(FormPage { in_trash, ..new_page(context, form.shown(), Refusal::default()) })
        }
        // From the library's field for one address: show the resource that has it.
        Err(Error::DuplicateUrl(id)) if form.kind.is_empty() => {
            Ok(redirect(&format!("/resources/{id}"), Some(flash::ALREADY_SAVED)))
        }
        Err(error) => {
            let refusal = explain(&resources, &viewer, error).await?;
            refused(new_page(context, form.shown(), refusal))
        }
    }
}

/// What the library's field for one address was given.
enum Pasted {
    One(Box<EntryForm>),
    Several(Vec<String>),
}

/// An address in a sentence is saved with the sentence as its notes.
fn pasted(form: EntryForm) -> Pasted {
    if !form.kind.is_empty() || normal_url::parse(&form.url).is_ok() {
        return Pasted::One(Box::new(form));
    }
    match addresses::find(&form.url).as_slice() {
        [] => Pasted::One(Box::new(form)),
        [url] => {
            let body = if form.url.trim() == url { String::new() } else { form.url.trim().to_owned() };
            Pasted::One(Box::new(EntryForm { url: url.clone(), body, ..form }))
        }
        urls => Pasted::Several(urls.to_vec()),
    }
}

enum Saved {
    New(Resource),
    TakenBack(Resource),
    /// Nothing was saved, as the trash holds the address: which of the two is meant?
    InTrash(Resource),
}

async fn save(resources: &Arc<Resources>, viewer: &Viewer, form: &EntryForm) -> Result<Saved> {
    let draft = form.draft().map_err(Error::Invalid)?;
    if form.trash != "leave"
        && let Some(url) = &draft.url
        && let Some(trashed) = resources.find_in_trash(viewer, url).await?
    {
        if form.trash != "take-back" {
            draft.check()?;
            return Ok(Saved::InTrash(trashed));
        }
        let visibility = (!form.visibility.is_empty()).then_some(draft.visibility);
        let rest = Change { visibility, ..draft.flags() };
        let typed = Typed { title: draft.title, body: draft.body, tags: draft.tags, rest };
        return resources.take_back(viewer, trashed.id, typed).await.map(Saved::TakenBack);
    }
    resources.create(viewer, &draft, Via::Web).await.map(Saved::New)
}

/// Back to the list it was saved from; to the entry from anywhere else.
fn saved(form: &EntryForm, from: Back, resource: &Resource) -> Response {
    if form.back == tools::SAVED {
        return redirect(tools::SAVED, Some(flash::SAVED));
    }
    let field = Back::from_field(&form.back);
    // The library's field for one address has no kind, and no field for the way back.
    let back = if form.kind.is_empty() { field.or(from) } else { field };
    match back.list_at(resource.id) {
        Some(list) => redirect(&list, Some(flash::saved_entry(resource.id))),
        None => redirect(&format!("/resources/{}", resource.id), Some(flash::SAVED)),
    }
}

pub(super) fn new_page(context: PageContext, form: EntryForm, refusal: Refusal) -> FormPage {
    let autofocus = match form.kind.as_str() {
        "note" if refusal.errors.is_empty() => "title",
        "link" if form.url.is_empty() => "url",
        _ => "",
    };
    FormPage {
        heading: if form.kind == "note" { "Write a note" } else { "Save a link" },
        autofocus,
        ..form_page(context, "/resources", form, refusal)
    }
}
