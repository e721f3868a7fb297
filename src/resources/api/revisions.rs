//! The versions of a resource as JSON.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{required_precondition, with_etag};
use crate::error::Result;
use crate::resources::resource::{ResourceBody, RevisionItem};
use crate::resources::{Resources, ResourcesState};
use crate::web::etag::IfMatch;
use crate::web::json::Problem;
use crate::web::path::{Id, IdVersion};
use crate::web::scoped::{OwnResourcesRead, ResourcesWrite, Scoped};

pub(super) fn routes() -> OpenApiRouter<ResourcesState> {
    OpenApiRouter::new()
        .routes(routes!(revisions))
        .routes(routes!(revision))
        .routes(routes!(restore_revision))
}

#[derive(Serialize, ToSchema)]
struct RevisionList {
    items: Vec<RevisionItem>,
}

/// The saved versions, latest first.
#[utoipa::path(get, path = "/resources/{id}/revisions", operation_id = "listRevisions", tag = "resources", security(("session" = []), ("bearer" = ["resources:read"])), params(("id" = Uuid, Path)), responses(
    (status = 200, body = RevisionList, description = "The versions, without their texts"),
    (status = 404, body = Problem, content_type = "application/problem+json", description = "`not_found`"),
))]
async fn revisions(
    State(resources): State<Arc<Resources>>,
    viewer: Scoped<OwnResourcesRead>,
    Id(id): Id,
) -> Result<axum::Json<RevisionList>> {
    let revisions = resources.revisions(&viewer, id).await?.revisions;
    let item = |revision| RevisionItem::from(revision).without_body();
    Ok(axum::Json(RevisionList { items: revisions.into_iter().map(item).collect() }))
}

/// One saved version, with its text.
#[utoipa::path(get, path = "/resources/{id}/revisions/{version}", operation_id = "getRevision", tag = "resources", security(("session" = []), ("bearer" = ["resources:read"])),
    params(("id" = Uuid, Path), ("version" = i64, Path, minimum = 1)), responses(
    (status = 200, body = RevisionItem, description = "The version"),
    (status = 404, body = Problem, content_type = "application/problem+json", description = "`not_found`"),
))]
async fn revision(
    State(resources): State<Arc<Resources>>,
    viewer: Scoped<OwnResourcesRead>,
    IdVersion { id, version }: IdVersion,
) -> Result<axum::Json<RevisionItem>> {
    Ok(axum::Json(resources.revision(&viewer, id, version).await?.revision.into()))
}

/// Restore the text and tags of an older version as a new version; visibility and pin stay the same.
#[utoipa::path(post, path = "/resources/{id}/revisions/{version}/restore", operation_id = "restoreRevision", tag = "resources", security(("session" = []), ("bearer" = ["resources:write"])),
    params(("id" = Uuid, Path), ("version" = i64, Path, minimum = 1), IfMatch), responses(
    (status = 200, body = ResourceBody, description = "The saved resource", headers(("ETag" = String))),
    (status = 400, body = Problem, content_type = "application/problem+json", description = "`bad_if_match`"),
    (status = 404, body = Problem, content_type = "application/problem+json", description = "`not_found`"),
    (status = 412, body = Problem, content_type = "application/problem+json", description = "`version_conflict`"),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "`trashed`"),
    (status = 428, body = Problem, content_type = "application/problem+json", description = "`precondition_required`"),
))]
async fn restore_revision(
    State(resources): State<Arc<Resources>>,
    viewer: Scoped<ResourcesWrite>,
    headers: HeaderMap,
    IdVersion { id, version }: IdVersion,
) -> Result<Response> {
    let expected = required_precondition(&headers)?;
    let restored = resources.restore_revision(&viewer, id, version, &expected).await?;
    Ok(with_etag(&restored))
}
