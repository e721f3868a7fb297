//! How strong a password is, said while it is typed.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;

use crate::auth::Auth;
use crate::error::Result;
use crate::identity::Viewer;
use crate::web::forms::Form;
use crate::web::page_context::page;

#[derive(Template)]
#[template(path = "accounts/strength.html")]
struct Strength {
    /// 0 to 4.
    score: u8,
    /// Nothing while nothing is typed.
    sentence: Option<&'static str>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Typed {
    password: String,
    email: String,
    username: String,
    display_name: String,
}

pub async fn show(
    State(auth): State<Arc<Auth>>,
    viewer: Viewer,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    if typed.password.is_empty() {
        return page(&Strength { score: 0, sentence: None }, false);
    }
    let mut about = vec![typed.email.as_str(), &typed.username, &typed.display_name];
    if let Some(member) = viewer.member() {
        about.extend([member.email.as_str(), &member.username, &member.display_name]);
    }
    let judged = auth.accounts.judge_password(&typed.password, &about);
    let praise = if judged.score == 4 { "Very strong." } else { "Strong enough." };
    page(&Strength { score: judged.score, sentence: Some(judged.problem.unwrap_or(praise)) }, false)
}
