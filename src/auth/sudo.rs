//! `/sudo`: the password once more, then on to the page that asked for it.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use tower_sessions::Session;

use crate::auth::Auth;
use crate::auth::sudo_mode::is_sudo;
use crate::error::Result;
use crate::identity::Viewer;
use crate::web::forms::{Form, Query};
use crate::web::page_context::{PageContext, local_path, page, redirect};
use crate::web::pending::PendingForm;
use crate::web::prompt::{Prompt, PromptPage};
use crate::web::sudo::Sudo;

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Next {
    next: String,
}

pub async fn form(
    State(auth): State<Arc<Auth>>,
    session: Session,
    viewer: Viewer,
    context: PageContext,
    Query(query): Query<Next>,
) -> Result<Response> {
    let member = viewer.signed_in()?;
    if is_sudo(&auth.deps.system, &session, member).await? {
        return Ok(redirect(local_path(&query.next), None));
    }
    let mut form = PendingForm::new("/sudo", vec![("next".to_owned(), query.next)]);
    form.set_token(&context.csrf);
    let prompt = Prompt::Password { wrong: false, code: member.second_factor };
    page(&PromptPage::new(context, prompt, &form, auth.stay_days), false)
}

pub async fn confirm(_: Sudo, Form(form): Form<Next>) -> Result<Response> {
    Ok(redirect(local_path(&form.next), None))
}
