//! Where a second factor is required, whoever has none reaches only the page that sets it up, and the way out.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Redirect, Response};

use super::viewer::{Identity, Viewer};
use crate::accounts::factor::settings::SETUP;
use crate::app::App;
use crate::error::{Error, Result};

const OPEN: [&str; 3] = [SETUP, "/sudo", "/logout"];

/// For the page tree: leads to the set-up page.
pub async fn guard_pages(
    State(app): State<App>,
    identity: Identity,
    request: Request,
    next: Next,
) -> Response {
    let is_open = OPEN.contains(&request.uri().path());
    match check(&app, &identity.viewer) {
        Err(_) if request.method().is_safe() && !is_open => Redirect::to(SETUP).into_response(),
        Err(error) if !is_open => error.into_response(),
        _ => next.run(request).await,
    }
}

/// For the JSON tree.
pub async fn guard_api(State(app): State<App>, identity: Identity, request: Request, next: Next) -> Response {
    match check(&app, &identity.viewer) {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    }
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
