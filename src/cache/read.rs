//! Reads: from memory if the entry there is good, else by a load that all readers of the key share.

use std::sync::Arc;
use std::time::Duration;

use super::freshness;
use super::kind::{Asker, Audience, Cached, EntryKey, Key, Kind};
use super::load::{self, Load};
use super::local::CachedEntry;
use super::scope::Scopes;
use super::single_flight::{Joined, LoadGuard, Outcome, Source};
use super::status::{self, Status};
use super::{Cache, Event};
use crate::error::{Error, Result};
use crate::identity::Viewer;
use crate::waits;

/// A read that holds an expired entry waits no longer than this for a newer one.
const STALE_WAIT: Duration = Duration::from_millis(150);

/// An entry that is too old to serve, unless the database does not answer.
struct Fallback {
    entry: Arc<CachedEntry>,
    /// Whether the lease held, so that no write has touched the entry.
    is_trusted: bool,
}

#[derive(Clone, Copy)]
struct Request {
    key: EntryKey,
    asker: Asker,
}

impl Cache {
    /// Returns the answer for this viewer, or `None` when there is none. The loader gets the viewer to load for.
    pub async fn read<T: Cached, F>(
        &self,
        kind: &'static Kind<T>,
        viewer: &Viewer,
        id: [u8; 16],
        scopes: Scopes,
        load: impl FnOnce(Viewer) -> F,
    ) -> Result<Option<Arc<T>>>
    where
        F: Future<Output = Result<Option<T>>> + Send + 'static,
    {
        match Key::private(viewer, id) {
            None => self.get(kind, Key::public(id), scopes, load).await,
            Some(key) => self.get(kind, key, scopes, load).await,
        }
    }

    pub async fn get<T: Cached, A: Audience, F>(
        &self,
        kind: &'static Kind<T>,
        key: Key<A>,
        scopes: Scopes,
        load: impl FnOnce(Viewer) -> F,
    ) -> Result<Option<Arc<T>>>
    where
        F: Future<Output = Result<Option<T>>> + Send + 'static,
    {
        debug_assert!(!load::holds_permit(), "{} reads what is cached: it is composed", kind.name);
        let entry_key = EntryKey::new(kind, &key);
        let request = Request { key: entry_key, asker: key.audience.asker() };
        let (generation, now) = (self.local_generations.current(&scopes), self.context.ticks());
        let cached = self.local.get(&entry_key);
        let cached = cached.filter(|cached| cached.generation == generation && now < cached.hard_expiry);
        let is_trusted = self.lease.holds(now);
        let load_newer = |newer_than| Load { kind, key: entry_key, scopes, generation, newer_than };
        match cached {
            Some(entry) if is_trusted && now < entry.soft_expiry => {
                self.counts.add(kind.name, Event::LocalHit);
                status::record(Status::LocalHit);
                if self.is_early(&entry, now)
                    && let Joined::Leader(_, guard) = self.single_flight.join(entry_key, generation, now)
                {
                    self.start(load_newer(Some(entry.loaded_at)), guard, load(key.audience.viewer()));
                }
                self.checked_value(&entry, request)
            }
            cached => {
                self.counts.add(kind.name, Event::LocalMiss);
                let handle = match self.single_flight.join(entry_key, generation, now) {
                    Joined::Follower(handle) => {
                        self.counts.add(kind.name, Event::Coalesced);
                        handle
                    }
                    Joined::Leader(handle, guard) => {
                        let newer_than = cached.as_ref().map(|entry| entry.loaded_at);
                        self.start(load_newer(newer_than), guard, load(key.audience.viewer()));
                        handle
                    }
                };
                let fallback = cached.map(|entry| Fallback { entry, is_trusted });
                // Boxed, so that the future of a hit stays small.
                Box::pin(self.finished(request, handle.outcome(), fallback)).await
            }
        }
    }

    /// Waits for the load's answer, and serves the fallback when the database does not answer.
    async fn finished<T: Cached>(
        &self,
        request: Request,
        outcome: impl Future<Output = Outcome>,
        fallback: Option<Fallback>,
    ) -> Result<Option<Arc<T>>> {
        let outcome = match &fallback {
            // Without the lease another node may have changed it: a slow database alone does not justify serving it.
            Some(Fallback { is_trusted: true, .. }) => {
                tokio::time::timeout(STALE_WAIT, outcome).await.unwrap_or(Err(Error::Busy))
            }
            _ => waits::within(outcome).await.unwrap_or(Err(Error::Busy)),
        };
        match (outcome, fallback) {
            (Ok(loaded), _) => {
                let is_remote = loaded.source == Source::Redis;
                status::record(if is_remote { Status::RemoteHit } else { Status::Miss });
                self.checked_value(&loaded.entry, request)
            }
            (Err(error), Some(fallback)) if is_outage(&error) => {
                // It fails as if the entry did not exist.
                let value = self.checked_value(&fallback.entry, request)?.ok_or(error)?;
                self.counts.add(request.key.kind, Event::Stale);
                status::record(Status::Stale);
                Ok(Some(value))
            }
            (Err(error), _) => Err(error),
        }
    }

    /// Runs the load in a task of its own: it goes on when its callers leave, or are released after `WAIT_LIMIT`.
    fn start<T: Cached>(
        &self,
        job: Load<T>,
        guard: LoadGuard,
        load: impl Future<Output = Result<Option<T>>> + Send + 'static,
    ) {
        let cache = self.clone();
        tokio::spawn(async move {
            let mut resolving = Box::pin(cache.resolve(&job, load));
            let in_time = tokio::time::timeout(load::WAIT_LIMIT, &mut resolving).await;
            guard.finish(in_time.as_ref().map_or(Err(Error::Busy), |resolved| resolved.outcome.clone()));
            drop(guard);
            let resolved = match in_time {
                Ok(resolved) => resolved,
                Err(_) => resolving.await,
            };
            if let Some(pending_fill) = resolved.pending_fill {
                cache.fill(&job, pending_fill).await;
            }
        });
    }

    fn checked_value<T: Cached>(&self, entry: &CachedEntry, request: Request) -> Result<Option<Arc<T>>> {
        let Request { key, asker } = request;
        let value = entry.value(asker);
        if matches!(value, Ok(None)) {
            // A hit would show this viewer that the entry exists.
            status::record(Status::Miss);
        }
        value.map_err(|_| {
            self.local.remove(&key);
            tracing::error!(
                event = "cache_misplaced",
                kind = key.kind,
                "a cached value is not what its key says"
            );
            Error::Internal("a cached value is not what its key says".to_owned())
        })
    }

    fn is_early(&self, entry: &CachedEntry, now: i64) -> bool {
        freshness::is_early(entry.soft_expiry - now, entry.load_us, || {
            u64::from_le_bytes(self.context.random())
        })
    }
}

/// Whether the database gave no answer at all. An answer that says what is wrong is no outage.
const fn is_outage(error: &Error) -> bool {
    matches!(error, Error::Unavailable(_) | Error::Busy | Error::TimedOut)
}
