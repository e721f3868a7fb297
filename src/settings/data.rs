//! `/settings/data`: the export of an account, and its deletion.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use tower_sessions::Session;

use super::{ArchiveFile, OwnLibrary, SettingsState};
use crate::audit::api::AuditEvent;
use crate::error::{Error, FieldErrors, Result};
use crate::identity::{RequestMeta, Viewer};
use crate::web::attachment::{attachment, headers_alone};
use crate::web::flash::Flash;
use crate::web::forms::Form;
use crate::web::page_context::{PageContext, page, redirect};
use crate::web::sudo::Sudo;

const ACCOUNT_DELETED: Flash =
    Flash::ok("account-deleted", "Your account and everything in it have been deleted.");

#[derive(Template)]
#[template(path = "settings/data.html")]
struct DataPage {
    context: PageContext,
    username: String,
    typed: String,
    errors: FieldErrors,
    /// Why the account can't be deleted.
    refused: Option<String>,
    exports: ExportsPart,
}

/// The progress of the downloads.
#[derive(Template)]
#[template(path = "settings/exports.html")]
struct ExportsPart {
    percents: Vec<u64>,
}

impl ExportsPart {
    fn new(library: &dyn OwnLibrary, viewer: &Viewer) -> Result<Self> {
        Ok(Self { percents: library.exports_under_way(viewer)? })
    }
}

impl DataPage {
    fn new(context: PageContext, library: &dyn OwnLibrary, viewer: &Viewer) -> Result<Self> {
        Ok(Self {
            exports: ExportsPart::new(library, viewer)?,
            username: viewer.signed_in()?.username.clone(),
            context: context.section("data"),
            typed: String::new(),
            errors: FieldErrors::default(),
            refused: None,
        })
    }
}

pub async fn show(
    State(library): State<Arc<dyn OwnLibrary>>,
    viewer: Viewer,
    context: PageContext,
) -> Result<Response> {
    let toast = context.toast.is_some();
    page(&DataPage::new(context, &*library, &viewer)?, toast)
}

pub async fn exports(State(library): State<Arc<dyn OwnLibrary>>, viewer: Viewer) -> Result<Response> {
    page(&ExportsPart::new(&*library, &viewer)?, false)
}

pub async fn archive(
    _: Sudo,
    State(settings): State<SettingsState>,
    viewer: Viewer,
    method: Method,
    origin: RequestMeta,
) -> Result<Response> {
    let (media_type, file_name) = ("application/zip", "coffer-archive.zip");
    if method == Method::HEAD {
        return Ok(headers_alone(media_type, file_name));
    }
    let account = settings.auth.accounts.own_data(&viewer, &origin).await?;
    let activity = settings.audit_reader.all_own(&viewer).await?;
    let activity: Vec<AuditEvent> = activity.into_iter().map(AuditEvent::from).collect();
    let files = vec![json_file("account.json", &account)?, json_file("activity.json", &activity)?];
    let body = settings.library.archive(&viewer, files)?;
    Ok(attachment(body, media_type, file_name))
}

fn json_file(name: &'static str, value: &impl serde::Serialize) -> Result<ArchiveFile> {
    let bytes = serde_json::to_vec_pretty(value).map_err(|e| Error::Internal(format!("{name}: {e}")))?;
    Ok(ArchiveFile { name, bytes })
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct DeleteForm {
    username: String,
}

pub async fn delete(
    _: Sudo,
    State(settings): State<SettingsState>,
    viewer: Viewer,
    session: Session,
    context: PageContext,
    origin: RequestMeta,
    Form(form): Form<DeleteForm>,
) -> Result<Response> {
    let mut again =
        DataPage { typed: form.username.clone(), ..DataPage::new(context, &*settings.library, &viewer)? };
    let status = match settings.auth.accounts.delete_own(&viewer, &form.username, &origin).await {
        Ok(()) => {
            session.flush().await?;
            return Ok(redirect("/login", Some(ACCOUNT_DELETED)));
        }
        Err(Error::Invalid(errors)) => {
            again.errors = errors;
            StatusCode::UNPROCESSABLE_ENTITY
        }
        Err(error @ Error::LastAdmin) => {
            again.refused = Some(error.message().into_owned());
            error.status()
        }
        Err(error) => return Err(error),
    };
    Ok((status, page(&again, false)?).into_response())
}
