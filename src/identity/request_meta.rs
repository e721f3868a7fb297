//! Where a request came from. It is stored without the address, with a keyed hash of the network.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

/// A visitor's address, for the time of one request: nothing keeps or prints it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Address(pub IpAddr);

impl Default for Address {
    /// All connections without an address share it.
    fn default() -> Self {
        Self(Ipv4Addr::UNSPECIFIED.into())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address")
    }
}

/// Half the hash of a browser's cookie.
pub type BrowserId = [u8; 16];

/// What audit events and device lists know of a request; the command line's is the default.
#[derive(Clone, Debug, Default)]
pub struct RequestMeta {
    pub request_id: String,
    /// Keyed hash of the client's network (IPv4 /32, IPv6 /64).
    pub network: Option<[u8; 16]>,
    /// Browser and system families, such as `Firefox on Linux`.
    pub browser: String,
    /// `None` if the browser has brought no cookie.
    pub device: Option<BrowserId>,
    /// For the limits.
    pub address: Address,
}
