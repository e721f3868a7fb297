//! Errors as answers: a page on one tree, problem+json on the other. Also for what axum and the layers refuse by
//! themselves (404, 405, 413, 415, time-outs, panics).

mod missing;
mod page;

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use self::missing::noun;
use super::{Pipeline, TreePipeline};
use crate::error::{Code, Error};
use crate::identity::IdentitySlot;
use crate::pipeline::limits::Tree;
use crate::public_url::PublicUrl;
use crate::telemetry::request::current;
use crate::web::csrf::content_type;
use crate::web::error::Cause;
use crate::web::json::{BODY_LIMIT, Problem, missing};
use crate::web::preferences::Preferences;
use crate::web::request::RequestId;

/// What the answer to an error needs of its request, which is gone by then.
pub struct ErrorContext {
    tree: Tree,
    uri: Uri,
    is_get: bool,
    by_htmx: bool,
    is_upload: bool,
    preferences: Preferences,
    /// Path and query of the page that asked for a part, or sent a form.
    shown: String,
    came_from: Option<String>,
    request_id: RequestId,
    slot: IdentitySlot,
}

impl ErrorContext {
    #[must_use]
    pub fn new(site: &PublicUrl, tree: Tree, request: &Request) -> Self {
        let (headers, extensions) = (request.headers(), request.extensions());
        let is_get = request.method().is_safe();
        Self {
            tree,
            uri: request.uri().clone(),
            is_get,
            by_htmx: headers.contains_key("hx-request"),
            is_upload: !is_get && content_type(headers) == "multipart/form-data",
            preferences: Preferences::from_headers(site, headers),
            shown: shown_page(headers),
            came_from: (!is_get).then(|| came_from(site, request)).flatten(),
            request_id: extensions.get().cloned().unwrap_or_default(),
            slot: extensions.get().cloned().unwrap_or_default(),
        }
    }

    #[must_use]
    pub fn render(self, pipeline: &Pipeline, response: Response) -> Response {
        let Some(error) = error_of(&response) else { return response };
        let saved = current().filter(|request| !self.is_get && request.has_saved());
        let error = saved.and_then(|_| error.after_saving()).map_or(error, Arc::new);
        match self.tree {
            Tree::Pages => self.page(pipeline, &response, &error),
            Tree::Api => with_body(&response, &error, self.problem(&error)),
        }
    }

    fn problem(&self, error: &Error) -> Problem {
        let mut problem = Problem::new(error, &self.request_id.0);
        if matches!(error, Error::NotFound) {
            problem.detail = missing(noun(self.uri.path()));
        }
        problem
    }
}

/// For addresses outside the trees.
pub async fn render(State(this): State<TreePipeline>, request: Request, next: Next) -> Response {
    let context = ErrorContext::new(&this.pipeline.deps.public_url, this.tree, &request);
    context.render(&this.pipeline, next.run(request).await)
}

fn shown_page(headers: &HeaderMap) -> String {
    let shown = headers.get("hx-current-url").and_then(|url| url.to_str().ok()?.parse::<url::Url>().ok());
    shown.map(|url| url[url::Position::BeforePath..url::Position::AfterQuery].to_owned()).unwrap_or_default()
}

/// `None` for another site's page.
fn came_from(site: &PublicUrl, request: &Request) -> Option<String> {
    let headers = request.headers();
    let from: url::Url = headers.get(header::REFERER)?.to_str().ok()?.parse().ok()?;
    let host = site.host_of(headers, request.uri())?;
    let is_ours = site.is_own_origin(&from.origin().ascii_serialization(), host);
    is_ours.then(|| from[url::Position::BeforePath..url::Position::AfterQuery].to_owned())
}

pub async fn not_found() -> Error {
    Error::NotFound
}

pub async fn method_not_allowed() -> Error {
    Error::MethodNotAllowed(Vec::new())
}

/// `None` when it was rendered already.
fn error_of(response: &Response) -> Option<Arc<Error>> {
    if let Some(cause) = response.extensions().get::<Cause>() {
        return Some(cause.0.clone());
    }
    let status = response.status();
    let rendered = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| {
        let kind = kind.as_bytes();
        kind.starts_with(b"text/html") || kind.starts_with(b"application/")
    });
    if rendered || !(status.is_client_error() || status.is_server_error()) {
        return None;
    }
    Some(Arc::new(match status {
        StatusCode::NOT_FOUND => Error::NotFound,
        StatusCode::METHOD_NOT_ALLOWED => Error::MethodNotAllowed(Vec::new()),
        StatusCode::PAYLOAD_TOO_LARGE => Error::TooLarge { limit: BODY_LIMIT },
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Error::WrongType { wanted: "the type that this address takes" },
        StatusCode::REQUEST_TIMEOUT => Error::BodyTimedOut,
        StatusCode::SERVICE_UNAVAILABLE => Error::TimedOut,
        _ if status.is_client_error() => Error::Malformed {
            code: Code::BadRequest,
            message: "This request can’t be read. Check its address and its body.".into(),
        },
        _ => Error::Internal(format!("a layer answered {status}")),
    }))
}

/// The new body under the old answer's headers, which may hold `Allow`, `Set-Cookie` or `Retry-After`.
fn with_body(bare: &Response, error: &Arc<Error>, body: impl IntoResponse) -> Response {
    let mut response = body.into_response();
    *response.status_mut() = error.status();
    for (name, value) in bare.headers() {
        if !matches!(*name, header::CONTENT_TYPE | header::CONTENT_LENGTH) {
            response.headers_mut().append(name, value.clone());
        }
    }
    if let Some(seconds) = retry_after(error) {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(seconds));
    }
    if let Some(challenge) = challenge(error) {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.extensions_mut().insert(Cause(error.clone()));
    response
}

/// In seconds; refusals by a limit say it themselves.
fn retry_after(error: &Error) -> Option<&'static str> {
    match error {
        Error::IdempotencyKeyInUse => Some("1"),
        _ if error.status() == StatusCode::SERVICE_UNAVAILABLE => Some("5"),
        _ => None,
    }
}

/// For API clients (RFC 6750 § 3).
fn challenge(error: &Error) -> Option<HeaderValue> {
    match error {
        Error::InsufficientScope(scope) => {
            let wanted = format!("Bearer realm=\"coffer\", error=\"insufficient_scope\", scope=\"{scope}\"");
            HeaderValue::from_str(&wanted).ok()
        }
        Error::BadToken | Error::TokenExpired | Error::TokenRevoked => {
            Some(HeaderValue::from_static("Bearer realm=\"coffer\", error=\"invalid_token\""))
        }
        _ if error.status() == StatusCode::UNAUTHORIZED => {
            Some(HeaderValue::from_static("Bearer realm=\"coffer\""))
        }
        _ => None,
    }
}

#[must_use]
pub fn from_panic(panic: &(dyn std::any::Any + Send)) -> Response {
    let said = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    Error::Internal(format!("panic: {said}")).into_response()
}
