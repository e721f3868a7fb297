//! Invitations: an admin makes a link, somebody makes an account of it.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use tower_sessions::Session;

use super::Purpose;
use super::pages::{AccountForm, begin, closed, register_page};
use super::people::invites::Invite;
use super::people::{By, People};
use crate::accounts::policy::Signup;
use crate::auth::Auth;
use crate::error::{Error, FieldErrors, Result};
use crate::web::admin::AdminSudo;
use crate::web::chrome::{Chrome, Notice, page, redirect};
use crate::web::deps::WebDeps;
use crate::web::forms::Form;
use crate::web::once::{self, Once};
use crate::web::origin::Origin;
use crate::web::viewer::Viewer;

#[derive(Template)]
#[template(path = "accounts/invites.html")]
struct InvitesPage {
    chrome: Chrome,
    /// The link just made; it is shown this once.
    fresh: Option<String>,
    open: Vec<Invite>,
    accepted: bool,
}

const FRESH: &str = "invite";

pub async fn index(
    State(people): State<Arc<People>>,
    State(deps): State<Arc<WebDeps>>,
    State(signup): State<Signup>,
    viewer: Viewer,
    chrome: Chrome,
    once: Once,
) -> Result<Response> {
    let open = people.invites(&viewer).await?;
    let fresh = once.secret(FRESH).map(|token| format!("{}/invite/{token}", deps.public_url.origin()));
    let accepted = signup != Signup::Closed;
    let (toast, told) = (chrome.toast.is_some(), fresh.is_some());
    let mut shown = page(&InvitesPage { chrome: chrome.section("invites"), fresh, open, accepted }, toast)?;
    if told {
        once::forget(&mut shown);
    }
    Ok(shown)
}

pub async fn create(
    _: AdminSudo,
    State(people): State<Arc<People>>,
    State(deps): State<Arc<WebDeps>>,
    viewer: Viewer,
    origin: Origin,
) -> Result<Response> {
    let token = people.invite(By::Admin(&viewer), &origin).await?;
    let mut response = redirect("/admin/invites", None);
    once::keep(&deps, &viewer, &mut response, FRESH, &token);
    Ok(response)
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct WithdrawForm {
    invite: String,
}

pub async fn withdraw(
    _: AdminSudo,
    State(people): State<Arc<People>>,
    viewer: Viewer,
    origin: Origin,
    Form(form): Form<WithdrawForm>,
) -> Result<Response> {
    people.withdraw(&viewer, &form.invite, &origin).await?;
    Ok(redirect("/admin/invites", Some(Notice::InviteWithdrawn)))
}

pub async fn form(
    State(auth): State<Arc<Auth>>,
    State(signup): State<Signup>,
    chrome: Chrome,
    Path(token): Path<String>,
) -> Result<Response> {
    if signup == Signup::Closed {
        return closed(signup, chrome);
    }
    if !auth.accounts.token_stands(Purpose::Invite, &token).await? {
        return Err(Error::LinkOver);
    }
    page(&register_page(chrome, &action(&token), AccountForm::default(), FieldErrors::default()), false)
}

pub async fn accept(
    State(auth): State<Arc<Auth>>,
    State(signup): State<Signup>,
    session: Session,
    origin: Origin,
    chrome: Chrome,
    Path(token): Path<String>,
    Form(form): Form<AccountForm>,
) -> Result<Response> {
    if signup == Signup::Closed {
        return closed(signup, chrome);
    }
    match auth.accounts.redeem(Purpose::Invite, &token, &form.account(), &origin).await {
        Ok(member) => begin(&auth, &session, member, &origin, Notice::Registered).await,
        Err(Error::Invalid(errors)) => {
            let again = page(&register_page(chrome, &action(&token), form, errors), false)?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, again).into_response())
        }
        Err(error) => Err(error),
    }
}

fn action(token: &str) -> String {
    format!("/invite/{token}")
}
