//! Imports as JSON: a file is looked at, brought in, and taken back.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use encoding_rs::Encoding;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::batch::{self, Import, KeptEntry};
use super::{File, Report};
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

pub fn routes() -> OpenApiRouter<ResourcesState> {
    OpenApiRouter::new()
        .routes(routes!(preview))
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
}

impl ImportParams {
    fn file(&self, bytes: Vec<u8>) -> Result<File<'_>> {
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
        let name = if self.name.is_empty() { "import" } else { &self.name };
        Ok(File { name, bytes, visibility, charset })
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
    report: Report,
    /// Once it is undone: entries that were changed since it came in, and stayed.
    kept: Vec<KeptEntry>,
}

impl From<Import> for ImportBody {
    fn from(Import { id, state, report, kept, .. }: Import) -> Self {
        Self { id, state, report, kept }
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
    body: Body,
) -> Result<Response> {
    let bytes = body::read(body, deps.upload_limit).await?;
    let key = key.with(&bytes);
    let preview = async |_| {
        let id = waits::patient(resources.preview_import(&viewer, params.file(bytes.to_vec())?)).await?;
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
#[utoipa::path(post, path = "/imports/{id}/commit", operation_id = "commitImport", tag = "imports", security(("session" = []), ("bearer" = ["resources:write"])), params(("id" = Uuid, Path)), responses(
    (status = 200, body = ImportBody, description = "What came in"),
    (status = 404, body = Problem, content_type = "application/problem+json", description = "`not_found`"),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "`wrong_state`"),
))]
async fn commit(
    State(resources): State<Arc<Resources>>,
    viewer: Scoped<ResourcesWrite>,
    Id(id): Id,
) -> Result<axum::Json<ImportBody>> {
    waits::patient(resources.commit_import(&viewer, id)).await?;
    shown(&resources, &viewer, id).await
}

/// Take back what an import of the last 30 days has brought in.
///
/// Entries that were changed since stay, and `kept` names them.
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
    waits::patient(resources.undo_import(&viewer, id)).await?;
    shown(&resources, &viewer, id).await
}

async fn shown(
    resources: &Resources,
    viewer: &Scoped<ResourcesWrite>,
    id: Uuid,
) -> Result<axum::Json<ImportBody>> {
    Ok(axum::Json(resources.find_import(viewer, id).await?.into()))
}
