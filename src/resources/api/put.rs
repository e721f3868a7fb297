//! New resources under an id that the client has made.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use super::created;
use crate::error::{Error, Result};
use crate::resources::resource::ResourceBody;
use crate::resources::{Draft, Resources};
use crate::web::etag::{self, IfNoneMatchAny};
use crate::web::json::{Json, Problem};
use crate::web::path::Id;
use crate::web::scoped::{ResourcesWrite, Scoped};

/// Save a link or a note with an id of your own, a UUIDv7.
///
/// If you send it twice, only one is created: the second response is 412 with the existing resource.
#[utoipa::path(put, path = "/resources/{id}", operation_id = "putResource", tag = "resources", security(("session" = []), ("bearer" = ["resources:write"])),
    params(("id" = Uuid, Path), IfNoneMatchAny), request_body = Draft, responses(
    (status = 201, body = ResourceBody, description = "The saved resource", headers(("Location" = String), ("ETag" = String))),
    (status = 404, body = Problem, content_type = "application/problem+json", description = "`not_found`: the id is not yours"),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "`duplicate_url` with `existing_id`"),
    (status = 412, body = Problem, content_type = "application/problem+json", description = "`version_conflict` with `current`: the id is taken"),
    (status = 428, body = Problem, content_type = "application/problem+json", description = "`precondition_required`"),
))]
pub async fn put(
    State(resources): State<Arc<Resources>>,
    viewer: Scoped<ResourcesWrite>,
    headers: HeaderMap,
    Id(id): Id,
    Json(draft): Json<Draft>,
) -> Result<Response> {
    if !etag::is_for_new(&headers) {
        return Err(Error::PreconditionRequired(
            "PUT only creates: send If-None-Match: * with it. To change an entry, send PATCH with If-Match.",
        ));
    }
    Ok(created(&resources.put_new(&viewer, id, &draft).await?))
}
