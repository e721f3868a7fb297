//! Private feeds as JSON.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::{Addressed, PrivateFeed, PrivateFeedDraft, address};
use crate::error::Result;
use crate::idempotency::WithoutKey;
use crate::identity::RequestMeta;
use crate::public_url::PublicUrl;
use crate::shares::{Shares, SharesState};
use crate::timestamp::Timestamp;
use crate::web::deps::WebDeps;
use crate::web::json::{Json, Problem};
use crate::web::path::Id;
use crate::web::scoped::{OwnResourcesRead, ResourcesWrite, Scoped};

pub fn routes() -> OpenApiRouter<SharesState> {
    OpenApiRouter::new()
        .routes(routes!(list_feeds, create_feed))
        .routes(routes!(renew_feed))
        .routes(routes!(delete_feed))
}

#[derive(Serialize, ToSchema)]
struct PrivateFeedItem {
    id: Uuid,
    /// The tag whose entries it has; null for the whole library and for a saved search.
    tag: Option<String>,
    /// The saved search that it follows; null for the whole library and for a tag.
    search: Option<Uuid>,
    /// The name of the tag or of the saved search, or “Your library”.
    title: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl From<PrivateFeed> for PrivateFeedItem {
    fn from(feed: PrivateFeed) -> Self {
        let title = feed.title().to_owned();
        Self { id: feed.id, tag: feed.tag, search: feed.search, title, created_at: feed.created_at }
    }
}

#[derive(Serialize, ToSchema)]
struct PrivateFeedList {
    items: Vec<PrivateFeedItem>,
}

#[derive(Serialize, ToSchema)]
struct AddressedFeed {
    #[serde(flatten)]
    item: PrivateFeedItem,
    /// The address for your feed reader. It is shown only once.
    url: String,
}

impl AddressedFeed {
    fn new(Addressed { feed, token }: Addressed, site: &PublicUrl) -> Self {
        Self { item: feed.into(), url: address(site, &token) }
    }
}

/// Your private feeds, the newest first.
#[utoipa::path(get, path = "/me/feeds", operation_id = "listPrivateFeeds", tag = "shares", security(("session" = []), ("bearer" = ["resources:read"])), responses(
    (status = 200, body = PrivateFeedList, description = "Your private feeds, without their addresses"),
))]
async fn list_feeds(
    State(shares): State<Arc<Shares>>,
    asks: Scoped<OwnResourcesRead>,
) -> Result<axum::Json<PrivateFeedList>> {
    let feeds = shares.feeds_of(asks.signed_in()?).await?;
    Ok(axum::Json(PrivateFeedList { items: feeds.into_iter().map(PrivateFeedItem::from).collect() }))
}

/// Make an address by which a feed reader follows your library, a tag or a saved search without logging in.
#[utoipa::path(post, path = "/me/feeds", operation_id = "createPrivateFeed", tag = "shares", request_body = PrivateFeedDraft,
    security(("session" = []), ("bearer" = ["resources:write"])), responses(
    (status = 201, body = AddressedFeed, description = "The feed, whose address is shown only once", headers(("Location" = String))),
    (status = 400, body = Problem, content_type = "application/problem+json", description = "`bad_idempotency_key`: an answer with a secret is not repeated"),
    (status = 422, body = Problem, content_type = "application/problem+json", description = "`invalid`, with one entry per field"),
))]
async fn create_feed(
    State(shares): State<Arc<Shares>>,
    State(deps): State<Arc<WebDeps>>,
    asks: Scoped<ResourcesWrite>,
    origin: RequestMeta,
    _: WithoutKey,
    Json(draft): Json<PrivateFeedDraft>,
) -> Result<Response> {
    let made = shares.create_feed(&asks, &draft, &origin).await?;
    let location = [(header::LOCATION, format!("/api/v1/me/feeds/{}", made.feed.id))];
    let body = AddressedFeed::new(made, &deps.public_url);
    Ok((StatusCode::CREATED, location, axum::Json(body)).into_response())
}

/// Give a private feed a new address.
#[utoipa::path(post, path = "/me/feeds/{id}/renew", operation_id = "renewPrivateFeed", tag = "shares", params(("id" = Uuid, Path)),
    security(("session" = []), ("bearer" = ["resources:write"])), responses(
    (status = 200, body = AddressedFeed, description = "The feed with its new address; the old one no longer works"),
    (status = 400, body = Problem, content_type = "application/problem+json", description = "`bad_idempotency_key`: an answer with a secret is not repeated"),
    (status = 404, body = Problem, content_type = "application/problem+json", description = "`not_found`"),
))]
async fn renew_feed(
    State(shares): State<Arc<Shares>>,
    State(deps): State<Arc<WebDeps>>,
    asks: Scoped<ResourcesWrite>,
    origin: RequestMeta,
    _: WithoutKey,
    Id(id): Id,
) -> Result<axum::Json<AddressedFeed>> {
    let renewed = shares.renew_feed(asks.signed_in()?, id, &origin).await?;
    Ok(axum::Json(AddressedFeed::new(renewed, &deps.public_url)))
}

/// Delete a private feed.
#[utoipa::path(delete, path = "/me/feeds/{id}", operation_id = "deletePrivateFeed", tag = "shares", params(("id" = Uuid, Path)),
    security(("session" = []), ("bearer" = ["resources:write"])), responses(
    (status = 204, description = "Its address no longer works"),
    (status = 404, body = Problem, content_type = "application/problem+json", description = "`not_found`"),
))]
async fn delete_feed(
    State(shares): State<Arc<Shares>>,
    asks: Scoped<ResourcesWrite>,
    origin: RequestMeta,
    Id(id): Id,
) -> Result<StatusCode> {
    shares.delete_feed(asks.signed_in()?, id, &origin).await?;
    Ok(StatusCode::NO_CONTENT)
}
