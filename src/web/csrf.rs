//! Cross-site request forgery: every unsafe method must come from our own pages and, when somebody is
//! signed in, carry their session's token. Follows the OWASP cheat sheet (Fetch Metadata, then Origin).

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use subtle::ConstantTimeEq as _;

use super::body;
use super::forms::{FORM_LIMIT, pairs};
use super::site::host_of;
use super::viewer::Identity;
use crate::app::App;
use crate::error::{Error, Result};

pub const FIELD: &str = "csrf";
const HEADER: &str = "x-csrf-token";

/// For the page tree: own origin, and the token in a header or a form field.
///
/// An upload (multipart) is checked for its token by [`super::forms::Upload`], which reads the body.
pub async fn guard_pages(
    State(app): State<App>,
    identity: Identity,
    request: Request,
    next: Next,
) -> Response {
    match check(&app, &identity, request, true).await {
        Ok(request) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

/// For the JSON tree: the same for requests that the cookie signs in; the token comes in a header.
pub async fn guard_api(State(app): State<App>, identity: Identity, request: Request, next: Next) -> Response {
    if identity.viewer.member().is_none() {
        return next.run(request).await;
    }
    match check(&app, &identity, request, false).await {
        Ok(request) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

async fn check(app: &App, identity: &Identity, request: Request, forms: bool) -> Result<Request> {
    if request.method().is_safe() {
        return Ok(request);
    }
    let host = host_of(request.headers(), request.uri()).unwrap_or_default();
    if !is_same_origin(app, request.headers(), host) {
        return Err(Error::CrossSite);
    }
    if identity.viewer.member().is_none() {
        return Ok(request);
    }
    if let Some(token) = request.headers().get(HEADER) {
        return if matches(identity, token.as_bytes()) { Ok(request) } else { Err(Error::CrossSite) };
    }
    match content_type(request.headers()).as_str() {
        "multipart/form-data" if forms => Ok(request),
        _ if forms => check_field(identity, request).await,
        _ => Err(Error::CrossSite),
    }
}

/// `Sec-Fetch-Site` first: browsers set it and pages can't. Older browsers send `Origin`; neither is a refusal.
fn is_same_origin(app: &App, headers: &HeaderMap, host: &str) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    match (text("sec-fetch-site"), text("origin")) {
        (Some(site), _) => site == "same-origin",
        (None, Some(origin)) => app.site.is_own_origin(origin, host),
        (None, None) => false,
    }
}

async fn check_field(identity: &Identity, request: Request) -> Result<Request> {
    let (parts, body) = request.into_parts();
    let bytes = body::read(body, FORM_LIMIT).await?;
    let sent = pairs(&bytes)?;
    let token = sent.iter().find(|(name, _)| name == FIELD).map(|(_, value)| value.as_bytes());
    if token.is_some_and(|token| matches(identity, token)) {
        Ok(Request::from_parts(parts, Body::from(bytes)))
    } else {
        Err(Error::CrossSite)
    }
}

/// Whether this is the session's token, in constant time.
#[must_use]
pub fn matches(identity: &Identity, token: &[u8]) -> bool {
    !identity.csrf.is_empty() && bool::from(identity.csrf.as_bytes().ct_eq(token))
}

/// The media type in lower case, without its parameters.
#[must_use]
pub fn content_type(headers: &HeaderMap) -> String {
    let whole = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    whole.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}
