//! The device list as JSON.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::devices::Device;
use super::{Sessions, SessionsState};
use crate::error::Result;
use crate::identity::RequestMeta;
use crate::timestamp::Timestamp;
use crate::web::json::Problem;
use crate::web::path::Id;
use crate::web::scoped::{AccountRead, AccountWrite, Scoped};

pub fn routes() -> OpenApiRouter<SessionsState> {
    OpenApiRouter::new().routes(routes!(list_sessions, end_other_sessions)).routes(routes!(end_session))
}

/// A browser or a program that is logged in.
#[derive(Serialize, ToSchema)]
struct SessionItem {
    id: Uuid,
    /// Browser and operating system, for example `Firefox on Linux`; empty if unknown.
    browser: String,
    /// As the program named its device; empty for browsers.
    name: String,
    #[schema(value_type = String, format = DateTime)]
    first_seen: Timestamp,
    /// Accurate to a few minutes.
    #[schema(value_type = String, format = DateTime)]
    last_seen: Timestamp,
    /// Whether it was last seen in the same network as this request; null if unknown.
    same_network: Option<bool>,
    /// Whether it is the device making this request.
    current: bool,
    /// Whether it stays logged in after its session ends.
    stays: bool,
    /// Whether it logged in at `/auth/token`.
    program: bool,
}

#[derive(Serialize, ToSchema)]
struct SessionList {
    items: Vec<SessionItem>,
}

impl From<Device> for SessionItem {
    fn from(device: Device) -> Self {
        Self {
            id: device.id,
            browser: device.browser,
            name: device.name,
            first_seen: device.first_seen,
            last_seen: device.last_seen,
            same_network: device.same_network,
            current: device.is_current,
            stays: device.stays,
            program: device.is_program,
        }
    }
}

/// Where you are logged in.
#[utoipa::path(get, path = "/me/sessions", operation_id = "listSessions", tag = "account", security(("session" = []), ("bearer" = ["account:read"])), responses(
    (status = 200, body = SessionList, description = "Your devices"),
))]
async fn list_sessions(
    State(sessions): State<Arc<Sessions>>,
    asks: Scoped<AccountRead>,
    origin: RequestMeta,
) -> Result<axum::Json<SessionList>> {
    let devices = sessions.devices(&asks.identity, &origin).await?;
    Ok(axum::Json(SessionList { items: devices.into_iter().map(SessionItem::from).collect() }))
}

/// Log out other devices.
#[utoipa::path(delete, path = "/me/sessions", operation_id = "endOtherSessions", tag = "account", security(("session" = []), ("bearer" = ["account:write"])), responses(
    (status = 204, description = "All others are logged out"),
))]
async fn end_other_sessions(
    State(sessions): State<Arc<Sessions>>,
    asks: Scoped<AccountWrite>,
    origin: RequestMeta,
) -> Result<StatusCode> {
    sessions.end_others(&asks.identity, &origin).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Log out one device.
#[utoipa::path(delete, path = "/me/sessions/{id}", operation_id = "endSession", tag = "account", params(("id" = Uuid, Path)),
    security(("session" = []), ("bearer" = ["account:write"])), responses(
    (status = 204, description = "It is logged out"),
    (status = 404, body = Problem, content_type = "application/problem+json", description = "`not_found`"),
))]
async fn end_session(
    State(sessions): State<Arc<Sessions>>,
    asks: Scoped<AccountWrite>,
    origin: RequestMeta,
    Id(id): Id,
) -> Result<StatusCode> {
    sessions.end_device(asks.signed_in()?, id, &origin).await?;
    Ok(StatusCode::NO_CONTENT)
}
