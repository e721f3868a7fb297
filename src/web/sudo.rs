//! Stands in until sudo mode is merged.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::app::App;
use crate::error::Error;

pub struct Sudo(());

impl FromRequestParts<App> for Sudo {
    type Rejection = Error;

    async fn from_request_parts(_: &mut Parts, _: &App) -> Result<Self, Error> {
        Ok(Self(()))
    }
}
