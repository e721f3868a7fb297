//! The import page and its report.

use askama::Template;
use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;

use super::{File, Refusal, Report};
use crate::app::App;
use crate::error::{Error, FieldErrors, Result};
use crate::resources::Visibility;
use crate::waits;
use crate::web::chrome::{Chrome, page, redirect};
use crate::web::forms::Upload;
use crate::web::path::Id;
use crate::web::viewer::Viewer;

/// `limit` in bytes.
pub fn routes(limit: usize) -> Router<App> {
    Router::new()
        .route("/import", get(form).post(import).layer(DefaultBodyLimit::max(limit)))
        .route("/import/{id}", get(report))
}

#[derive(Template)]
#[template(path = "import/new.html")]
struct ImportPage {
    chrome: Chrome,
    visibility: String,
    errors: FieldErrors,
    summary: Option<&'static str>,
}

#[derive(Template)]
#[template(path = "import/done.html")]
struct ImportDonePage {
    chrome: Chrome,
    file_name: String,
    new_count: usize,
    duplicate_count: usize,
    refused_count: usize,
    refused: Vec<Refusal>,
    duplicates: Vec<DuplicateOf>,
    see_href: Option<&'static str>,
}

struct DuplicateOf {
    href: String,
    title: String,
}

async fn form(viewer: Viewer, chrome: Chrome) -> Result<Response> {
    viewer.signed_in()?;
    page(&import_page(chrome, "private".to_owned(), FieldErrors::default()), false)
}

async fn import(State(app): State<App>, viewer: Viewer, chrome: Chrome, upload: Upload) -> Result<Response> {
    let chosen = upload.field("visibility").to_owned();
    let visibility = if chosen.is_empty() { Some(Visibility::default()) } else { Visibility::read(&chosen) };
    let Some(visibility) = visibility else {
        return refused(chrome, chosen, "visibility", "Choose who may see it: private, members or public.");
    };
    if upload.bytes.is_empty() {
        return refused(chrome, chosen, "file", "Choose a bookmarks file first; this one is empty.");
    }
    let file = File { name: &upload.file_name, bytes: upload.bytes.to_vec(), visibility };
    match waits::patient(app.resources.import(&viewer, file, |_, _| ())).await {
        Ok((id, _)) => Ok(redirect(&format!("/import/{id}"), None)),
        Err(Error::Invalid(errors)) => {
            let message = errors.of("file").unwrap_or("This file can't be imported.").to_owned();
            refused(chrome, chosen, "file", &message)
        }
        Err(error) => Err(error),
    }
}

fn refused(chrome: Chrome, visibility: String, field: &'static str, message: &str) -> Result<Response> {
    let mut errors = FieldErrors::default();
    errors.add(field, message);
    let again = page(&import_page(chrome, visibility, errors), false)?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, again).into_response())
}

fn import_page(chrome: Chrome, visibility: String, errors: FieldErrors) -> ImportPage {
    let summary = (!errors.is_empty()).then_some("Nothing was imported.");
    ImportPage { chrome: chrome.section("import"), visibility, errors, summary }
}

async fn report(State(app): State<App>, viewer: Viewer, chrome: Chrome, Id(id): Id) -> Result<Response> {
    let report: Report = app.resources.import_report(&viewer, id).await?;
    let duplicates = report
        .duplicates
        .into_iter()
        .filter_map(|twin| {
            Some(DuplicateOf { href: format!("/resources/{}", twin.existing?), title: twin.title })
        })
        .collect();
    let done = ImportDonePage {
        chrome: chrome.section("import"),
        file_name: report.file_name,
        new_count: report.new,
        duplicate_count: report.duplicate,
        refused_count: report.refused,
        refused: report.refusals,
        duplicates,
        see_href: (report.new > 0).then_some("/resources"),
    };
    page(&done, false)
}
