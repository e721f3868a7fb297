//! Where a request came from, as far as it is kept: no address, only a keyed hash of the network.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::log::RequestId;

/// What audit events and device lists know of a request; the command line's is the default.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    pub request_id: String,
    /// Keyed hash of the client's network (IPv4 /32, IPv6 /64).
    pub network: Option<[u8; 16]>,
    /// Browser and system families, such as `Firefox on Linux`.
    pub browser: String,
}

impl<S: Sync> FromRequestParts<S> for Origin {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let request_id = parts.extensions.get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default();
        Ok(Self { request_id, ..Self::default() })
    }
}
