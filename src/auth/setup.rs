//! `/setup/{token}`: the first account, by a link that coffer prints.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use tower_sessions::Session;

use super::Auth;
use super::register::{AccountForm, begin};
use crate::accounts::Purpose;
use crate::error::{Error, FieldErrors, Result};
use crate::identity::RequestMeta;
use crate::web::flash::Flash;
use crate::web::forms::{Form, summary};
use crate::web::page_context::{PageContext, page};

const WELCOME: Flash = Flash::ok("welcome", "Welcome. Your library is ready.");

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

pub async fn without_link(context: PageContext) -> Result<Response> {
    setup_over(context)
}

pub async fn form(
    State(auth): State<Arc<Auth>>,
    context: PageContext,
    Path(token): Path<String>,
) -> Result<Response> {
    if !auth.accounts.token_stands(Purpose::Setup, &token).await? {
        return setup_over(context);
    }
    page(&setup_page(context, &token, AccountForm::default(), FieldErrors::default()), false)
}

pub async fn set_up(
    State(auth): State<Arc<Auth>>,
    session: Session,
    origin: RequestMeta,
    context: PageContext,
    Path(token): Path<String>,
    Form(form): Form<AccountForm>,
) -> Result<Response> {
    match auth.accounts.redeem(Purpose::Setup, &token, &form.account(), &origin).await {
        Ok(member) => begin(&auth, &session, member, &origin, WELCOME).await,
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
        // No one has an account to log in to.
        context: context.section("account"),
        expired: false,
        action: format!("/setup/{token}"),
        form,
        summary: summary(&errors),
        errors,
    }
}

fn setup_over(context: PageContext) -> Result<Response> {
    let over = SetupPage {
        context: context.clone(),
        expired: true,
        ..setup_page(context, "", AccountForm::default(), FieldErrors::default())
    };
    Ok((StatusCode::GONE, page(&over, false)?).into_response())
}
