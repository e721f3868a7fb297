//! The library as a file to keep.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::Method;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use serde::Deserialize;

use super::Format;
use crate::error::{Code, Error, Result};
use crate::identity::Viewer;
use crate::resources::{Resources, ResourcesState};
use crate::web::forms::Query;
use crate::web::sudo::Sudo;

pub fn routes() -> Router<ResourcesState> {
    Router::new().route("/export", get(export))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ExportParams {
    /// `html`, `html-folders`, `json`, `json-versions` or `markdown`; without one, the page that offers them.
    format: String,
}

async fn export(
    State(resources): State<Arc<Resources>>,
    viewer: Viewer,
    method: Method,
    Query(params): Query<ExportParams>,
    sudo: Result<Sudo, Error>,
) -> Result<Response> {
    viewer.signed_in()?;
    if params.format.is_empty() {
        return Ok(Redirect::to("/settings/data").into_response());
    }
    sudo?;
    let format = Format::parse(&params.format).ok_or_else(unknown_format)?;
    resources.export_file(&viewer, format, &method)
}

pub fn unknown_format() -> Error {
    Error::Malformed {
        code: Code::BadParameter,
        message: "format must be html, html-folders, json, json-versions or markdown.".into(),
    }
}
