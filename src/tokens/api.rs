//! Personal tokens as JSON.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::{DEFAULT_DAYS, Made, NewToken, Token, Tokens, TokensState};
use crate::error::Result;
use crate::idempotency::WithoutKey;
use crate::identity::{RequestMeta, Scope};
use crate::timestamp::Timestamp;
use crate::web::json::{Json, Problem};
use crate::web::path::Id;
use crate::web::scoped::{AccountRead, AccountWrite, Scoped, SudoScoped};

pub fn routes() -> OpenApiRouter<TokensState> {
    OpenApiRouter::new().routes(routes!(list_tokens, create_token)).routes(routes!(revoke_token))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TokenDraft {
    /// For example, the program that will use it; 1 to 80 characters.
    #[schema(min_length = 1, max_length = 80)]
    name: String,
    /// One or more of the scopes, such as `resources:read`.
    #[schema(value_type = Vec<Scope>, min_items = 1)]
    scopes: Vec<String>,
    /// 1 to 365; default 90.
    #[serde(default = "default_days")]
    #[schema(minimum = 1, maximum = 365)]
    days: u32,
}

fn default_days() -> u32 {
    DEFAULT_DAYS
}

#[derive(Serialize, ToSchema)]
struct TokenItem {
    id: Uuid,
    name: String,
    scopes: Vec<Scope>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// Accurate to a few minutes; null if never used.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Timestamp>,
}

impl From<Token> for TokenItem {
    fn from(token: Token) -> Self {
        Self {
            id: token.id,
            scopes: token.scopes(),
            name: token.name,
            created_at: token.created_at,
            expires_at: token.expires_at,
            last_used_at: token.last_used_at,
        }
    }
}

#[derive(Serialize, ToSchema)]
struct TokenList {
    items: Vec<TokenItem>,
}

#[derive(Serialize, ToSchema)]
pub struct MadeToken {
    #[serde(flatten)]
    item: TokenItem,
    /// `cof_` and 49 letters and digits. It is shown only once.
    token: String,
}

impl From<Made> for MadeToken {
    fn from(made: Made) -> Self {
        Self { item: made.token.into(), token: made.secret }
    }
}

/// Your personal tokens, newest first.
#[utoipa::path(get, path = "/me/tokens", operation_id = "listTokens", tag = "account", security(("session" = []), ("bearer" = ["account:read"])), responses(
    (status = 200, body = TokenList, description = "Your tokens, without their secrets"),
))]
async fn list_tokens(
    State(tokens): State<Arc<Tokens>>,
    asks: Scoped<AccountRead>,
) -> Result<axum::Json<TokenList>> {
    let tokens = tokens.list(asks.signed_in()?).await?;
    Ok(axum::Json(TokenList { items: tokens.into_iter().map(TokenItem::from).collect() }))
}

/// Create a personal token; when called with a token, the new one can't have more scopes.
#[utoipa::path(post, path = "/me/tokens", operation_id = "createToken", tag = "account", request_body = TokenDraft,
    security(("session" = []), ("bearer" = ["account:write"])), responses(
    (status = 201, body = MadeToken, description = "The token; its secret is shown only once", headers(("Location" = String))),
    (status = 400, body = Problem, content_type = "application/problem+json", description = "`bad_idempotency_key`: an answer with a secret is not repeated"),
    (status = 403, body = Problem, content_type = "application/problem+json", description = "`sudo_required`, `forbidden`, `second_factor_required`, `cross_site`; for a token `insufficient_scope`"),
    (status = 422, body = Problem, content_type = "application/problem+json", description = "`unknown_scope`; `invalid`, with one entry per field"),
))]
async fn create_token(
    State(tokens): State<Arc<Tokens>>,
    asks: SudoScoped<AccountWrite>,
    origin: RequestMeta,
    _: WithoutKey,
    Json(draft): Json<TokenDraft>,
) -> Result<Response> {
    let owner = asks.signed_in()?;
    let new = NewToken { name: draft.name, scopes: draft.scopes, days: draft.days };
    let made = tokens.make(owner, &new, asks.within.as_ref(), &origin).await?;
    let location = [(header::LOCATION, format!("/api/v1/me/tokens/{}", made.token.id))];
    Ok((StatusCode::CREATED, location, axum::Json(MadeToken::from(made))).into_response())
}

/// Revoke a personal token.
#[utoipa::path(delete, path = "/me/tokens/{id}", operation_id = "revokeToken", tag = "account", params(("id" = Uuid, Path)),
    security(("session" = []), ("bearer" = ["account:write"])), responses(
    (status = 204, description = "It is revoked"),
    (status = 404, body = Problem, content_type = "application/problem+json", description = "`not_found`"),
    (status = 403, body = Problem, content_type = "application/problem+json", description = "`sudo_required`, `forbidden`, `second_factor_required`, `cross_site`; for a token `insufficient_scope`"),
))]
async fn revoke_token(
    State(tokens): State<Arc<Tokens>>,
    asks: SudoScoped<AccountWrite>,
    origin: RequestMeta,
    Id(id): Id,
) -> Result<StatusCode> {
    let owner = asks.signed_in()?;
    tokens.revoke(owner, id, &origin).await?;
    Ok(StatusCode::NO_CONTENT)
}
