//! What needs an operator's hand, as JSON, for admins.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::{Need, Overview, OverviewState};
use crate::admin::limits::Held;
use crate::error::Result;
use crate::timestamp::Timestamp;
use crate::web::json::Problem;
use crate::web::scoped::{AdminRead, Scoped};

pub fn routes() -> OpenApiRouter<OverviewState> {
    OpenApiRouter::new().routes(routes!(show_overview))
}

/// What needs attention, and who is blocked.
#[derive(Serialize, ToSchema)]
struct ToDo {
    /// The most severe first.
    needs: Vec<Need>,
    /// The accounts and addresses that are blocked now.
    held: Vec<HeldBack>,
}

/// An account or an address that is blocked now.
#[derive(Serialize, ToSchema)]
struct HeldBack {
    /// The name of the limit.
    policy: &'static str,
    /// When the block ends.
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
    /// The account; null for an address.
    account: Option<HeldAccount>,
    /// For an address: twelve hex digits of a keyed hash, which changes every day.
    client: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct HeldAccount {
    /// For `DELETE /api/v1/admin/limits/accounts/{id}`.
    id: Uuid,
    /// Its username.
    username: String,
}

impl From<Held> for HeldBack {
    fn from(Held { blocked, person }: Held) -> Self {
        Self {
            policy: blocked.policy.as_str(),
            until: Timestamp::from_micros(i64::try_from(blocked.until).unwrap_or(i64::MAX)),
            client: person.is_none().then(|| blocked.key.today.short()),
            account: person.map(|person| HeldAccount { id: person.id, username: person.username }),
        }
    }
}

/// What needs attention and which clients are blocked, as on `/admin`; for admins.
#[utoipa::path(get, path = "/admin/overview", operation_id = "getOverview", tag = "admin", security(("session" = []), ("bearer" = ["admin:read"])), responses(
    (status = 200, body = ToDo, description = "The overview"),
    (status = 404, body = Problem, content_type = "application/problem+json", description = "`not_found`: only admins see it"),
))]
async fn show_overview(
    State(overview): State<Arc<Overview>>,
    viewer: Scoped<AdminRead>,
) -> Result<Json<ToDo>> {
    let (needs, held) = (overview.needs(&viewer).await?, overview.held(&viewer).await?);
    Ok(Json(ToDo { needs, held: held.into_iter().map(HeldBack::from).collect() }))
}
