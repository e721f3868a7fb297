//! The audit log as HTML: the whole log for admins, and each user's own activity.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use serde::Deserialize;

use super::reader::{AuditQuery, AuditReader, AuditState, EventPage, NamedEvent, Verification};
use super::{Action, Outcome, csv};
use crate::error::{Error, FieldErrors, Result};
use crate::identity::{RequestMeta, Viewer};
use crate::web::forms::Query;
use crate::web::page_context::{PageContext, page};

pub fn routes() -> Router<AuditState> {
    Router::new()
        .route("/admin/audit", get(index))
        .route("/admin/audit.csv", get(download))
        .route("/settings/activity", get(activity))
}

#[derive(Template)]
#[template(path = "admin/audit.html")]
struct AuditPage {
    context: PageContext,
    actions: Vec<Action>,
    query: AuditQuery,
    errors: FieldErrors,
    entries: Vec<NamedEvent>,
    next: Option<String>,
    checked: Option<Verification>,
}

impl AuditPage {
    fn choices(&self) -> impl Iterator<Item = (&'static str, &'static str, bool)> {
        self.actions.iter().map(|action| {
            (action.as_str(), action.description(Outcome::Done), action.as_str() == self.query.action)
        })
    }
}

#[derive(Template)]
#[template(path = "settings/activity.html")]
struct ActivityPage {
    context: PageContext,
    rows: Vec<OwnRow>,
    next: Option<String>,
}

struct OwnRow {
    at: String,
    at_machine: String,
    description: String,
    refused: bool,
    who: &'static str,
    /// Empty when it is not shown.
    network: &'static str,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Check {
    check: String,
}

async fn index(
    State(audit_reader): State<Arc<AuditReader>>,
    viewer: Viewer,
    context: PageContext,
    Query(query): Query<AuditQuery>,
    Query(check): Query<Check>,
) -> Result<Response> {
    let checked = audit_reader.check(&viewer, !check.check.is_empty()).await?;
    let (found, errors) = match audit_reader.page(&viewer, &query).await {
        Ok(found) => (found, FieldErrors::default()),
        Err(Error::Invalid(errors)) => (EventPage { entries: Vec::new(), next: None }, errors),
        Err(error) => return Err(error),
    };
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let next = found.next.map(|cursor| query.to_query(&format!("cursor={cursor}")));
    let toast = context.toast.is_some();
    let context = context.section("audit");
    let shown = AuditPage {
        context,
        actions: audit_reader.actions().to_vec(),
        query,
        errors,
        entries: found.entries,
        next,
        checked,
    };
    Ok((status, page(&shown, toast)?).into_response())
}

async fn download(
    State(audit_reader): State<Arc<AuditReader>>,
    viewer: Viewer,
    Query(query): Query<AuditQuery>,
) -> Result<Response> {
    let filter = audit_reader.filter(&viewer, &query).await?;
    Ok(csv::answer(audit_reader, filter))
}

async fn activity(
    State(audit_reader): State<Arc<AuditReader>>,
    viewer: Viewer,
    origin: RequestMeta,
    context: PageContext,
    Query(query): Query<Cursor>,
) -> Result<Response> {
    let found = audit_reader.own(&viewer, &query.cursor).await?;
    let rows = found.entries.iter().map(|entry| own_row(entry, &viewer, &origin)).collect();
    let toast = context.toast.is_some();
    page(&ActivityPage { context: context.section("activity"), rows, next: found.next }, toast)
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Cursor {
    cursor: String,
}

fn own_row(entry: &NamedEvent, viewer: &Viewer, origin: &RequestMeta) -> OwnRow {
    let actor = entry.actor.as_ref().map(|who| who.id);
    let who = match actor {
        Some(id) if Some(id) == viewer.id() => "You",
        Some(_) => "An administrator",
        None if entry.network.is_some() => "Not logged in",
        None => "The operator, on the server",
    };
    let network = match (&entry.network, origin.network) {
        // Users don't see where an administrator works.
        _ if who == "An administrator" => "",
        (Some(then), Some(now)) if then[..] == now[..] => "this network",
        (Some(_), _) => "another network",
        (None, _) => "",
    };
    OwnRow {
        at: entry.at.moment(),
        at_machine: entry.at.html(),
        description: entry.description.clone(),
        refused: entry.outcome == Outcome::Refused.as_str(),
        who,
        network,
    }
}
