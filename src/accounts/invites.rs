//! Invitations: an admin makes a link, somebody makes an account of it.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use tower_sessions::Session;

use super::Purpose;
use super::pages::{AccountForm, begin, closed, register_page};
use crate::app::App;
use crate::config::Signup;
use crate::db::Timestamp;
use crate::error::{Error, FieldErrors, Result};
use crate::web::chrome::{Chrome, Notice, page, redirect};
use crate::web::forms::Form;
use crate::web::origin::Origin;
use crate::web::sudo::Sudo;
use crate::web::viewer::Viewer;

#[derive(Template)]
#[template(path = "accounts/invites.html")]
struct InvitesPage {
    chrome: Chrome,
    /// The link just made; it is shown this once.
    fresh: Option<String>,
    /// The days on which the unused ones expire.
    open: Vec<String>,
    accepted: bool,
}

pub async fn index(State(app): State<App>, viewer: Viewer, chrome: Chrome) -> Result<Response> {
    invites_page(&app, &viewer, chrome, None).await
}

pub async fn create(_: Sudo, State(app): State<App>, viewer: Viewer, chrome: Chrome) -> Result<Response> {
    let token = app.accounts.invite(&viewer).await?;
    let link = format!("{}/invite/{token}", app.site.origin());
    invites_page(&app, &viewer, chrome, Some(link)).await
}

async fn invites_page(app: &App, viewer: &Viewer, chrome: Chrome, fresh: Option<String>) -> Result<Response> {
    let open = app.accounts.open_invites(viewer).await?.into_iter().map(Timestamp::day).collect();
    let accepted = app.config.signup != Signup::Closed;
    page(&InvitesPage { chrome: chrome.section("invites"), fresh, open, accepted }, false)
}

pub async fn form(State(app): State<App>, chrome: Chrome, Path(token): Path<String>) -> Result<Response> {
    if app.config.signup == Signup::Closed {
        return closed(&app, chrome);
    }
    if !app.accounts.token_stands(Purpose::Invite, &token).await? {
        return Err(Error::LinkOver);
    }
    page(&register_page(chrome, &action(&token), AccountForm::default(), FieldErrors::default()), false)
}

pub async fn accept(
    State(app): State<App>,
    session: Session,
    origin: Origin,
    chrome: Chrome,
    Path(token): Path<String>,
    Form(form): Form<AccountForm>,
) -> Result<Response> {
    if app.config.signup == Signup::Closed {
        return closed(&app, chrome);
    }
    match app.accounts.redeem(Purpose::Invite, &token, &form.account(), &origin).await {
        Ok(member) => {
            begin(&app, &session, &member, &origin).await?;
            Ok(redirect("/resources", Some(Notice::Registered)))
        }
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
