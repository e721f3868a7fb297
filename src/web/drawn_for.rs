//! A page gets parts only for the viewer for whom it was drawn: its session may have ended, or another account may have
//! logged in since.

use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};

use super::csrf::{FormKey, HEADER};
use crate::error::Error;
use crate::identity::Identity;

/// The answer to htmx when its page was drawn for another viewer: log in again, or load the page anew. The page names
/// its viewer by its form token, which is empty for visitors.
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
