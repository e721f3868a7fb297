//! Signing in for programs: a password for an access token and a refresh token, and what renews and ends them.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{ACCESS_LIFE, Grant, Kind, NewDevice, Refresh, RefreshState, Rotation, introspect};
use crate::error::{Error, Result};
use crate::identity::{RequestMeta, Scope};
use crate::timestamp::Timestamp;
use crate::tokens;
use crate::web::json::{Json, Problem};

pub fn routes() -> OpenApiRouter<RefreshState> {
    OpenApiRouter::new()
        .routes(routes!(token))
        .routes(routes!(refresh))
        .routes(routes!(revoke))
        .merge(introspect::routes())
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Credentials {
    /// Email or username.
    #[schema(min_length = 1)]
    login: String,
    #[schema(min_length = 1)]
    password: String,
    /// A current code, if the account uses two-step login.
    #[serde(default)]
    code: Option<String>,
    /// For example `resources:read`; default: all scopes that the account may have.
    #[serde(default)]
    #[schema(value_type = Option<Vec<Scope>>, min_items = 1)]
    scopes: Option<Vec<String>>,
    /// The name of the device for the list of devices, such as `Ada's phone`; at most 80 characters.
    #[serde(default)]
    #[schema(max_length = 80)]
    device: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Renewal {
    refresh_token: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Revocation {
    /// An access token or a refresh token. Both are revoked, with all others from the same login.
    token: String,
}

#[derive(Serialize, ToSchema)]
struct TokenPair {
    access_token: String,
    /// `Bearer`.
    token_type: &'static str,
    /// Seconds.
    expires_in: i64,
    /// Can be used for one renewal, which returns the next one.
    refresh_token: String,
    /// When you need to log in with the password again.
    #[schema(value_type = String, format = DateTime)]
    refresh_expires_at: Timestamp,
    scopes: Vec<Scope>,
}

fn pair(refresh: &Refresh, grant: Grant) -> axum::Json<TokenPair> {
    let now = refresh.context.now();
    let left = grant.since.plus(ACCESS_LIFE).micros() - now.micros();
    axum::Json(TokenPair {
        access_token: grant.access_token,
        token_type: "Bearer",
        expires_in: left / 1_000_000,
        refresh_token: grant.refresh_token,
        refresh_expires_at: now.plus(grant.life),
        scopes: grant.scopes,
    })
}

/// Log in with a password.
///
/// For programs without a browser. If the account uses two-step login, send a current code too.
#[utoipa::path(post, path = "/auth/token", operation_id = "signIn", tag = "account", security(()), request_body = Credentials, responses(
    (status = 200, body = TokenPair, description = "A pair of tokens"),
    (status = 401, body = Problem, content_type = "application/problem+json", description = "`bad_credentials`, `second_factor_required`, `wrong_code`, `code_used`"),
    (status = 403, body = Problem, content_type = "application/problem+json", description = "`cross_site`"),
    (status = 422, body = Problem, content_type = "application/problem+json", description = "`unknown_scope`, `invalid`: no scope, one that the account may not have, or a device's name that is too long"),
))]
async fn token(
    State(refresh): State<Arc<Refresh>>,
    origin: RequestMeta,
    Json(given): Json<Credentials>,
) -> Result<axum::Json<TokenPair>> {
    let device = tokens::check_device(&given.device)?;
    let asked = given.scopes.as_deref().map(Scope::parse_all).transpose()?;
    let found = refresh.accounts.authenticate(&given.login, &given.password, &origin).await?;
    let mut proved = found.ok_or(Error::BadCredentials)?;
    if proved.by.lacks_code() {
        let code = given.code.unwrap_or_default();
        let complete = refresh.accounts.check_second_factor(&proved.member, &code, &origin).await?;
        proved = match complete {
            Some(complete) => complete,
            None if code.is_empty() => return Err(Error::SecondFactorRequired),
            None if refresh.accounts.is_used_code(&proved.member, &code).await? => {
                return Err(Error::CodeUsed);
            }
            None => return Err(Error::WrongCode),
        };
    }
    refresh.accounts.record_login(&proved.member, &origin).await?;
    let scopes = Scope::allowed(asked, proved.member.role)?;
    let device = NewDevice { name: device, scopes: &scopes };
    let grant = refresh.begin(&proved.member, Kind::Api, &device, &origin).await?;
    Ok(pair(&refresh, grant))
}

/// Renew an access token.
///
/// A refresh token can be used once. Within 60 seconds the same token returns the same pair again, in case a response was
/// lost. If it is used later, all tokens issued from it are revoked.
#[utoipa::path(post, path = "/auth/refresh", operation_id = "refreshToken", tag = "account", security(()), request_body = Renewal, responses(
    (status = 200, body = TokenPair, description = "A new pair of tokens"),
    (status = 401, body = Problem, content_type = "application/problem+json", description = "`bad_token`, `token_expired`, `token_revoked`, `token_reused`"),
    (status = 403, body = Problem, content_type = "application/problem+json", description = "`cross_site`"),
))]
async fn refresh(
    State(refresh): State<Arc<Refresh>>,
    origin: RequestMeta,
    Json(given): Json<Renewal>,
) -> Result<axum::Json<TokenPair>> {
    match refresh.rotate(&given.refresh_token, Kind::Api, &origin).await? {
        Rotation::Granted(grant) => Ok(pair(&refresh, *grant)),
        Rotation::Reused => Err(Error::TokenReused),
        Rotation::Revoked => Err(Error::TokenRevoked),
        Rotation::Expired => Err(Error::TokenExpired),
        Rotation::Unknown => Err(Error::BadToken),
    }
}

/// Log out.
///
/// An unknown token counts as revoked too.
#[utoipa::path(post, path = "/auth/revoke", operation_id = "revokeSignIn", tag = "account", security(()), request_body = Revocation, responses(
    (status = 204, description = "The token is revoked"),
    (status = 401, body = Problem, content_type = "application/problem+json", description = "`bad_token` in the Authorization header"),
    (status = 403, body = Problem, content_type = "application/problem+json", description = "`cross_site`"),
))]
async fn revoke(
    State(refresh): State<Arc<Refresh>>,
    origin: RequestMeta,
    Json(given): Json<Revocation>,
) -> Result<StatusCode> {
    refresh.revoke(&given.token, &origin).await?;
    Ok(StatusCode::NO_CONTENT)
}
