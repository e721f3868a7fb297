//! Accounts as JSON, for admins.

use std::sync::Arc;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::{By, Change, ListQuery, PeopleState, Person, UserAdmin};
use crate::error::Result;
use crate::identity::{RequestMeta, Role};
use crate::timestamp::Timestamp;
use crate::web::forms::StrictQuery;
use crate::web::json::{Json, Problem};
use crate::web::path::Id;
use crate::web::scoped::{AdminRead, AdminWrite, Scoped, SudoScoped};

pub fn routes() -> OpenApiRouter<PeopleState> {
    OpenApiRouter::new().routes(routes!(list_users)).routes(routes!(update_user))
}

/// An account.
#[derive(Serialize, ToSchema)]
struct User {
    id: Uuid,
    username: String,
    display_name: String,
    email: String,
    /// Whether the email is confirmed.
    email_verified: bool,
    role: Role,
    disabled: bool,
    second_factor: bool,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// The last visit in a session that has not ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_seen_at: Option<Timestamp>,
}

impl From<Person> for User {
    fn from(person: Person) -> Self {
        Self {
            id: person.id,
            email_verified: person.verified_at.is_some(),
            disabled: person.is_disabled(),
            username: person.username,
            display_name: person.display_name,
            email: person.email,
            role: person.role,
            second_factor: person.second_factor,
            created_at: person.created_at,
            last_seen_at: person.seen_at,
        }
    }
}

/// One page of the accounts.
#[derive(Serialize, ToSchema)]
struct UserList {
    items: Vec<User>,
    /// Send it as `cursor` to get the next page; null on the last page.
    next_cursor: Option<String>,
}

/// The fields to change; omitted fields stay the same.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct UserChange {
    #[serde(default)]
    role: Option<Role>,
    /// `true` disables the account and ends all its sessions immediately.
    #[serde(default)]
    disabled: Option<bool>,
}

/// The accounts by username; for admins.
#[utoipa::path(get, path = "/admin/users", operation_id = "listUsers", tag = "admin", security(("session" = []), ("bearer" = ["admin:read"])), params(ListQuery), responses(
    (status = 200, body = UserList, description = "One page of the accounts"),
    (status = 400, body = Problem, content_type = "application/problem+json", description = "`bad_cursor`, `bad_parameter`"),
    (status = 404, body = Problem, content_type = "application/problem+json", description = "`not_found`: only admins see it"),
    (status = 422, body = Problem, content_type = "application/problem+json", description = "`invalid`"),
))]
async fn list_users(
    State(people): State<Arc<UserAdmin>>,
    viewer: Scoped<AdminRead>,
    StrictQuery(query): StrictQuery<ListQuery>,
) -> Result<axum::Json<UserList>> {
    let page = people.page(&viewer, &query).await?;
    let items = page.people.into_iter().map(User::from).collect();
    Ok(axum::Json(UserList { items, next_cursor: page.next }))
}

/// Change the role of an account, disable or enable it; for admins.
#[utoipa::path(patch, path = "/admin/users/{id}", operation_id = "updateUser", tag = "admin", security(("session" = []), ("bearer" = ["admin:write"])), params(("id" = Uuid, Path)),
    request_body = UserChange, responses(
    (status = 200, body = User, description = "The updated account"),
    (status = 403, body = Problem, content_type = "application/problem+json", description = "`sudo_required`, `forbidden`, `second_factor_required`, `cross_site`; for a token `insufficient_scope`"),
    (status = 404, body = Problem, content_type = "application/problem+json", description = "`not_found`: there is no such account, or you are not an admin"),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "`last_admin`: no administrator would be left"),
))]
async fn update_user(
    asks: SudoScoped<AdminWrite>,
    State(people): State<Arc<UserAdmin>>,
    origin: RequestMeta,
    Id(id): Id,
    Json(body): Json<UserChange>,
) -> Result<axum::Json<User>> {
    let change = Change { role: body.role, disabled: body.disabled };
    let person = people.change(By::Admin(&asks), id, change, &origin).await?;
    Ok(axum::Json(person.into()))
}
