//! `/login/second-factor`: between the password and being in. A session in between knows nobody: it opens this page only.

use std::time::Duration;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use tower_sessions::Session;
use uuid::Uuid;

use crate::accounts::Member;
use crate::accounts::pages::begin;
use crate::app::App;
use crate::db::Timestamp;
use crate::error::Result;
use crate::web::chrome::{Chrome, Notice, local_path, page, redirect};
use crate::web::forms::Form;
use crate::web::origin::Origin;

const LIFE: Duration = Duration::from_mins(10);
const TRIES: u8 = 5;
const KEY: &str = "between";

/// Somebody who has given their password and no code yet.
#[derive(Clone, Deserialize, Serialize)]
struct Between {
    user: Uuid,
    epoch: i64,
    until: i64,
    tries: u8,
    next: String,
}

#[derive(Template)]
#[template(path = "accounts/second_factor.html")]
struct CodePage {
    chrome: Chrome,
    wrong: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct CodeForm {
    code: String,
}

/// Goes on to the page that asks for the code, under a new session id.
pub async fn ask(app: &App, session: &Session, member: &Member, next: &str) -> Result<Response> {
    let until = app.context.now().plus(LIFE).micros();
    let next = local_path(next).to_owned();
    session.cycle_id().await?;
    session.clear().await;
    session.insert(KEY, Between { user: member.id, epoch: member.auth_epoch, until, tries: 0, next }).await?;
    Ok(redirect("/login/second-factor", None))
}

pub async fn form(State(app): State<App>, session: Session, chrome: Chrome) -> Result<Response> {
    match between(&app, &session).await? {
        Some(_) => page(&code_page(chrome, false), false),
        None => start_again(&session, Notice::StartAgain).await,
    }
}

pub async fn check(
    State(app): State<App>,
    session: Session,
    origin: Origin,
    chrome: Chrome,
    Form(form): Form<CodeForm>,
) -> Result<Response> {
    let Some((between, member)) = between(&app, &session).await? else {
        return start_again(&session, Notice::StartAgain).await;
    };
    if app.accounts.check_second_factor(&member, &form.code, &origin).await? {
        session.remove_value(KEY).await?;
        begin(&app, &session, &member, &origin).await?;
        return Ok(redirect(&between.next, None));
    }
    let tries = between.tries + 1;
    if tries >= TRIES {
        return start_again(&session, Notice::TooManyCodes).await;
    }
    session.insert(KEY, Between { tries, ..between }).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page(&code_page(chrome, true), false)?).into_response())
}

async fn between(app: &App, session: &Session) -> Result<Option<(Between, Member)>> {
    let between = session.get::<Between>(KEY).await?;
    let stands = |between: &Between| Timestamp::from_micros(between.until) > app.context.now();
    let Some(between) = between.filter(stands) else { return Ok(None) };
    let member = app.accounts.active(between.user).await?;
    Ok(member.filter(|member| member.auth_epoch == between.epoch).map(|member| (between, member)))
}

async fn start_again(session: &Session, why: Notice) -> Result<Response> {
    let was_between = session.remove_value(KEY).await?.is_some();
    Ok(redirect("/login", was_between.then_some(why)))
}

fn code_page(chrome: Chrome, wrong: bool) -> CodePage {
    CodePage { chrome: chrome.section("account"), wrong }
}
