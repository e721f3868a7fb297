//! `/login` and `/logout`.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;
use tower_sessions::Session;

use super::{Auth, SignIn, remember_me, second_factor, sudo_mode};
use crate::accounts::{Proof, Proved};
use crate::error::Result;
use crate::identity::{Identity, Member, RequestMeta, Viewer};
use crate::web::cookies::{self, Name};
use crate::web::flash::Flash;
use crate::web::forms::{Form, Query};
use crate::web::page_context::{PageContext, local_path, page, redirect};

const SIGNED_OUT: Flash = Flash::ok("signed-out", "You are logged out.");

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

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Next {
    next: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct LoginForm {
    login: String,
    password: String,
    next: String,
    /// The checkbox “Keep me logged in”.
    stay: String,
}

pub async fn form(
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

pub async fn log_in(
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
            if !proved.by.lacks_code() {
                auth.accounts.record_login(&proved.member, &origin).await?;
            }
            return go_on(&auth, &session, proved, &form.next).await;
        }
        let here = SignIn { session: &session, before: &identity, origin: &origin, stays, is_login: true };
        if proved.by.lacks_code() {
            return second_factor::ask(&auth, here, &proved.member, &form.next).await;
        }
        return enter(&auth, here, &proved, &form.next).await;
    }
    let error = Some("Wrong username or password. Check both and try again.");
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

/// The user has logged in from another tab meanwhile, so there is nothing left to do.
fn is_in_already(identity: &Identity, member: &Member, stays: bool) -> bool {
    identity.viewer.id() == Some(member.id) && (!stays || identity.family.is_some())
}

/// Keeps the session, so that the first tab's forms can still be sent.
async fn go_on(auth: &Auth, session: &Session, proved: Proved, next: &str) -> Result<Response> {
    let by = if proved.by.lacks_code() { Proof::SessionAndPassword } else { proved.by };
    sudo_mode::renew(&auth.deps.system, session, &proved.member.clone(), proved.member, by).await?;
    Ok(redirect(local_path(next), None))
}

pub async fn log_out(
    State(auth): State<Arc<Auth>>,
    session: Session,
    identity: Identity,
    origin: RequestMeta,
) -> Result<Response> {
    auth.sessions.log_out(&identity, &origin).await?;
    session.flush().await?;
    let mut response = redirect("/login", Some(SIGNED_OUT));
    cookies::add(response.headers_mut(), [cookies::removal(Name::RememberMe)]);
    // coffer stores nothing there; this clears what an extension or an earlier page has left.
    response.headers_mut().insert("clear-site-data", HeaderValue::from_static("\"storage\""));
    Ok(response)
}

pub async fn enter(auth: &Auth, here: SignIn<'_>, proved: &Proved, next: &str) -> Result<Response> {
    let set = remember_me::sign_in(auth, here, proved).await?;
    let mut response = redirect(local_path(next), None);
    cookies::add(response.headers_mut(), set);
    Ok(response)
}
