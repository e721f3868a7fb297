//! The limits as JSON, for admins.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Limits, LimitsOverview, LimitsState};
use crate::accounts::people::By;
use crate::error::{Error, Result};
use crate::identity::RequestMeta;
use crate::limiter::blocked::Blocked;
use crate::limiter::counts::Count;
use crate::limiter::policy::{Policy, Rule};
use crate::limiter::verdict::Tier;
use crate::timestamp::Timestamp;
use crate::web::json::Problem;
use crate::web::path::Id;
use crate::web::scoped::{AdminRead, AdminWrite, Scoped, SudoScoped};

pub fn routes() -> OpenApiRouter<LimitsState> {
    OpenApiRouter::new()
        .routes(routes!(show_limits))
        .routes(routes!(release_client))
        .routes(routes!(unlock_account))
}

/// The limits on all nodes, counted since each node started.
#[derive(Serialize, ToSchema)]
struct LimitList {
    /// `exact`: Redis counts for all nodes. `local`: this node applies its own share.
    mode: &'static str,
    nodes: u32,
    /// The nodes included in these figures.
    nodes_heard: usize,
    /// The header of a proxy that `COFFER_TRUSTED_PROXIES` doesn't list, if requests come through one.
    unknown_proxy: Option<&'static str>,
    policies: Vec<LimitPolicy>,
    /// The clients that are blocked now, most blocked first.
    blocked: Vec<BlockedClient>,
}

#[derive(Serialize, ToSchema)]
struct LimitPolicy {
    name: &'static str,
    /// What it applies to.
    by: &'static str,
    /// For example `300/min burst 100` or `off`.
    limit: String,
    /// It counts without blocking.
    shadow: bool,
    allowed: u64,
    refused: u64,
    would_refuse: u64,
    /// Allowed, with less than a tenth left.
    near: u64,
}

#[derive(Serialize, ToSchema)]
struct BlockedClient {
    /// Twelve hex digits of a keyed hash, which changes every day.
    client: String,
    policy: &'static str,
    refusals: u64,
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
    /// Whether the policy only counts (shadow mode).
    shadow: bool,
}

impl From<LimitsOverview> for LimitList {
    fn from(LimitsOverview { overview, unknown_proxy }: LimitsOverview) -> Self {
        let limits = overview.policies.iter().filter(|(policy, ..)| *policy != Policy::LoginSeen);
        let limit = |(policy, rule, count): &(Policy, Rule, Count)| LimitPolicy {
            name: policy.as_str(),
            by: policy.client_kind().label(),
            limit: Rule { shadow: false, ..*rule }.to_string(),
            shadow: rule.shadow,
            allowed: count.allowed,
            refused: count.refused,
            would_refuse: count.shadow,
            near: count.near,
        };
        let client = |blocked: &Blocked| BlockedClient {
            client: blocked.key.today.short(),
            policy: blocked.policy.as_str(),
            refusals: blocked.refusals,
            until: Timestamp::from_micros(i64::try_from(blocked.until).unwrap_or(i64::MAX)),
            shadow: blocked.shadow,
        };
        Self {
            mode: if overview.tier == Tier::Exact { "exact" } else { "local" },
            nodes: overview.nodes,
            nodes_heard: overview.heard,
            unknown_proxy,
            policies: limits.map(limit).collect(),
            blocked: overview.blocked.iter().map(client).collect(),
        }
    }
}

/// The limits and the clients they block; for admins.
#[utoipa::path(get, path = "/admin/limits", operation_id = "getLimits", tag = "admin", security(("session" = []), ("bearer" = ["admin:read"])), responses(
    (status = 200, body = LimitList, description = "The limits"),
    (status = 404, body = Problem, content_type = "application/problem+json", description = "`not_found`: only admins see it"),
))]
async fn show_limits(
    State(limits): State<Arc<Limits>>,
    viewer: Scoped<AdminRead>,
) -> Result<Json<LimitList>> {
    Ok(Json(limits.standing(&viewer).await?.into()))
}

/// Unblock a client on all nodes; for admins.
#[utoipa::path(delete, path = "/admin/limits/blocked/{client}", operation_id = "releaseClient", tag = "admin", security(("session" = []), ("bearer" = ["admin:write"])),
    params(("client" = String, Path, pattern = "^[0-9a-f]{12}$", description = "The twelve digits")), responses(
    (status = 204, description = "The client is unblocked"),
    (status = 403, body = Problem, content_type = "application/problem+json", description = "`sudo_required`, `forbidden`, `second_factor_required`, `cross_site`; for a token `insufficient_scope`"),
    (status = 404, body = Problem, content_type = "application/problem+json", description = "`not_found`: no such client is blocked, or you are not an admin"),
))]
async fn release_client(
    asks: SudoScoped<AdminWrite>,
    State(limits): State<Arc<Limits>>,
    origin: RequestMeta,
    client: std::result::Result<Path<String>, PathRejection>,
) -> Result<StatusCode> {
    let Path(client) = client.map_err(|_| Error::NotFound)?;
    limits.release(&asks, &client, &origin).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Unblock an account on all nodes; for admins.
#[utoipa::path(delete, path = "/admin/limits/accounts/{id}", operation_id = "unlockAccount", tag = "admin", security(("session" = []), ("bearer" = ["admin:write"])),
    params(("id" = Uuid, Path, description = "The account's id")), responses(
    (status = 204, description = "The account is unblocked"),
    (status = 403, body = Problem, content_type = "application/problem+json", description = "`sudo_required`, `forbidden`, `second_factor_required`, `cross_site`; for a token `insufficient_scope`"),
    (status = 404, body = Problem, content_type = "application/problem+json", description = "`not_found`: there is no such account, or you are not an admin"),
))]
async fn unlock_account(
    asks: SudoScoped<AdminWrite>,
    State(limits): State<Arc<Limits>>,
    origin: RequestMeta,
    Id(person): Id,
) -> Result<StatusCode> {
    limits.unlock(By::Admin(&asks), person, &origin).await?;
    Ok(StatusCode::NO_CONTENT)
}
