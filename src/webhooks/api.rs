//! Webhooks as JSON.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::{Delivery, Webhook, Webhooks, WebhooksState};
use crate::error::Result;
use crate::idempotency::WithoutKey;
use crate::identity::RequestMeta;
use crate::timestamp::Timestamp;
use crate::web::json::{Json, Problem};
use crate::web::path::Id;
use crate::web::scoped::{AccountRead, AccountWrite, Scoped, SudoScoped};

pub fn routes() -> OpenApiRouter<WebhooksState> {
    OpenApiRouter::new()
        .routes(routes!(list_webhooks, create_webhook))
        .routes(routes!(delete_webhook))
        .routes(routes!(list_deliveries))
        .routes(routes!(replay_delivery))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct WebhookDraft {
    /// Where to send to: `https://` or `http://`, at most 2,000 characters.
    #[schema(min_length = 1, max_length = 2000)]
    url: String,
}

#[derive(Serialize, ToSchema)]
struct WebhookItem {
    id: Uuid,
    url: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl From<Webhook> for WebhookItem {
    fn from(Webhook { id, url, created_at }: Webhook) -> Self {
        Self { id, url, created_at }
    }
}

#[derive(Serialize, ToSchema)]
struct WebhookList {
    items: Vec<WebhookItem>,
}

#[derive(Serialize, ToSchema)]
struct MadeWebhook {
    #[serde(flatten)]
    item: WebhookItem,
    /// `whsec_…`: verify deliveries with it. It is shown this once.
    secret: String,
}

#[derive(Serialize, ToSchema)]
struct DeliveryItem {
    id: Uuid,
    /// `waiting`, `delivered` or `given_up`.
    #[schema(value_type = super::State)]
    state: String,
    /// How often it was sent.
    attempts: i64,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it is sent again; null unless it waits.
    #[schema(value_type = Option<String>, format = DateTime)]
    next_at: Option<Timestamp>,
    /// The HTTP status of your server's latest answer; null when there was none.
    status: Option<i64>,
    /// Why the latest attempt failed; null when it did not.
    error: Option<String>,
    /// What is sent.
    body: String,
}

impl From<Delivery> for DeliveryItem {
    fn from(delivery: Delivery) -> Self {
        Self {
            id: delivery.id,
            next_at: (delivery.state == super::State::Waiting.as_str()).then_some(delivery.next_at),
            state: delivery.state,
            attempts: delivery.attempts,
            created_at: delivery.created_at,
            status: delivery.status,
            error: delivery.error,
            body: delivery.body,
        }
    }
}

#[derive(Serialize, ToSchema)]
struct DeliveryList {
    items: Vec<DeliveryItem>,
}

/// Your webhooks, the newest first.
#[utoipa::path(get, path = "/me/webhooks", operation_id = "listWebhooks", tag = "webhooks", security(("session" = []), ("bearer" = ["account:read"])), responses(
    (status = 200, body = WebhookList, description = "Your webhooks, without their secrets"),
))]
async fn list_webhooks(
    State(webhooks): State<Webhooks>,
    asks: Scoped<AccountRead>,
) -> Result<axum::Json<WebhookList>> {
    let found = webhooks.list(asks.signed_in()?).await?;
    Ok(axum::Json(WebhookList { items: found.into_iter().map(WebhookItem::from).collect() }))
}

/// Have a server of yours told what changes in your library.
#[utoipa::path(post, path = "/me/webhooks", operation_id = "createWebhook", tag = "webhooks", request_body = WebhookDraft,
    security(("session" = []), ("bearer" = ["account:write"])), responses(
    (status = 201, body = MadeWebhook, description = "The webhook, whose secret is shown this once", headers(("Location" = String))),
    (status = 400, body = Problem, content_type = "application/problem+json", description = "`bad_idempotency_key`: an answer with a secret is not repeated"),
    (status = 403, body = Problem, content_type = "application/problem+json", description = "`sudo_required`, `second_factor_required`, `cross_site`, `forbidden`: webhooks are switched off here; for a token `insufficient_scope`"),
    (status = 422, body = Problem, content_type = "application/problem+json", description = "`invalid`, with one entry per field"),
))]
async fn create_webhook(
    State(webhooks): State<Webhooks>,
    asks: SudoScoped<AccountWrite>,
    origin: RequestMeta,
    _: WithoutKey,
    Json(draft): Json<WebhookDraft>,
) -> Result<Response> {
    let made = webhooks.create(asks.signed_in()?, &draft.url, &origin).await?;
    let location = [(header::LOCATION, format!("/api/v1/me/webhooks/{}", made.webhook.id))];
    let body = MadeWebhook { item: made.webhook.into(), secret: made.secret };
    Ok((StatusCode::CREATED, location, axum::Json(body)).into_response())
}

/// Delete a webhook and its log.
#[utoipa::path(delete, path = "/me/webhooks/{id}", operation_id = "deleteWebhook", tag = "webhooks", params(("id" = Uuid, Path)),
    security(("session" = []), ("bearer" = ["account:write"])), responses(
    (status = 204, description = "It is deleted"),
    (status = 404, body = Problem, content_type = "application/problem+json", description = "`not_found`"),
))]
async fn delete_webhook(
    State(webhooks): State<Webhooks>,
    asks: Scoped<AccountWrite>,
    origin: RequestMeta,
    Id(id): Id,
) -> Result<StatusCode> {
    webhooks.delete(asks.signed_in()?, id, &origin).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The latest 100 deliveries of a webhook, the newest first.
#[utoipa::path(get, path = "/me/webhooks/{id}/deliveries", operation_id = "listDeliveries", tag = "webhooks", params(("id" = Uuid, Path)),
    security(("session" = []), ("bearer" = ["account:read"])), responses(
    (status = 200, body = DeliveryList, description = "The deliveries of the last 30 days"),
    (status = 404, body = Problem, content_type = "application/problem+json", description = "`not_found`"),
))]
async fn list_deliveries(
    State(webhooks): State<Webhooks>,
    asks: Scoped<AccountRead>,
    Id(id): Id,
) -> Result<axum::Json<DeliveryList>> {
    let found = webhooks.deliveries(asks.signed_in()?, id).await?;
    Ok(axum::Json(DeliveryList { items: found.into_iter().map(DeliveryItem::from).collect() }))
}

/// Send a delivery again.
#[utoipa::path(post, path = "/me/deliveries/{id}/replay", operation_id = "replayDelivery", tag = "webhooks", params(("id" = Uuid, Path)),
    security(("session" = []), ("bearer" = ["account:write"])), responses(
    (status = 202, description = "It is sent at once, with the same id and body"),
    (status = 404, body = Problem, content_type = "application/problem+json", description = "`not_found`"),
))]
async fn replay_delivery(
    State(webhooks): State<Webhooks>,
    asks: Scoped<AccountWrite>,
    Id(id): Id,
) -> Result<StatusCode> {
    webhooks.replay(asks.signed_in()?, id).await?;
    Ok(StatusCode::ACCEPTED)
}
