//! Where a request came from, as far as it is kept: no address, only a keyed hash of the network.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::browser;
use super::client::Peer;
use super::log::RequestId;
use crate::app::App;

/// What audit events and device lists know of a request; the command line's is the default.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    pub request_id: String,
    /// Keyed hash of the client's network (IPv4 /32, IPv6 /64).
    pub network: Option<[u8; 16]>,
    /// Browser and system families, such as `Firefox on Linux`.
    pub browser: String,
}

impl Origin {
    #[must_use]
    pub fn of(parts: &Parts, app: &App) -> Self {
        let peer = parts.extensions.get::<Peer>();
        let address = peer.map(|peer| app.clients.address(peer.0, &parts.headers));
        Self {
            request_id: parts.extensions.get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default(),
            network: address.map(|address| app.clients.network(address)),
            browser: browser::family(&parts.headers),
        }
    }
}

impl FromRequestParts<App> for Origin {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        Ok(Self::of(parts, app))
    }
}
