//! The pages for a forgotten password: ask for a link, choose a new password with it.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

use super::NewPassword;
use super::fields::email_problem;
use super::pages::summary;
use crate::auth::Auth;
use crate::error::{Error, FieldErrors, Result};
use crate::mail::{Mail, MailHealth};
use crate::web::chrome::{Chrome, Notice, page, redirect};
use crate::web::forms::Form;
use crate::web::origin::Origin;

#[derive(Template)]
#[template(path = "accounts/forgot.html")]
struct AskPage {
    chrome: Chrome,
    email: String,
    errors: FieldErrors,
    mail_health: MailHealth,
    /// The answer, the same for every address.
    asked: bool,
}

#[derive(Template)]
#[template(path = "accounts/reset.html")]
struct ResetPage {
    chrome: Chrome,
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
    /// A checkbox.
    revoke_tokens: String,
}

pub async fn ask_form(State(mail): State<Mail>, chrome: Chrome) -> Result<Response> {
    page(&ask_page(&mail, chrome), false)
}

pub async fn ask(
    State(auth): State<Arc<Auth>>,
    State(mail): State<Mail>,
    origin: Origin,
    chrome: Chrome,
    Form(form): Form<AskForm>,
) -> Result<Response> {
    if let Some(problem) = email_problem(form.email.trim()) {
        let mut errors = FieldErrors::default();
        errors.add("email", problem);
        let again = AskPage { email: form.email, errors, ..ask_page(&mail, chrome) };
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, page(&again, false)?).into_response());
    }
    auth.accounts.ask_reset(&form.email, &origin).await?;
    page(&AskPage { asked: true, ..ask_page(&mail, chrome) }, false)
}

pub async fn reset_form(
    State(auth): State<Arc<Auth>>,
    chrome: Chrome,
    Path(token): Path<String>,
) -> Result<Response> {
    if !auth.accounts.reset_stands(&token).await? {
        return reset_over(chrome);
    }
    page(&reset_page(chrome, &token, FieldErrors::default()), false)
}

pub async fn reset(
    State(auth): State<Arc<Auth>>,
    origin: Origin,
    chrome: Chrome,
    Path(token): Path<String>,
    Form(form): Form<ResetForm>,
) -> Result<Response> {
    let revokes_tokens = !form.revoke_tokens.is_empty();
    let new = NewPassword { password: &form.password, revokes_tokens };
    match auth.accounts.reset(&token, new, &origin).await {
        Ok(()) => Ok(redirect("/login", Some(Notice::PasswordReset { revokes_tokens }))),
        Err(Error::LinkOver) => reset_over(chrome),
        Err(Error::Invalid(errors)) => {
            let again = ResetPage { revokes_tokens, ..reset_page(chrome, &token, errors) };
            let again = page(&again, false)?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, again).into_response())
        }
        Err(error) => Err(error),
    }
}

fn ask_page(mail: &Mail, chrome: Chrome) -> AskPage {
    AskPage {
        chrome: chrome.section("account"),
        email: String::new(),
        errors: FieldErrors::default(),
        mail_health: mail.health(),
        asked: false,
    }
}

fn reset_page(chrome: Chrome, token: &str, errors: FieldErrors) -> ResetPage {
    ResetPage {
        chrome: chrome.section("account"),
        action: format!("/password/reset/{token}"),
        over: false,
        revokes_tokens: false,
        summary: summary(&errors),
        errors,
    }
}

fn reset_over(chrome: Chrome) -> Result<Response> {
    let over = ResetPage { over: true, ..reset_page(chrome, "", FieldErrors::default()) };
    Ok((StatusCode::GONE, page(&over, false)?).into_response())
}
