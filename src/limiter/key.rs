//! A client's key: a keyed hash that changes every day. No address or name is stored.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use data_encoding::HEXLOWER;
use hmac::{Hmac, Mac as _};
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::gcra::Micros;
use super::table::CellKey;
use crate::keys::{Keys, mac};
use crate::timestamp::Timestamp;

const DAY: Micros = 24 * 3600 * 1_000_000;

/// The first half of an HMAC-SHA-256 under the day's key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClientId(pub [u8; 16]);

impl ClientId {
    /// Twelve hexadecimal digits, which is all that logs and pages show.
    pub fn short(self) -> String {
        HEXLOWER.encode(&self.0[..6])
    }

    pub fn hex(self) -> String {
        HEXLOWER.encode(&self.0)
    }

    pub fn parse(hex: &str) -> Option<Self> {
        Some(Self(HEXLOWER.decode(hex.as_bytes()).ok()?.try_into().ok()?))
    }

    /// The cell of this client and `policy` (any small number). A client's policies share a set.
    pub fn cell_key(self, policy: u8) -> CellKey {
        let half = |at: usize| u64::from_le_bytes(std::array::from_fn(|i| self.0[at + i]));
        CellKey { set: half(0), tag: half(8) ^ u64::from(policy).wrapping_mul(0x9e37_79b9_7f4a_7c15) }
    }
}

impl From<ClientId> for String {
    fn from(id: ClientId) -> Self {
        id.hex()
    }
}

impl TryFrom<String> for ClientId {
    type Error = &'static str;

    fn try_from(hex: String) -> Result<Self, Self::Error> {
        Self::parse(&hex).ok_or("no client")
    }
}

impl fmt::Debug for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.short())
    }
}

/// A client's id of today and, for a while after midnight, of yesterday.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct ClientKey {
    pub today: ClientId,
    pub yesterday: Option<ClientId>,
    /// One of 4096 hash slots in a Redis Cluster, else 0: the same every day, but too coarse for an id.
    pub slot: u16,
}

impl ClientKey {
    pub fn ids(self) -> impl Iterator<Item = ClientId> {
        std::iter::once(self.today).chain(self.yesterday)
    }
}

pub struct Keyring {
    master: [u8; 32],
    /// Only for a Redis Cluster.
    slots: Option<Hmac<Sha256>>,
    overlap: Micros,
    day: RwLock<Arc<Day>>,
}

struct Day {
    number: Micros,
    today: Hmac<Sha256>,
    yesterday: Hmac<Sha256>,
}

impl Keyring {
    /// `overlap`: how long the limits can remember a client.
    pub fn new(keys: &Keys, overlap: Micros, clustered: bool) -> Self {
        Self::from_master(&keys.derive("limiter"), overlap, clustered)
    }

    pub(super) fn from_master(master: &[u8; 32], overlap: Micros, clustered: bool) -> Self {
        let day = RwLock::new(Arc::new(Day::new(master, 0)));
        // No day has this number.
        let slots = clustered.then(|| Day::new(master, Micros::MAX).today);
        Self { master: *master, slots, overlap: overlap.min(DAY), day }
    }

    /// For the log, the same as on the page of blocked clients. Only of today: every request logs one.
    pub fn name(&self, address: IpAddr, now: Timestamp) -> String {
        let day = self.day(now);
        let id = match address.to_canonical() {
            IpAddr::V4(v4) => hash(&day.today, b"ip", &[b"4", &v4.octets()]),
            IpAddr::V6(v6) => hash(&day.today, b"ip", &[b"6", &v6.octets()[..8]]),
        };
        id.short()
    }

    /// One machine or household: IPv4 /32, IPv6 /64.
    pub fn address(&self, address: IpAddr, now: Timestamp) -> ClientKey {
        match address.to_canonical() {
            IpAddr::V4(v4) => self.key(b"ip", &[b"4", &v4.octets()], &v4.octets(), now),
            IpAddr::V6(v6) => self.key(b"ip", &[b"6", &v6.octets()[..8]], &v6.octets()[..6], now),
        }
    }

    /// One customer of a provider, who may rotate through many /64: IPv6 /48.
    pub fn network(&self, address: IpAddr, now: Timestamp) -> Option<ClientKey> {
        let IpAddr::V6(v6) = address.to_canonical() else { return None };
        let prefix = &v6.octets()[..6];
        Some(self.key(b"net", &[b"6", prefix], prefix, now))
    }

    /// The name typed at log-in, normalised by the caller, whether or not an account has it.
    pub fn account(&self, name: &str, now: Timestamp) -> ClientKey {
        self.key(b"account", &[name.as_bytes()], name.as_bytes(), now)
    }

    /// A user who is logged in or has given the password.
    pub fn member(&self, id: &[u8], now: Timestamp) -> ClientKey {
        self.key(b"member", &[id], id, now)
    }

    pub fn email(&self, address: &str, now: Timestamp) -> ClientKey {
        self.key(b"email", &[address.as_bytes()], address.as_bytes(), now)
    }

    pub fn token(&self, id: &[u8], now: Timestamp) -> ClientKey {
        self.key(b"token", &[id], id, now)
    }

    pub fn session(&self, id: &[u8], now: Timestamp) -> ClientKey {
        self.key(b"session", &[id], id, now)
    }

    /// A browser that has signed in to this account before.
    pub fn device(&self, device: &[u8], account: &str, now: Timestamp) -> ClientKey {
        let length = [u8::try_from(device.len()).unwrap_or(u8::MAX)];
        self.key(b"device", &[&length, device, account.as_bytes()], device, now)
    }

    /// Two clients together, in the hash slot of the first.
    pub fn pair(&self, one: ClientKey, other: ClientKey, now: Timestamp) -> ClientKey {
        let day = self.day(now);
        let join =
            |mac: &Hmac<Sha256>, one: ClientId, other: ClientId| hash(mac, b"pair", &[&one.0, &other.0]);
        ClientKey {
            today: join(&day.today, one.today, other.today),
            yesterday: one
                .yesterday
                .zip(other.yesterday)
                .map(|(one, other)| join(&day.yesterday, one, other)),
            slot: one.slot,
        }
    }

    fn key(&self, domain: &[u8], parts: &[&[u8]], slot: &[u8], now: Timestamp) -> ClientKey {
        let day = self.day(now);
        let overlaps = micros(now) % DAY < self.overlap;
        let slot = self.slots.as_ref().map_or([0; 2], |slots| {
            let id = hash(slots, domain, &[slot]);
            [id.0[0], id.0[1]]
        });
        ClientKey {
            today: hash(&day.today, domain, parts),
            yesterday: overlaps.then(|| hash(&day.yesterday, domain, parts)),
            slot: u16::from_le_bytes(slot) >> 4,
        }
    }

    fn day(&self, now: Timestamp) -> Arc<Day> {
        let number = micros(now) / DAY;
        let known = self.day.read().clone();
        if known.number == number {
            return known;
        }
        let day = Arc::new(Day::new(&self.master, number));
        *self.day.write() = day.clone();
        day
    }
}

impl Day {
    fn new(master: &[u8; 32], number: Micros) -> Self {
        let key = |number: Micros| {
            let mut key = mac(master);
            key.update(&number.to_be_bytes());
            mac(&key.finalize().into_bytes().into())
        };
        Self { number, today: key(number), yesterday: key(number.wrapping_sub(1)) }
    }
}

/// Unambiguous: the domain's length comes first, and a part of variable length last.
fn hash(mac: &Hmac<Sha256>, domain: &[u8], parts: &[&[u8]]) -> ClientId {
    let mut mac = mac.clone();
    mac.update(&[u8::try_from(domain.len()).unwrap_or(u8::MAX)]);
    mac.update(domain);
    for part in parts {
        mac.update(part);
    }
    let mut id = [0; 16];
    id.copy_from_slice(&mac.finalize().into_bytes()[..16]);
    ClientId(id)
}

pub fn micros(now: Timestamp) -> Micros {
    u64::try_from(now.micros()).unwrap_or(0)
}
