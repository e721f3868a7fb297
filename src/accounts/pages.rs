//! Getting in and out, in a browser.

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use tower_sessions::Session;

use super::{
    Member, NewAccount, Proof, Proved, Purpose, factor, forgotten, invites, settings, strength, sudo,
};
use crate::app::App;
use crate::config::Signup;
use crate::error::{Error, FieldErrors, Result};
use crate::web::chrome::{Chrome, Notice, local_path, page, redirect};
use crate::web::cookies::{self, Name};
use crate::web::forms::{Form, Query};
use crate::web::origin::Origin;
use crate::web::sudo as sudo_mode;
use crate::web::viewer::{Identity, Viewer};
use crate::web::{search_key, stay};

pub fn routes() -> Router<App> {
    Router::new()
        .route("/login", get(login_form).post(login))
        .route("/login/second-factor", get(factor::login::form).post(factor::login::check))
        .route("/logout", post(logout))
        .route("/sudo", get(sudo::form).post(sudo::confirm))
        .route("/register", get(register_form).post(register))
        .route("/setup", get(setup_without_link))
        .route("/setup/{token}", get(setup_form).post(set_up))
        .route("/invite/{token}", get(invites::form).post(invites::accept))
        .route("/password/strength", post(strength::show))
        .route("/password/forgot", get(forgotten::ask_form).post(forgotten::ask))
        .route("/password/reset/{token}", get(forgotten::reset_form).post(forgotten::reset))
        .route("/verify-email/{token}", get(settings::confirm_form).post(settings::confirm))
        .route("/settings", get(settings::index))
        .route("/settings/profile", get(settings::profile).post(settings::rename))
        .route("/settings/email", post(settings::change_address))
        .route("/settings/email/resend", post(settings::ask_again))
        .route("/settings/keyboard", post(search_key::save))
        .route("/settings/security", get(settings::security))
        .route("/settings/security/totp", get(factor::settings::form).post(factor::settings::switch_on))
        .route("/settings/security/totp/off", post(factor::settings::switch_off))
        .route("/settings/security/recovery-codes", post(factor::settings::new_codes))
        .route("/settings/password", post(settings::change_password))
        .route("/admin/invites", get(invites::index).post(invites::create))
        .route("/admin/invites/withdraw", post(invites::withdraw))
}

#[derive(Template)]
#[template(path = "accounts/login.html")]
struct LoginPage {
    chrome: Chrome,
    login: String,
    /// A local path, or "".
    next: String,
    error: Option<&'static str>,
    /// There is no account yet that anybody could log in to.
    unclaimed: bool,
    stay: bool,
    stay_days: u32,
}

#[derive(Template)]
#[template(path = "accounts/register.html")]
pub(super) struct RegisterPage {
    chrome: Chrome,
    action: String,
    form: AccountForm,
    errors: FieldErrors,
    summary: Option<&'static str>,
}

#[derive(Template)]
#[template(path = "accounts/closed.html")]
struct ClosedPage {
    chrome: Chrome,
    invite_only: bool,
}

#[derive(Template)]
#[template(path = "accounts/setup.html")]
struct SetupPage {
    chrome: Chrome,
    /// The link was used or its time ran out: no form.
    expired: bool,
    action: String,
    form: AccountForm,
    errors: FieldErrors,
    summary: Option<&'static str>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Next {
    next: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct LoginForm {
    login: String,
    password: String,
    next: String,
    /// The checkbox “Keep me logged in”.
    stay: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct AccountForm {
    email: String,
    username: String,
    display_name: String,
    password: String,
}

impl AccountForm {
    pub(super) fn account(&self) -> NewAccount {
        NewAccount {
            email: self.email.clone(),
            username: self.username.clone(),
            display_name: self.display_name.clone(),
            password: self.password.clone(),
        }
    }
}

async fn login_form(
    State(app): State<App>,
    viewer: Viewer,
    chrome: Chrome,
    Query(query): Query<Next>,
) -> Result<Response> {
    if viewer.member().is_some() {
        return Ok(Redirect::to(local_path(&query.next)).into_response());
    }
    let toast = chrome.toast.is_some();
    let shown = LoginPage {
        chrome: chrome.section("account"),
        login: String::new(),
        next: query.next,
        error: None,
        unclaimed: app.accounts.is_empty().await?,
        stay: false,
        stay_days: app.config.stay_days,
    };
    page(&shown, toast)
}

async fn login(
    State(app): State<App>,
    session: Session,
    identity: Identity,
    origin: Origin,
    chrome: Chrome,
    Form(form): Form<LoginForm>,
) -> Result<Response> {
    if let Some(proved) = app.accounts.authenticate(&form.login, &form.password, &origin).await? {
        let stays = !form.stay.is_empty();
        if is_in_already(&identity, &proved.member, stays) {
            return go_on(&app, &session, proved, &form.next).await;
        }
        let (here, how) = ((&session, &identity), (form.next.as_str(), stays));
        if proved.by.lacks_code() {
            return factor::login::ask(&app, here, &proved.member, how, &origin).await;
        }
        return enter(&app, here, &proved, how, &origin).await;
    }
    let error = Some("This name and password don’t belong together. Check both and try again.");
    let again = LoginPage {
        chrome: chrome.section("account"),
        login: form.login,
        next: form.next,
        error,
        unclaimed: app.accounts.is_empty().await?,
        stay: !form.stay.is_empty(),
        stay_days: app.config.stay_days,
    };
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page(&again, false)?).into_response())
}

/// The form comes from a second tab of somebody who has logged in meanwhile, and asks for nothing more.
fn is_in_already(identity: &Identity, member: &Member, stays: bool) -> bool {
    identity.viewer.id() == Some(member.id) && (!stays || identity.family.is_some())
}

/// In the same session, so that the first tab's forms can still be sent.
async fn go_on(app: &App, session: &Session, proved: Proved, next: &str) -> Result<Response> {
    let by = if proved.by.lacks_code() { Proof::SessionAndPassword } else { proved.by };
    sudo_mode::renew(app, session, &proved.member.clone(), proved.member, by).await?;
    Ok(redirect(local_path(next), None))
}

async fn logout(
    State(app): State<App>,
    session: Session,
    identity: Identity,
    origin: Origin,
) -> Result<Response> {
    app.sessions.log_out(&identity, &origin).await?;
    session.flush().await?;
    let mut response = redirect("/login", Some(Notice::SignedOut));
    cookies::add(response.headers_mut(), [cookies::removal(Name::Stay)]);
    // Nothing of ours is there; whatever an extension or a page of before has left goes too. Cookies are ours to end.
    response.headers_mut().insert("clear-site-data", HeaderValue::from_static("\"storage\""));
    Ok(response)
}

async fn register_form(State(app): State<App>, viewer: Viewer, chrome: Chrome) -> Result<Response> {
    if viewer.member().is_some() {
        return Ok(Redirect::to("/resources").into_response());
    }
    if app.config.signup != Signup::Open {
        return closed(&app, chrome);
    }
    page(&register_page(chrome, "/register", AccountForm::default(), FieldErrors::default()), false)
}

async fn register(
    State(app): State<App>,
    session: Session,
    viewer: Viewer,
    origin: Origin,
    chrome: Chrome,
    Form(form): Form<AccountForm>,
) -> Result<Response> {
    if viewer.member().is_some() {
        return Ok(Redirect::to("/resources").into_response());
    }
    if app.config.signup != Signup::Open {
        return closed(&app, chrome);
    }
    match app.accounts.register(&form.account(), &origin).await {
        Ok(member) => begin(&app, &session, member, &origin, Notice::Registered).await,
        Err(Error::Invalid(errors)) => {
            let again = page(&register_page(chrome, "/register", form, errors), false)?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, again).into_response())
        }
        Err(error) => Err(error),
    }
}

pub(super) fn register_page(
    chrome: Chrome,
    action: &str,
    form: AccountForm,
    errors: FieldErrors,
) -> RegisterPage {
    RegisterPage {
        chrome: chrome.section("account"),
        action: action.to_owned(),
        form,
        summary: summary(&errors),
        errors,
    }
}

pub(super) fn closed(app: &App, chrome: Chrome) -> Result<Response> {
    let told = page(
        &ClosedPage { chrome: chrome.section("account"), invite_only: app.config.signup == Signup::Invite },
        false,
    )?;
    Ok((StatusCode::FORBIDDEN, told).into_response())
}

async fn setup_without_link(chrome: Chrome) -> Result<Response> {
    setup_over(chrome)
}

async fn setup_form(State(app): State<App>, chrome: Chrome, Path(token): Path<String>) -> Result<Response> {
    if !app.accounts.token_stands(Purpose::Setup, &token).await? {
        return setup_over(chrome);
    }
    page(&setup_page(chrome, &token, AccountForm::default(), FieldErrors::default()), false)
}

async fn set_up(
    State(app): State<App>,
    session: Session,
    origin: Origin,
    chrome: Chrome,
    Path(token): Path<String>,
    Form(form): Form<AccountForm>,
) -> Result<Response> {
    match app.accounts.redeem(Purpose::Setup, &token, &form.account(), &origin).await {
        Ok(member) => begin(&app, &session, member, &origin, Notice::Welcome).await,
        Err(Error::LinkOver) => setup_over(chrome),
        Err(Error::Invalid(errors)) => {
            let again = page(&setup_page(chrome, &token, form, errors), false)?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, again).into_response())
        }
        Err(error) => Err(error),
    }
}

fn setup_page(chrome: Chrome, token: &str, form: AccountForm, errors: FieldErrors) -> SetupPage {
    SetupPage {
        chrome,
        expired: false,
        action: format!("/setup/{token}"),
        form,
        summary: summary(&errors),
        errors,
    }
}

fn setup_over(chrome: Chrome) -> Result<Response> {
    let over =
        SetupPage { expired: true, ..setup_page(chrome, "", AccountForm::default(), FieldErrors::default()) };
    Ok((StatusCode::GONE, page(&over, false)?).into_response())
}

/// Lets somebody in who has shown all that is asked for, and leads on to where they wanted to go.
pub(super) async fn enter(
    app: &App,
    (session, before): (&Session, &Identity),
    proved: &Proved,
    (next, stays): (&str, bool),
    origin: &Origin,
) -> Result<Response> {
    let set = stay::sign_in(app, (session, before), proved, origin, stays).await?;
    let mut response = redirect(local_path(next), None);
    cookies::add(response.headers_mut(), set);
    Ok(response)
}

/// Signs somebody in who has just got their account, and welcomes them in their library.
pub(super) async fn begin(
    app: &App,
    session: &Session,
    member: Member,
    origin: &Origin,
    welcome: Notice,
) -> Result<Response> {
    let proved = Proved { member, by: Proof::NewAccount };
    let set = stay::sign_in(app, (session, &Identity::default()), &proved, origin, false).await?;
    let mut response = redirect("/resources", Some(welcome));
    cookies::add(response.headers_mut(), set);
    Ok(response)
}

pub(super) fn summary(errors: &FieldErrors) -> Option<&'static str> {
    (!errors.is_empty()).then_some("Nothing was saved yet: please look at these fields.")
}
