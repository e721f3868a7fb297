//! Who the API client is.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::error::Result;
use crate::web::scoped::{AccountRead, Scoped};

pub fn routes() -> OpenApiRouter<()> {
    OpenApiRouter::new().routes(routes!(me))
}

#[derive(Serialize, ToSchema)]
struct Me {
    id: Uuid,
    username: String,
    display_name: String,
    email: String,
    /// `member` or `admin`.
    role: &'static str,
    /// The value that a browser session sends as `X-CSRF-Token` with every change; empty with a token.
    csrf: String,
}

/// Who is logged in.
#[utoipa::path(get, path = "/me", operation_id = "getMe", tag = "account", security(("session" = []), ("bearer" = ["account:read"])), responses(
    (status = 200, body = Me, description = "You"),
))]
async fn me(asks: Scoped<AccountRead>) -> Result<Json<Me>> {
    let member = asks.signed_in()?;
    Ok(Json(Me {
        id: member.id,
        username: member.username.clone(),
        display_name: member.display_name.clone(),
        email: member.email.clone(),
        role: member.role.as_str(),
        csrf: asks.identity.csrf.clone(),
    }))
}
