//! The trail in a browser: everybody's for admins, one's own for everybody.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use serde::Deserialize;

use super::trail::{Asked, AuditState, Checked, Entry, Page, Trail};
use super::{Action, Outcome, csv};
use crate::error::{Error, FieldErrors, Result};
use crate::web::chrome::{Chrome, page};
use crate::web::forms::Query;
use crate::web::origin::Origin;
use crate::web::viewer::Viewer;

pub fn routes() -> Router<AuditState> {
    Router::new()
        .route("/admin/audit", get(index))
        .route("/admin/audit.csv", get(download))
        .route("/settings/activity", get(activity))
}

#[derive(Template)]
#[template(path = "admin/audit.html")]
struct AuditPage {
    chrome: Chrome,
    asked: Asked,
    errors: FieldErrors,
    entries: Vec<Entry>,
    next: Option<String>,
    checked: Option<Checked>,
}

impl AuditPage {
    fn actions(&self) -> impl Iterator<Item = (&'static str, &'static str, bool)> {
        Action::ALL.into_iter().map(|action| {
            (action.as_str(), action.words(Outcome::Done), action.as_str() == self.asked.action)
        })
    }
}

#[derive(Template)]
#[template(path = "settings/activity.html")]
struct ActivityPage {
    chrome: Chrome,
    rows: Vec<OwnRow>,
    next: Option<String>,
}

struct OwnRow {
    at: String,
    at_machine: String,
    words: String,
    refused: bool,
    /// `You`, or who else it was.
    who: &'static str,
    /// Empty when it is nobody's business.
    network: &'static str,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Check {
    check: String,
}

async fn index(
    State(trail): State<Arc<Trail>>,
    viewer: Viewer,
    chrome: Chrome,
    Query(asked): Query<Asked>,
    Query(check): Query<Check>,
) -> Result<Response> {
    let checked = trail.check(&viewer, !check.check.is_empty()).await?;
    let (found, errors) = match trail.page(&viewer, &asked).await {
        Ok(found) => (found, FieldErrors::default()),
        Err(Error::Invalid(errors)) => (Page { entries: Vec::new(), next: None }, errors),
        Err(error) => return Err(error),
    };
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let next = found.next.map(|cursor| asked.query(&format!("cursor={cursor}")));
    let toast = chrome.toast.is_some();
    let chrome = chrome.section("audit");
    let shown = AuditPage { chrome, asked, errors, entries: found.entries, next, checked };
    Ok((status, page(&shown, toast)?).into_response())
}

async fn download(
    State(trail): State<Arc<Trail>>,
    viewer: Viewer,
    Query(asked): Query<Asked>,
) -> Result<Response> {
    let filter = trail.filter(&viewer, &asked).await?;
    Ok(csv::answer(trail, filter))
}

async fn activity(
    State(trail): State<Arc<Trail>>,
    viewer: Viewer,
    origin: Origin,
    chrome: Chrome,
    Query(asked): Query<Cursor>,
) -> Result<Response> {
    let found = trail.own(&viewer, &asked.cursor).await?;
    let rows = found.entries.iter().map(|entry| own_row(entry, &viewer, &origin)).collect();
    let toast = chrome.toast.is_some();
    page(&ActivityPage { chrome: chrome.section("activity"), rows, next: found.next }, toast)
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Cursor {
    cursor: String,
}

fn own_row(entry: &Entry, viewer: &Viewer, origin: &Origin) -> OwnRow {
    let actor = entry.actor.as_ref().map(|who| who.id);
    let who = match actor {
        Some(id) if Some(id) == viewer.id() => "You",
        Some(_) => "An administrator",
        None if entry.network.is_some() => "Somebody not logged in",
        None => "The operator, on the server",
    };
    let network = match (&entry.network, origin.network) {
        // From where an administrator works concerns nobody else.
        _ if who == "An administrator" => "",
        (Some(then), Some(now)) if then[..] == now[..] => "this network",
        (Some(_), _) => "another network",
        (None, _) => "",
    };
    OwnRow {
        at: entry.at.moment(),
        at_machine: entry.at.html(),
        words: entry.words().to_owned(),
        refused: entry.outcome == Outcome::Refused.as_str(),
        who,
        network,
    }
}
