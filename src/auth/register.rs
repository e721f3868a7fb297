//! `/register`, and what all forms for a new account share.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;
use tower_sessions::Session;

use super::{Auth, SignIn, remember_me};
use crate::accounts::policy::Signup;
use crate::accounts::{NewAccount, Proof, Proved};
use crate::error::{Error, FieldErrors, Result};
use crate::identity::{Identity, Member, RequestMeta, Viewer};
use crate::web::cookies;
use crate::web::flash::Flash;
use crate::web::forms::{Form, summary};
use crate::web::page_context::{HOME, PageContext, page, redirect};

pub const REGISTERED: Flash = Flash::ok(
    "registered",
    "Welcome. Your library is ready. Check your email for a link to confirm your address. Until then, log in with your username.",
);

#[derive(Template)]
#[template(path = "accounts/register.html")]
pub struct RegisterPage {
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

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct AccountForm {
    pub email: String,
    pub username: String,
    pub display_name: String,
    pub password: String,
}

impl AccountForm {
    pub fn account(&self) -> NewAccount {
        NewAccount {
            email: self.email.clone(),
            username: self.username.clone(),
            display_name: self.display_name.clone(),
            password: self.password.clone(),
        }
    }
}

pub async fn form(State(signup): State<Signup>, viewer: Viewer, context: PageContext) -> Result<Response> {
    if viewer.member().is_some() {
        return Ok(Redirect::to(HOME).into_response());
    }
    if signup != Signup::Open {
        return closed(signup, context);
    }
    page(&register_page(context, "/register", AccountForm::default(), FieldErrors::default()), false)
}

pub async fn register(
    State(auth): State<Arc<Auth>>,
    State(signup): State<Signup>,
    session: Session,
    viewer: Viewer,
    origin: RequestMeta,
    context: PageContext,
    Form(form): Form<AccountForm>,
) -> Result<Response> {
    if viewer.member().is_some() {
        return Ok(Redirect::to(HOME).into_response());
    }
    if signup != Signup::Open {
        return closed(signup, context);
    }
    match auth.accounts.register(&form.account(), &origin).await {
        Ok(member) => begin(&auth, &session, member, &origin, REGISTERED).await,
        Err(Error::Invalid(errors)) => {
            let again = page(&register_page(context, "/register", form, errors), false)?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, again).into_response())
        }
        Err(error) => Err(error),
    }
}

pub fn register_page(
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

pub fn closed(signup: Signup, context: PageContext) -> Result<Response> {
    let body = page(
        &ClosedPage { context: context.section("account"), invite_only: signup == Signup::Invite },
        false,
    )?;
    Ok((StatusCode::FORBIDDEN, body).into_response())
}

pub async fn begin(
    auth: &Auth,
    session: &Session,
    member: Member,
    origin: &RequestMeta,
    welcome: Flash,
) -> Result<Response> {
    let proved = Proved { member, by: Proof::NewAccount };
    let before = Identity::default();
    let here = SignIn { session, before: &before, origin, stays: false, is_login: false };
    let set = remember_me::sign_in(auth, here, &proved).await?;
    let mut response = redirect(HOME, Some(welcome));
    cookies::add(response.headers_mut(), set);
    Ok(response)
}
