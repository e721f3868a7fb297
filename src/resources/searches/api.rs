//! Saved searches as JSON.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::{SavedSearch, SearchChange, SearchDraft};
use crate::error::Result;
use crate::idempotency::{IdempotencyKey, Keyed};
use crate::resources::{Resources, ResourcesState};
use crate::timestamp::Timestamp;
use crate::web::json::{Json, Problem};
use crate::web::path::Id;
use crate::web::scoped::{OwnResourcesRead, ResourcesWrite, Scoped};

pub fn routes() -> OpenApiRouter<ResourcesState> {
    OpenApiRouter::new()
        .routes(routes!(list_searches, create_search))
        .routes(routes!(get_search, update_search, delete_search))
}

#[derive(Serialize, ToSchema)]
struct SearchItem {
    id: Uuid,
    name: String,
    /// As the query string of `GET /resources`.
    search: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl From<SavedSearch> for SearchItem {
    fn from(SavedSearch { id, name, search, created_at }: SavedSearch) -> Self {
        Self { id, name, search, created_at }
    }
}

#[derive(Serialize, ToSchema)]
struct SearchList {
    items: Vec<SearchItem>,
}

/// Your saved searches, in your order.
#[utoipa::path(get, path = "/searches", operation_id = "listSearches", tag = "resources", security(("session" = []), ("bearer" = ["resources:read"])), responses(
    (status = 200, body = SearchList, description = "All of them, at most 100"),
))]
async fn list_searches(
    State(resources): State<Arc<Resources>>,
    viewer: Scoped<OwnResourcesRead>,
) -> Result<axum::Json<SearchList>> {
    let found = resources.saved_searches(&viewer).await?;
    Ok(axum::Json(SearchList { items: found.into_iter().map(SearchItem::from).collect() }))
}

/// Save a search under a name, after the others.
#[utoipa::path(post, path = "/searches", operation_id = "createSearch", tag = "resources", params(IdempotencyKey), request_body = SearchDraft,
    security(("session" = []), ("bearer" = ["resources:write"])), responses(
    (status = 201, body = SearchItem, description = "The saved search", headers(("Location" = String), ("Idempotency-Replayed" = String))),
    (status = 400, body = Problem, content_type = "application/problem+json", description = "`bad_idempotency_key`"),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "`idempotency_key_in_use`"),
    (status = 422, body = Problem, content_type = "application/problem+json", description = "`invalid`, with one entry per field; `idempotency_key_reused`"),
))]
async fn create_search(
    State(resources): State<Arc<Resources>>,
    viewer: Scoped<ResourcesWrite>,
    Keyed { key, body: draft }: Keyed<SearchDraft>,
) -> Result<Response> {
    let save = async |_| {
        let saved = resources.save_search(&viewer, &draft).await?;
        let location = [(header::LOCATION, format!("/api/v1/searches/{}", saved.id))];
        Ok((StatusCode::CREATED, location, axum::Json(SearchItem::from(saved))).into_response())
    };
    resources.requests.once(viewer.signed_in()?.id, key, save).await
}

/// One of your saved searches.
#[utoipa::path(get, path = "/searches/{id}", operation_id = "getSearch", tag = "resources", params(("id" = Uuid, Path)),
    security(("session" = []), ("bearer" = ["resources:read"])), responses(
    (status = 200, body = SearchItem, description = "The saved search"),
    (status = 404, body = Problem, content_type = "application/problem+json", description = "`not_found`"),
))]
async fn get_search(
    State(resources): State<Arc<Resources>>,
    viewer: Scoped<OwnResourcesRead>,
    Id(id): Id,
) -> Result<axum::Json<SearchItem>> {
    Ok(axum::Json(resources.saved_search(&viewer, id).await?.into()))
}

/// Rename a saved search, change what it finds, or move it.
#[utoipa::path(patch, path = "/searches/{id}", operation_id = "updateSearch", tag = "resources", params(("id" = Uuid, Path)), request_body = SearchChange,
    security(("session" = []), ("bearer" = ["resources:write"])), responses(
    (status = 200, body = SearchItem, description = "The saved search"),
    (status = 404, body = Problem, content_type = "application/problem+json", description = "`not_found`"),
    (status = 422, body = Problem, content_type = "application/problem+json", description = "`invalid`, with one entry per field"),
))]
async fn update_search(
    State(resources): State<Arc<Resources>>,
    viewer: Scoped<ResourcesWrite>,
    Id(id): Id,
    Json(change): Json<SearchChange>,
) -> Result<axum::Json<SearchItem>> {
    Ok(axum::Json(resources.change_search(&viewer, id, &change).await?.into()))
}

/// Delete a saved search; what it finds stays.
#[utoipa::path(delete, path = "/searches/{id}", operation_id = "deleteSearch", tag = "resources", params(("id" = Uuid, Path)),
    security(("session" = []), ("bearer" = ["resources:write"])), responses(
    (status = 204, description = "It is deleted"),
    (status = 404, body = Problem, content_type = "application/problem+json", description = "`not_found`"),
))]
async fn delete_search(
    State(resources): State<Arc<Resources>>,
    viewer: Scoped<ResourcesWrite>,
    Id(id): Id,
) -> Result<StatusCode> {
    resources.delete_search(&viewer, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
