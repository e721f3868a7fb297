//! Sudo mode: what reaches far (tokens, factors, export, administration) asks for the password again, at most every ten
//! minutes.
//!
//! A handler takes [`Sudo`] before the body. Without sudo mode a page redirects to `/sudo` and back. A form waits in the
//! same [prompt](super::prompt), and must not use htmx, which shows no refusal.

use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use futures_util::future::BoxFuture;

use super::deps::WebDeps;
use crate::error::{Error, Result};
use crate::identity::RequestMeta;

/// Proof that the user has given their password in the last ten minutes.
pub struct Sudo(());

impl<S> FromRequestParts<S> for Sudo
where
    Arc<WebDeps>: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let deps = Arc::<WebDeps>::from_ref(state);
        let origin = RequestMeta::new(&deps, &parts.headers, &parts.extensions);
        deps.sudo.check(parts, origin).await.map(|()| Self(()))
    }
}

/// Decides whether a request is in sudo mode, or brings the password that begins it.
pub trait CheckSudo: Send + Sync {
    fn check<'a>(&'a self, parts: &'a Parts, origin: RequestMeta) -> BoxFuture<'a, Result<()>>;
}
