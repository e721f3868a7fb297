//! The versions of a resource, and restoring one.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::flash;
use super::form::EntryForm;
use super::views::{At, DiffLine, Side, diff};
use crate::error::Result;
use crate::identity::Viewer;
use crate::markdown;
use crate::resources::{PastRevision, Resource, Resources, Revision, Revisions, Via};
use crate::web::forms::Form;
use crate::web::page_context::{PageContext, page, redirect};
use crate::web::path::{Id, IdVersion};

#[derive(Template)]
#[template(path = "resources/revisions.html")]
struct RevisionsPage {
    context: PageContext,
    title: String,
    href: String,
    rows: Vec<RevisionRow>,
}

struct RevisionRow {
    version: i64,
    at: At,
    by: String,
    how: &'static str,
    href: String,
    current: bool,
    title: String,
    /// What it changed of the version before; empty for the first one.
    changed: String,
}

#[derive(Template)]
#[template(path = "resources/revision.html")]
struct RevisionPage {
    context: PageContext,
    id: String,
    version: i64,
    current_version: i64,
    title: String,
    url: Option<String>,
    body_html: String,
    tags: String,
    visibility: &'static str,
    at: At,
    by: String,
    how: &'static str,
    changes: Vec<FieldChange>,
    /// The difference from the current version; empty for none.
    diff: Vec<DiffLine>,
}

struct FieldChange {
    label: &'static str,
    then: String,
    now: String,
}

impl RevisionPage {
    fn is_as_now(&self) -> bool {
        self.changes.is_empty() && self.diff.is_empty()
    }
}

pub async fn revisions(
    State(resources): State<Arc<Resources>>,
    viewer: Viewer,
    context: PageContext,
    Id(id): Id,
) -> Result<Response> {
    let Revisions { resource, revisions } = resources.revisions(&viewer, id).await?;
    // Moving it to the trash and back raises the version, and changes no text.
    let newest = revisions.first().map(|revision| revision.version);
    let before = revisions.iter().skip(1).map(Some).chain([None]);
    let rows = revisions.iter().zip(before).map(|(revision, before)| RevisionRow {
        version: revision.version,
        at: At::moment(revision.saved_at),
        by: revision.saved_by.clone(),
        how: how(revision.via),
        href: format!("/resources/{id}/revisions/{}", revision.version),
        current: Some(revision.version) == newest,
        title: revision.title.clone(),
        changed: before.map(|before| changed(before, revision)).unwrap_or_default(),
    });
    let rows = rows.collect();
    let context = context.section("library");
    page(&RevisionsPage { context, title: resource.title, href: format!("/resources/{id}"), rows }, false)
}

fn how(via: Via) -> &'static str {
    match via {
        Via::Web => "in the browser",
        Via::Api => "via the API",
        Via::Import => "by import",
        Via::Fetch => "from its page",
        Via::Restore => "by restoring an older version",
    }
}

fn changed(before: &Revision, after: &Revision) -> String {
    let fields = [
        (before.title != after.title, "title"),
        (before.url != after.url, "address"),
        (after.text_changed, "text"),
        (before.tags != after.tags, "tags"),
        (before.visibility != after.visibility, "visibility"),
    ];
    let names: Vec<&str> = fields.iter().filter(|(differs, _)| *differs).map(|(_, name)| *name).collect();
    match names.as_slice() {
        [] => "Changed a mark, such as pinned or unread".to_owned(),
        [name] => format!("Changed the {name}"),
        [first @ .., last] => format!("Changed the {} and {last}", first.join(", ")),
    }
}

fn field_changes(then: &Revision, now: &Resource) -> Vec<FieldChange> {
    let (old_url, url) = (then.url.clone().unwrap_or_default(), now.url.clone().unwrap_or_default());
    let fields = [
        ("Title", then.title.clone(), now.title.clone()),
        ("Address", old_url, url),
        ("Tags", then.tags.replace(',', ", "), now.tags.0.join(", ")),
        ("Visibility", then.visibility.as_str().to_owned(), now.visibility.as_str().to_owned()),
    ];
    let changed = fields.into_iter().filter(|(_, then, now)| then != now);
    changed.map(|(label, then, now)| FieldChange { label, then, now }).collect()
}

pub async fn revision(
    State(resources): State<Arc<Resources>>,
    viewer: Viewer,
    context: PageContext,
    IdVersion { id, version }: IdVersion,
) -> Result<Response> {
    let PastRevision { resource, revision } = resources.revision(&viewer, id, version).await?;
    let shown = RevisionPage {
        context: context.section("library"),
        id: id.to_string(),
        version,
        current_version: resource.version,
        body_html: markdown::render(&revision.body),
        diff: diff(&Side { name: "old", text: &revision.body }, &Side { name: "now", text: &resource.body }),
        changes: field_changes(&revision, &resource),
        title: revision.title,
        url: revision.url,
        tags: revision.tags.replace(',', ", "),
        visibility: revision.visibility.as_str(),
        at: At::moment(revision.saved_at),
        by: revision.saved_by,
        how: how(revision.via),
    };
    page(&shown, false)
}

pub async fn restore_revision(
    State(resources): State<Arc<Resources>>,
    viewer: Viewer,
    IdVersion { id, version }: IdVersion,
    Form(form): Form<EntryForm>,
) -> Result<Response> {
    resources.restore_revision(&viewer, id, version, &form.read_version().into()).await?;
    Ok(redirect(&format!("/resources/{id}"), Some(flash::VERSION_RESTORED)))
}
