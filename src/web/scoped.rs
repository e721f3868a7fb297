//! Who asks of the JSON tree, and what a bearer token lets them do.
//!
//! A route takes its viewer as [`Scoped`], which names the scope that a token needs. A route that takes a bare
//! [`Viewer`] sees a visitor instead of a token's user, so that a forgotten scope opens nothing.

use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};

use super::deps::WebDeps;
use super::sudo::Sudo;
use crate::error::{Error, Result};
use crate::identity::{Identity, Scope, TokenLimits, Viewer};

/// A token's user, and its limits.
#[derive(Clone)]
pub struct Bearer {
    pub viewer: Viewer,
    pub limits: TokenLimits,
    pub family: Option<uuid::Uuid>,
}

/// What stands after `Bearer`; another scheme is not for coffer but for a proxy, say.
pub fn token_of(headers: &HeaderMap) -> Option<&[u8]> {
    let mut all = headers.get_all(header::AUTHORIZATION).iter().map(HeaderValue::as_bytes);
    all.find_map(|value| {
        let end = value.iter().position(|byte| *byte == b' ').unwrap_or(value.len());
        let (scheme, token) = value.split_at(end);
        scheme.eq_ignore_ascii_case(b"bearer").then(|| token.trim_ascii())
    })
}

/// The sender of a request to the JSON tree; a token that came with it holds the scope `N`.
pub struct Scoped<N> {
    /// The session's; for a token only the viewer, and the family that it belongs to.
    pub identity: Identity,
    /// What the token is good for; `None` for a session, which may do everything.
    pub within: Option<TokenLimits>,
    needs: PhantomData<fn() -> N>,
}

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
        let asks = Self::from_parts(parts)?;
        if !N::IS_OPEN {
            asks.signed_in()?;
        }
        if N::SCOPE.is_admins() {
            asks.require_admin()?;
        }
        Ok(asks)
    }
}

impl<N: Needs> Scoped<N> {
    fn from_parts(parts: &Parts) -> Result<Self> {
        let Some(bearer) = parts.extensions.get::<Bearer>().cloned() else {
            let identity = parts.extensions.get::<Identity>().cloned().unwrap_or_default();
            return Ok(Self { identity, within: None, needs: PhantomData });
        };
        if !bearer.limits.scopes.contains(&N::SCOPE) {
            return Err(Error::InsufficientScope(N::SCOPE.as_str()));
        }
        let identity = Identity { viewer: bearer.viewer, family: bearer.family, ..Identity::default() };
        Ok(Self { identity, within: Some(bearer.limits), needs: PhantomData })
    }
}

/// For what reaches far: a session must be in sudo mode, and a token was made in it.
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
