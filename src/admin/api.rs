//! The metrics page as JSON.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::query::ReportQuery;
use super::report::Report;
use super::{Admin, AdminState};
use crate::error::Result;
use crate::web::forms::StrictQuery;
use crate::web::json::Problem;
use crate::web::scoped::{AdminRead, Scoped};

pub fn routes() -> OpenApiRouter<AdminState> {
    OpenApiRouter::new().routes(routes!(show_metrics))
}

/// The metrics of all instances, as on `/admin/metrics`; for admins.
#[utoipa::path(get, path = "/admin/metrics", operation_id = "getMetrics", tag = "admin", security(("session" = []), ("bearer" = ["admin:read"])), params(ReportQuery), responses(
    (status = 200, body = Report, description = "The figures"),
    (status = 400, body = Problem, content_type = "application/problem+json", description = "`bad_parameter`"),
    (status = 404, body = Problem, content_type = "application/problem+json", description = "`not_found`: only admins see it"),
    (status = 422, body = Problem, content_type = "application/problem+json", description = "`invalid`: no such range or order"),
))]
async fn show_metrics(
    State(admin): State<Arc<Admin>>,
    viewer: Scoped<AdminRead>,
    StrictQuery(query): StrictQuery<ReportQuery>,
) -> Result<Json<Report>> {
    admin.report(&viewer, &query).await.map(Json)
}
