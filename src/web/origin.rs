//! Where a request came from. What is kept of it knows no address, only a keyed hash of the network.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap};

use super::client::Address;
use super::deps::WebDeps;
use super::device::Device;
use super::log::RequestId;
use super::{browser, device};

/// What audit events and device lists know of a request; the command line's is the default.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    pub request_id: String,
    /// Keyed hash of the client's network (IPv4 /32, IPv6 /64).
    pub network: Option<[u8; 16]>,
    /// Browser and system families, such as `Firefox on Linux`.
    pub browser: String,
    /// A browser that has brought its cookie.
    pub device: Option<Device>,
    /// For the limits.
    pub address: Address,
}

impl Origin {
    #[must_use]
    pub fn new(deps: &WebDeps, headers: &HeaderMap, extensions: &Extensions) -> Self {
        Self {
            request_id: extensions.get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default(),
            network: extensions.get::<Address>().map(|address| deps.client_ip.network(address.0)),
            browser: browser::family(headers),
            device: device::of(&deps.public_url, headers),
            address: extensions.get().copied().unwrap_or_default(),
        }
    }
}

impl<S> FromRequestParts<S> for Origin
where
    Arc<WebDeps>: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        Ok(Self::new(&Arc::<WebDeps>::from_ref(state), &parts.headers, &parts.extensions))
    }
}
