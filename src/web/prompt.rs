//! What is asked before a pending form goes on: one page, which holds the form in hidden fields.

use askama::Template;
use axum::http::{Extensions, HeaderName};
use axum::response::{Html, IntoResponse, Response};

use super::page_context::PageContext;
use super::pending::PendingForm;
use crate::error::Error;
use crate::identity::Identity;
use crate::limiter::verdict::Refusal;

#[derive(Clone, Debug)]
pub enum Prompt {
    /// The session is over: log in again.
    LogIn(LogIn),
    /// Another user than the one who wrote it has logged in: who sends it?
    Whose { name: String },
    /// The password again, as the form asks for a far-reaching change.
    Password { wrong: bool, code: bool },
    /// Send it again later.
    Wait(Refusal),
}

/// What the last answer to [`Prompt::LogIn`] said, and what it lacked.
#[derive(Clone, Debug, Default)]
pub struct LogIn {
    pub login: String,
    pub stay: bool,
    pub wrong: bool,
    /// The password is right; a code is asked for besides.
    pub code: bool,
}

#[derive(Template)]
#[template(path = "prompt.html")]
pub struct PromptPage<'a> {
    pub context: PageContext,
    pub prompt: Prompt,
    pub form: &'a PendingForm,
    stay_days: u32,
    /// Of the request that it answers, if that has gone wrong.
    pub request_id: &'a str,
}

impl Prompt {
    /// `None` if no prompt can help against the error.
    #[must_use]
    pub fn for_error(
        error: &Error,
        form: &PendingForm,
        said: &Extensions,
        identity: &Identity,
    ) -> Option<Self> {
        match error {
            Error::SudoRequired | Error::SudoRefused => Some(Self::Password {
                wrong: matches!(error, Error::SudoRefused),
                code: identity.viewer.member().is_some_and(|member| member.second_factor),
            }),
            _ if form.has_secrets() => None,
            Error::SignInRequired => Some(Self::LogIn(said.get().cloned().unwrap_or_default())),
            Error::TooManyRequests(refusal) => Some(Self::Wait(refusal.clone())),
            _ => None,
        }
    }

    fn status(&self) -> Option<&'static str> {
        match self {
            Self::LogIn(_) => Some("401"),
            Self::Wait(_) => Some("429"),
            Self::Whose { .. } | Self::Password { .. } => None,
        }
    }

    fn heading(&self) -> String {
        match self {
            Self::LogIn(_) => "Log in to continue".to_owned(),
            Self::Whose { name } => format!("Continue as {name}?"),
            Self::Password { .. } => "Confirm your password".to_owned(),
            Self::Wait(refusal) => refusal.heading().to_owned(),
        }
    }

    fn about_typed(&self) -> &'static str {
        match self {
            Self::LogIn(_) => "This will be sent once you have logged in.",
            Self::Whose { .. } => "This hasn’t been done yet. If you cancel, copy what you need first.",
            Self::Password { .. } => "This will be sent once you have confirmed your password.",
            Self::Wait(_) => "This is still here. Try again when the time is up.",
        }
    }
}

impl<'a> PromptPage<'a> {
    #[must_use]
    pub fn new(context: PageContext, prompt: Prompt, form: &'a PendingForm, stay_days: u32) -> Self {
        let context = context.section("account");
        Self { context, prompt, form, stay_days, request_id: "" }
    }
}

/// A whole page, also where htmx asked for a part of one.
impl IntoResponse for PromptPage<'_> {
    fn into_response(self) -> Response {
        const WHOLE: [(HeaderName, &str); 2] = [
            (HeaderName::from_static("hx-retarget"), "body"),
            (HeaderName::from_static("hx-reswap"), "innerHTML show:top"),
        ];
        match self.render() {
            Ok(html) => (WHOLE, Html(html)).into_response(),
            Err(error) => Error::from(error).into_response(),
        }
    }
}
