//! The client's address: the peer's, or the one that a trusted proxy names. It is never stored or logged.

mod hops;
#[cfg(test)]
mod tests;

use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use axum::http::HeaderMap;
use clap::{Args, ValueEnum};
use hmac::{Hmac, Mac as _};
use ipnet::IpNet;
use sha2::Sha256;

use crate::keys::{Keys, mac};
use crate::named::named;

/// The address at the other end of the connection, in the request's extensions.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

named! {
    /// The one header that is believed, from trusted proxies only.
    #[derive(ValueEnum)]
    pub enum ProxyHeader {
        XForwardedFor = "x-forwarded-for",
        /// RFC 7239
        Forwarded = "forwarded",
    }
}

#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Serving")]
pub struct ClientSettings {
    /// Proxies trusted to report the visitor's address: addresses or networks, separated by commas.
    #[arg(long, env = "COFFER_TRUSTED_PROXIES", value_delimiter = ',', value_parser = network)]
    pub trusted_proxies: Vec<IpNet>,

    /// The header in which those proxies report it; they must replace or extend what a visitor sends.
    #[arg(long, env = "COFFER_PROXY_HEADER", default_value = "x-forwarded-for")]
    pub proxy_header: ProxyHeader,
}

#[derive(Clone)]
pub struct ClientIp {
    trusted: Arc<[IpNet]>,
    header: ProxyHeader,
    key: Hmac<Sha256>,
    seen: Arc<Seen>,
}

/// The connections of untrusted peers since the start.
#[derive(Default)]
struct Seen {
    hasher: RandomState,
    /// The first one's hash.
    peer: AtomicU64,
    several: AtomicBool,
    /// A peer sent the header that only proxies should set.
    forwards: AtomicBool,
    /// That peer was in a private network, where proxies are.
    near: AtomicBool,
}

impl ClientIp {
    pub fn new(settings: &ClientSettings, keys: &Keys) -> Self {
        Self {
            trusted: settings.trusted_proxies.as_slice().into(),
            header: settings.proxy_header,
            key: mac(&keys.derive("network")),
            seen: Arc::default(),
        }
    }

    /// The first address from the right that is no trusted proxy's: the client can write all to its left.
    pub fn address(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut last = peer.to_canonical();
        if !self.trusts(last) {
            self.look(last, headers);
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

    /// A keyed hash of IPv4 /32 or IPv6 /64, which is one household's or machine's.
    pub fn network(&self, address: IpAddr) -> [u8; 16] {
        let mut mac = self.key.clone();
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

    pub fn is_trusted(&self, peer: IpAddr) -> bool {
        self.trusts(peer.to_canonical())
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|network| network.contains(&address))
    }

    /// The header of a proxy that the configuration doesn't know, if all clients seem to come through one.
    pub fn unknown_proxy(&self) -> Option<&'static str> {
        let is = |flag: &AtomicBool| flag.load(Ordering::Relaxed);
        let Seen { several, forwards, near, .. } = &*self.seen;
        (is(near) || (is(forwards) && !is(several))).then(|| self.header.as_str())
    }

    /// Logs once that there seems to be a proxy which the configuration doesn't know.
    fn look(&self, peer: IpAddr, headers: &HeaderMap) {
        let Seen { hasher, peer: first, several, forwards, near: warned } = &*self.seen;
        if !several.load(Ordering::Relaxed) {
            let this = hasher.hash_one(peer).max(1);
            let known = first.compare_exchange(0, this, Ordering::Relaxed, Ordering::Relaxed);
            several.store(known.is_err_and(|known| known != this), Ordering::Relaxed);
        }
        if !headers.contains_key(self.header.as_str()) {
            return;
        }
        forwards.store(true, Ordering::Relaxed);
        let near = match peer {
            IpAddr::V4(v4) => v4.is_loopback() || v4.is_private(),
            IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local(),
        };
        if near && !warned.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                event = "unknown_proxy",
                header = self.header.as_str(),
                "requests come through a proxy that COFFER_TRUSTED_PROXIES doesn't list, so all visitors look like one. Add the proxy's address."
            );
        }
    }
}

/// Parses one of `COFFER_TRUSTED_PROXIES`: a network, or a single address.
pub fn network(text: &str) -> Result<IpNet, String> {
    let text = text.trim();
    let single = || text.parse::<IpAddr>().map(|address| IpNet::from(address.to_canonical()));
    text.parse().or_else(|_| single()).map_err(|_| {
        format!("“{text}” is not an address or network. Use for example 127.0.0.1 or 10.0.0.0/8, and separate several with commas")
    })
}
