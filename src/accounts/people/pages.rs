//! `/admin/users`: who has an account, and what an admin can do about it.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use uuid::Uuid;

use super::{Asked, By, Change, People, PeopleState, Person};
use crate::accounts::Role;
use crate::error::{Error, Result};
use crate::web::admin::AdminSudo;
use crate::web::chrome::{Chrome, Notice, page, redirect};
use crate::web::deps::WebDeps;
use crate::web::forms::{Form, Query, encode};
use crate::web::once::{self, Once};
use crate::web::origin::Origin;
use crate::web::path::Id;
use crate::web::viewer::Viewer;

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
    chrome: Chrome,
    q: String,
    people: Vec<Person>,
    next: Option<String>,
}

#[derive(Template)]
#[template(path = "admin/user.html")]
struct UserPage {
    chrome: Chrome,
    person: Person,
    is_self: bool,
    /// A link for a new password, just made; it is shown this once.
    fresh: Option<String>,
    problem: Option<String>,
}

async fn index(
    State(people): State<Arc<People>>,
    viewer: Viewer,
    chrome: Chrome,
    Query(asked): Query<Asked>,
) -> Result<Response> {
    let found = people.page(&viewer, &asked).await?;
    let next = found.next.map(|cursor| format!("?q={}&cursor={cursor}", encode(&asked.q)));
    let toast = chrome.toast.is_some();
    page(&UsersPage { chrome: chrome.section("users"), q: asked.q, people: found.people, next }, toast)
}

async fn show(
    State(people): State<Arc<People>>,
    State(deps): State<Arc<WebDeps>>,
    viewer: Viewer,
    chrome: Chrome,
    once: Once,
    Id(id): Id,
) -> Result<Response> {
    let person = people.find(&viewer, id).await?;
    let fresh = once.secret(&link_name(id));
    let fresh = fresh.map(|token| format!("{}/password/reset/{token}", deps.public_url.origin()));
    let (toast, told) = (chrome.toast.is_some(), fresh.is_some());
    let mut shown = page(&user_page(&viewer, chrome, person, fresh, None), toast)?;
    if told {
        once::forget(&mut shown);
    }
    Ok(shown)
}

fn user_page(
    viewer: &Viewer,
    chrome: Chrome,
    person: Person,
    fresh: Option<String>,
    problem: Option<String>,
) -> UserPage {
    let is_self = viewer.id() == Some(person.id);
    UserPage { chrome: chrome.section("users"), person, is_self, fresh, problem }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RoleForm {
    role: String,
}

async fn set_role(
    _: AdminSudo,
    State(people): State<Arc<People>>,
    viewer: Viewer,
    origin: Origin,
    chrome: Chrome,
    Id(id): Id,
    Form(form): Form<RoleForm>,
) -> Result<Response> {
    let role =
        Role::try_from(form.role).map_err(|_| Error::field("role", "Choose member or administrator."))?;
    let change = Change { role: Some(role), ..Change::default() };
    changed(&people, &viewer, &origin, chrome, id, change, Notice::RoleChanged).await
}

async fn disable(
    _: AdminSudo,
    State(people): State<Arc<People>>,
    viewer: Viewer,
    origin: Origin,
    chrome: Chrome,
    Id(id): Id,
) -> Result<Response> {
    let change = Change { disabled: Some(true), ..Change::default() };
    changed(&people, &viewer, &origin, chrome, id, change, Notice::AccountDisabled).await
}

async fn enable(
    _: AdminSudo,
    State(people): State<Arc<People>>,
    viewer: Viewer,
    origin: Origin,
    chrome: Chrome,
    Id(id): Id,
) -> Result<Response> {
    let change = Change { disabled: Some(false), ..Change::default() };
    changed(&people, &viewer, &origin, chrome, id, change, Notice::AccountEnabled).await
}

async fn changed(
    people: &People,
    viewer: &Viewer,
    origin: &Origin,
    chrome: Chrome,
    id: Uuid,
    change: Change,
    notice: Notice,
) -> Result<Response> {
    match people.change(By::Admin(viewer), id, change, origin).await {
        Ok(_) => Ok(redirect(&address(id), Some(notice))),
        Err(error @ Error::LastAdmin) => {
            let person = people.find(viewer, id).await?;
            let problem = Some(error.message().into_owned());
            let again = page(&user_page(viewer, chrome, person, None, problem), false)?;
            Ok((StatusCode::CONFLICT, again).into_response())
        }
        Err(error) => Err(error),
    }
}

async fn end_sessions(
    _: AdminSudo,
    State(people): State<Arc<People>>,
    viewer: Viewer,
    origin: Origin,
    Id(id): Id,
) -> Result<Response> {
    people.end_sessions(By::Admin(&viewer), id, &origin).await?;
    Ok(redirect(&address(id), Some(Notice::SessionsEnded)))
}

async fn reset_link(
    _: AdminSudo,
    State(people): State<Arc<People>>,
    State(deps): State<Arc<WebDeps>>,
    viewer: Viewer,
    origin: Origin,
    Id(id): Id,
) -> Result<Response> {
    let token = people.reset_link(By::Admin(&viewer), id, &origin).await?;
    let mut response = redirect(&address(id), None);
    once::keep(&deps, &viewer, &mut response, &link_name(id), &token);
    Ok(response)
}

fn address(id: Uuid) -> String {
    format!("/admin/users/{id}")
}

fn link_name(id: Uuid) -> String {
    format!("reset {id}")
}
