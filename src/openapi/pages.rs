//! The catalogue of errors as a page: where the `type` of every problem leads.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::response::Response;
use axum::routing::get;

use crate::error::{Code, Result};
use crate::web::chrome::{Chrome, page};
use crate::web::deps::WebDeps;

#[derive(Template)]
#[template(path = "api/errors.html")]
struct ErrorsPage {
    chrome: Chrome,
    codes: &'static [Code],
}

pub fn routes() -> Router<Arc<WebDeps>> {
    Router::new().route("/api/docs/errors", get(errors))
}

async fn errors(chrome: Chrome) -> Result<Response> {
    page(&ErrorsPage { chrome, codes: &Code::ALL }, false)
}
