//! Where a second factor is required, a member without one reaches only the page that sets it up and the log-out.

use crate::auth::Auth;
use crate::error::{Error, Result};
use crate::identity::Viewer;

pub const SETUP: &str = "/settings/security/totp";
const OPEN: [&str; 3] = [SETUP, "/sudo", "/logout"];

/// [`Error::SecondFactorMissing`] unless `path` may be opened without a second factor.
pub fn check_page(auth: &Auth, viewer: &Viewer, path: &str) -> Result<()> {
    if OPEN.contains(&path) { Ok(()) } else { check(auth, viewer) }
}

pub fn check(auth: &Auth, viewer: &Viewer) -> Result<()> {
    let lacks_it = viewer.member().is_some_and(|member| !member.second_factor);
    if lacks_it && concerns(auth, viewer) { Err(Error::SecondFactorMissing) } else { Ok(()) }
}

/// Whether this member must have a second factor.
#[must_use]
pub fn concerns(auth: &Auth, viewer: &Viewer) -> bool {
    viewer.member().is_some_and(|member| auth.require_2fa.asks(member))
}
