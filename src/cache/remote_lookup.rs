//! Asks Redis for an entry, or for the claim to load it.

use std::sync::Arc;
use std::time::Duration;

use super::Cache;
use super::counts::Event;
use super::keyspace::Keyspace;
use super::kind::Cached;
use super::load::Load;
use super::local::CachedEntry;
use super::remote::{Claim, Claimed, Lookup, Remote};
use super::scope::Scopes;
use crate::redis::RedisDown;

/// While another node loads, this one asks Redis again this often and this many times.
const BUSY_PAUSE: Duration = Duration::from_millis(15);
const BUSY_RETRIES: u32 = 10;

pub(super) enum RemoteLookup {
    Hit(Arc<CachedEntry>),
    /// Load it, and fill Redis under this claim.
    Claimed(Arc<Keyspace>, Claim),
    /// Load it, and leave Redis alone.
    Bypass,
}

impl Cache {
    pub(super) async fn look_up_remote<T: Cached>(&self, job: &Load<T>) -> RemoteLookup {
        let Some(remote) = self.remote.as_ref().filter(|_| job.kind.is_shared) else {
            return RemoteLookup::Bypass;
        };
        let Some(keyspace) = self.readable_keyspace(remote, &job.scopes) else {
            self.counts.add(job.kind.name, Event::RemoteBypass);
            return RemoteLookup::Bypass;
        };
        let lookup = self.look_up_in(remote, &keyspace, job).await;
        let event = match &lookup {
            Ok(RemoteLookup::Hit(_)) => Event::RemoteHit,
            Ok(_) => Event::RemoteMiss,
            Err(_) => Event::RemoteError,
        };
        self.counts.add(job.kind.name, event);
        lookup.unwrap_or(RemoteLookup::Bypass)
    }

    /// `None` while Redis is away, or has not been told of a write to these scopes.
    fn readable_keyspace(&self, remote: &Remote, scopes: &Scopes) -> Option<Arc<Keyspace>> {
        let keyspace = remote.keyspace();
        if keyspace.is_none() {
            self.wake_relay();
        }
        let tracker = self.outbox_tracker();
        keyspace.filter(|_| tracker.has_polled() && !tracker.is_dirty(scopes))
    }

    async fn look_up_in<T: Cached>(
        &self,
        remote: &Remote,
        keyspace: &Arc<Keyspace>,
        job: &Load<T>,
    ) -> Result<RemoteLookup, RedisDown> {
        let Load { key, scopes, .. } = job;
        let lookup = remote.get(keyspace, key, scopes).await?;
        if let Some(entry) = self.validated(job, keyspace, lookup) {
            return Ok(RemoteLookup::Hit(entry));
        }
        let (lookup, claimed) = remote.claim(keyspace, key, scopes).await?;
        let entry = self.validated(job, keyspace, lookup);
        match (entry, claimed) {
            (None, Claimed::Granted(claim)) => return Ok(RemoteLookup::Claimed(keyspace.clone(), claim)),
            (Some(entry), Claimed::Granted(claim)) => {
                remote.fill(keyspace, key, scopes, claim, None).await?;
                return Ok(RemoteLookup::Hit(entry));
            }
            (Some(entry), Claimed::Busy) => return Ok(RemoteLookup::Hit(entry)),
            (None, Claimed::Busy) => {}
        }
        let mut pause = tokio::time::interval(BUSY_PAUSE);
        pause.tick().await;
        for _ in 0..BUSY_RETRIES {
            pause.tick().await;
            let lookup = remote.get(keyspace, key, scopes).await?;
            if let Some(entry) = self.validated(job, keyspace, lookup) {
                return Ok(RemoteLookup::Hit(entry));
            }
        }
        Ok(RemoteLookup::Bypass)
    }

    /// The entry, if it has our schema, has not expired, is newer than the one in memory, and can be decoded.
    fn validated<T: Cached>(
        &self,
        job: &Load<T>,
        keyspace: &Keyspace,
        lookup: Lookup,
    ) -> Option<Arc<CachedEntry>> {
        if lookup.is_broken {
            self.counts.add(job.kind.name, Event::RemoteError);
        }
        let entry = lookup.entry.filter(|entry| entry.schema == job.kind.schema)?;
        let now = self.context.ticks();
        let age = keyspace.redis_time(now).saturating_sub(entry.created);
        let loaded_at = now.saturating_sub(age.max(0));
        // Our reading of Redis' clock is off by up to half a round trip; an entry further in the future is wrong.
        if age < -1_000_000 || job.newer_than.is_some_and(|than| loaded_at <= than) {
            return None;
        }
        let soft_expiry = loaded_at.saturating_add(i64::from(entry.soft_ms) * 1000);
        if now >= soft_expiry {
            return None;
        }
        let value: Option<T> = match &entry.payload {
            None => None,
            Some(payload) => Some(postcard::from_bytes(payload).ok()?),
        };
        Some(Arc::new(CachedEntry {
            generation: job.generation,
            loaded_at,
            soft_expiry,
            hard_expiry: loaded_at.saturating_add(i64::from(entry.hard_ms) * 1000),
            load_us: entry.load_us,
            weight: value.as_ref().map_or(0, Cached::weight),
            value: value.map(|value| Arc::new(value) as _),
        }))
    }
}

#[cfg(test)]
mod tests;
