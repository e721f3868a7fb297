//! Cross-site request forgery: every unsafe method must come from our own pages and, when somebody is
//! signed in, carry their session's token. Follows the OWASP cheat sheet (Fetch Metadata, then Origin).

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use data_encoding::BASE64URL_NOPAD;
use futures_util::future::BoxFuture;
use hmac::Mac as _;
use subtle::ConstantTimeEq as _;
use tower_sessions::Session;
use uuid::Uuid;

use super::body;
use super::faces::{Kept, TriedLogin};
use super::forms::{FORM_LIMIT, pairs};
use super::log::Cause;
use super::origin::Origin;
use super::sudo::{Given, HeldUp};
use super::unsent::{SignIn, Unsent};
use super::viewer::Identity;
use crate::app::App;
use crate::error::{Error, Result};
use crate::keys::mac;

/// Makes form tokens: a nonce, and a keyed tag of the person that says whose form it was when the session is over.
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

    /// Whether a token, of whichever session, was made for this person.
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

/// The forms by which one gets in hold no token. One that was opened before somebody got in by another tab still
/// holds none, and may be sent.
const WAYS_IN: [&str; 3] = ["/login", "/login/second-factor", "/register"];
pub const FIELD: &str = "csrf";
pub const HEADER: &str = "x-csrf-token";
/// The one form with a file in it.
const UPLOAD: &str = "/import";

/// For unsafe methods on the page tree: own origin, and the token in a header or a form field. What was typed into a
/// form that ends in an error page is given back there, whatever the error.
///
/// An [`UPLOAD`] is checked for its token by [`super::forms::Upload`], which reads the body.
///
/// In a box, as most requests need none of it.
pub fn guard_pages<'a>(
    app: &'a App,
    (session, identity): (&'a Session, &'a Identity),
    request: Request,
    next: Next,
) -> BoxFuture<'a, Response> {
    Box::pin(guarded(app, (session, identity), request, next))
}

async fn guarded(
    app: &App,
    (session, identity): (&Session, &Identity),
    request: Request,
    next: Next,
) -> Response {
    if content_type(request.headers()) == "multipart/form-data" {
        let checked = check_origin(app, &request).and_then(|()| {
            if request.uri().path() == UPLOAD { Ok(()) } else { check_token(identity, &request, None) }
        });
        return match checked {
            Ok(()) => next.run(request).await,
            Err(error) => error.into_response(),
        };
    }
    let (parts, unread) = request.into_parts();
    let read = body::read(unread, FORM_LIMIT).await.and_then(|bytes| Ok((pairs(&bytes)?, bytes)));
    let (mut sent, bytes) = match read {
        Ok(read) => read,
        Err(error) => return error.into_response(),
    };
    let answer = SignIn::take(&mut sent);
    let mut request = Request::from_parts(parts, Body::from(bytes));
    if let Some(given) = Given::of(&sent) {
        request.extensions_mut().insert(given);
    }
    let unsent = Unsent::of(&request, &sent);
    if let (Some(answer), Ok(())) = (&answer, check_origin(app, &request)) {
        let origin = Origin::of(app, request.headers(), request.extensions());
        let carried =
            unsent.clone().carry_out(app, (session, identity, &origin), answer, (request, next)).await;
        return keep(carried.unwrap_or_else(IntoResponse::into_response), app, &unsent, sent);
    }
    let field = sent.iter().find(|(name, _)| name == FIELD).map(|(_, value)| value.as_str());
    let response = match check_origin(app, &request).and_then(|()| check_token(identity, &request, field)) {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    };
    keep(response, app, &unsent, sent)
}

/// What was typed stays with the error that it ended in.
fn keep(mut response: Response, app: &App, unsent: &Unsent, sent: Vec<(String, String)>) -> Response {
    let Some(Cause(error)) = response.extensions().get::<Cause>() else { return response };
    match **error {
        Error::SudoRequired | Error::SudoRefused => {
            response.extensions_mut().insert(HeldUp::of(sent));
            return response;
        }
        Error::SignInRequired if unsent.can_wait() => return unsent.ask(app, None),
        Error::TooManyRequests(_) if unsent.can_wait() => {
            response.extensions_mut().insert(unsent.clone());
        }
        _ => {}
    }
    if let Some(tried) = TriedLogin::of(&sent) {
        response.extensions_mut().insert(tried);
    }
    response.extensions_mut().insert(Kept::of(sent));
    response
}

/// The answer to a request that gets no further, with what was typed into its form. In a box, as it is rare.
#[must_use]
pub fn give_back(app: &App, error: Error, request: Request) -> BoxFuture<'_, Response> {
    Box::pin(given_back(app, error, request))
}

async fn given_back(app: &App, error: Error, request: Request) -> Response {
    let response = error.into_response();
    if content_type(request.headers()) != "application/x-www-form-urlencoded" {
        return response;
    }
    let is_ours = check_origin(app, &request);
    let (parts, unread) = request.into_parts();
    let read = body::read(unread, FORM_LIMIT).await.and_then(|bytes| pairs(&bytes));
    let (Ok(()), Ok(sent)) = (is_ours, read) else { return response };
    let unsent = Unsent::of(&Request::from_parts(parts, Body::empty()), &sent);
    keep(response, app, &unsent, sent)
}

/// For the JSON tree: the same for requests that the cookie signs in; the token comes in a header.
///
/// # Errors
/// [`Error::CrossSite`]
pub fn check_api(app: &App, identity: &Identity, request: &Request) -> Result<()> {
    if request.method().is_safe() || identity.viewer.member().is_none() {
        return Ok(());
    }
    check_origin(app, request).and_then(|()| check_token(identity, request, None))
}

fn check_origin(app: &App, request: &Request) -> Result<()> {
    let host = app.site.host_of(request.headers(), request.uri()).unwrap_or_default();
    if is_same_origin(app, request.headers(), host) { Ok(()) } else { Err(Error::CrossSite) }
}

/// A visitor has no session and so no token; whoever is signed in must show theirs.
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

/// `Sec-Fetch-Site` first: browsers set it and pages can't. Older browsers send `Origin`; neither is a refusal.
fn is_same_origin(app: &App, headers: &HeaderMap, host: &str) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    match (text("sec-fetch-site"), text("origin")) {
        (Some(site), _) => site == "same-origin",
        (None, Some(origin)) => app.site.is_own_origin(origin, host),
        (None, None) => false,
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
