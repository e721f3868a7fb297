//! For the holder of a token: what it is good for, and the successor of a personal token.

use std::sync::Arc;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Refresh, RefreshState};
use crate::error::{Error, Result};
use crate::identity::{RequestMeta, Scope};
use crate::named::named;
use crate::timestamp::Timestamp;
use crate::tokens::api::MadeToken;
use crate::tokens::format::Prefix;
use crate::web::json::{Json, Problem};

pub fn routes() -> OpenApiRouter<RefreshState> {
    OpenApiRouter::new().routes(routes!(introspect)).routes(routes!(rotate))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AnyToken {
    /// A personal token, an access token or a refresh token.
    token: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PersonalToken {
    /// A personal token, `cof_…`.
    token: String,
}

named! {
    #[derive(Serialize, ToSchema)]
    #[serde(rename_all = "lowercase")]
    pub enum TokenKind {
        Personal = "personal",
        Access = "access",
        Refresh = "refresh",
    }
}

/// A good token, as its holder may see it.
#[derive(Serialize, ToSchema)]
pub struct GoodToken {
    pub kind: TokenKind,
    pub username: String,
    /// The name of the token, or of the device that logged in; may be empty.
    pub name: String,
    pub scopes: Vec<Scope>,
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
}

#[derive(Serialize, ToSchema)]
struct Introspection {
    /// Whether it is good now.
    active: bool,
    /// What it is good for; null unless it is active.
    #[schema(required)]
    token: Option<GoodToken>,
}

impl Refresh {
    /// What a token is good for. `None` when it is unknown, revoked or expired.
    pub async fn introspect(&self, token: &str) -> Result<Option<GoodToken>> {
        if Prefix::Personal.fits(token) {
            return match self.tokens.known(token).await {
                Ok(known) => Ok(Some(GoodToken {
                    kind: TokenKind::Personal,
                    scopes: known.scopes(),
                    username: known.member.username,
                    name: known.name,
                    expires_at: known.expires_at,
                })),
                Err(Error::BadToken | Error::TokenExpired | Error::TokenRevoked) => Ok(None),
                Err(error) => Err(error),
            };
        }
        let found = if Prefix::Access.fits(token) {
            self.access(token).await?.map(|access| (TokenKind::Access, access.expires_at, access))
        } else {
            self.unused(token).await?.map(|access| (TokenKind::Refresh, access.family_until, access))
        };
        let now = self.context.now();
        let good = found.filter(|(_, until, access)| !access.is_revoked && *until > now);
        Ok(good.map(|(kind, expires_at, access)| GoodToken {
            kind,
            username: access.member.username,
            name: access.name,
            scopes: access.scopes,
            expires_at,
        }))
    }
}

/// Check a token: whether it is valid, whose it is and what it may do.
///
/// A token that is unknown, revoked or expired is not active; the answer does not say which.
#[utoipa::path(post, path = "/auth/introspect", operation_id = "introspectToken", tag = "account", security(()), request_body = AnyToken, responses(
    (status = 200, body = Introspection, description = "Whether it is good, and for what"),
    (status = 401, body = Problem, content_type = "application/problem+json", description = "`bad_token` in the Authorization header"),
    (status = 403, body = Problem, content_type = "application/problem+json", description = "`cross_site`"),
))]
async fn introspect(
    State(refresh): State<Arc<Refresh>>,
    Json(given): Json<AnyToken>,
) -> Result<axum::Json<Introspection>> {
    let token = refresh.introspect(&given.token).await?;
    Ok(axum::Json(Introspection { active: token.is_some(), token }))
}

/// Exchange a personal token for its successor, with the same name, scopes and length of life.
///
/// The old one stays good for 60 seconds. Within them the same request brings the same successor, should an answer get lost.
#[utoipa::path(post, path = "/auth/rotate", operation_id = "rotateToken", tag = "account", security(()), request_body = PersonalToken, responses(
    (status = 200, body = MadeToken, description = "The successor, whose secret is shown this once"),
    (status = 401, body = Problem, content_type = "application/problem+json", description = "`bad_token`, `token_expired`, `token_revoked`"),
    (status = 403, body = Problem, content_type = "application/problem+json", description = "`cross_site`"),
))]
async fn rotate(
    State(refresh): State<Arc<Refresh>>,
    origin: RequestMeta,
    Json(given): Json<PersonalToken>,
) -> Result<axum::Json<MadeToken>> {
    let successor = refresh.key.personal(&given.token);
    let made = refresh.tokens.replace(&given.token, successor, &origin).await?;
    Ok(axum::Json(made.into()))
}
