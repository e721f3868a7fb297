//! The pages on which people look after their own account: profile, address, password.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;
use tower_sessions::Session;

use super::address::{Confirmed, Profile};
use super::factor::Standing;
use super::pages::summary;
use super::{NewPassword, Proof};
use crate::app::App;
use crate::error::{Error, FieldErrors, Result};
use crate::mail::Outlook;
use crate::web::chrome::{Chrome, Notice, page, redirect};
use crate::web::cookies;
use crate::web::forms::Form;
use crate::web::origin::Origin;
use crate::web::sudo::Sudo;
use crate::web::viewer::{Identity, Viewer};
use crate::web::{required, stay, sudo};

const PROFILE: &str = "/settings/profile";

#[derive(Template)]
#[template(path = "settings/profile.html")]
struct ProfilePage {
    chrome: Chrome,
    username: String,
    display_name: String,
    /// Something that they keep is public.
    is_public: bool,
    profile: Profile,
    /// The new address as it was typed.
    email: String,
    outlook: Outlook,
    errors: FieldErrors,
    summary: Option<&'static str>,
}

#[derive(Template)]
#[template(path = "settings/security.html")]
struct SecurityPage {
    chrome: Chrome,
    factor: Standing,
    /// The site asks for two-step login.
    factor_required: bool,
    /// API tokens that work.
    tokens: usize,
    revokes_tokens: bool,
    errors: FieldErrors,
    summary: Option<&'static str>,
}

#[derive(Template)]
#[template(path = "accounts/confirm.html")]
struct ConfirmPage {
    chrome: Chrome,
    action: String,
    address: String,
    /// It is for the account that is logged in here.
    mine: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct NameForm {
    display_name: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct AddressForm {
    email: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct PasswordForm {
    current_password: String,
    password: String,
    /// A checkbox.
    revoke_tokens: String,
}

pub async fn index() -> Redirect {
    Redirect::to(PROFILE)
}

pub async fn profile(State(app): State<App>, viewer: Viewer, chrome: Chrome) -> Result<Response> {
    let toast = chrome.toast.is_some();
    page(&profile_page(&app, &viewer, chrome).await?, toast)
}

pub async fn rename(
    State(app): State<App>,
    viewer: Viewer,
    chrome: Chrome,
    Form(form): Form<NameForm>,
) -> Result<Response> {
    match app.accounts.rename(&viewer, &form.display_name).await {
        Ok(()) => Ok(redirect(PROFILE, Some(Notice::ProfileSaved))),
        Err(Error::Invalid(errors)) => {
            let shown = profile_page(&app, &viewer, chrome).await?;
            refused(&ProfilePage {
                display_name: form.display_name,
                summary: summary(&errors),
                errors,
                ..shown
            })
        }
        Err(error) => Err(error),
    }
}

pub async fn change_address(
    _: Sudo,
    State(app): State<App>,
    viewer: Viewer,
    chrome: Chrome,
    Form(form): Form<AddressForm>,
) -> Result<Response> {
    match app.accounts.change_address(&viewer, &form.email).await {
        Ok(()) => Ok(redirect(PROFILE, Some(Notice::LetterSent))),
        Err(Error::Invalid(errors)) => {
            let shown = profile_page(&app, &viewer, chrome).await?;
            refused(&ProfilePage { email: form.email, summary: summary(&errors), errors, ..shown })
        }
        Err(error) => Err(error),
    }
}

pub async fn ask_again(State(app): State<App>, viewer: Viewer) -> Result<Response> {
    app.accounts.ask_again(&viewer).await?;
    Ok(redirect(PROFILE, Some(Notice::LetterSent)))
}

pub async fn security(State(app): State<App>, viewer: Viewer, chrome: Chrome) -> Result<Response> {
    let toast = chrome.toast.is_some();
    page(&security_page(&app, &viewer, chrome, FieldErrors::default()).await?, toast)
}

pub async fn change_password(
    State(app): State<App>,
    session: Session,
    identity: Identity,
    origin: Origin,
    chrome: Chrome,
    Form(form): Form<PasswordForm>,
) -> Result<Response> {
    let revokes_tokens = !form.revoke_tokens.is_empty();
    let new = NewPassword { password: &form.password, revokes_tokens };
    let viewer = &identity.viewer;
    match app.accounts.change_password(viewer, &form.current_password, new, &origin).await {
        Ok(proved) => {
            let stays = identity.family.is_some();
            let before = Identity::default();
            let set = stay::sign_in(&app, (&session, &before), &proved, &origin, stays).await?;
            let mut response =
                redirect("/settings/security", Some(Notice::PasswordChanged { revokes_tokens }));
            cookies::add(response.headers_mut(), set);
            Ok(response)
        }
        Err(Error::Invalid(errors)) => {
            let shown = security_page(&app, viewer, chrome, errors).await?;
            refused(&SecurityPage { revokes_tokens, ..shown })
        }
        Err(error) => Err(error),
    }
}

/// Opening the link changes nothing: programs that look through mail open links too.
pub async fn confirm_form(
    State(app): State<App>,
    viewer: Viewer,
    chrome: Chrome,
    Path(token): Path<String>,
) -> Result<Response> {
    let promised = app.accounts.promised_address(&viewer, &token).await?;
    viewer.signed_in()?;
    let (action, address) = (format!("/verify-email/{token}"), promised.address);
    let toast = chrome.toast.is_some();
    page(&ConfirmPage { chrome: chrome.section("profile"), action, address, mine: promised.mine }, toast)
}

pub async fn confirm(
    State(app): State<App>,
    session: Session,
    identity: Identity,
    origin: Origin,
    Path(token): Path<String>,
) -> Result<Response> {
    let notice = match app.accounts.confirm_address(&identity.viewer, &token, &origin).await? {
        Confirmed::Now(member) => {
            let before = identity.viewer.signed_in()?;
            sudo::renew(&app, &session, before, *member, Proof::SessionAndAddressLink).await?;
            Notice::AddressConfirmed { elsewhere: app.sessions.is_elsewhere(&identity, &origin).await? }
        }
        Confirmed::TakenMeanwhile => Notice::AddressTaken,
    };
    Ok(redirect(PROFILE, Some(notice)))
}

async fn profile_page(app: &App, viewer: &Viewer, chrome: Chrome) -> Result<ProfilePage> {
    let member = viewer.signed_in()?;
    Ok(ProfilePage {
        chrome: chrome.section("profile"),
        username: member.username.clone(),
        display_name: member.display_name.clone(),
        is_public: app.resources.has_own_profile(viewer).await?,
        profile: app.accounts.profile(viewer).await?,
        email: String::new(),
        outlook: app.mail.outlook(),
        errors: FieldErrors::default(),
        summary: None,
    })
}

async fn security_page(
    app: &App,
    viewer: &Viewer,
    chrome: Chrome,
    errors: FieldErrors,
) -> Result<SecurityPage> {
    let member = viewer.signed_in()?;
    let tokens = app.tokens.of(member).await?;
    Ok(SecurityPage {
        chrome: chrome.section("security"),
        factor: app.accounts.second_factor(member).await?,
        tokens: tokens.iter().filter(|token| !app.tokens.is_over(token)).count(),
        revokes_tokens: false,
        factor_required: required::concerns(app, viewer),
        summary: summary(&errors),
        errors,
    })
}

fn refused(again: &impl Template) -> Result<Response> {
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page(again, false)?).into_response())
}
