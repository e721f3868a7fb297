//! Books in a browser.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use serde::Deserialize;

use super::{Books, BooksState, Draft, Shelf};
use crate::error::{Error, FieldErrors, Result};
use crate::identity::Viewer;
use crate::web::flash::Flash;
use crate::web::forms::{Form, summary};
use crate::web::page_context::{PageContext, page, redirect};

const SAVED: Flash = Flash::ok("saved", "Saved.");

pub fn routes() -> Router<BooksState> {
    Router::new().route("/books", get(list).post(create))
}

/// A form has its CSRF token beside these.
#[derive(Default, Deserialize)]
#[serde(default)]
struct BookForm {
    title: String,
    author: String,
}

#[derive(Template)]
#[template(path = "books/index.html")]
struct BooksPage {
    context: PageContext,
    shelf: Arc<Shelf>,
    form: BookForm,
    errors: FieldErrors,
    summary: Option<&'static str>,
}

async fn list(State(books): State<Arc<Books>>, viewer: Viewer, context: PageContext) -> Result<Response> {
    let shelf = books.list(&viewer).await?;
    let toast = context.toast.is_some();
    let (form, errors) = (BookForm::default(), FieldErrors::default());
    page(&BooksPage { context: context.section("books"), shelf, form, errors, summary: None }, toast)
}

async fn create(
    State(books): State<Arc<Books>>,
    viewer: Viewer,
    context: PageContext,
    Form(form): Form<BookForm>,
) -> Result<Response> {
    let draft = Draft { title: form.title.clone(), author: form.author.clone() };
    match books.create(&viewer, &draft).await {
        Ok(_) => Ok(redirect("/books", Some(SAVED))),
        Err(Error::Invalid(errors)) => {
            let (context, summary) = (context.section("books"), summary(&errors));
            let shelf = books.list(&viewer).await?;
            let again = page(&BooksPage { context, shelf, form, errors, summary }, false)?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, again).into_response())
        }
        Err(error) => Err(error),
    }
}
