//! `/login/second-factor`: after the password. Until the code is right, the session has no user and opens this page only.

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use tower_sessions::Session;

use crate::auth::login::enter;
use crate::auth::{Auth, SignIn, session};
use crate::error::Result;
use crate::identity::{Identity, Member, RequestMeta};
use crate::sessions::data::{Between, Data};
use crate::timestamp::Timestamp;
use crate::web::cookies::{self, Name};
use crate::web::flash::Flash;
use crate::web::forms::Form;
use crate::web::page_context::{PageContext, local_path, page, redirect};

const START_AGAIN: Flash =
    Flash::error("start-again", "That took too long. Log in with your password again.");
const TOO_MANY_CODES: Flash =
    Flash::error("too-many-codes", "Too many wrong codes. Log in with your password again.");

const LIFE: Duration = Duration::from_mins(10);
const TRIES: u8 = 5;

#[derive(Template)]
#[template(path = "accounts/second_factor.html")]
struct CodePage {
    context: PageContext,
    wrong: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct CodeForm {
    code: String,
}

/// Goes on to the page that asks for the code, under a new session id, and logs out the user before.
pub async fn ask(auth: &Auth, here: SignIn<'_>, member: &Member, next: &str) -> Result<Response> {
    let SignIn { session, before, origin, stays, .. } = here;
    let until = auth.deps.system.now().plus(LIFE).micros();
    let (user, epoch, next) = (member.id, member.auth_epoch, local_path(next).to_owned());
    auth.sessions.log_out(before, origin).await?;
    session::empty(session).await?;
    let between = Some(Between { user, epoch, until, tries: 0, next, stays });
    Data { between, ..Data::default() }.keep(session).await?;
    let mut response = redirect("/login/second-factor", None);
    if before.family.is_some() {
        cookies::add(response.headers_mut(), [cookies::removal(Name::RememberMe)]);
    }
    Ok(response)
}

pub async fn form(State(auth): State<Arc<Auth>>, session: Session, context: PageContext) -> Result<Response> {
    match between(&auth, &session).await? {
        Some(_) => page(&code_page(context, false), false),
        None => start_again(&session, START_AGAIN).await,
    }
}

pub async fn check(
    State(auth): State<Arc<Auth>>,
    session: Session,
    origin: RequestMeta,
    context: PageContext,
    Form(form): Form<CodeForm>,
) -> Result<Response> {
    let Some((between, member)) = between(&auth, &session).await? else {
        return start_again(&session, START_AGAIN).await;
    };
    if let Some(proved) = auth.accounts.check_second_factor(&member, &form.code, &origin).await? {
        let before = Identity::default();
        let here = SignIn {
            session: &session,
            before: &before,
            origin: &origin,
            stays: between.stays,
            is_login: true,
        };
        return enter(&auth, here, &proved, &between.next).await;
    }
    let tries = between.tries + 1;
    if tries >= TRIES {
        return start_again(&session, TOO_MANY_CODES).await;
    }
    let between = Some(Between { tries, ..between });
    Data { between, ..Data::default() }.keep(&session).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page(&code_page(context, true), false)?).into_response())
}

async fn between(auth: &Auth, session: &Session) -> Result<Option<(Between, Member)>> {
    let between = Data::from_session(session).await?.between;
    let stands = |between: &Between| Timestamp::from_micros(between.until) > auth.deps.system.now();
    let Some(between) = between.filter(stands) else { return Ok(None) };
    let member = auth.accounts.in_epoch(between.user, between.epoch).await?;
    Ok(member.map(|member| (between, member)))
}

async fn start_again(session: &Session, why: Flash) -> Result<Response> {
    let mut data = Data::from_session(session).await?;
    let was_between = data.between.take().is_some();
    if was_between {
        data.keep(session).await?;
    }
    Ok(redirect("/login", was_between.then_some(why)))
}

fn code_page(context: PageContext, wrong: bool) -> CodePage {
    CodePage { context: context.section("account"), wrong }
}
