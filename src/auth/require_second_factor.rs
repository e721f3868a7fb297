//! Where a second factor is required, a member without one reaches only the page that sets it up and the log-out.

use crate::auth::Auth;
use crate::error::{Error, Result};
use crate::identity::Viewer;

/// Where a second factor is set up.
pub const SETUP: &str = "/settings/security/totp";
const OPEN: [&str; 3] = [SETUP, "/sudo", "/logout"];

/// For the page tree.
///
/// # Errors
/// [`Error::SecondFactorMissing`] where the way leads to the set-up page first.
pub fn check_page(auth: &Auth, viewer: &Viewer, path: &str) -> Result<()> {
    if OPEN.contains(&path) { Ok(()) } else { check(auth, viewer) }
}

/// # Errors
/// [`Error::SecondFactorMissing`] for a member who must have one and has none.
pub fn check(auth: &Auth, viewer: &Viewer) -> Result<()> {
    let lacks_it = viewer.member().is_some_and(|member| !member.second_factor);
    if lacks_it && concerns(auth, viewer) { Err(Error::SecondFactorMissing) } else { Ok(()) }
}

/// Whether this person must have a second factor here.
#[must_use]
pub fn concerns(auth: &Auth, viewer: &Viewer) -> bool {
    viewer.member().is_some_and(|member| auth.require_2fa.asks(member))
}
