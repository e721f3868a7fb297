//! The face of an error: a page on one tree, problem+json on the other. Also dresses what axum and the
//! layers refuse by themselves (404, 405, 413, 415, time-outs, panics), so that nothing is left bare.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Redirect, Response};

use super::chrome::Chrome;
use super::csrf::content_type;
use super::json::Problem;
use super::log::{Cause, RequestId};
use super::sudo::{HeldUp, SudoPage};
use super::unsent::Unsent;
use super::viewer::IdentitySlot;
use crate::app::App;
use crate::error::Error;
use crate::limiter::headers::refuse;
use crate::limiter::layer::Tree;
use crate::telemetry::request::current;

impl IntoResponse for Error {
    /// A bare status that carries the error outwards to the layer which knows the tree.
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(Cause(Arc::new(self)));
        response
    }
}

/// The fields that people type into, and what their forms call them; never a password or a token.
const TYPED: [(&str, &str); 7] = [
    ("url", "Address"),
    ("title", "Title"),
    ("body", "Text"),
    ("tags", "Tags"),
    ("email", "Email"),
    ("username", "Username"),
    ("display_name", "Name to show"),
];

/// What a person had typed into a form that could not be taken, to be given back with the error.
#[derive(Clone, Debug)]
pub struct Kept(Arc<Vec<KeptField>>);

impl Kept {
    #[must_use]
    pub fn of(sent: Vec<(String, String)>) -> Self {
        let typed =
            sent.into_iter().filter(|(_, value)| !value.trim().is_empty()).filter_map(|(name, value)| {
                let (_, label) = TYPED.into_iter().find(|(typed, _)| *typed == name)?;
                Some(KeptField { label, value })
            });
        Self(Arc::new(typed.collect()))
    }

    #[must_use]
    pub fn fields(&self) -> Vec<KeptField> {
        self.0.to_vec()
    }
}

/// The name that somebody has tried to log in with.
#[derive(Clone, Debug)]
pub struct TriedLogin(String);

impl TriedLogin {
    #[must_use]
    pub fn of(sent: &[(String, String)]) -> Option<Self> {
        let name = sent.iter().find(|(name, _)| name == "login");
        // As long as an address may be.
        name.map(|(_, value)| Self(value.trim().chars().take(254).collect()))
    }
}

#[derive(Clone, Debug)]
pub struct KeptField {
    pub label: &'static str,
    pub value: String,
}

/// When somebody who was too fast may go on, and how.
struct Wait {
    seconds: u64,
    words: String,
    /// The page to ask for again, or the one with the form.
    again: Option<String>,
    /// The form to send again.
    form: Option<Unsent>,
}

impl Wait {
    fn of(error: &Error, again: Option<String>, form: Option<&Unsent>) -> Option<Self> {
        let Error::TooManyRequests(refusal) = error else { return None };
        Some(Self { seconds: refusal.retry_after, words: refusal.wait(), again, form: form.cloned() })
    }
}

#[derive(Template)]
#[template(path = "errors/page.html")]
struct ErrorPage {
    chrome: Chrome,
    status: u16,
    heading: &'static str,
    message: String,
    advice: Option<&'static str>,
    request_id: String,
    kept: Vec<KeptField>,
    may_be_saved: bool,
    wait: Option<Wait>,
    /// The same page at the address where coffer is.
    right: Option<String>,
}

impl ErrorPage {
    fn is_unsent(&self) -> bool {
        self.wait.as_ref().is_some_and(|wait| wait.form.is_some())
    }
}

/// What the face of an error depends on, of a request that is gone by then.
pub struct Asked {
    tree: Tree,
    uri: Uri,
    is_get: bool,
    by_htmx: bool,
    is_upload: bool,
    /// Path and query of the page in which htmx asked for a part, and of the one that sent a form.
    shown: String,
    came_from: Option<String>,
    request_id: RequestId,
    slot: IdentitySlot,
}

impl Asked {
    #[must_use]
    pub fn of(app: &App, tree: Tree, request: &Request) -> Self {
        let (headers, extensions) = (request.headers(), request.extensions());
        let is_get = request.method().is_safe();
        Self {
            tree,
            uri: request.uri().clone(),
            is_get,
            by_htmx: headers.contains_key("hx-request"),
            is_upload: !is_get && content_type(headers) == "multipart/form-data",
            shown: shown_page(headers),
            came_from: (!is_get).then(|| came_from(app, request)).flatten(),
            request_id: extensions.get().cloned().unwrap_or_default(),
            slot: extensions.get().cloned().unwrap_or_default(),
        }
    }

    /// Gives an error the face that the tree has for it.
    #[must_use]
    pub fn dress(self, app: &App, response: Response) -> Response {
        let Some(error) = error_of(&response) else { return response };
        let saved = current().filter(|request| !self.is_get && request.has_saved());
        let error = saved.and_then(|_| error.after_saving()).map_or(error, Arc::new);
        match self.tree {
            Tree::Pages => self.page(app, &response, &error),
            Tree::Api => faced(&response, &error, Problem::of(&error, &self.request_id.0)),
        }
    }

    fn page(self, app: &App, response: &Response, error: &Arc<Error>) -> Response {
        let asked = self.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        if self.is_get
            && !self.by_htmx
            && let Some(way) = way_in(error)
        {
            return Redirect::to(&format!("{way}?next={}", crate::web::forms::encode(&asked)))
                .into_response();
        }
        if self.is_get && matches!(**error, Error::SignInRequired) {
            let login = format!("/login?next={}", crate::web::forms::encode(&self.shown));
            return (StatusCode::UNAUTHORIZED, [("hx-redirect", login)]).into_response();
        }
        let identity = self.slot.get();
        if let Some(held_up) = response.extensions().get::<HeldUp>() {
            let chrome = Chrome::of(app, &identity, asked.clone());
            let code = identity.viewer.member().is_some_and(|member| member.second_factor);
            let wrong = matches!(**error, Error::SudoRefused);
            let question = SudoPage { chrome, action: asked, held_up: held_up.clone(), wrong, code };
            return faced(response, error, Html(question.render().unwrap_or_default()));
        }
        let right = match &**error {
            Error::WrongHost(Some(origin)) if self.is_get => Some(format!("{origin}{asked}")),
            Error::WrongHost(origin) => origin.clone(),
            _ => None,
        };
        let again = if self.is_get { Some(asked.clone()) } else { self.came_from.clone() };
        let page = ErrorPage {
            chrome: Chrome::of(app, &identity, asked),
            status: error.status().as_u16(),
            heading: heading(error),
            message: message(error, response.extensions().get()),
            wait: Wait::of(error, again, response.extensions().get()),
            advice: self.advice(error, identity.viewer.member().is_some()),
            request_id: self.request_id.0.clone(),
            kept: response.extensions().get::<Kept>().map(Kept::fields).unwrap_or_default(),
            right,
            may_be_saved: matches!(**error, Error::OutcomeUnknown(_)),
        };
        let body = page.render().unwrap_or_else(|_| heading(error).to_owned());
        faced(response, error, Html(body))
    }
}

impl Asked {
    /// What to do next, where the message can't say it because it is the API's too.
    fn advice(&self, error: &Error, is_signed_in: bool) -> Option<&'static str> {
        match error {
            Error::NotFound if !is_signed_in => Some("If it is yours, log in first."),
            Error::LinkOver if !is_signed_in => Some("You have an account already? Log in."),
            Error::TooLarge { .. } if !self.is_get => {
                Some("Your browser’s Back button leads to the form again, with what you had filled in.")
            }
            Error::OutcomeUnknown(_) => Some(
                "Open the page where it would be, such as your library with the newest first. If it is not there, send it again.",
            ),
            Error::SignInRequired if self.is_upload => {
                Some("The file was not kept. Log in, open the page again and choose it once more.")
            }
            Error::CrossSite | Error::SignInRequired if !self.is_get && !is_signed_in => {
                Some("You may have been logged out meanwhile. Log in, open the page again and repeat it.")
            }
            _ => None,
        }
    }
}

/// For addresses that are not on the way of a tree.
pub async fn dress(State((app, tree)): State<(App, Tree)>, request: Request, next: Next) -> Response {
    let asked = Asked::of(&app, tree, &request);
    asked.dress(&app, next.run(request).await)
}

/// Path and query of the page in which htmx asks for a part.
fn shown_page(headers: &HeaderMap) -> String {
    let shown = headers.get("hx-current-url").and_then(|url| url.to_str().ok()?.parse::<url::Url>().ok());
    shown.map(|url| url[url::Position::BeforePath..url::Position::AfterQuery].to_owned()).unwrap_or_default()
}

/// Path and query of the page of ours that sent a form.
fn came_from(app: &App, request: &Request) -> Option<String> {
    let headers = request.headers();
    let from: url::Url = headers.get(header::REFERER)?.to_str().ok()?.parse().ok()?;
    let host = app.site.host_of(headers, request.uri())?;
    let is_ours = app.site.is_own_origin(&from.origin().ascii_serialization(), host);
    is_ours.then(|| from[url::Position::BeforePath..url::Position::AfterQuery].to_owned())
}

/// Where somebody is asked for what this page wants to know first.
fn way_in(error: &Error) -> Option<&'static str> {
    match error {
        Error::SignInRequired => Some("/login"),
        Error::SudoRequired => Some("/sudo"),
        _ => None,
    }
}

pub async fn not_found() -> Error {
    Error::NotFound
}

pub async fn method_not_allowed() -> Error {
    Error::MethodNotAllowed
}

/// The error an answer stands for, if it is one that has no face yet.
fn error_of(response: &Response) -> Option<Arc<Error>> {
    if let Some(cause) = response.extensions().get::<Cause>() {
        return Some(cause.0.clone());
    }
    let status = response.status();
    let dressed = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| {
        let kind = kind.as_bytes();
        kind.starts_with(b"text/html") || kind.starts_with(b"application/")
    });
    if dressed || !(status.is_client_error() || status.is_server_error()) {
        return None;
    }
    Some(Arc::new(match status {
        StatusCode::NOT_FOUND => Error::NotFound,
        StatusCode::METHOD_NOT_ALLOWED => Error::MethodNotAllowed,
        StatusCode::PAYLOAD_TOO_LARGE => Error::TooLarge { limit: super::json::BODY_LIMIT },
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Error::WrongType { wanted: "the type that this address takes" },
        StatusCode::REQUEST_TIMEOUT => Error::BodyTimedOut,
        StatusCode::SERVICE_UNAVAILABLE => Error::TimedOut,
        _ if status.is_client_error() => Error::Malformed {
            code: "bad_request",
            message: "This request can't be read. Check its address and its body.".into(),
        },
        _ => Error::Internal(format!("a layer answered {status}")),
    }))
}

/// The new body under the old answer's headers, which may hold `Allow`, `Set-Cookie` or `Retry-After`.
fn faced(bare: &Response, error: &Arc<Error>, body: impl IntoResponse) -> Response {
    let mut response = body.into_response();
    *response.status_mut() = error.status();
    for (name, value) in bare.headers() {
        if !matches!(*name, header::CONTENT_TYPE | header::CONTENT_LENGTH) {
            response.headers_mut().append(name, value.clone());
        }
    }
    if error.status() == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
    }
    if let Error::TooManyRequests(refusal) = &**error {
        refuse(refusal, response.headers_mut());
    }
    if error.status() == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.extensions_mut().insert(Cause(error.clone()));
    response
}

/// The page shows apart from it how long to wait.
fn message(error: &Error, tried: Option<&TriedLogin>) -> String {
    match (error, tried) {
        (Error::TooManyRequests(refusal), Some(TriedLogin(name))) if refusal.is_about_account() => {
            format!("There were too many wrong passwords for “{name}”.")
        }
        (Error::TooManyRequests(refusal), _) => refusal.message().to_owned(),
        _ => error.message().into_owned(),
    }
}

fn heading(error: &Error) -> &'static str {
    match error.status() {
        StatusCode::BAD_REQUEST => "That can’t be read",
        StatusCode::UNAUTHORIZED => "Sign in first",
        StatusCode::FORBIDDEN => "Not allowed",
        StatusCode::NOT_FOUND => "Nothing here",
        StatusCode::METHOD_NOT_ALLOWED => "Not that way",
        StatusCode::REQUEST_TIMEOUT => "That took too long to arrive",
        StatusCode::CONFLICT => "That is taken",
        StatusCode::GONE => "No longer valid",
        StatusCode::PRECONDITION_FAILED => "Changed meanwhile",
        StatusCode::PAYLOAD_TOO_LARGE => "Too large",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "Not that kind of content",
        StatusCode::MISDIRECTED_REQUEST => "Wrong address",
        StatusCode::UNPROCESSABLE_ENTITY => "Not quite right",
        StatusCode::TOO_MANY_REQUESTS if is_long_wait(error) => "Come back later, please",
        StatusCode::TOO_MANY_REQUESTS => "One moment, please",
        StatusCode::SERVICE_UNAVAILABLE => "Back in a moment",
        _ => "Something went wrong",
    }
}

fn is_long_wait(error: &Error) -> bool {
    matches!(error, Error::TooManyRequests(refusal) if refusal.retry_after >= 120)
}

/// A panic is an internal error like any other; what it said goes to the log.
#[must_use]
pub fn panicked(panic: &(dyn std::any::Any + Send)) -> Response {
    let said = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    Error::Internal(format!("panic: {said}")).into_response()
}
