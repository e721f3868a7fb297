//! Where a second factor is required, whoever has none reaches only the page that sets it up, and the way out.

use axum::extract::Request;
use axum::response::{IntoResponse as _, Redirect, Response};

use super::viewer::Viewer;
use crate::accounts::factor::settings::SETUP;
use crate::app::App;
use crate::error::{Error, Result};

const OPEN: [&str; 3] = [SETUP, "/sudo", "/logout"];

/// For the page tree: the way to the set-up page, where it has to be gone first.
#[must_use]
pub fn detour(app: &App, viewer: &Viewer, request: &Request) -> Option<Response> {
    let error = check(app, viewer).err().filter(|_| !OPEN.contains(&request.uri().path()))?;
    let is_safe = request.method().is_safe();
    Some(if is_safe { Redirect::to(SETUP).into_response() } else { error.into_response() })
}

/// # Errors
/// [`Error::SecondFactorMissing`] for a member who must have one and has none.
pub fn check(app: &App, viewer: &Viewer) -> Result<()> {
    let lacks_it = viewer.member().is_some_and(|member| !member.second_factor);
    if lacks_it && concerns(app, viewer) { Err(Error::SecondFactorMissing) } else { Ok(()) }
}

/// Whether this person must have a second factor here.
#[must_use]
pub fn concerns(app: &App, viewer: &Viewer) -> bool {
    viewer.member().is_some_and(|member| app.config.require_2fa.asks(member))
}
