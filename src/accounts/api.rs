//! Who the API client is.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::app::App;
use crate::error::Result;
use crate::web::json::Problem;
use crate::web::viewer::Identity;

pub fn routes() -> OpenApiRouter<App> {
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
    /// What a browser session sends as `X-CSRF-Token` with every change.
    csrf: String,
}

/// Who is signed in.
#[utoipa::path(get, path = "/me", tag = "account", responses(
    (status = 200, body = Me),
    (status = 401, body = Problem, content_type = "application/problem+json", description = "`sign_in_required`"),
))]
async fn me(identity: Identity) -> Result<Json<Me>> {
    let member = identity.viewer.signed_in()?;
    Ok(Json(Me {
        id: member.id,
        username: member.username.clone(),
        display_name: member.display_name.clone(),
        email: member.email.clone(),
        role: member.role.as_str(),
        csrf: identity.csrf.clone(),
    }))
}
