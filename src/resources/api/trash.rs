//! The trash as JSON: what is deleted from it is gone.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::precondition;
use crate::error::Result;
use crate::resources::{Resources, ResourcesState};
use crate::web::etag::OptionalIfMatch;
use crate::web::json::Problem;
use crate::web::path::Id;
use crate::web::scoped::{ResourcesWrite, Scoped};

pub fn routes() -> OpenApiRouter<ResourcesState> {
    OpenApiRouter::new().routes(routes!(empty)).routes(routes!(delete))
}

#[derive(Serialize, ToSchema)]
struct Emptied {
    /// How many entries are gone.
    deleted: u64,
}

/// Empty your trash: everything in it is permanently deleted.
#[utoipa::path(delete, path = "/trash", operation_id = "emptyTrash", tag = "resources", security(("session" = []), ("bearer" = ["resources:write"])), responses(
    (status = 200, body = Emptied, description = "How many entries are gone"),
))]
async fn empty(
    State(resources): State<Arc<Resources>>,
    viewer: Scoped<ResourcesWrite>,
) -> Result<axum::Json<Emptied>> {
    Ok(axum::Json(Emptied { deleted: resources.empty_trash(&viewer).await? }))
}

/// Permanently delete one entry that is in your trash, with all its versions.
#[utoipa::path(delete, path = "/trash/{id}", operation_id = "deleteResource", tag = "resources", security(("session" = []), ("bearer" = ["resources:write"])), params(("id" = Uuid, Path), OptionalIfMatch), responses(
    (status = 204, description = "It is gone"),
    (status = 400, body = Problem, content_type = "application/problem+json", description = "`bad_if_match`"),
    (status = 403, body = Problem, content_type = "application/problem+json", description = "`forbidden`: it is not in the trash"),
    (status = 404, body = Problem, content_type = "application/problem+json", description = "`not_found`"),
    (status = 412, body = Problem, content_type = "application/problem+json", description = "`version_conflict` with `current_version`"),
))]
async fn delete(
    State(resources): State<Arc<Resources>>,
    viewer: Scoped<ResourcesWrite>,
    headers: HeaderMap,
    Id(id): Id,
) -> Result<StatusCode> {
    resources.delete(&viewer, id, &precondition(&headers)?).await?;
    Ok(StatusCode::NO_CONTENT)
}
