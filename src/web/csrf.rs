//! Cross-site request forgery: every unsafe method must come from our own pages and, when a user is
//! signed in, carry their session's token. Follows the OWASP cheat sheet (Fetch Metadata, then Origin).

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, header};
use data_encoding::BASE64URL_NOPAD;
use hmac::Mac as _;
use subtle::ConstantTimeEq as _;
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::identity::Identity;
use crate::keys::mac;
use crate::public_url::PublicUrl;

/// Makes form tokens: a nonce, and a tag keyed by user, which shows after the session's end whose form it was.
#[derive(Clone)]
pub struct FormKey([u8; 32]);

const NONCE: usize = 16;
const TAG: usize = 8;

impl FormKey {
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    #[must_use]
    pub fn token(&self, nonce: [u8; NONCE], owner: Uuid) -> String {
        BASE64URL_NOPAD
            .encode(&[&nonce[..], &self.hash(&[b"owner", &nonce, owner.as_bytes()])[..TAG]].concat())
    }

    /// The same for every session of one device that is kept signed in.
    #[must_use]
    pub fn token_of_family(&self, family: Uuid, owner: Uuid) -> String {
        let mut nonce = [0; NONCE];
        nonce.copy_from_slice(&self.hash(&[b"family", family.as_bytes()])[..NONCE]);
        self.token(nonce, owner)
    }

    /// Whether a token of any session was made for this user.
    #[must_use]
    pub fn is_of(&self, token: &str, owner: Uuid) -> bool {
        let Ok(bytes) = BASE64URL_NOPAD.decode(token.as_bytes()) else { return false };
        let Some((nonce, tag)) = bytes.split_at_checked(NONCE) else { return false };
        bool::from(self.hash(&[b"owner", nonce, owner.as_bytes()])[..TAG].ct_eq(tag))
    }

    fn hash(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = mac(&self.0);
        for part in parts {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

/// The login forms hold no token, and may be sent after a login in another tab.
const WAYS_IN: [&str; 3] = ["/login", "/login/second-factor", "/register"];
pub const FIELD: &str = "csrf";
pub const HEADER: &str = "x-csrf-token";
/// The one form with a file in it.
const UPLOAD: &str = "/import";

/// For unsafe methods on the page tree; `field` is the form's token. [`super::forms::Upload`] reads an [`UPLOAD`] and
/// checks its token.
pub fn check_page(
    site: &PublicUrl,
    identity: &Identity,
    request: &Request,
    field: Option<&str>,
) -> Result<()> {
    check_origin(site, request)?;
    let is_upload = is_multipart(request) && request.uri().path() == UPLOAD;
    if is_upload { Ok(()) } else { check_token(identity, request, field) }
}

/// For the JSON tree: requests with the session's cookie need the token in a header.
pub fn check_api(site: &PublicUrl, identity: &Identity, request: &Request) -> Result<()> {
    if request.method().is_safe() || identity.viewer.member().is_none() {
        return Ok(());
    }
    check_origin(site, request).and_then(|()| check_token(identity, request, None))
}

/// Fails unless one of our own pages has sent this.
pub fn check_origin(site: &PublicUrl, request: &Request) -> Result<()> {
    let host = site.host_of(request.headers(), request.uri()).unwrap_or_default();
    if is_same_origin(site, request.headers(), host) { Ok(()) } else { Err(Error::CrossSite) }
}

/// A visitor has no session and so no token; a signed-in user must show theirs.
fn check_token(identity: &Identity, request: &Request, field: Option<&str>) -> Result<()> {
    let header = request.headers().get(HEADER).map(HeaderValue::as_bytes);
    let token = header.or(field.map(str::as_bytes));
    let is_visitors = token == Some(b"") && WAYS_IN.contains(&request.uri().path());
    if identity.viewer.member().is_none()
        || is_visitors
        || token.is_some_and(|token| matches(identity, token))
    {
        Ok(())
    } else {
        Err(Error::CrossSite)
    }
}

/// `Sec-Fetch-Site` first: browsers set it and pages can't. Older browsers send `Origin`. With neither it is refused.
fn is_same_origin(site: &PublicUrl, headers: &HeaderMap, host: &str) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    match (text("sec-fetch-site"), text("origin")) {
        (Some(sent), _) => sent == "same-origin",
        (None, Some(origin)) => site.is_own_origin(origin, host),
        (None, None) => false,
    }
}

#[must_use]
pub fn matches(identity: &Identity, token: &[u8]) -> bool {
    !identity.csrf.is_empty() && bool::from(identity.csrf.as_bytes().ct_eq(token))
}

#[must_use]
pub fn is_multipart(request: &Request) -> bool {
    content_type(request.headers()) == "multipart/form-data"
}

/// The media type in lower case, without its parameters.
#[must_use]
pub fn content_type(headers: &HeaderMap) -> String {
    let whole = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    whole.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}
