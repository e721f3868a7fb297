//! What only an admin in sudo mode may do: to everybody else the address doesn't exist.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::sudo::Sudo;
use super::viewer::Identity;
use crate::accounts;
use crate::app::App;
use crate::error::{Error, Result};

/// Proof that an admin asks, who has given their password in the last ten minutes. Handlers take it first.
pub struct AdminSudo(());

impl FromRequestParts<App> for AdminSudo {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let Ok(identity) = Identity::from_request_parts(parts, app).await;
        accounts::require_admin(&identity.viewer)?;
        Sudo::from_request_parts(parts, app).await?;
        Ok(Self(()))
    }
}
