//! What a share link shows, as JSON.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::Method;
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::public::unlisted;
use super::{Shares, SharesState, Target};
use crate::error::Result;
use crate::resources::{Kind, Resource};
use crate::timestamp::Timestamp;
use crate::web::forms::StrictQuery;
use crate::web::json::Problem;
use crate::web::scoped::{ResourcesRead, Scoped};

pub fn routes() -> OpenApiRouter<SharesState> {
    OpenApiRouter::new().routes(routes!(open_share))
}

#[derive(Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
struct SharedQuery {
    /// The cursor from the previous page.
    #[param(pattern = "^[A-Za-z0-9_-]*$")]
    cursor: String,
}

/// What a share link shows.
#[derive(Serialize, ToSchema)]
struct OpenedShare {
    /// The title of the entry, the name of the tag or the search.
    title: String,
    /// The display name of the person who shares it.
    shared_by: String,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// The entry, or a page of those with the tag or found by the search, newest first.
    items: Vec<SharedEntry>,
    /// Send it as `cursor` to get the next page; null on the last page.
    next_cursor: Option<String>,
}

/// An entry that a share link shows.
#[derive(Serialize, ToSchema)]
struct SharedEntry {
    id: Uuid,
    kind: Kind,
    title: String,
    url: Option<String>,
    /// Markdown.
    body: String,
    tags: Vec<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl From<&Resource> for SharedEntry {
    fn from(entry: &Resource) -> Self {
        Self {
            id: entry.id,
            kind: entry.kind,
            title: entry.title.clone(),
            url: entry.url.clone(),
            body: entry.body.clone(),
            tags: entry.tags.0.clone(),
            created_at: entry.created_at,
        }
    }
}

/// What a share link shows. The token is the last part of the link's address.
#[utoipa::path(get, path = "/shares/{token}", operation_id = "openShare", tag = "shares", security((), ("session" = []), ("bearer" = ["resources:read"])),
    params(("token" = String, Path, description = "The last part of the link's address.", min_length = 1, max_length = 200), SharedQuery), responses(
    (status = 200, body = OpenedShare, description = "What it shows"),
    (status = 400, body = Problem, content_type = "application/problem+json", description = "`bad_cursor`, `bad_parameter`"),
    (status = 404, body = Problem, content_type = "application/problem+json", description = "`not_found`: there is no such link, or it is over"),
))]
async fn open_share(
    State(shares): State<Arc<Shares>>,
    viewer: Scoped<ResourcesRead>,
    method: Method,
    Path(token): Path<String>,
    StrictQuery(query): StrictQuery<SharedQuery>,
) -> Result<Response> {
    let share = shares.open(&token).await?;
    let (title, items, next_cursor) = match &share.target {
        Target::Entry(id) => {
            let entry = shares.entry(&share, *id).await?;
            (entry.title.clone(), vec![SharedEntry::from(&*entry)], None)
        }
        Target::Tag(text) | Target::Search(text) => {
            let listing = shares.listing(&share, &query.cursor, "body").await?;
            let items = listing.hits.iter().map(|hit| SharedEntry::from(&hit.resource)).collect();
            (text.clone(), items, listing.next.clone())
        }
    };
    if method == Method::GET && query.cursor.is_empty() {
        shares.count_view(&share, &viewer).await;
    }
    let (shared_by, expires_at) = (share.owner.display_name.clone(), share.expires_at);
    Ok(unlisted(axum::Json(OpenedShare { title, shared_by, expires_at, items, next_cursor }).into_response()))
}
