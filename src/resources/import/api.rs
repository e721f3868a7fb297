//! Imports as JSON: a file is looked at, brought in, and taken back.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use encoding_rs::Encoding;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::batch::{self, Import, KeptEntry};
use super::choices::Choices;
use super::formats::Role;
use super::{File, Report, job, recent};
use crate::error::{Error, Result};
use crate::idempotency::{IdempotencyKey, KeyOfFile};
use crate::resources::{Resources, ResourcesState, Visibility};
use crate::waits;
use crate::web::body;
use crate::web::deps::WebDeps;
use crate::web::forms::StrictQuery;
use crate::web::json::Problem;
use crate::web::path::Id;
use crate::web::scoped::{ResourcesWrite, Scoped};

const MAX_NAME: usize = 200;
const MAX_COLUMNS: usize = 100;

pub fn routes() -> OpenApiRouter<ResourcesState> {
    OpenApiRouter::new()
        .routes(routes!(recent::list, preview))
        .routes(routes!(find))
        .routes(routes!(commit))
        .routes(routes!(undo))
}

#[derive(Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
struct ImportParams {
    /// The file's name, for the report; at most 200 characters.
    #[param(max_length = 200)]
    name: String,
    /// The most that others may see of what comes in; `private` when left out. What the file marks as private stays
    /// private.
    #[param(value_type = Option<Visibility>)]
    visibility: String,
    /// The encoding of an old file that does not say it, such as `windows-1252`.
    #[param(max_length = 40)]
    charset: String,
    /// `false` to make no tags of folders.
    #[param(value_type = Option<bool>)]
    folders: String,
    /// Which columns of a table hold what, such as `address:2,title:0`; columns count from 0. Left out, their names decide.
    #[param(max_length = 100)]
    columns: String,
}

impl ImportParams {
    fn columns(&self) -> Result<BTreeMap<Role, usize>> {
        let column = |text: &str| {
            let (role, place) = text.split_once(':')?;
            Some((Role::parse(role.trim())?, place.trim().parse().ok()?))
        };
        let named = self.columns.split(',').filter(|text| !text.is_empty());
        let columns: Option<BTreeMap<_, _>> = named.clone().map(column).collect();
        // One that is named twice stands in the map once.
        let is_whole =
            |columns: &BTreeMap<_, _>| columns.len() == named.count() && self.columns.len() <= MAX_COLUMNS;
        columns.filter(is_whole).ok_or_else(|| {
            Error::field("columns", "Name columns as in address:2,title:0, each once. They are address, title, notes, tags, folder and date.")
        })
    }

    fn file(&self, bytes: Bytes) -> Result<File<'_>> {
        let visibility = match self.visibility.as_str() {
            "" => Visibility::default(),
            name => Visibility::parse(name)
                .ok_or_else(|| Error::field("visibility", "Choose private, members or public."))?,
        };
        let charset = Encoding::for_label(self.charset.as_bytes());
        if charset.is_none() && !self.charset.is_empty() {
            return Err(Error::field("charset", "There is no encoding with this name."));
        }
        if self.name.chars().count() > MAX_NAME {
            return Err(Error::field("name", "Use at most 200 characters."));
        }
        if bytes.is_empty() {
            return Err(Error::field("file", "Send the file as the body; this one is empty."));
        }
        let without_folders = match self.folders.as_str() {
            "" | "true" => false,
            "false" => true,
            _ => return Err(Error::field("folders", "Use true or false.")),
        };
        let name = if self.name.is_empty() { "import" } else { &self.name };
        let charset = charset.map(|charset| charset.name().to_owned()).unwrap_or_default();
        let choices = Choices { visibility, charset, without_folders, columns: self.columns()? };
        Ok(File { name, bytes, choices })
    }
}

/// A file.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
#[expect(dead_code, reason = "only its schema is used")]
struct FileBytes(Vec<u8>);

/// An import, and what it has brought in or will bring in.
#[derive(Serialize, ToSchema)]
struct ImportBody {
    id: Uuid,
    state: batch::State,
    /// Entries of the file.
    total: i64,
    /// Those of them that are dealt with, while `state` is `importing` and after.
    done: i64,
    report: Report,
    /// Once it is undone: entries that were changed since it came in, and stayed.
    kept: Vec<KeptEntry>,
}

impl From<Import> for ImportBody {
    fn from(Import { id, state, total, done, report, kept, .. }: Import) -> Self {
        Self { id, state, total, done, report, kept }
    }
}

/// Look at what a file would bring in.
///
/// The body is the file itself, such as the bookmarks that a browser exports. Nothing comes in before you commit it.
#[utoipa::path(post, path = "/imports", operation_id = "previewImport", tag = "imports", security(("session" = []), ("bearer" = ["resources:write"])), params(ImportParams, IdempotencyKey),
    request_body(content = FileBytes, content_type = "application/octet-stream", description = "The file"), responses(
    (status = 201, body = ImportBody, description = "What the file would bring in", headers(("Location" = String), ("Idempotency-Replayed" = String))),
    (status = 400, body = Problem, content_type = "application/problem+json", description = "`bad_idempotency_key`"),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "`idempotency_key_in_use`"),
    (status = 422, body = Problem, content_type = "application/problem+json", description = "`invalid`: the file is none that coffer can read; `idempotency_key_reused`"),
))]
async fn preview(
    State(resources): State<Arc<Resources>>,
    State(deps): State<Arc<WebDeps>>,
    viewer: Scoped<ResourcesWrite>,
    StrictQuery(params): StrictQuery<ImportParams>,
    key: KeyOfFile,
    headers: HeaderMap,
    body: Body,
) -> Result<Response> {
    body::check_encoding(&headers)?;
    let bytes = body::read_file(body, deps.upload_limit).await?;
    let key = key.with(&bytes);
    let preview = async |_| {
        let id = waits::patient(resources.preview_import(&viewer, params.file(bytes.clone())?)).await?;
        let location = [(header::LOCATION, format!("/api/v1/imports/{id}"))];
        Ok((StatusCode::CREATED, location, shown(&resources, &viewer, id).await?).into_response())
    };
    resources.requests.once(viewer.signed_in()?.id, key, preview).await
}

/// One of your imports.
#[utoipa::path(get, path = "/imports/{id}", operation_id = "getImport", tag = "imports", security(("session" = []), ("bearer" = ["resources:write"])), params(("id" = Uuid, Path)), responses(
    (status = 200, body = ImportBody, description = "The import"),
    (status = 404, body = Problem, content_type = "application/problem+json", description = "`not_found`"),
))]
async fn find(
    State(resources): State<Arc<Resources>>,
    viewer: Scoped<ResourcesWrite>,
    Id(id): Id,
) -> Result<axum::Json<ImportBody>> {
    shown(&resources, &viewer, id).await
}

/// Bring in what was previewed.
///
/// A large file goes on after the answer: while `state` is `importing`, ask for the import again, and read how many of its
/// `total` entries are `done`.
#[utoipa::path(post, path = "/imports/{id}/commit", operation_id = "commitImport", tag = "imports", security(("session" = []), ("bearer" = ["resources:write"])), params(("id" = Uuid, Path)), responses(
    (status = 200, body = ImportBody, description = "What came in so far"),
    (status = 404, body = Problem, content_type = "application/problem+json", description = "`not_found`"),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "`wrong_state`"),
))]
async fn commit(
    State(resources): State<Arc<Resources>>,
    viewer: Scoped<ResourcesWrite>,
    Id(id): Id,
) -> Result<axum::Json<ImportBody>> {
    resources.begin_import(&viewer, id).await?;
    job::carry_out(&resources, id).await;
    shown(&resources, &viewer, id).await
}

/// Take back what an import of the last 30 days has brought in.
///
/// Entries that were changed since stay, and `kept` names them once `state` is `undone`; while it is `undoing`, ask again.
/// An import that is still going on stops there, and what came in so far is taken back.
#[utoipa::path(post, path = "/imports/{id}/undo", operation_id = "undoImport", tag = "imports", security(("session" = []), ("bearer" = ["resources:write"])), params(("id" = Uuid, Path)), responses(
    (status = 200, body = ImportBody, description = "The import, with what stayed"),
    (status = 404, body = Problem, content_type = "application/problem+json", description = "`not_found`"),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "`wrong_state`"),
))]
async fn undo(
    State(resources): State<Arc<Resources>>,
    viewer: Scoped<ResourcesWrite>,
    Id(id): Id,
) -> Result<axum::Json<ImportBody>> {
    resources.begin_undo_of_import(&viewer, id).await?;
    job::carry_out(&resources, id).await;
    shown(&resources, &viewer, id).await
}

async fn shown(
    resources: &Resources,
    viewer: &Scoped<ResourcesWrite>,
    id: Uuid,
) -> Result<axum::Json<ImportBody>> {
    Ok(axum::Json(resources.find_import(viewer, id).await?.into()))
}
