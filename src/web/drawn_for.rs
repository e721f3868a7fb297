//! Parts of a page are only for its own viewer: the session may have ended since, or another account logged in.

use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};

use super::csrf::{FormKey, HEADER};
use crate::error::Error;
use crate::identity::Identity;

/// Tells htmx to log in again or to load the page anew when the page was another viewer's. The form token names the
/// page's viewer; it is empty for visitors.
#[must_use]
pub fn refuse(form_key: &FormKey, identity: &Identity, request: &Request) -> Option<Response> {
    let headers = request.headers();
    if !request.method().is_safe() || !headers.contains_key("hx-request") {
        return None;
    }
    let token = headers.get(HEADER)?.to_str().ok()?;
    match identity.viewer.id() {
        None if token.is_empty() => None,
        None => Some(Error::SignInRequired.into_response()),
        Some(id) if form_key.is_of(token, id) => None,
        Some(_) => Some((StatusCode::NO_CONTENT, [("hx-refresh", "true")]).into_response()),
    }
}
