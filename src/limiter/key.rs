//! Who a client is to the limiter: a keyed hash that changes every day. No address or name is kept anywhere.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use data_encoding::HEXLOWER;
use hmac::{Hmac, Mac as _};
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::gcra::Micros;
use super::table::Place;
use crate::db::Timestamp;
use crate::keys::{Keys, mac};

const DAY: Micros = 24 * 3600 * 1_000_000;

/// HMAC-SHA-256 under the day's key, halved.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Id(pub [u8; 16]);

impl Id {
    /// Twelve hex digits, which is all that logs and pages show.
    #[must_use]
    pub fn short(self) -> String {
        HEXLOWER.encode(&self.0[..6])
    }

    #[must_use]
    pub fn hex(self) -> String {
        HEXLOWER.encode(&self.0)
    }

    #[must_use]
    pub fn parse(hex: &str) -> Option<Self> {
        Some(Self(HEXLOWER.decode(hex.as_bytes()).ok()?.try_into().ok()?))
    }

    /// Where `policy` (any small number) remembers this client; one client's policies share a set.
    #[must_use]
    pub fn place(self, policy: u8) -> Place {
        let half = |at: usize| u64::from_le_bytes(std::array::from_fn(|i| self.0[at + i]));
        Place { set: half(0), tag: half(8) ^ u64::from(policy).wrapping_mul(0x9e37_79b9_7f4a_7c15) }
    }
}

impl From<Id> for String {
    fn from(id: Id) -> Self {
        id.hex()
    }
}

impl TryFrom<String> for Id {
    type Error = &'static str;

    fn try_from(hex: String) -> Result<Self, Self::Error> {
        Self::parse(&hex).ok_or("no client")
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.short())
    }
}

/// A client on this day and, for a while after midnight, as it was called the day before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Key {
    pub today: Id,
    pub yesterday: Option<Id>,
    /// One of 4096 places in a Redis Cluster, else 0: too few to tell clients apart, the same every day.
    pub slot: u16,
}

impl Key {
    pub fn ids(self) -> impl Iterator<Item = Id> {
        std::iter::once(self.today).chain(self.yesterday)
    }
}

/// Makes clients' keys.
pub struct Keyring {
    master: [u8; 32],
    /// For a Redis Cluster alone.
    slots: Option<Hmac<Sha256>>,
    /// How long after midnight yesterday's names are still read.
    overlap: Micros,
    day: RwLock<Arc<Day>>,
}

struct Day {
    number: Micros,
    today: Hmac<Sha256>,
    yesterday: Hmac<Sha256>,
}

impl Keyring {
    /// `overlap` is how long a client can be remembered: as long yesterday's names are read too.
    #[must_use]
    pub fn new(keys: &Keys, overlap: Micros, clustered: bool) -> Self {
        Self::of(&keys.derive("limiter"), overlap, clustered)
    }

    pub(super) fn of(master: &[u8; 32], overlap: Micros, clustered: bool) -> Self {
        let day = RwLock::new(Arc::new(Day::of(master, 0)));
        // No day has this number.
        let slots = clustered.then(|| Day::of(master, Micros::MAX).today);
        Self { master: *master, slots, overlap: overlap.min(DAY), day }
    }

    /// What the log calls whoever is at this address, which is what pages call them that the limits by address hold
    /// back. It knows today's name alone, since lines are written for every request.
    #[must_use]
    pub fn name(&self, address: IpAddr, now: Timestamp) -> String {
        let day = self.day(now);
        let id = match address.to_canonical() {
            IpAddr::V4(v4) => hash(&day.today, b"ip", &[b"4", &v4.octets()]),
            IpAddr::V6(v6) => hash(&day.today, b"ip", &[b"6", &v6.octets()[..8]]),
        };
        id.short()
    }

    /// One machine or household: IPv4 /32, IPv6 /64.
    #[must_use]
    pub fn address(&self, address: IpAddr, now: Timestamp) -> Key {
        match address.to_canonical() {
            IpAddr::V4(v4) => self.key(b"ip", &[b"4", &v4.octets()], &v4.octets(), now),
            IpAddr::V6(v6) => self.key(b"ip", &[b"6", &v6.octets()[..8]], &v6.octets()[..6], now),
        }
    }

    /// One customer of a provider, who may rotate through many /64: IPv6 /48.
    #[must_use]
    pub fn network(&self, address: IpAddr, now: Timestamp) -> Option<Key> {
        let IpAddr::V6(v6) = address.to_canonical() else { return None };
        let prefix = &v6.octets()[..6];
        Some(self.key(b"net", &[b"6", prefix], prefix, now))
    }

    /// A name somebody logs in with, normalised by the caller, whether or not it exists.
    #[must_use]
    pub fn account(&self, name: &str, now: Timestamp) -> Key {
        self.key(b"account", &[name.as_bytes()], name.as_bytes(), now)
    }

    /// Somebody who has logged in, or has given the password.
    #[must_use]
    pub fn member(&self, id: &[u8], now: Timestamp) -> Key {
        self.key(b"member", &[id], id, now)
    }

    #[must_use]
    pub fn email(&self, address: &str, now: Timestamp) -> Key {
        self.key(b"email", &[address.as_bytes()], address.as_bytes(), now)
    }

    #[must_use]
    pub fn token(&self, id: &[u8], now: Timestamp) -> Key {
        self.key(b"token", &[id], id, now)
    }

    #[must_use]
    pub fn session(&self, id: &[u8], now: Timestamp) -> Key {
        self.key(b"session", &[id], id, now)
    }

    /// A browser that has signed in to this account before.
    #[must_use]
    pub fn device(&self, device: &[u8], account: &str, now: Timestamp) -> Key {
        let length = [u8::try_from(device.len()).unwrap_or(u8::MAX)];
        self.key(b"device", &[&length, device, account.as_bytes()], device, now)
    }

    /// Two clients together; it lives beside the first.
    #[must_use]
    pub fn pair(&self, one: Key, other: Key, now: Timestamp) -> Key {
        let day = self.day(now);
        let join = |mac: &Hmac<Sha256>, one: Id, other: Id| hash(mac, b"pair", &[&one.0, &other.0]);
        Key {
            today: join(&day.today, one.today, other.today),
            yesterday: one
                .yesterday
                .zip(other.yesterday)
                .map(|(one, other)| join(&day.yesterday, one, other)),
            slot: one.slot,
        }
    }

    fn key(&self, domain: &[u8], parts: &[&[u8]], slot: &[u8], now: Timestamp) -> Key {
        let day = self.day(now);
        let overlaps = micros(now) % DAY < self.overlap;
        let slot = self.slots.as_ref().map_or([0; 2], |slots| {
            let id = hash(slots, domain, &[slot]);
            [id.0[0], id.0[1]]
        });
        Key {
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
        let day = Arc::new(Day::of(&self.master, number));
        *self.day.write() = day.clone();
        day
    }
}

impl Day {
    fn of(master: &[u8; 32], number: Micros) -> Self {
        let key = |number: Micros| {
            let mut key = mac(master);
            key.update(&number.to_be_bytes());
            mac(&key.finalize().into_bytes().into())
        };
        Self { number, today: key(number), yesterday: key(number.wrapping_sub(1)) }
    }
}

/// Domains and parts can't be mistaken for one another: the domain's length comes first, and what may be of any
/// length comes last.
fn hash(mac: &Hmac<Sha256>, domain: &[u8], parts: &[&[u8]]) -> Id {
    let mut mac = mac.clone();
    mac.update(&[u8::try_from(domain.len()).unwrap_or(u8::MAX)]);
    mac.update(domain);
    for part in parts {
        mac.update(part);
    }
    let mut id = [0; 16];
    id.copy_from_slice(&mac.finalize().into_bytes()[..16]);
    Id(id)
}

/// Microseconds since 1970; there is nothing before.
#[must_use]
pub fn micros(now: Timestamp) -> Micros {
    u64::try_from(now.micros()).unwrap_or(0)
}
