//! What only an admin in sudo mode may do: to others the address doesn't exist.

use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;

use super::deps::WebDeps;
use super::sudo::Sudo;
use crate::error::{Error, Result};
use crate::identity::Identity;

/// Proof that the viewer is an admin in sudo mode. Handlers take it first.
pub struct AdminSudo(());

impl<S> FromRequestParts<S> for AdminSudo
where
    Arc<WebDeps>: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let Ok(identity) = Identity::from_request_parts(parts, state).await;
        identity.viewer.require_admin()?;
        Sudo::from_request_parts(parts, state).await?;
        Ok(Self(()))
    }
}
