//! The API's reference, and the catalogue of errors, where the `type` of every problem leads.

use std::sync::{Arc, LazyLock};

use askama::Template;
use axum::Router;
use axum::response::{Redirect, Response};
use axum::routing::get;
use serde_json::Value;

use super::reference::Reference;
use crate::error::{Code, Result};
use crate::web::deps::WebDeps;
use crate::web::page_context::{PageContext, page};

#[derive(Template)]
#[template(path = "api/errors.html")]
struct ErrorsPage {
    context: PageContext,
    codes: &'static [Code],
}

#[derive(Template)]
#[template(path = "api/reference.html")]
struct ReferencePage<'a> {
    context: PageContext,
    reference: &'a Reference,
}

/// `document` writes the description when it is first asked for.
pub fn routes(document: impl Fn() -> Value + Send + Sync + 'static) -> Router<Arc<WebDeps>> {
    let read = Arc::new(LazyLock::new(move || Reference::new(&document())));
    let reference = move |context: PageContext| {
        let read = read.clone();
        async move {
            let reference = LazyLock::force(&read);
            page(&ReferencePage { context: context.section("api"), reference }, false)
        }
    };
    Router::new()
        .route("/api/docs", get(reference))
        .route("/api/docs/", get(|| async { Redirect::permanent("/api/docs") }))
        .route("/api/docs/errors", get(errors))
}

async fn errors(context: PageContext) -> Result<Response> {
    page(&ErrorsPage { context, codes: &Code::ALL }, false)
}
