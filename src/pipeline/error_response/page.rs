//! An error as a page: a prompt if that can help a form on its way, else what went wrong and what helps.

use std::sync::Arc;

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse as _, Redirect, Response};

use super::{ErrorContext, with_body};
use crate::error::Error;
use crate::limiter::verdict::Refusal;
use crate::pipeline::Pipeline;
use crate::shares;
use crate::web::forms::encode;
use crate::web::html;
use crate::web::page_context::{HOME, PageContext};
use crate::web::pending::PendingForm;
use crate::web::prompt::{Prompt, PromptPage};

#[derive(Template)]
#[template(path = "errors/page.html")]
struct ErrorPage<'a> {
    context: PageContext,
    status: u16,
    heading: &'static str,
    message: String,
    advice: Option<&'static str>,
    request_id: &'a str,
    form: Option<&'a PendingForm>,
    may_be_saved: bool,
    /// How long the client has to wait.
    wait: Option<&'a Refusal>,
    /// Where to go on after the wait: the page that was asked for, or the one with the form.
    again: Option<String>,
    right: Option<String>,
}

impl ErrorPage<'_> {
    fn about_typed(&self) -> &'static str {
        if self.may_be_saved {
            "This may have been saved. Check first, then copy what is missing from here."
        } else {
            "This was not saved. Copy what you need from here."
        }
    }
}

impl ErrorContext {
    pub(super) fn page(self, pipeline: &Pipeline, response: &Response, error: &Arc<Error>) -> Response {
        let asked = self.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        if let Some(elsewhere) = self.leads_elsewhere(error, &asked) {
            return elsewhere;
        }
        let (identity, form) = (self.slot.get(), response.extensions().get::<PendingForm>());
        let context = PageContext {
            preferences: self.preferences,
            ..PageContext::new(&pipeline.deps, &identity, asked.clone())
        };
        if let Some(form) = form
            && let Some(prompt) = Prompt::for_error(error, form, response.extensions(), &identity)
        {
            let mut page = PromptPage::new(context, prompt, form, pipeline.auth.stay_days);
            page.request_id = &self.request_id.0;
            return with_body(response, error, page);
        }
        let page = ErrorPage {
            context,
            status: error.status().as_u16(),
            heading: heading(error),
            message: message(error, form),
            advice: self.advice(error, identity.viewer.member().is_some()),
            request_id: &self.request_id.0,
            form,
            may_be_saved: matches!(**error, Error::OutcomeUnknown(_)),
            wait: if let Error::TooManyRequests(refusal) = &**error { Some(refusal) } else { None },
            right: self.right_address(error, &asked),
            again: if self.is_get { Some(asked) } else { self.came_from.clone() },
        };
        let body = html::render(&page).unwrap_or_else(|_| heading(error).to_owned());
        with_body(response, error, Html(body))
    }

    /// A redirect to the page that asks for what is missing.
    fn leads_elsewhere(&self, error: &Error, asked: &str) -> Option<Response> {
        if !self.is_get {
            return None;
        }
        let to = |way, next| format!("{way}?next={}", encode(next));
        match error {
            Error::SignInRequired if self.by_htmx => {
                // The list answers with a whole page at this address too, which keeps the typed search.
                let is_list = self.uri.path() == HOME;
                let login = to("/login", if is_list { asked } else { &self.shown });
                Some((StatusCode::UNAUTHORIZED, [("hx-redirect", login)]).into_response())
            }
            Error::SignInRequired => Some(Redirect::to(&to("/login", asked)).into_response()),
            Error::SudoRequired if !self.by_htmx => Some(Redirect::to(&to("/sudo", asked)).into_response()),
            _ => None,
        }
    }

    /// The same page at the address where coffer is.
    fn right_address(&self, error: &Error, asked: &str) -> Option<String> {
        match error {
            Error::WrongHost(Some(origin)) if self.is_get => Some(format!("{origin}{asked}")),
            Error::WrongHost(origin) => origin.clone(),
            _ => None,
        }
    }

    /// What to do next, where the message is also the API's and can't say it.
    fn advice(&self, error: &Error, is_signed_in: bool) -> Option<&'static str> {
        match error {
            Error::NotFound if self.uri.path().starts_with(shares::PATH) => Some(
                "If it was shared with you, the link may have expired or been revoked. Ask for a new one.",
            ),
            Error::NotFound if !is_signed_in => Some("If this is yours, log in to see it."),
            Error::LinkOver if !is_signed_in => Some("Already have an account? Log in."),
            Error::TooLarge { .. } if self.is_upload => {
                Some("The file was not saved. Go back and choose a smaller one.")
            }
            Error::TooLarge { .. } if !self.is_get => Some(
                "Nothing was saved. Use your browser’s Back button to return to the form. If it is empty, you can restore what you entered.",
            ),
            Error::OutcomeUnknown(_) => Some(
                "Check whether it is there, for example in your library with the newest entries first. If it isn’t, try again.",
            ),
            Error::SignInRequired if self.is_upload => {
                Some("The file was not saved. Log in, open the page again and choose the file again.")
            }
            Error::CrossSite
            | Error::TooManyRequests(_)
            | Error::Busy
            | Error::BodyTimedOut
            | Error::TimedOut
            | Error::Unavailable(_)
                if self.is_upload =>
            {
                Some("The file was not saved. Open the page again and choose the file again.")
            }
            Error::CrossSite | Error::SignInRequired if !self.is_get && !is_signed_in => {
                Some("You may have been logged out. Log in, open the page again and retry.")
            }
            _ => None,
        }
    }
}

fn message(error: &Error, form: Option<&PendingForm>) -> String {
    match error {
        Error::TooManyRequests(refusal) => message_of_limit(refusal, form),
        Error::Invalid(errors) => errors.iter().map(|(_, message)| message).collect::<Vec<_>>().join(" "),
        _ => error.message().into_owned(),
    }
}

/// The page shows the wait apart from it.
fn message_of_limit(refusal: &Refusal, form: Option<&PendingForm>) -> String {
    match form.and_then(|form| form.field("login")) {
        Some(login) if refusal.is_about_account() => {
            // As long as an address may be.
            let name: String = login.trim().chars().take(254).collect();
            format!("There were too many wrong passwords for “{name}”.")
        }
        _ => refusal.message().to_owned(),
    }
}

fn heading(error: &Error) -> &'static str {
    if let Error::TooManyRequests(refusal) = error {
        return refusal.heading();
    }
    match error.status() {
        StatusCode::BAD_REQUEST => "Bad request",
        StatusCode::UNAUTHORIZED => "Log in first",
        StatusCode::FORBIDDEN => "Not allowed",
        StatusCode::NOT_FOUND => "Page not found",
        StatusCode::METHOD_NOT_ALLOWED => "Method not allowed",
        StatusCode::REQUEST_TIMEOUT => "Request timed out",
        StatusCode::CONFLICT if matches!(error, Error::DuplicateUrl { .. }) => "Already saved",
        StatusCode::CONFLICT => "Not possible now",
        StatusCode::GONE => "Link no longer valid",
        StatusCode::PRECONDITION_FAILED => "Changed in the meantime",
        StatusCode::PAYLOAD_TOO_LARGE => "Too large",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "Unsupported content type",
        StatusCode::MISDIRECTED_REQUEST => "Wrong address",
        StatusCode::UNPROCESSABLE_ENTITY => "Check what you entered",
        StatusCode::SERVICE_UNAVAILABLE => "Back in a moment",
        _ => "Something went wrong",
    }
}
