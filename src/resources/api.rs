//! The library as JSON.

mod list;
mod put;
mod revisions;
mod trash;

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, OpenApi, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::resource::ResourceBody;
use super::{
    Change, Draft, Kind, Precondition, Resource, Resources, ResourcesState, TagCount, Via, batch, changes,
    export, import, listing, searches,
};
use crate::error::{Error, Result};
use crate::idempotency::{IdempotencyKey, Keyed};
use crate::web::etag::{self, IfMatch, IfNoneMatch, OptionalIfMatch};
use crate::web::forms::StrictQuery;
use crate::web::json::{Json, Problem, tagged};
use crate::web::page_cache::PUBLIC;
use crate::web::path::Id;
use crate::web::scoped::{OwnResourcesRead, ResourcesRead, ResourcesWrite, Scoped};

/// What parameters are made of, which no body names.
#[derive(OpenApi)]
#[openapi(components(schemas(Kind, listing::Sort, listing::Include, listing::State)))]
struct Schemas;

pub fn routes() -> OpenApiRouter<ResourcesState> {
    OpenApiRouter::with_openapi(Schemas::openapi())
        .routes(routes!(list::list, create))
        .routes(routes!(lookup))
        .routes(routes!(find, update, trash, put::put))
        .routes(routes!(restore))
        .merge(revisions::routes())
        .merge(trash::routes())
        .routes(routes!(tags))
        .merge(batch::api::routes())
        .merge(changes::api::routes())
        .merge(import::api::routes())
        .merge(searches::api::routes())
        .merge(export::api::routes())
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct LookupQuery {
    /// The URL to look up; normalized URLs are compared.
    #[param(min_length = 1, max_length = 2000)]
    url: String,
}

#[derive(Serialize, ToSchema)]
struct TagList {
    items: Vec<TagCount>,
}

/// Save a link or a note.
#[utoipa::path(post, path = "/resources", operation_id = "createResource", tag = "resources", security(("session" = []), ("bearer" = ["resources:write"])), params(IdempotencyKey), request_body = Draft, responses(
    (status = 201, body = ResourceBody, description = "The saved resource", headers(("Location" = String), ("ETag" = String), ("Idempotency-Replayed" = String))),
    (status = 400, body = Problem, content_type = "application/problem+json", description = "`bad_idempotency_key`"),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "`duplicate_url` with `existing_id`, `idempotency_key_in_use`"),
    (status = 422, body = Problem, content_type = "application/problem+json", description = "`invalid`, `idempotency_key_reused`"),
))]
async fn create(
    State(resources): State<Arc<Resources>>,
    viewer: Scoped<ResourcesWrite>,
    Keyed { key, body: draft }: Keyed<Draft>,
) -> Result<Response> {
    let owner = viewer.signed_in()?.id;
    let create = async |id| resources.create_reserved(&viewer, id, &draft).await.map(|made| created(&made));
    resources.requests.once(owner, key, create).await
}

/// Your own resource with a given URL.
#[utoipa::path(get, path = "/resources/lookup", operation_id = "lookupResource", tag = "resources", security(("session" = []), ("bearer" = ["resources:read"])), params(LookupQuery, IfNoneMatch), responses(
    (status = 200, body = ResourceBody, description = "The resource with this URL", headers(("ETag" = String))),
    (status = 304, description = "`If-None-Match` matches the current version", headers(("ETag" = String))),
    (status = 404, body = Problem, content_type = "application/problem+json", description = "`not_found`"),
    (status = 422, body = Problem, content_type = "application/problem+json", description = "`invalid`"),
))]
async fn lookup(
    State(resources): State<Arc<Resources>>,
    viewer: Scoped<OwnResourcesRead>,
    headers: HeaderMap,
    StrictQuery(query): StrictQuery<LookupQuery>,
) -> Result<Response> {
    let found = resources.lookup(&viewer, &query.url).await?;
    Ok(unless_known(&headers, &found))
}

/// One resource.
#[utoipa::path(get, path = "/resources/{id}", operation_id = "getResource", tag = "resources", security((), ("session" = []), ("bearer" = ["resources:read"])), params(("id" = Uuid, Path), IfNoneMatch), responses(
    (status = 200, body = ResourceBody, description = "The resource", headers(("ETag" = String))),
    (status = 304, description = "`If-None-Match` matches the current version", headers(("ETag" = String))),
    (status = 404, body = Problem, content_type = "application/problem+json", description = "`not_found`"),
))]
async fn find(
    State(resources): State<Arc<Resources>>,
    viewer: Scoped<ResourcesRead>,
    headers: HeaderMap,
    Id(id): Id,
) -> Result<Response> {
    let found = resources.find(&viewer, id).await?;
    let mut answer = unless_known(&headers, &found);
    if viewer.member().is_none() {
        answer.headers_mut().insert(header::CACHE_CONTROL, PUBLIC);
        answer.headers_mut().insert(header::VARY, HeaderValue::from_static("cookie, authorization"));
    }
    Ok(answer)
}

/// Change some fields of the version you have read.
#[utoipa::path(patch, path = "/resources/{id}", operation_id = "updateResource", tag = "resources", security(("session" = []), ("bearer" = ["resources:write"])), params(("id" = Uuid, Path), IfMatch),
    request_body = Change, responses(
    (status = 200, body = ResourceBody, description = "The saved resource", headers(("ETag" = String))),
    (status = 400, body = Problem, content_type = "application/problem+json", description = "`malformed_json`, `bad_body`, `bad_if_match`"),
    (status = 404, body = Problem, content_type = "application/problem+json", description = "`not_found`"),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "`duplicate_url`, `trashed`"),
    (status = 412, body = Problem, content_type = "application/problem+json", description = "`version_conflict` with `current_version`"),
    (status = 428, body = Problem, content_type = "application/problem+json", description = "`precondition_required`"),
))]
async fn update(
    State(resources): State<Arc<Resources>>,
    viewer: Scoped<ResourcesWrite>,
    headers: HeaderMap,
    Id(id): Id,
    Json(change): Json<Change>,
) -> Result<Response> {
    let expected = required_precondition(&headers)?;
    let updated = resources.update(&viewer, id, &expected, change, Via::Api).await?;
    Ok(with_etag(&updated))
}

/// Move to trash, where it stays for 30 days.
#[utoipa::path(delete, path = "/resources/{id}", operation_id = "trashResource", tag = "resources", security(("session" = []), ("bearer" = ["resources:write"])), params(("id" = Uuid, Path), OptionalIfMatch), responses(
    (status = 204, description = "It is in the trash"),
    (status = 400, body = Problem, content_type = "application/problem+json", description = "`bad_if_match`"),
    (status = 412, body = Problem, content_type = "application/problem+json", description = "`version_conflict` with `current_version`"),
    (status = 404, body = Problem, content_type = "application/problem+json", description = "`not_found`"),
))]
async fn trash(
    State(resources): State<Arc<Resources>>,
    viewer: Scoped<ResourcesWrite>,
    headers: HeaderMap,
    Id(id): Id,
) -> Result<StatusCode> {
    resources.trash(&viewer, id, &precondition(&headers)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Restore from the trash.
#[utoipa::path(post, path = "/resources/{id}/restore", operation_id = "restoreResource", tag = "resources", security(("session" = []), ("bearer" = ["resources:write"])), params(("id" = Uuid, Path), OptionalIfMatch), responses(
    (status = 200, body = ResourceBody, description = "The resource, as a new version", headers(("ETag" = String))),
    (status = 400, body = Problem, content_type = "application/problem+json", description = "`bad_if_match`"),
    (status = 412, body = Problem, content_type = "application/problem+json", description = "`version_conflict` with `current_version`"),
    (status = 404, body = Problem, content_type = "application/problem+json", description = "`not_found`"),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "`duplicate_url`"),
))]
async fn restore(
    State(resources): State<Arc<Resources>>,
    viewer: Scoped<ResourcesWrite>,
    headers: HeaderMap,
    Id(id): Id,
) -> Result<Response> {
    let restored = resources.restore(&viewer, id, &precondition(&headers)?).await?;
    Ok(with_etag(&restored))
}

/// The tags of what you may see, with counts.
#[utoipa::path(get, path = "/tags", operation_id = "listTags", tag = "tags", security((), ("session" = []), ("bearer" = ["resources:read"])), params(IfNoneMatch), responses(
    (status = 200, body = TagList, description = "The tags, sorted by name", headers(("ETag" = String))),
    (status = 304, description = "`If-None-Match` matches the current tags", headers(("ETag" = String))),
))]
async fn tags(
    State(resources): State<Arc<Resources>>,
    viewer: Scoped<ResourcesRead>,
    headers: HeaderMap,
) -> Result<Response> {
    Ok(tagged(&headers, &TagList { items: resources.tags(&viewer).await? }))
}

fn created(resource: &Resource) -> Response {
    let location = [(header::LOCATION, format!("/api/v1/resources/{}", resource.id))];
    (StatusCode::CREATED, location, with_etag(resource)).into_response()
}

/// 304 alone when the client has this version.
fn unless_known(headers: &HeaderMap, resource: &Resource) -> Response {
    let tag = resource.etag();
    if etag::is_unchanged(headers, &tag) { etag::not_modified(tag) } else { with_etag(resource) }
}

fn with_etag(resource: &Resource) -> Response {
    let etag = [(header::ETAG, resource.etag())];
    (etag, [(header::CONTENT_TYPE, "application/json")], resource.json()).into_response()
}

/// The precondition of `If-Match`, optional for changes that lose nothing.
fn precondition(headers: &HeaderMap) -> Result<Precondition> {
    Ok(etag::if_match(headers)?.map_or(Precondition::None, Precondition::Tags))
}

/// The same, but required: for changes that overwrite a text.
///
/// # Errors
/// 428 without that header.
fn required_precondition(headers: &HeaderMap) -> Result<Precondition> {
    let required = Error::PreconditionRequired("Send If-Match with the ETag of the version you have read.");
    etag::if_match(headers)?.map(Precondition::Tags).ok_or(required)
}
