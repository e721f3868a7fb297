//! Which network a request came from: the peer, or whom a trusted proxy names. No address is kept or logged.

mod hops;
#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::http::HeaderMap;
use clap::ValueEnum;
use hmac::Mac as _;
use ipnet::IpNet;

use crate::config::Config;
use crate::keys::{Keys, mac};

/// The address at the other end of the connection, in the request's extensions.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

/// The one header that is believed, from trusted proxies only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ProxyHeader {
    XForwardedFor,
    /// RFC 7239
    Forwarded,
}

impl ProxyHeader {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::XForwardedFor => "x-forwarded-for",
            Self::Forwarded => "forwarded",
        }
    }
}

pub struct Clients {
    trusted: Vec<IpNet>,
    header: ProxyHeader,
    key: [u8; 32],
    warned: AtomicBool,
}

impl Clients {
    #[must_use]
    pub fn new(config: &Config, keys: &Keys) -> Self {
        Self {
            trusted: config.trusted_proxies.clone(),
            header: config.proxy_header,
            key: keys.derive("network"),
            warned: AtomicBool::new(false),
        }
    }

    /// The first address from the right that no trusted proxy has: whatever stands left of it, the client wrote.
    #[must_use]
    pub fn address(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut last = peer.to_canonical();
        if !self.trusts(last) {
            self.warn_of_proxy(last, headers);
            return last;
        }
        for hop in hops::from_right(self.header, headers) {
            let Some(address) = hop else { break };
            last = address;
            if !self.trusts(last) {
                break;
            }
        }
        last
    }

    /// A keyed hash of the address' network: IPv4 /32, IPv6 /64, which is one household's or machine's.
    #[must_use]
    pub fn network(&self, address: IpAddr) -> [u8; 16] {
        let mut mac = mac(&self.key);
        match address.to_canonical() {
            IpAddr::V4(v4) => {
                mac.update(&[4]);
                mac.update(&v4.octets());
            }
            IpAddr::V6(v6) => {
                mac.update(&[6]);
                mac.update(&v6.octets()[..8]);
            }
        }
        let mut hash = [0; 16];
        hash.copy_from_slice(&mac.finalize().into_bytes()[..16]);
        hash
    }

    /// Whether this peer is believed when it tells of others.
    #[must_use]
    pub fn is_trusted(&self, peer: IpAddr) -> bool {
        self.trusts(peer.to_canonical())
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|network| network.contains(&address))
    }

    /// Says once that there seems to be a proxy which the configuration doesn't know.
    fn warn_of_proxy(&self, peer: IpAddr, headers: &HeaderMap) {
        let near = match peer {
            IpAddr::V4(v4) => v4.is_loopback() || v4.is_private(),
            IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local(),
        };
        if near && headers.contains_key(self.header.name()) && !self.warned.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                event = "unknown_proxy",
                header = self.header.name(),
                "requests come through a proxy that COFFER_TRUSTED_PROXIES doesn't list, so all visitors look like one. Add the proxy's address."
            );
        }
    }
}

/// One of `COFFER_TRUSTED_PROXIES`: a network, or a single address.
///
/// # Errors
/// A sentence with an example.
pub fn network(text: &str) -> Result<IpNet, String> {
    let text = text.trim();
    let single = || text.parse::<IpAddr>().map(|address| IpNet::from(address.to_canonical()));
    text.parse().or_else(|_| single()).map_err(|_| {
        format!("“{text}” is no address or network. Give such as 127.0.0.1 or 10.0.0.0/8, with commas between several")
    })
}
