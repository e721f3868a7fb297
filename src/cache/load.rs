//! A load: asks Redis, then the database, and keeps the answer in the tiers that may have it.

use std::sync::Arc;
use std::time::Duration;

use super::counts::Event;
use super::freshness::{NEGATIVE, Ttl};
use super::keyspace::Keyspace;
use super::kind::{Cached, EntryKey, Kind};
use super::local::CachedEntry;
use super::local_generation::LocalGeneration;
use super::remote::Claim;
use super::remote_entry::{MAX_PAYLOAD, RemoteEntry};
use super::remote_lookup::RemoteLookup;
use super::scope::Scopes;
use super::single_flight::{Loaded, Outcome, Source};
use super::{Cache, micros};
use crate::db::unhurried;
use crate::error::{Error, Result};

/// Readers wait no longer for a load, and a load no longer for a permit.
pub(super) const WAIT_LIMIT: Duration = Duration::from_secs(5);
/// A longer load is given up. Until then it goes on, even when no reader waits for it.
const LOAD_LIMIT: Duration = Duration::from_mins(1);

tokio::task_local! {
    static HOLDS_PERMIT: ();
}

/// A read inside such a load may never get a permit: loads that read may hold them all.
pub(super) fn holds_permit() -> bool {
    HOLDS_PERMIT.try_with(|()| ()).is_ok()
}

pub(super) struct Load<T: 'static> {
    pub kind: &'static Kind<T>,
    pub key: EntryKey,
    pub scopes: Scopes,
    /// As it was before the load.
    pub generation: LocalGeneration,
    /// When the entry in memory was loaded, in ticks: only a newer one is an answer.
    pub newer_than: Option<i64>,
}

pub(super) struct Resolved {
    pub outcome: Outcome,
    pub pending_fill: Option<PendingFill>,
}

/// The write to Redis that follows once all readers have their answer.
pub(super) struct PendingFill {
    keyspace: Arc<Keyspace>,
    claim: Claim,
    entry: Option<RemoteEntry>,
}

struct Fresh<T> {
    value: Option<T>,
    loaded_at: i64,
    load_us: u32,
    ttl: Ttl,
}

impl Cache {
    pub(super) async fn resolve<T: Cached>(
        &self,
        job: &Load<T>,
        load: impl Future<Output = Result<Option<T>>>,
    ) -> Resolved {
        let pending_fill = match self.look_up_remote(job).await {
            RemoteLookup::Hit(entry) => {
                self.keep(job, &entry);
                return Resolved { outcome: Ok(Loaded { entry, source: Source::Redis }), pending_fill: None };
            }
            RemoteLookup::Claimed(keyspace, claim) => Some(PendingFill { keyspace, claim, entry: None }),
            RemoteLookup::Bypass => None,
        };
        let fresh = match self.load_timed(job.kind, load).await {
            Ok(fresh) => fresh,
            Err(error) => return Resolved { outcome: Err(error), pending_fill },
        };
        let pending_fill = pending_fill.map(|fill| {
            let entry = remote_entry(job, &fresh, &fill);
            PendingFill { entry, ..fill }
        });
        let entry = Arc::new(cached_entry(job, fresh));
        self.keep(job, &entry);
        Resolved { outcome: Ok(Loaded { entry, source: Source::Database }), pending_fill }
    }

    /// Keeps the entry in memory, unless a write has overtaken the load: memory may hold a newer one.
    fn keep<T>(&self, job: &Load<T>, entry: &Arc<CachedEntry>) {
        if self.local_generations.current(&job.scopes) == job.generation {
            self.local.put(job.key, entry.clone());
        }
    }

    pub(super) async fn fill<T>(&self, job: &Load<T>, fill: PendingFill) {
        let PendingFill { keyspace, claim, entry } = fill;
        let Some(remote) = &self.remote else { return };
        if remote.fill(&keyspace, &job.key, &job.scopes, claim, entry).await.is_err() {
            self.counts.add(job.kind.name, Event::RemoteError);
        }
    }

    async fn load_timed<T: Cached>(
        &self,
        kind: &Kind<T>,
        load: impl Future<Output = Result<Option<T>>>,
    ) -> Result<Fresh<T>> {
        let loaded_at = self.context.ticks();
        let value = self.load(kind, load).await?;
        let load_us = u32::try_from(self.context.ticks() - loaded_at).unwrap_or(u32::MAX);
        self.counts.loaded(kind.name, Duration::from_micros(load_us.into()));
        let ttl = if value.is_some() { kind.ttl } else { NEGATIVE };
        let ttl = ttl.jittered(u64::from_le_bytes(self.context.random()));
        Ok(Fresh { value, loaded_at, load_us, ttl })
    }

    /// Holds one of the load permits, unless the kind is composed: its load waits for other loads.
    async fn load<T>(
        &self,
        kind: &Kind<T>,
        load: impl Future<Output = Result<Option<T>>>,
    ) -> Result<Option<T>> {
        let loading = tokio::time::timeout(LOAD_LIMIT, unhurried(load));
        let loaded = if kind.is_composed {
            loading.await
        } else {
            let permit = tokio::time::timeout(WAIT_LIMIT, self.load_permits.acquire()).await;
            let Ok(Ok(_permit)) = permit else { return Err(Error::Busy) };
            HOLDS_PERMIT.scope((), loading).await
        };
        loaded.unwrap_or(Err(Error::Busy))
    }
}

fn cached_entry<T: Cached>(job: &Load<T>, fresh: Fresh<T>) -> CachedEntry {
    let Fresh { value, loaded_at, load_us, ttl } = fresh;
    CachedEntry {
        generation: job.generation,
        loaded_at,
        soft_expiry: loaded_at.saturating_add(micros(ttl.soft)),
        hard_expiry: loaded_at.saturating_add(micros(ttl.hard)),
        load_us,
        weight: value.as_ref().map_or(0, Cached::weight),
        value: value.map(|value| Arc::new(value) as _),
    }
}

/// `None` for a value that is too large for Redis.
fn remote_entry<T: Cached>(job: &Load<T>, fresh: &Fresh<T>, fill: &PendingFill) -> Option<RemoteEntry> {
    let payload = match &fresh.value {
        None => None,
        Some(value) if value.weight() > MAX_PAYLOAD => return None,
        Some(value) => Some(postcard::to_stdvec(value).ok()?),
    };
    let millis = |duration: Duration| u32::try_from(duration.as_millis()).unwrap_or(u32::MAX);
    Some(RemoteEntry {
        schema: job.kind.schema,
        created: fill.keyspace.redis_time(fresh.loaded_at),
        soft_ms: millis(fresh.ttl.soft),
        hard_ms: millis(fresh.ttl.hard),
        load_us: fresh.load_us,
        audience: job.key.audience,
        generations: fill.claim.generations.clone(),
        payload,
    })
}
