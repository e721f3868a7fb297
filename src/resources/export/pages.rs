//! The library as a file to keep.

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use axum::{Router, body::Body};
use serde::Deserialize;

use super::Format;
use crate::app::App;
use crate::error::{Error, Result};
use crate::web::forms::Query;
use crate::web::viewer::Viewer;

pub fn routes() -> Router<App> {
    Router::new().route("/export", get(export))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Asked {
    /// `html`, `json` or `markdown`; without one, the page that offers them.
    format: String,
}

async fn export(State(app): State<App>, viewer: Viewer, Query(asked): Query<Asked>) -> Result<Response> {
    viewer.signed_in()?;
    if asked.format.is_empty() {
        return Ok(Redirect::to("/settings/data").into_response());
    }
    let format = Format::read(&asked.format).ok_or_else(unknown_format)?;
    Ok(attachment(app.resources.export(&viewer, format)?, format))
}

#[must_use]
pub fn unknown_format() -> Error {
    Error::Malformed { code: "bad_parameter", message: "format must be html, json or markdown.".into() }
}

/// A file to save. The names are ours alone: nothing in them needs encoding.
#[must_use]
pub fn attachment(body: Body, format: Format) -> Response {
    let mut response = body.into_response();
    let disposition = format!("attachment; filename=\"{}\"", format.file_name());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(format.media_type()));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(disposition) = HeaderValue::from_str(&disposition) {
        headers.insert(header::CONTENT_DISPOSITION, disposition);
    }
    response
}
