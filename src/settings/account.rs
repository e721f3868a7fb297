//! The pages of a user's own account: profile, address, password.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;
use tower_sessions::Session;

use super::{SettingsState, flash};
use crate::accounts::address::{Confirmed, Profile};
use crate::accounts::factor::SecondFactorStatus;
use crate::accounts::{NewPassword, Proof};
use crate::auth::{Auth, SignIn, remember_me, require_second_factor, sudo_mode};

use crate::error::{Error, FieldErrors, Result};
use crate::identity::{Identity, RequestMeta, Viewer};
use crate::mail::MailHealth;
use crate::web::cookies;
use crate::web::forms::{Form, summary};
use crate::web::page_context::{PageContext, page, redirect};
use crate::web::sudo::Sudo;

const PROFILE: &str = "/settings/profile";

#[derive(Template)]
#[template(path = "settings/profile.html")]
struct ProfilePage {
    context: PageContext,
    username: String,
    display_name: String,
    /// The user has something public.
    is_public: bool,
    profile: Profile,
    /// The new address as it was typed.
    email: String,
    mail_health: MailHealth,
    errors: FieldErrors,
    summary: Option<&'static str>,
}

#[derive(Template)]
#[template(path = "settings/security.html")]
struct SecurityPage {
    context: PageContext,
    factor: SecondFactorStatus,
    /// The site asks for two-step login.
    factor_required: bool,
    tokens: usize,
    revokes_tokens: bool,
    errors: FieldErrors,
    summary: Option<&'static str>,
}

#[derive(Template)]
#[template(path = "accounts/confirm.html")]
struct ConfirmPage {
    context: PageContext,
    action: String,
    address: String,
    /// The link is for the account that is logged in here.
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
    revoke_tokens: String,
}

pub async fn index() -> Redirect {
    Redirect::to(PROFILE)
}

pub async fn profile(
    State(settings): State<SettingsState>,
    viewer: Viewer,
    context: PageContext,
) -> Result<Response> {
    let toast = context.toast.is_some();
    page(&profile_page(&settings, &viewer, context).await?, toast)
}

pub async fn rename(
    State(settings): State<SettingsState>,
    viewer: Viewer,
    context: PageContext,
    Form(form): Form<NameForm>,
) -> Result<Response> {
    match settings.auth.accounts.rename(&viewer, &form.display_name).await {
        Ok(()) => Ok(redirect(PROFILE, Some(flash::PROFILE_SAVED))),
        Err(Error::Invalid(errors)) => {
            let shown = profile_page(&settings, &viewer, context).await?;
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
    State(settings): State<SettingsState>,
    viewer: Viewer,
    context: PageContext,
    Form(form): Form<AddressForm>,
) -> Result<Response> {
    match settings.auth.accounts.change_address(&viewer, &form.email).await {
        Ok(()) => Ok(redirect(PROFILE, Some(flash::LETTER_SENT))),
        Err(Error::Invalid(errors)) => {
            let shown = profile_page(&settings, &viewer, context).await?;
            refused(&ProfilePage { email: form.email, summary: summary(&errors), errors, ..shown })
        }
        Err(error) => Err(error),
    }
}

pub async fn ask_again(State(auth): State<Arc<Auth>>, viewer: Viewer) -> Result<Response> {
    auth.accounts.ask_again(&viewer).await?;
    Ok(redirect(PROFILE, Some(flash::LETTER_SENT)))
}

pub async fn security(
    State(auth): State<Arc<Auth>>,
    viewer: Viewer,
    context: PageContext,
) -> Result<Response> {
    let toast = context.toast.is_some();
    page(&security_page(&auth, &viewer, context, FieldErrors::default()).await?, toast)
}

pub async fn change_password(
    State(auth): State<Arc<Auth>>,
    session: Session,
    identity: Identity,
    origin: RequestMeta,
    context: PageContext,
    Form(form): Form<PasswordForm>,
) -> Result<Response> {
    let revokes_tokens = !form.revoke_tokens.is_empty();
    let new = NewPassword { password: &form.password, revokes_tokens };
    let viewer = &identity.viewer;
    match auth.accounts.change_password(viewer, &form.current_password, new, &origin).await {
        Ok(proved) => {
            let stays = identity.family.is_some();
            let before = Identity::default();
            let here = SignIn { session: &session, before: &before, origin: &origin, stays, is_login: false };
            let set = remember_me::sign_in(&auth, here, &proved).await?;
            let mut response = redirect("/settings/security", Some(flash::password_changed(revokes_tokens)));
            cookies::add(response.headers_mut(), set);
            Ok(response)
        }
        Err(Error::Invalid(errors)) => {
            let shown = security_page(&auth, viewer, context, errors).await?;
            refused(&SecurityPage { revokes_tokens, ..shown })
        }
        Err(error) => Err(error),
    }
}

/// Opening the link changes nothing: programs that look through mail open links too.
pub async fn confirm_form(
    State(auth): State<Arc<Auth>>,
    viewer: Viewer,
    context: PageContext,
    Path(token): Path<String>,
) -> Result<Response> {
    let promised = auth.accounts.promised_address(&viewer, &token).await?;
    viewer.signed_in()?;
    let (action, address) = (format!("/verify-email/{token}"), promised.address);
    let toast = context.toast.is_some();
    page(&ConfirmPage { context: context.section("profile"), action, address, mine: promised.mine }, toast)
}

pub async fn confirm(
    State(auth): State<Arc<Auth>>,
    session: Session,
    identity: Identity,
    origin: RequestMeta,
    Path(token): Path<String>,
) -> Result<Response> {
    let flash = match auth.accounts.confirm_address(&identity.viewer, &token, &origin).await? {
        Confirmed::Now(member) => {
            let before = identity.viewer.signed_in()?;
            sudo_mode::renew(&auth.deps.system, &session, before, *member, Proof::SessionAndAddressLink)
                .await?;
            flash::address_confirmed(auth.sessions.is_elsewhere(&identity, &origin).await?)
        }
        Confirmed::TakenMeanwhile => flash::ADDRESS_TAKEN,
    };
    Ok(redirect(PROFILE, Some(flash)))
}

async fn profile_page(
    settings: &SettingsState,
    viewer: &Viewer,
    context: PageContext,
) -> Result<ProfilePage> {
    let member = viewer.signed_in()?;
    Ok(ProfilePage {
        context: context.section("profile"),
        username: member.username.clone(),
        display_name: member.display_name.clone(),
        is_public: settings.library.has_profile(viewer).await?,
        profile: settings.auth.accounts.profile(viewer).await?,
        email: String::new(),
        mail_health: settings.mail.health(),
        errors: FieldErrors::default(),
        summary: None,
    })
}

async fn security_page(
    auth: &Auth,
    viewer: &Viewer,
    context: PageContext,
    errors: FieldErrors,
) -> Result<SecurityPage> {
    let member = viewer.signed_in()?;
    let tokens = auth.tokens.list(member).await?;
    Ok(SecurityPage {
        context: context.section("security"),
        factor: auth.accounts.second_factor(member).await?,
        tokens: tokens.iter().filter(|token| !auth.tokens.is_over(token)).count(),
        revokes_tokens: false,
        factor_required: require_second_factor::concerns(auth, viewer),
        summary: summary(&errors),
        errors,
    })
}

fn refused(again: &impl Template) -> Result<Response> {
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page(again, false)?).into_response())
}
