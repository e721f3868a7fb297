//! `/sudo`: the password once more, then on to the page that asked for it.

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use tower_sessions::Session;

use crate::app::App;
use crate::error::Result;
use crate::web::chrome::{Chrome, local_path, page, redirect};
use crate::web::forms::{Form, Query};
use crate::web::sudo::{HeldUp, Sudo, SudoPage, is_sudo};
use crate::web::viewer::Viewer;

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Next {
    next: String,
}

pub async fn form(
    State(app): State<App>,
    session: Session,
    viewer: Viewer,
    chrome: Chrome,
    Query(query): Query<Next>,
) -> Result<Response> {
    let member = viewer.signed_in()?;
    if is_sudo(&app, &session, member).await? {
        return Ok(redirect(local_path(&query.next), None));
    }
    let (held_up, code) = (HeldUp::next(query.next), member.second_factor);
    page(&SudoPage { chrome, action: "/sudo".to_owned(), held_up, wrong: false, code }, false)
}

pub async fn confirm(_: Sudo, Form(form): Form<Next>) -> Result<Response> {
    Ok(redirect(local_path(&form.next), None))
}
