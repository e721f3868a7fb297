//! The audit log as JSON.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::csv;
use super::query::DownloadQuery;
use super::reader::{AuditQuery, AuditReader, AuditState, EventPage, NamedEvent};
use crate::error::Result;
use crate::timestamp::Timestamp;
use crate::web::forms::StrictQuery;
use crate::web::json::Problem;
use crate::web::scoped::{AdminRead, Scoped};

pub fn routes() -> OpenApiRouter<AuditState> {
    OpenApiRouter::new().routes(routes!(list_events)).routes(routes!(download_events))
}

/// An event in an account, including failed attempts.
#[derive(Serialize, ToSchema)]
pub struct AuditEvent {
    /// Its number; the trail has no gaps.
    seq: i64,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// What was done: one of the values of the parameter `action`, or one that a later coffer adds.
    action: String,
    /// `done` or `refused`.
    outcome: String,
    /// The actor; null for failed logins and the command line.
    actor: Option<Actor>,
    /// The id of a user, session, token or invitation; may be empty.
    target: String,
    /// The username, when the target has an account.
    target_name: Option<String>,
    /// The beginning of a keyed hash of the network it came from; empty for the command line.
    network: String,
    request_id: String,
}

#[derive(Serialize, ToSchema)]
struct Actor {
    id: Uuid,
    /// null once the account is deleted.
    username: Option<String>,
}

/// One page of the audit trail.
#[derive(Serialize, ToSchema)]
struct AuditList {
    items: Vec<AuditEvent>,
    /// Send it as `cursor` to get the next page; null on the last page.
    next_cursor: Option<String>,
}

impl From<NamedEvent> for AuditEvent {
    fn from(entry: NamedEvent) -> Self {
        Self {
            seq: entry.seq,
            at: entry.at,
            network: entry.network_hex(),
            action: entry.action,
            outcome: entry.outcome,
            actor: entry.actor.map(|who| Actor { id: who.id, username: who.username }),
            target: entry.target,
            target_name: entry.target_name,
            request_id: entry.request_id,
        }
    }
}

/// The audit trail, newest first; for admins.
#[utoipa::path(get, path = "/admin/audit", operation_id = "listAuditEvents", tag = "admin", security(("session" = []), ("bearer" = ["admin:read"])), params(AuditQuery), responses(
    (status = 200, body = AuditList, description = "One page of the trail"),
    (status = 400, body = Problem, content_type = "application/problem+json", description = "`bad_cursor`, `bad_parameter`"),
    (status = 404, body = Problem, content_type = "application/problem+json", description = "`not_found`: only admins see it"),
    (status = 422, body = Problem, content_type = "application/problem+json", description = "`invalid`: a filter is not valid"),
))]
async fn list_events(
    State(audit_reader): State<Arc<AuditReader>>,
    viewer: Scoped<AdminRead>,
    StrictQuery(query): StrictQuery<AuditQuery>,
) -> Result<Json<AuditList>> {
    let EventPage { entries, next: next_cursor } = audit_reader.page(&viewer, &query).await?;
    Ok(Json(AuditList { items: entries.into_iter().map(AuditEvent::from).collect(), next_cursor }))
}

/// The filtered audit trail as CSV, newest first; for admins.
#[utoipa::path(get, path = "/admin/audit.csv", operation_id = "downloadAuditEvents", tag = "admin", security(("session" = []), ("bearer" = ["admin:read"])), params(DownloadQuery), responses(
    (status = 200, body = String, content_type = "text/csv", description = "A header line, then one line per event"),
    (status = 400, body = Problem, content_type = "application/problem+json", description = "`bad_parameter`"),
    (status = 404, body = Problem, content_type = "application/problem+json", description = "`not_found`: only admins see it"),
    (status = 422, body = Problem, content_type = "application/problem+json", description = "`invalid`: a filter is not valid"),
))]
async fn download_events(
    State(audit_reader): State<Arc<AuditReader>>,
    viewer: Scoped<AdminRead>,
    StrictQuery(query): StrictQuery<DownloadQuery>,
) -> Result<Response> {
    let filter = audit_reader.filter(&viewer, &query.into()).await?;
    Ok(csv::answer(audit_reader, filter))
}
