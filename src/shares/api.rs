//! Share links as JSON.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::{DEFAULT_DAYS, NewShare, ShareLink, Shares, SharesState, Target, feeds, public, public_api};
use crate::error::Result;
use crate::idempotency::WithoutKey;
use crate::identity::RequestMeta;
use crate::timestamp::Timestamp;
use crate::web::deps::WebDeps;
use crate::web::json::{Json, Problem};
use crate::web::path::Id;
use crate::web::scoped::{OwnResourcesRead, ResourcesWrite, Scoped};

pub fn routes() -> OpenApiRouter<SharesState> {
    OpenApiRouter::new()
        .routes(routes!(list_shares, create_share))
        .routes(routes!(revoke_share))
        .merge(public_api::routes())
        .merge(feeds::api::routes())
}

/// What to share: one of `entry`, `tag` and `query`.
#[derive(Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
struct ShareDraft {
    /// One of your entries, in whatever visibility.
    entry: Option<Uuid>,
    /// All your entries with this tag or one below it, also those you add later.
    #[schema(max_length = 200)]
    tag: String,
    /// All your entries that this search finds, also those you add later.
    #[schema(max_length = 1000)]
    query: String,
    /// How long the link lasts.
    #[schema(minimum = 1, maximum = 365)]
    days: u32,
}

impl Default for ShareDraft {
    fn default() -> Self {
        Self { entry: None, tag: String::new(), query: String::new(), days: DEFAULT_DAYS }
    }
}

#[derive(Serialize, ToSchema)]
struct ShareItem {
    id: Uuid,
    /// The entry that it shows; null for a tag or a search.
    entry: Option<Uuid>,
    /// The tag whose entries it shows; null for an entry or a search.
    tag: Option<String>,
    /// The search whose results it shows; null for an entry or a tag.
    query: Option<String>,
    /// The title of the entry, the name of the tag or the search.
    title: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// How often others have opened it.
    views: i64,
}

impl From<ShareLink> for ShareItem {
    fn from(link: ShareLink) -> Self {
        let ShareLink { id, target, title, created_at, expires_at, views } = link;
        let (entry, tag, query) = match target {
            Target::Entry(id) => (Some(id), None, None),
            Target::Tag(name) => (None, Some(name), None),
            Target::Search(text) => (None, None, Some(text)),
        };
        Self { id, entry, tag, query, title, created_at, expires_at, views }
    }
}

#[derive(Serialize, ToSchema)]
struct ShareList {
    items: Vec<ShareItem>,
}

#[derive(Serialize, ToSchema)]
struct MadeShare {
    #[serde(flatten)]
    item: ShareItem,
    /// The address to give away. It is shown only once.
    url: String,
}

/// Your share links, the newest first.
#[utoipa::path(get, path = "/me/shares", operation_id = "listShares", tag = "shares", security(("session" = []), ("bearer" = ["resources:read"])), responses(
    (status = 200, body = ShareList, description = "Your share links, without their addresses; expired ones for 30 days"),
))]
async fn list_shares(
    State(shares): State<Arc<Shares>>,
    asks: Scoped<OwnResourcesRead>,
) -> Result<axum::Json<ShareList>> {
    let links = shares.list(asks.signed_in()?).await?;
    Ok(axum::Json(ShareList { items: links.into_iter().map(ShareItem::from).collect() }))
}

/// Make an unlisted address by which anyone reads an entry, a tag or a search of yours.
#[utoipa::path(post, path = "/me/shares", operation_id = "createShare", tag = "shares", request_body = ShareDraft,
    security(("session" = []), ("bearer" = ["resources:write"])), responses(
    (status = 201, body = MadeShare, description = "The link, whose address is shown only once", headers(("Location" = String))),
    (status = 400, body = Problem, content_type = "application/problem+json", description = "`bad_idempotency_key`: an answer with a secret is not repeated"),
    (status = 404, body = Problem, content_type = "application/problem+json", description = "`not_found`: the entry is not yours, or is in the trash"),
    (status = 422, body = Problem, content_type = "application/problem+json", description = "`invalid`, with one entry per field"),
))]
async fn create_share(
    State(shares): State<Arc<Shares>>,
    State(deps): State<Arc<WebDeps>>,
    asks: Scoped<ResourcesWrite>,
    origin: RequestMeta,
    _: WithoutKey,
    Json(draft): Json<ShareDraft>,
) -> Result<Response> {
    let new = NewShare { entry: draft.entry, tag: draft.tag, query: draft.query, days: draft.days };
    let made = shares.create(&asks, &new, &origin).await?;
    let location = [(header::LOCATION, format!("/api/v1/me/shares/{}", made.link.id))];
    let url = public::address(&deps.public_url, &made.token);
    Ok((StatusCode::CREATED, location, axum::Json(MadeShare { item: made.link.into(), url })).into_response())
}

/// Revoke a share link.
#[utoipa::path(delete, path = "/me/shares/{id}", operation_id = "revokeShare", tag = "shares", params(("id" = Uuid, Path)),
    security(("session" = []), ("bearer" = ["resources:write"])), responses(
    (status = 204, description = "Its address no longer works"),
    (status = 404, body = Problem, content_type = "application/problem+json", description = "`not_found`"),
))]
async fn revoke_share(
    State(shares): State<Arc<Shares>>,
    asks: Scoped<ResourcesWrite>,
    origin: RequestMeta,
    Id(id): Id,
) -> Result<StatusCode> {
    shares.revoke(asks.signed_in()?, id, &origin).await?;
    Ok(StatusCode::NO_CONTENT)
}
