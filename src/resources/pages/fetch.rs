//! Rows whose titles are being fetched, and the button that fetches them again.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{Html, IntoResponse as _, Response};
use serde::Deserialize;
use uuid::Uuid;

use super::rows::listed;
use super::views::{Row, Waiting};
use crate::error::{Error, Result};
use crate::identity::Viewer;
use crate::resources::Resources;
use crate::web::forms::Query;
use crate::web::html;
use crate::web::page_context::{PageContext, redirect};
use crate::web::path::Id;

/// Rows that came in, and what asks for the others.
#[derive(Template)]
#[template(path = "resources/fetched.html")]
struct FetchedPart<'a> {
    context: PageContext,
    rows: Vec<Row<'a>>,
    waiting: Waiting,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct FetchedQuery {
    /// With commas between.
    ids: String,
}

pub async fn fetched(
    State(resources): State<Arc<Resources>>,
    viewer: Viewer,
    context: PageContext,
    Query(query): Query<FetchedQuery>,
) -> Result<Response> {
    let mut found = Vec::new();
    for id in query.ids.split(',').take(Waiting::MOST).filter_map(|id| id.parse::<Uuid>().ok()) {
        match resources.find(&viewer, id).await {
            Ok(resource) => found.push(resource),
            Err(Error::NotFound) => {}
            Err(error) => return Err(error),
        }
    }
    let row = |resource| Row { is_out_of_band: true, ..listed(resource, &viewer) };
    let mut rows: Vec<Row> = found.iter().map(|resource| row(resource)).collect();
    let waiting = Waiting::new(&rows);
    rows.retain(|row| !row.is_fetching);
    Ok(Html(html::render(&FetchedPart { context, rows, waiting })?).into_response())
}

pub async fn again(State(resources): State<Arc<Resources>>, viewer: Viewer, Id(id): Id) -> Result<Response> {
    resources.fetch_again(&viewer, id).await?;
    Ok(redirect(&format!("/resources/{id}"), None))
}
