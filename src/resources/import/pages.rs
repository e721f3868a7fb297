//! The import page and its report.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{self, DefaultBodyLimit};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use encoding_rs::Encoding;

use super::batch::{Import, State};
use super::{File, Report, netscape};
use crate::error::{Error, FieldErrors, Result};
use crate::identity::Viewer;
use crate::resources::{Resources, ResourcesState, Visibility};
use crate::waits;
use crate::web::forms::Upload;
use crate::web::page_context::{PageContext, page, redirect};
use crate::web::path::Id;

/// `limit` in bytes.
pub fn routes(limit: usize) -> Router<ResourcesState> {
    Router::new()
        .route("/import", get(form).post(import).layer(DefaultBodyLimit::max(limit)))
        .route("/import/{id}", get(report))
        .route("/import/{id}/commit", post(commit))
        .route("/import/{id}/undo", post(undo))
}

/// The encodings that the form offers: all that a guess may name.
const CHARSETS: [(&str, &str); 26] = [
    ("utf-8", "Unicode (UTF-8)"),
    ("utf-16le", "Unicode (UTF-16)"),
    ("windows-1252", "Western European (windows-1252, ISO 8859-1)"),
    ("windows-1250", "Central European (windows-1250)"),
    ("iso-8859-2", "Central European (ISO-8859-2)"),
    ("windows-1257", "Baltic (windows-1257)"),
    ("windows-1254", "Turkish (windows-1254)"),
    ("windows-1251", "Cyrillic (windows-1251)"),
    ("koi8-u", "Cyrillic (KOI8-U)"),
    ("ibm866", "Cyrillic (IBM866)"),
    ("windows-1253", "Greek (windows-1253)"),
    ("windows-1255", "Hebrew (windows-1255)"),
    ("windows-1256", "Arabic (windows-1256)"),
    ("gbk", "Chinese, simplified (GBK, GB 18030)"),
    ("big5", "Chinese, traditional (Big5)"),
    ("shift_jis", "Japanese (Shift_JIS)"),
    ("euc-jp", "Japanese (EUC-JP)"),
    ("iso-2022-jp", "Japanese (ISO-2022-JP)"),
    ("euc-kr", "Korean (EUC-KR)"),
    ("windows-1258", "Vietnamese (windows-1258)"),
    ("windows-874", "Thai (windows-874)"),
    ("iso-8859-4", "Northern European (ISO-8859-4)"),
    ("iso-8859-5", "Cyrillic (ISO-8859-5)"),
    ("iso-8859-6", "Arabic (ISO-8859-6)"),
    ("iso-8859-7", "Greek (ISO-8859-7)"),
    ("iso-8859-8", "Hebrew (ISO-8859-8)"),
];

#[derive(Template)]
#[template(path = "import/new.html")]
struct ImportPage {
    context: PageContext,
    visibility: String,
    charset: String,
    charsets: &'static [(&'static str, &'static str)],
    /// What titles would be in the encoding that was guessed.
    sample: Vec<String>,
    errors: FieldErrors,
    summary: Option<&'static str>,
}

#[derive(Template)]
#[template(path = "import/done.html")]
struct ImportDonePage {
    context: PageContext,
    import: Import,
    report: Report,
    see_href: Option<&'static str>,
}

#[derive(Clone, Default)]
struct Choices {
    visibility: String,
    /// The label of an encoding; empty for what the file says.
    charset: String,
    sample: Vec<String>,
}

async fn form(viewer: Viewer, context: PageContext) -> Result<Response> {
    viewer.signed_in()?;
    let choices = Choices { visibility: "private".to_owned(), ..Choices::default() };
    page(&import_page(context, choices, FieldErrors::default()), false)
}

async fn import(
    extract::State(resources): extract::State<Arc<Resources>>,
    viewer: Viewer,
    context: PageContext,
    upload: Upload,
) -> Result<Response> {
    let choices = Choices {
        visibility: upload.field("visibility").to_owned(),
        charset: upload.field("charset").to_owned(),
        sample: Vec::new(),
    };
    let visibility = if choices.visibility.is_empty() {
        Some(Visibility::default())
    } else {
        Visibility::parse(&choices.visibility)
    };
    let Some(visibility) = visibility else {
        let sentence = "Choose a visibility: private, members or public.";
        return refused(context, choices, "visibility", sentence);
    };
    let charset = Encoding::for_label(choices.charset.as_bytes());
    if charset.is_none() && !choices.charset.is_empty() {
        return refused(context, choices, "charset", "Choose one of these encodings.");
    }
    if upload.bytes.is_empty() {
        return refused(context, choices, "file", "Choose a bookmarks file first. This one is empty.");
    }
    let file = File { name: &upload.file_name, bytes: upload.bytes.to_vec(), visibility, charset };
    let imported = async {
        match upload.field("step") {
            "preview" => resources.preview_import(&viewer, file).await,
            _ => resources.import(&viewer, file, |_, _| ()).await.map(|(id, _)| id),
        }
    };
    match waits::patient(imported).await {
        Ok(id) => Ok(redirect(&format!("/import/{id}"), None)),
        Err(Error::Invalid(errors)) if errors.of("charset").is_some() => {
            refused_with(context, guessed(choices, upload.bytes).await?, errors)
        }
        Err(Error::Invalid(errors)) => refused_with(context, choices, errors),
        Err(error) => Err(error),
    }
}

/// The same with the encoding that was guessed, and a sample of it.
async fn guessed(choices: Choices, bytes: Bytes) -> Result<Choices> {
    let guess = tokio::task::spawn_blocking(move || netscape::guess(&bytes)).await;
    let guess = guess.map_err(|error| Error::Internal(format!("guessing an encoding: {error}")))?;
    Ok(guess.map_or(choices.clone(), |(encoding, sample)| {
        let known =
            CHARSETS.iter().find(|(label, _)| Encoding::for_label(label.as_bytes()) == Some(encoding));
        Choices {
            charset: known.map(|(label, _)| (*label).to_owned()).unwrap_or_default(),
            sample,
            ..choices
        }
    }))
}

fn refused(context: PageContext, choices: Choices, field: &'static str, message: &str) -> Result<Response> {
    let mut errors = FieldErrors::default();
    errors.add(field, message);
    refused_with(context, choices, errors)
}

fn refused_with(context: PageContext, choices: Choices, errors: FieldErrors) -> Result<Response> {
    let again = page(&import_page(context, choices, errors), false)?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, again).into_response())
}

fn import_page(context: PageContext, choices: Choices, errors: FieldErrors) -> ImportPage {
    let summary = (!errors.is_empty()).then_some("Nothing was imported.");
    let Choices { visibility, charset, sample } = choices;
    let context = context.section("import");
    ImportPage { context, visibility, charset, charsets: &CHARSETS, sample, errors, summary }
}

async fn report(
    extract::State(resources): extract::State<Arc<Resources>>,
    viewer: Viewer,
    context: PageContext,
    Id(id): Id,
) -> Result<Response> {
    let import = resources.find_import(&viewer, id).await?;
    let report = import.report.clone();
    let see_href = (report.new > 0 && import.state == State::Committed).then_some("/resources");
    page(&ImportDonePage { context: context.section("import"), import, report, see_href }, false)
}

async fn commit(
    extract::State(resources): extract::State<Arc<Resources>>,
    viewer: Viewer,
    Id(id): Id,
) -> Result<Response> {
    waits::patient(resources.commit_import(&viewer, id)).await?;
    Ok(redirect(&format!("/import/{id}"), None))
}

async fn undo(
    extract::State(resources): extract::State<Arc<Resources>>,
    viewer: Viewer,
    Id(id): Id,
) -> Result<Response> {
    waits::patient(resources.undo_import(&viewer, id)).await?;
    Ok(redirect(&format!("/import/{id}"), None))
}
