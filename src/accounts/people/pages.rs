//! `/admin/users`: the accounts, and what an admin can do with them.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use uuid::Uuid;

use super::{By, Change, ListQuery, PeopleState, Person, UserAdmin};
use crate::error::{Error, Result};
use crate::identity::{RequestMeta, Role, Viewer};
use crate::web::admin::AdminSudo;
use crate::web::deps::WebDeps;
use crate::web::flash::Flash;
use crate::web::forms::{Form, Query, encode};
use crate::web::one_time_secret::{self, OneTimeSecret};
use crate::web::page_context::{PageContext, page, redirect};
use crate::web::path::Id;

const ROLE_CHANGED: Flash = Flash::ok("role-changed", "Role changed.");
const DISABLED: Flash = Flash::ok("account-disabled", "Account disabled and logged out everywhere.");
const ENABLED: Flash = Flash::ok("account-enabled", "Account enabled.");
const SESSIONS_ENDED: Flash = Flash::ok("sessions-ended", "Logged out everywhere.");

pub fn routes() -> Router<PeopleState> {
    Router::new()
        .route("/admin/users", get(index))
        .route("/admin/users/{id}", get(show))
        .route("/admin/users/{id}/role", post(set_role))
        .route("/admin/users/{id}/disable", post(disable))
        .route("/admin/users/{id}/enable", post(enable))
        .route("/admin/users/{id}/end-sessions", post(end_sessions))
        .route("/admin/users/{id}/reset-link", post(reset_link))
}

#[derive(Template)]
#[template(path = "admin/users.html")]
struct UsersPage {
    context: PageContext,
    q: String,
    people: Vec<Person>,
    next: Option<String>,
}

#[derive(Template)]
#[template(path = "admin/user.html")]
struct UserPage {
    context: PageContext,
    person: Person,
    is_self: bool,
    /// The link for a new password that was just made; it is shown only once.
    fresh: Option<String>,
    problem: Option<String>,
}

async fn index(
    State(people): State<Arc<UserAdmin>>,
    viewer: Viewer,
    context: PageContext,
    Query(query): Query<ListQuery>,
) -> Result<Response> {
    let found = people.page(&viewer, &query).await?;
    let next = found.next.map(|cursor| format!("?q={}&cursor={cursor}", encode(&query.q)));
    let toast = context.toast.is_some();
    page(&UsersPage { context: context.section("users"), q: query.q, people: found.people, next }, toast)
}

async fn show(
    State(people): State<Arc<UserAdmin>>,
    State(deps): State<Arc<WebDeps>>,
    viewer: Viewer,
    context: PageContext,
    secret: OneTimeSecret,
    Id(id): Id,
) -> Result<Response> {
    let person = people.find(&viewer, id).await?;
    let fresh = secret.take(&link_name(id));
    let fresh = fresh.map(|token| format!("{}/password/reset/{token}", deps.public_url.address()));
    let (toast, told) = (context.toast.is_some(), fresh.is_some());
    let mut shown = page(&user_page(&viewer, context, person, fresh, None), toast)?;
    if told {
        one_time_secret::forget(&mut shown);
    }
    Ok(shown)
}

fn user_page(
    viewer: &Viewer,
    context: PageContext,
    person: Person,
    fresh: Option<String>,
    problem: Option<String>,
) -> UserPage {
    let is_self = viewer.id() == Some(person.id);
    UserPage { context: context.section("users"), person, is_self, fresh, problem }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RoleForm {
    role: String,
}

async fn set_role(
    _: AdminSudo,
    State(people): State<Arc<UserAdmin>>,
    viewer: Viewer,
    origin: RequestMeta,
    context: PageContext,
    Id(id): Id,
    Form(form): Form<RoleForm>,
) -> Result<Response> {
    let role =
        Role::try_from(form.role).map_err(|_| Error::field("role", "Choose member or administrator."))?;
    let change = Change { role: Some(role), ..Change::default() };
    changed(&people, &viewer, &origin, context, id, change, ROLE_CHANGED).await
}

async fn disable(
    _: AdminSudo,
    State(people): State<Arc<UserAdmin>>,
    viewer: Viewer,
    origin: RequestMeta,
    context: PageContext,
    Id(id): Id,
) -> Result<Response> {
    let change = Change { disabled: Some(true), ..Change::default() };
    changed(&people, &viewer, &origin, context, id, change, DISABLED).await
}

async fn enable(
    _: AdminSudo,
    State(people): State<Arc<UserAdmin>>,
    viewer: Viewer,
    origin: RequestMeta,
    context: PageContext,
    Id(id): Id,
) -> Result<Response> {
    let change = Change { disabled: Some(false), ..Change::default() };
    changed(&people, &viewer, &origin, context, id, change, ENABLED).await
}

async fn changed(
    people: &UserAdmin,
    viewer: &Viewer,
    origin: &RequestMeta,
    context: PageContext,
    id: Uuid,
    change: Change,
    flash: Flash,
) -> Result<Response> {
    match people.change(By::Admin(viewer), id, change, origin).await {
        Ok(_) => Ok(redirect(&address(id), Some(flash))),
        Err(error @ Error::LastAdmin) => {
            let person = people.find(viewer, id).await?;
            let problem = Some(error.message().into_owned());
            let again = page(&user_page(viewer, context, person, None, problem), false)?;
            Ok((StatusCode::CONFLICT, again).into_response())
        }
        Err(error) => Err(error),
    }
}

async fn end_sessions(
    _: AdminSudo,
    State(people): State<Arc<UserAdmin>>,
    viewer: Viewer,
    origin: RequestMeta,
    Id(id): Id,
) -> Result<Response> {
    people.end_sessions(By::Admin(&viewer), id, &origin).await?;
    Ok(redirect(&address(id), Some(SESSIONS_ENDED)))
}

async fn reset_link(
    _: AdminSudo,
    State(people): State<Arc<UserAdmin>>,
    State(deps): State<Arc<WebDeps>>,
    viewer: Viewer,
    origin: RequestMeta,
    Id(id): Id,
) -> Result<Response> {
    let token = people.reset_link(By::Admin(&viewer), id, &origin).await?;
    let mut response = redirect(&address(id), None);
    one_time_secret::keep(&deps, &viewer, &mut response, &link_name(id), &token);
    Ok(response)
}

fn address(id: Uuid) -> String {
    format!("/admin/users/{id}")
}

fn link_name(id: Uuid) -> String {
    format!("reset {id}")
}
