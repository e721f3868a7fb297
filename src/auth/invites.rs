//! Invitations: an admin makes a link, and its holder makes an account.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use tower_sessions::Session;

use super::register::{AccountForm, REGISTERED, begin, closed, register_page};
use crate::accounts::Purpose;
use crate::accounts::people::invites::Invite;
use crate::accounts::people::{By, UserAdmin};
use crate::accounts::policy::Signup;
use crate::auth::Auth;
use crate::error::{Error, FieldErrors, Result};
use crate::identity::{RequestMeta, Viewer};
use crate::web::admin::AdminSudo;
use crate::web::deps::WebDeps;
use crate::web::flash::Flash;
use crate::web::forms::Form;
use crate::web::one_time_secret::{self, OneTimeSecret};
use crate::web::page_context::{PageContext, page, redirect};

const WITHDRAWN: Flash = Flash::ok("invite-withdrawn", "Invitation withdrawn. Its link no longer works.");

#[derive(Template)]
#[template(path = "accounts/invites.html")]
struct InvitesPage {
    context: PageContext,
    /// The link just made; it is shown this once.
    fresh: Option<String>,
    open: Vec<Invite>,
    accepted: bool,
}

const FRESH: &str = "invite";

pub async fn index(
    State(people): State<Arc<UserAdmin>>,
    State(deps): State<Arc<WebDeps>>,
    State(signup): State<Signup>,
    viewer: Viewer,
    context: PageContext,
    secret: OneTimeSecret,
) -> Result<Response> {
    let open = people.invites(&viewer).await?;
    let fresh = secret.take(FRESH).map(|token| format!("{}/invite/{token}", deps.public_url.address()));
    let accepted = signup != Signup::Closed;
    let (toast, has_secret) = (context.toast.is_some(), fresh.is_some());
    let mut shown = page(&InvitesPage { context: context.section("invites"), fresh, open, accepted }, toast)?;
    if has_secret {
        one_time_secret::forget(&mut shown);
    }
    Ok(shown)
}

pub async fn create(
    _: AdminSudo,
    State(people): State<Arc<UserAdmin>>,
    State(deps): State<Arc<WebDeps>>,
    viewer: Viewer,
    origin: RequestMeta,
) -> Result<Response> {
    let token = people.invite(By::Admin(&viewer), &origin).await?;
    let mut response = redirect("/admin/invites", None);
    one_time_secret::keep(&deps, &viewer, &mut response, FRESH, &token);
    Ok(response)
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct WithdrawForm {
    invite: String,
}

pub async fn withdraw(
    _: AdminSudo,
    State(people): State<Arc<UserAdmin>>,
    viewer: Viewer,
    origin: RequestMeta,
    Form(form): Form<WithdrawForm>,
) -> Result<Response> {
    people.withdraw(&viewer, &form.invite, &origin).await?;
    Ok(redirect("/admin/invites", Some(WITHDRAWN)))
}

pub async fn form(
    State(auth): State<Arc<Auth>>,
    State(signup): State<Signup>,
    context: PageContext,
    Path(token): Path<String>,
) -> Result<Response> {
    if signup == Signup::Closed {
        return closed(signup, context);
    }
    if !auth.accounts.token_stands(Purpose::Invite, &token).await? {
        return Err(Error::LinkOver);
    }
    page(&register_page(context, &action(&token), AccountForm::default(), FieldErrors::default()), false)
}

pub async fn accept(
    State(auth): State<Arc<Auth>>,
    State(signup): State<Signup>,
    session: Session,
    origin: RequestMeta,
    context: PageContext,
    Path(token): Path<String>,
    Form(form): Form<AccountForm>,
) -> Result<Response> {
    if signup == Signup::Closed {
        return closed(signup, context);
    }
    match auth.accounts.redeem(Purpose::Invite, &token, &form.account(), &origin).await {
        Ok(member) => begin(&auth, &session, member, &origin, REGISTERED).await,
        Err(Error::Invalid(errors)) => {
            let again = page(&register_page(context, &action(&token), form, errors), false)?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, again).into_response())
        }
        Err(error) => Err(error),
    }
}

fn action(token: &str) -> String {
    format!("/invite/{token}")
}
