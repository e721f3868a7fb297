//! Bearer tokens on the JSON tree. Whoever shows one is known by it alone: no session is read.
//!
//! A route takes its viewer as [`Scoped`], which names the scope that a token needs for it. A route that takes a bare
//! [`Viewer`] sees a visitor where a token came, so that a forgotten scope opens nothing.

use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};

use super::deps::WebDeps;
use super::enter::Visit;
use super::required;
use super::sudo::Sudo;
use super::viewer::{self, Identity, Viewer};
use crate::accounts;
use crate::auth::Auth;
use crate::error::{Error, Result};
use crate::telemetry::metrics::Method;
use crate::tokens::format::Prefix;
use crate::tokens::{Limits, Scope};

/// Who showed a token, and what it is good for.
#[derive(Clone)]
struct Bearer {
    viewer: Viewer,
    limits: Limits,
    family: Option<uuid::Uuid>,
}

/// Makes the sender known to the handlers, by the bearer token, or else by the session; whom the session knows.
///
/// # Errors
/// The token is none of ours, or is over.
pub async fn identify(auth: &Auth, visit: &mut Visit, request: &mut Request) -> Result<Identity> {
    if let Some(token) = token_of(request.headers()) {
        let token = std::str::from_utf8(token).map_err(|_| Error::BadToken)?;
        let bearer = known(auth, token).await;
        match &bearer {
            Ok(_) => auth.known.note_token(token),
            Err(Error::BadToken | Error::TokenExpired) => auth.known.forget_token(token),
            // Nothing was found out.
            Err(_) => {}
        }
        let bearer = bearer?;
        required::check(auth, &bearer.viewer)?;
        request.extensions_mut().insert(bearer);
        return Ok(Identity::default());
    }
    let identity = viewer::read(auth, visit, true).await?;
    viewer::introduce(request.extensions_mut(), identity.clone());
    Ok(identity)
}

/// What stands after `Bearer`; another scheme is somebody else's, such as a proxy's.
pub fn token_of(headers: &HeaderMap) -> Option<&[u8]> {
    let mut all = headers.get_all(header::AUTHORIZATION).iter().map(HeaderValue::as_bytes);
    all.find_map(|value| {
        let end = value.iter().position(|byte| *byte == b' ').unwrap_or(value.len());
        let (scheme, token) = value.split_at(end);
        scheme.eq_ignore_ascii_case(b"bearer").then(|| token.trim_ascii())
    })
}

async fn known(auth: &Auth, token: &str) -> Result<Bearer> {
    if !Prefix::Access.fits(token) {
        let known = auth.tokens.known(token).await;
        auth.audit.attempted(Method::ApiToken, known.is_ok());
        let known = known?;
        let limits = Limits { scopes: known.scopes(), until: known.expires_at };
        let viewer = Viewer::Member(Arc::new(known.member));
        return Ok(Bearer { viewer, limits, family: None });
    }
    let access = auth.refresh.access(token).await?.ok_or(Error::BadToken)?;
    if access.expires_at <= auth.deps.system.now() {
        return Err(Error::TokenExpired);
    }
    let viewer = Viewer::Member(Arc::new(access.member));
    let limits = Limits { scopes: access.scopes, until: access.family_until };
    Ok(Bearer { viewer, limits, family: Some(access.family) })
}

/// The sender of a request to the JSON tree; a token that came with it holds the scope `N`.
pub struct Scoped<N> {
    /// The session's; for a token only the viewer, and the family that it belongs to.
    pub identity: Identity,
    /// What the token is good for; `None` for a session, which may do everything.
    pub within: Option<Limits>,
    needs: PhantomData<fn() -> N>,
}

/// What a route needs.
pub trait Needs {
    /// Of a token.
    const SCOPE: Scope;
    /// Whether visitors may ask too.
    const IS_OPEN: bool = false;
}

macro_rules! scopes {
    ($($name:ident),*) => {
        $(
            pub struct $name;

            impl Needs for $name {
                const SCOPE: Scope = Scope::$name;
            }
        )*
    };
}
scopes!(ResourcesWrite, AccountRead, AccountWrite, AdminRead, AdminWrite);

/// To read what the viewer may see, which for visitors is what is public.
pub struct ResourcesRead;

impl Needs for ResourcesRead {
    const SCOPE: Scope = Scope::ResourcesRead;
    const IS_OPEN: bool = true;
}

/// To read what is the viewer's own.
pub struct OwnResourcesRead;

impl Needs for OwnResourcesRead {
    const SCOPE: Scope = Scope::ResourcesRead;
}

impl<N> Deref for Scoped<N> {
    type Target = Viewer;

    fn deref(&self) -> &Viewer {
        &self.identity.viewer
    }
}

impl<N: Needs, S: Sync> FromRequestParts<S> for Scoped<N> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let asks = Self::of(parts)?;
        if !N::IS_OPEN {
            asks.signed_in()?;
        }
        if N::SCOPE.is_admins() {
            accounts::require_admin(&asks)?;
        }
        Ok(asks)
    }
}

impl<N: Needs> Scoped<N> {
    fn of(parts: &Parts) -> Result<Self> {
        let Some(bearer) = parts.extensions.get::<Bearer>().cloned() else {
            let identity = parts.extensions.get::<Identity>().cloned().unwrap_or_default();
            return Ok(Self { identity, within: None, needs: PhantomData });
        };
        if !bearer.limits.scopes.contains(&N::SCOPE) {
            return Err(Error::InsufficientScope(N::SCOPE));
        }
        let identity = Identity { viewer: bearer.viewer, family: bearer.family, ..Identity::default() };
        Ok(Self { identity, within: Some(bearer.limits), needs: PhantomData })
    }
}

/// The same for what reaches far: a session must be in sudo mode; a token was made in it, for this.
pub struct SudoScoped<N>(Scoped<N>);

impl<N> Deref for SudoScoped<N> {
    type Target = Scoped<N>;

    fn deref(&self) -> &Scoped<N> {
        &self.0
    }
}

impl<N: Needs, S> FromRequestParts<S> for SudoScoped<N>
where
    Arc<WebDeps>: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let asks = Scoped::from_request_parts(parts, state).await?;
        if asks.within.is_none() {
            Sudo::from_request_parts(parts, state).await?;
        }
        Ok(Self(asks))
    }
}
