//! The cookie of a browser that somebody has logged in with before. It opens nothing: it is how wrong passwords that
//! are tried elsewhere keep nobody out of their own account.

use std::time::Duration;

use axum::http::HeaderMap;
use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest as _, Sha256};

use super::cookies::{self, Cookie, Life, Name};
use super::site::Site;
use crate::context::Context;

/// As long as browsers keep a cookie.
const LIFE: Duration = Duration::from_hours(400 * 24);

/// What is kept of a browser: half the hash of its cookie.
pub type Device = [u8; 16];

/// The browser that a request comes from, if it brings the cookie. Anybody may make one up.
#[must_use]
pub fn of(site: &Site, headers: &HeaderMap) -> Option<Device> {
    cookies::find(site, headers, Name::Device, |sent| (!sent.is_empty()).then(|| hash(sent)))
}

/// A cookie for a browser that has none.
#[must_use]
pub fn new(system: &Context) -> (Device, Cookie<'static>) {
    let secret = BASE64URL_NOPAD.encode(&system.random::<32>());
    (hash(&secret), cookies::new(Name::Device, &secret, Life::For(LIFE)))
}

fn hash(secret: &str) -> Device {
    let digest = Sha256::new().chain_update(b"browser").chain_update(secret.as_bytes()).finalize();
    let mut device = [0; 16];
    device.copy_from_slice(&digest[..16]);
    device
}
