//! The cookie of a browser that a user has logged in with before. It grants nothing. It keeps wrong passwords that
//! are tried elsewhere from locking users out of their accounts.

use std::time::Duration;

use axum::http::HeaderMap;
use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest as _, Sha256};

use super::cookies::{self, Cookie, Life, Name};
use crate::identity::BrowserId;
use crate::public_url::PublicUrl;
use crate::system::System;

/// As long as browsers keep a cookie.
const LIFE: Duration = Duration::from_hours(400 * 24);

/// The browser that a request comes from, if it brings the cookie. Clients can make one up.
#[must_use]
pub fn browser_id(site: &PublicUrl, headers: &HeaderMap) -> Option<BrowserId> {
    cookies::find(site, headers, Name::Device, |sent| (!sent.is_empty()).then(|| hash(sent)))
}

/// A cookie for a browser that has none.
#[must_use]
pub fn new(system: &System) -> (BrowserId, Cookie<'static>) {
    let secret = BASE64URL_NOPAD.encode(&system.random::<32>());
    (hash(&secret), cookies::new(Name::Device, &secret, Life::For(LIFE)))
}

fn hash(secret: &str) -> BrowserId {
    let digest = Sha256::new().chain_update(b"browser").chain_update(secret.as_bytes()).finalize();
    let mut device = [0; 16];
    device.copy_from_slice(&digest[..16]);
    device
}
