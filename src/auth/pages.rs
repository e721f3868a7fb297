//! Getting in and out, in a browser.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use tower_sessions::Session;

use crate::identity::{Identity, Member, RequestMeta, Viewer};

use crate::accounts::policy::Signup;
use crate::accounts::{NewAccount, Proof, Proved, Purpose};
use crate::auth::{
    Auth, AuthState, SignIn, invites, password_reset, remember_me, second_factor, strength, sudo, sudo_mode,
};
use crate::error::{Error, FieldErrors, Result};
use crate::web::cookies::{self, Name};
use crate::web::flash::Flash;
use crate::web::forms::{Form, Query, summary};
use crate::web::page_context::{PageContext, local_path, page, redirect};

pub fn routes() -> Router<AuthState> {
    Router::new()
        .route("/login", get(login_form).post(login))
        .route("/login/second-factor", get(second_factor::form).post(second_factor::check))
        .route("/logout", post(logout))
        .route("/sudo", get(sudo::form).post(sudo::confirm))
        .route("/register", get(register_form).post(register))
        .route("/setup", get(setup_without_link))
        .route("/setup/{token}", get(setup_form).post(set_up))
        .route("/invite/{token}", get(invites::form).post(invites::accept))
        .route("/password/strength", post(strength::show))
        .route("/password/forgot", get(password_reset::ask_form).post(password_reset::ask))
        .route("/password/reset/{token}", get(password_reset::reset_form).post(password_reset::reset))
        .route("/admin/invites", get(invites::index).post(invites::create))
        .route("/admin/invites/withdraw", post(invites::withdraw))
}

#[derive(Template)]
#[template(path = "accounts/login.html")]
struct LoginPage {
    context: PageContext,
    login: String,
    /// A local path, or "".
    next: String,
    error: Option<&'static str>,
    /// There is no account yet.
    unclaimed: bool,
    stay: bool,
    stay_days: u32,
}

#[derive(Template)]
#[template(path = "accounts/register.html")]
pub(super) struct RegisterPage {
    context: PageContext,
    action: String,
    form: AccountForm,
    errors: FieldErrors,
    summary: Option<&'static str>,
}

#[derive(Template)]
#[template(path = "accounts/closed.html")]
struct ClosedPage {
    context: PageContext,
    invite_only: bool,
}

#[derive(Template)]
#[template(path = "accounts/setup.html")]
struct SetupPage {
    context: PageContext,
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
    State(auth): State<Arc<Auth>>,
    viewer: Viewer,
    context: PageContext,
    Query(query): Query<Next>,
) -> Result<Response> {
    if viewer.member().is_some() {
        return Ok(Redirect::to(local_path(&query.next)).into_response());
    }
    let toast = context.toast.is_some();
    let shown = LoginPage {
        context: context.section("account"),
        login: String::new(),
        next: query.next,
        error: None,
        unclaimed: auth.accounts.is_empty().await?,
        stay: false,
        stay_days: auth.stay_days,
    };
    page(&shown, toast)
}

async fn login(
    State(auth): State<Arc<Auth>>,
    session: Session,
    identity: Identity,
    origin: RequestMeta,
    context: PageContext,
    Form(form): Form<LoginForm>,
) -> Result<Response> {
    if let Some(proved) = auth.accounts.authenticate(&form.login, &form.password, &origin).await? {
        let stays = !form.stay.is_empty();
        if is_in_already(&identity, &proved.member, stays) {
            return go_on(&auth, &session, proved, &form.next).await;
        }
        let here = SignIn { session: &session, before: &identity, origin: &origin, stays };
        if proved.by.lacks_code() {
            return second_factor::ask(&auth, here, &proved.member, &form.next).await;
        }
        return enter(&auth, here, &proved, &form.next).await;
    }
    let error = Some("This name and password don’t belong together. Check both and try again.");
    let again = LoginPage {
        context: context.section("account"),
        login: form.login,
        next: form.next,
        error,
        unclaimed: auth.accounts.is_empty().await?,
        stay: !form.stay.is_empty(),
        stay_days: auth.stay_days,
    };
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page(&again, false)?).into_response())
}

/// The form comes from a second tab, and its user has logged in meanwhile: there is nothing left to do.
fn is_in_already(identity: &Identity, member: &Member, stays: bool) -> bool {
    identity.viewer.id() == Some(member.id) && (!stays || identity.family.is_some())
}

/// In the same session, so that the first tab's forms can still be sent.
async fn go_on(auth: &Auth, session: &Session, proved: Proved, next: &str) -> Result<Response> {
    let by = if proved.by.lacks_code() { Proof::SessionAndPassword } else { proved.by };
    sudo_mode::renew(&auth.deps.system, session, &proved.member.clone(), proved.member, by).await?;
    Ok(redirect(local_path(next), None))
}

async fn logout(
    State(auth): State<Arc<Auth>>,
    session: Session,
    identity: Identity,
    origin: RequestMeta,
) -> Result<Response> {
    auth.sessions.log_out(&identity, &origin).await?;
    session.flush().await?;
    let mut response = redirect("/login", Some(Flash::SignedOut));
    cookies::add(response.headers_mut(), [cookies::removal(Name::RememberMe)]);
    // Nothing of ours is there; whatever an extension or a page of before has left goes too. Cookies are ours to end.
    response.headers_mut().insert("clear-site-data", HeaderValue::from_static("\"storage\""));
    Ok(response)
}

async fn register_form(
    State(signup): State<Signup>,
    viewer: Viewer,
    context: PageContext,
) -> Result<Response> {
    if viewer.member().is_some() {
        return Ok(Redirect::to("/resources").into_response());
    }
    if signup != Signup::Open {
        return closed(signup, context);
    }
    page(&register_page(context, "/register", AccountForm::default(), FieldErrors::default()), false)
}

async fn register(
    State(auth): State<Arc<Auth>>,
    State(signup): State<Signup>,
    session: Session,
    viewer: Viewer,
    origin: RequestMeta,
    context: PageContext,
    Form(form): Form<AccountForm>,
) -> Result<Response> {
    if viewer.member().is_some() {
        return Ok(Redirect::to("/resources").into_response());
    }
    if signup != Signup::Open {
        return closed(signup, context);
    }
    match auth.accounts.register(&form.account(), &origin).await {
        Ok(member) => begin(&auth, &session, member, &origin, Flash::Registered).await,
        Err(Error::Invalid(errors)) => {
            let again = page(&register_page(context, "/register", form, errors), false)?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, again).into_response())
        }
        Err(error) => Err(error),
    }
}

pub(super) fn register_page(
    context: PageContext,
    action: &str,
    form: AccountForm,
    errors: FieldErrors,
) -> RegisterPage {
    RegisterPage {
        context: context.section("account"),
        action: action.to_owned(),
        form,
        summary: summary(&errors),
        errors,
    }
}

pub(super) fn closed(signup: Signup, context: PageContext) -> Result<Response> {
    let told = page(
        &ClosedPage { context: context.section("account"), invite_only: signup == Signup::Invite },
        false,
    )?;
    Ok((StatusCode::FORBIDDEN, told).into_response())
}

async fn setup_without_link(context: PageContext) -> Result<Response> {
    setup_over(context)
}

async fn setup_form(
    State(auth): State<Arc<Auth>>,
    context: PageContext,
    Path(token): Path<String>,
) -> Result<Response> {
    if !auth.accounts.token_stands(Purpose::Setup, &token).await? {
        return setup_over(context);
    }
    page(&setup_page(context, &token, AccountForm::default(), FieldErrors::default()), false)
}

async fn set_up(
    State(auth): State<Arc<Auth>>,
    session: Session,
    origin: RequestMeta,
    context: PageContext,
    Path(token): Path<String>,
    Form(form): Form<AccountForm>,
) -> Result<Response> {
    match auth.accounts.redeem(Purpose::Setup, &token, &form.account(), &origin).await {
        Ok(member) => begin(&auth, &session, member, &origin, Flash::Welcome).await,
        Err(Error::LinkOver) => setup_over(context),
        Err(Error::Invalid(errors)) => {
            let again = page(&setup_page(context, &token, form, errors), false)?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, again).into_response())
        }
        Err(error) => Err(error),
    }
}

fn setup_page(context: PageContext, token: &str, form: AccountForm, errors: FieldErrors) -> SetupPage {
    SetupPage {
        context,
        expired: false,
        action: format!("/setup/{token}"),
        form,
        summary: summary(&errors),
        errors,
    }
}

fn setup_over(context: PageContext) -> Result<Response> {
    let over = SetupPage {
        expired: true,
        ..setup_page(context, "", AccountForm::default(), FieldErrors::default())
    };
    Ok((StatusCode::GONE, page(&over, false)?).into_response())
}

/// Signs the user in and redirects to the page that they wanted.
pub(super) async fn enter(auth: &Auth, here: SignIn<'_>, proved: &Proved, next: &str) -> Result<Response> {
    let set = remember_me::sign_in(auth, here, proved).await?;
    let mut response = redirect(local_path(next), None);
    cookies::add(response.headers_mut(), set);
    Ok(response)
}

/// Signs the owner of a new account in and redirects to their library.
pub(super) async fn begin(
    auth: &Auth,
    session: &Session,
    member: Member,
    origin: &RequestMeta,
    welcome: Flash,
) -> Result<Response> {
    let proved = Proved { member, by: Proof::NewAccount };
    let before = Identity::default();
    let here = SignIn { session, before: &before, origin, stays: false };
    let set = remember_me::sign_in(auth, here, &proved).await?;
    let mut response = redirect("/resources", Some(welcome));
    cookies::add(response.headers_mut(), set);
    Ok(response)
}
