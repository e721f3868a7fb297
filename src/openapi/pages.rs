//! The catalogue of errors as a page: where the `type` of every problem leads.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::response::Response;
use axum::routing::get;

use crate::error::{Code, Result};
use crate::web::deps::WebDeps;
use crate::web::page_context::{PageContext, page};

#[derive(Template)]
#[template(path = "api/errors.html")]
struct ErrorsPage {
    context: PageContext,
    codes: &'static [Code],
}

pub fn routes() -> Router<Arc<WebDeps>> {
    Router::new().route("/api/docs/errors", get(errors))
}

async fn errors(context: PageContext) -> Result<Response> {
    page(&ErrorsPage { context, codes: &Code::ALL }, false)
}
