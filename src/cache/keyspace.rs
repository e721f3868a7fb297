//! The names of the cache's keys in Redis, and Redis' clock.

use fred::types::Key;
use ring::hmac;
use uuid::Uuid;

use super::kind::EntryKey;
use super::scope::Scope;
use crate::redis::namespace::Namespace;

/// Keys begin with a hash of the installation's name and of the run ids of the Redis processes. So a restart, which may
/// bring an old copy back from the disk, begins a fresh keyspace, and so does a restored database.
pub struct Keyspace {
    prefix: String,
    /// The connection epoch in which it was found out.
    pub epoch: u64,
    /// Redis' clock less our ticks, in microseconds.
    clock_offset: i64,
}

impl Keyspace {
    pub fn prefix(hmac_key: &hmac::Key, namespace: &Namespace) -> String {
        format!("cf:{{{}}}", short(&hmac::sign(hmac_key, namespace.id().as_bytes())))
    }

    pub const fn new(prefix: String, epoch: u64, clock_offset: i64) -> Self {
        Self { prefix, epoch, clock_offset }
    }

    pub fn is_same(&self, other: &Self) -> bool {
        self.prefix == other.prefix
    }

    pub const fn redis_time(&self, ticks: i64) -> i64 {
        ticks.saturating_add(self.clock_offset)
    }

    pub fn entry(&self, key: &EntryKey) -> String {
        let id = Uuid::from_bytes(key.id);
        format!("{}:e:{}:{}:{}", self.prefix, key.kind, key.audience.simple(), id.simple())
    }

    pub fn generations(&self, scopes: &[Scope]) -> impl Iterator<Item = Key> {
        scopes.iter().map(|scope| Key::from(format!("{}:g:{scope}", self.prefix)))
    }

    /// The entry, its claim and the generations, as the scripts `claim` and `fill` take them.
    pub fn keys(&self, key: &EntryKey, scopes: &[Scope]) -> Vec<Key> {
        let entry = self.entry(key);
        let claim = format!("{entry}:l");
        [entry.into(), claim.into()].into_iter().chain(self.generations(scopes)).collect()
    }
}

pub fn short(tag: &hmac::Tag) -> String {
    data_encoding::HEXLOWER.encode(&tag.as_ref()[..8])
}
