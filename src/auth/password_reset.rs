//! The pages for a forgotten password: ask for a link, choose a new password with it.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

use crate::accounts::NewPassword;
use crate::accounts::fields::email_problem;
use crate::auth::Auth;
use crate::error::{Error, FieldErrors, Result};
use crate::identity::RequestMeta;
use crate::mail::{Mail, MailHealth};
use crate::web::flash::Flash;
use crate::web::forms::{Form, summary};
use crate::web::page_context::{PageContext, page, redirect};

const RESET: Flash = Flash::ok(
    "password-reset",
    "Your password has been changed, and all devices are logged out. Log in with the new password.",
);
const RESET_WITH_TOKENS: Flash = Flash::ok(
    "password-reset-tokens",
    "Your password has been changed, all devices are logged out, and all API tokens are revoked. Log in with the new password.",
);

#[derive(Template)]
#[template(path = "accounts/forgot.html")]
struct AskPage {
    context: PageContext,
    email: String,
    errors: FieldErrors,
    mail_health: MailHealth,
    /// The answer, the same for every address.
    asked: bool,
}

#[derive(Template)]
#[template(path = "accounts/reset.html")]
struct ResetPage {
    context: PageContext,
    action: String,
    /// The link no longer works: no form.
    over: bool,
    revokes_tokens: bool,
    errors: FieldErrors,
    summary: Option<&'static str>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct AskForm {
    email: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct ResetForm {
    password: String,
    revoke_tokens: String,
}

pub async fn ask_form(State(mail): State<Mail>, context: PageContext) -> Result<Response> {
    page(&ask_page(&mail, context), false)
}

pub async fn ask(
    State(auth): State<Arc<Auth>>,
    State(mail): State<Mail>,
    origin: RequestMeta,
    context: PageContext,
    Form(form): Form<AskForm>,
) -> Result<Response> {
    if let Some(problem) = email_problem(form.email.trim()) {
        let mut errors = FieldErrors::default();
        errors.add("email", problem);
        let again = AskPage { email: form.email, errors, ..ask_page(&mail, context) };
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, page(&again, false)?).into_response());
    }
    auth.accounts.ask_reset(&form.email, &origin).await?;
    page(&AskPage { asked: true, ..ask_page(&mail, context) }, false)
}

pub async fn reset_form(
    State(auth): State<Arc<Auth>>,
    context: PageContext,
    Path(token): Path<String>,
) -> Result<Response> {
    if !auth.accounts.reset_stands(&token).await? {
        return reset_over(context);
    }
    page(&reset_page(context, &token, FieldErrors::default()), false)
}

pub async fn reset(
    State(auth): State<Arc<Auth>>,
    origin: RequestMeta,
    context: PageContext,
    Path(token): Path<String>,
    Form(form): Form<ResetForm>,
) -> Result<Response> {
    let revokes_tokens = !form.revoke_tokens.is_empty();
    let new = NewPassword { password: &form.password, revokes_tokens };
    match auth.accounts.reset(&token, new, &origin).await {
        Ok(()) => Ok(redirect("/login", Some(if revokes_tokens { RESET_WITH_TOKENS } else { RESET }))),
        Err(Error::LinkOver) => reset_over(context),
        Err(Error::Invalid(errors)) => {
            let again = ResetPage { revokes_tokens, ..reset_page(context, &token, errors) };
            let again = page(&again, false)?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, again).into_response())
        }
        Err(error) => Err(error),
    }
}

fn ask_page(mail: &Mail, context: PageContext) -> AskPage {
    AskPage {
        context: context.section("account"),
        email: String::new(),
        errors: FieldErrors::default(),
        mail_health: mail.health(),
        asked: false,
    }
}

fn reset_page(context: PageContext, token: &str, errors: FieldErrors) -> ResetPage {
    ResetPage {
        context: context.section("account"),
        action: format!("/password/reset/{token}"),
        over: false,
        revokes_tokens: false,
        summary: summary(&errors),
        errors,
    }
}

fn reset_over(context: PageContext) -> Result<Response> {
    let over = ResetPage { over: true, ..reset_page(context, "", FieldErrors::default()) };
    Ok((StatusCode::GONE, page(&over, false)?).into_response())
}
