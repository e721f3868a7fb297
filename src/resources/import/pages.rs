//! The import page: a file is chosen, looked at, brought in, and taken back.

mod charsets;

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{self, DefaultBodyLimit};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use encoding_rs::Encoding;

use self::charsets::CHARSETS;
use super::batch::{Import, State};
use super::choices::Choices;
use super::formats::Role;
use super::recent::RecentImport;
use super::report::Fate;
use super::{File, Report, job};
use crate::error::{Error, FieldErrors, Result};
use crate::identity::Viewer;
use crate::resources::{Resources, ResourcesState, Visibility};
use crate::waits;
use crate::web::forms::{Form, Upload};
use crate::web::page_context::{PageContext, page, redirect};
use crate::web::path::Id;

/// `limit` in bytes.
pub fn routes(limit: usize) -> Router<ResourcesState> {
    Router::new()
        .route("/import", get(form).post(import).layer(DefaultBodyLimit::max(limit)))
        .route("/import/{id}", get(report))
        .route("/import/{id}/preview", post(choose))
        .route("/import/{id}/commit", post(commit))
        .route("/import/{id}/undo", post(undo))
}

#[derive(Template)]
#[template(path = "import/new.html")]
struct ImportPage {
    context: PageContext,
    visibility: String,
    folders: String,
    charset: String,
    charsets: &'static [(&'static str, &'static str)],
    /// What titles would be in the encoding that was guessed.
    sample: Vec<String>,
    errors: FieldErrors,
    summary: Option<&'static str>,
    recent: Vec<RecentImport>,
}

#[derive(Template)]
#[template(path = "import/done.html")]
struct ImportDonePage {
    context: PageContext,
    import: Import,
    report: Report,
    see_href: Option<&'static str>,
    /// Of other choices for a preview.
    errors: FieldErrors,
}

/// What was filled in beside the file.
#[derive(Clone, Default)]
struct Filled {
    visibility: String,
    /// `out` for no tags; empty or `tags` for a tag of each link's path.
    folders: String,
    /// The label of an encoding; empty for what the file says.
    charset: String,
    sample: Vec<String>,
}

impl Filled {
    /// # Errors
    /// [`Error::Invalid`] at the field that has another value than the form offers.
    fn choices(&self) -> Result<Choices> {
        let visibility = match self.visibility.as_str() {
            "" => Visibility::default(),
            name => Visibility::parse(name).ok_or_else(|| {
                Error::field("visibility", "Choose a visibility: private, members or public.")
            })?,
        };
        let charset = Encoding::for_label(self.charset.as_bytes());
        if charset.is_none() && !self.charset.is_empty() {
            return Err(Error::field("charset", "Choose one of these encodings."));
        }
        let charset = charset.map(|charset| charset.name().to_owned()).unwrap_or_default();
        Ok(Choices { visibility, charset, without_folders: self.folders == "out", columns: BTreeMap::new() })
    }
}

async fn form(
    extract::State(resources): extract::State<Arc<Resources>>,
    viewer: Viewer,
    context: PageContext,
) -> Result<Response> {
    let recent = resources.recent_imports(&viewer).await?;
    let filled = Filled { visibility: "private".to_owned(), ..Filled::default() };
    page(&import_page(context, recent, filled, FieldErrors::default()), false)
}

async fn import(
    extract::State(resources): extract::State<Arc<Resources>>,
    viewer: Viewer,
    context: PageContext,
    upload: Upload,
) -> Result<Response> {
    let filled = Filled {
        visibility: upload.field("visibility").to_owned(),
        folders: upload.field("folders").to_owned(),
        charset: upload.field("charset").to_owned(),
        sample: Vec::new(),
    };
    let (filled, errors) = match waits::patient(take_in(&resources, &viewer, &upload, &filled)).await {
        Ok(place) => return Ok(redirect(&place, None)),
        Err(Error::Invalid(errors)) if errors.get("charset").is_some() && filled.charset.is_empty() => {
            (guessed(filled, upload.bytes).await?, errors)
        }
        Err(Error::Invalid(errors)) => (filled, errors),
        Err(error) => return Err(error),
    };
    let recent = resources.recent_imports(&viewer).await?;
    let again = page(&import_page(context, recent, filled, errors), false)?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, again).into_response())
}

/// Returns the address of the import's page.
async fn take_in(
    resources: &Arc<Resources>,
    viewer: &Viewer,
    upload: &Upload,
    filled: &Filled,
) -> Result<String> {
    let choices = filled.choices()?;
    if upload.bytes.is_empty() {
        return Err(Error::field("file", "Choose a bookmarks file first. This one is empty."));
    }
    let file = File { name: &upload.file_name, bytes: upload.bytes.clone(), choices };
    let id = if upload.field("step") == "preview" {
        resources.preview_import(viewer, file).await?
    } else {
        let id = resources.begin_import_of(viewer, file).await?;
        job::carry_out(resources, id).await;
        id
    };
    Ok(format!("/import/{id}"))
}

/// The same with the encoding that was guessed, and a sample of it.
async fn guessed(filled: Filled, bytes: Bytes) -> Result<Filled> {
    let guess = tokio::task::spawn_blocking(move || netscape_bookmarks::guess(&bytes)).await;
    let guess = guess.map_err(|error| Error::Internal(format!("guessing an encoding: {error}")))?;
    Ok(guess.map_or(filled.clone(), |(encoding, sample)| {
        let known =
            CHARSETS.iter().find(|(label, _)| Encoding::for_label(label.as_bytes()) == Some(encoding));
        Filled { charset: known.map(|(label, _)| (*label).to_owned()).unwrap_or_default(), sample, ..filled }
    }))
}

fn import_page(
    context: PageContext,
    recent: Vec<RecentImport>,
    filled: Filled,
    errors: FieldErrors,
) -> ImportPage {
    let summary = (!errors.is_empty()).then_some("Nothing was imported.");
    let Filled { visibility, folders, charset, sample } = filled;
    let context = context.section("import");
    ImportPage { context, visibility, folders, charset, charsets: &CHARSETS, sample, errors, summary, recent }
}

async fn report(
    extract::State(resources): extract::State<Arc<Resources>>,
    viewer: Viewer,
    context: PageContext,
    Id(id): Id,
) -> Result<Response> {
    let import = resources.find_import(&viewer, id).await?;
    page(&done_page(context, import, FieldErrors::default()), false)
}

fn done_page(context: PageContext, import: Import, errors: FieldErrors) -> ImportDonePage {
    let report = import.report.clone();
    let see_href = (report.new > 0 && import.state == State::Committed).then_some("/resources");
    ImportDonePage { context: context.section("import"), import, report, see_href, errors }
}

/// Previews the same file with other choices.
async fn choose(
    extract::State(resources): extract::State<Arc<Resources>>,
    viewer: Viewer,
    context: PageContext,
    Id(id): Id,
    Form(fields): Form<BTreeMap<String, String>>,
) -> Result<Response> {
    let mut import = resources.find_import(&viewer, id).await?;
    let field = |name: &str| fields.get(name).cloned().unwrap_or_default();
    let filled = Filled { visibility: field("visibility"), folders: field("folders"), ..Filled::default() };
    let columns = Role::ALL.into_iter().filter_map(|role| {
        let place = fields.get(&format!("column-{}", role.as_str()))?.parse().ok()?;
        Some((role, place))
    });
    let charset = import.choices.charset.clone();
    let choices = Choices { charset, columns: columns.collect(), ..filled.choices()? };
    match waits::patient(resources.choose_for_import(&viewer, id, &choices)).await {
        Ok(()) => Ok(redirect(&format!("/import/{id}"), None)),
        Err(Error::Invalid(errors)) if errors.get("columns").is_some() => {
            import.choose(choices);
            let again = page(&done_page(context, import, errors), false)?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, again).into_response())
        }
        Err(error) => Err(error),
    }
}

impl Import {
    /// As the form was filled in.
    fn choose(&mut self, choices: Choices) {
        for (place, column) in self.report.columns.iter_mut().enumerate() {
            let chosen = choices.columns.iter().find(|(_, chosen)| **chosen == place);
            column.role = chosen.map(|(role, _)| *role);
        }
        self.choices = choices;
    }
}

async fn commit(
    extract::State(resources): extract::State<Arc<Resources>>,
    viewer: Viewer,
    Id(id): Id,
) -> Result<Response> {
    resources.begin_import(&viewer, id).await?;
    job::carry_out(&resources, id).await;
    Ok(redirect(&format!("/import/{id}"), None))
}

async fn undo(
    extract::State(resources): extract::State<Arc<Resources>>,
    viewer: Viewer,
    Id(id): Id,
) -> Result<Response> {
    resources.begin_undo_of_import(&viewer, id).await?;
    job::carry_out(&resources, id).await;
    Ok(redirect(&format!("/import/{id}"), None))
}
