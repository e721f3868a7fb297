//! The tiered cache: the process' memory, Redis, the database. What was written is seen; docs/cache.md says why.
//!
//! A slice names a [`Kind`], a key, the [`Scopes`] that the answer depends on and a loader ([`Cache::read`]); what
//! changes the data is a [`Write`], which can only be committed by naming the scopes that it touches.

mod counts;
pub mod entry;
mod flights;
mod freshness;
mod gate;
mod kind;
mod lease;
mod ledger;
mod listen;
mod load;
mod local;
pub(crate) mod looks;
mod message;
#[doc(hidden)] // The tests ask the databases for the plans of its statements.
pub mod outbox;
mod relay;
mod remote;
mod scope;
pub mod status;
mod write;

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::{Notify, Semaphore};

pub use self::counts::{Counts, Event};
use self::flights::{Boarding, Flights, Source};
pub use self::freshness::Ttl;
use self::gate::Gates;
use self::kind::Slot;
pub use self::kind::{Audience, Cached, Key, Kind, Name, Private, Public, id_of};
use self::lease::Lease;
use self::ledger::Ledger;
use self::load::Flight;
pub use self::local::Occupancy;
use self::local::{Held, Local};
use self::message::Node;
use self::remote::Remote;
pub use self::scope::{Scope, Scopes};
use self::status::Status;
pub use self::write::Write;
use crate::context::Context;
use crate::db::Db;
use crate::error::{Error, Result};
use crate::keys::Keys;
use crate::redis::Redis;
use crate::telemetry::metrics::Metrics;
use crate::waits;
use crate::web::viewer::Viewer;

/// Whoever holds something a little too old waits no longer than this for something newer.
const PATIENCE: Duration = Duration::from_millis(150);

/// Cheap to clone.
#[derive(Clone)]
pub struct Cache(Arc<Inner>);

pub struct Inner {
    db: Db,
    context: Context,
    node: Node,
    gates: Gates,
    lease: Lease,
    local: Local,
    remote: Option<Remote>,
    flights: Arc<Flights>,
    ledger: Mutex<Ledger>,
    loads: Semaphore,
    wake: Notify,
    pub counts: Counts,
}

impl Deref for Cache {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl std::fmt::Debug for Cache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Cache")
    }
}

/// How much it may use.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes in the process, by weight.
    pub memory: u64,
    /// Loads at once.
    pub loads: u32,
}

impl Cache {
    #[must_use]
    pub fn new(
        (db, context): (Db, Context),
        redis: Option<&Redis>,
        keys: &Keys,
        limits: Limits,
        metrics: Option<&Metrics>,
    ) -> Self {
        // An SQLite file belongs to one process: nobody else writes.
        let lease = if matches!(db, Db::Sqlite { .. }) { Lease::forever() } else { Lease::lapsed() };
        Self(Arc::new(Inner {
            remote: redis.map(|redis| Remote::new(redis, &context, &keys.derive("cache"))),
            node: Node::from_le_bytes(context.random()),
            gates: Gates::default(),
            lease,
            local: Local::new(limits.memory),
            flights: Arc::default(),
            ledger: Mutex::default(),
            loads: Semaphore::new(usize::try_from(limits.loads).unwrap_or(1).max(1)),
            wake: Notify::new(),
            counts: Counts::new(metrics),
            db,
            context,
        }))
    }

    /// The answer for this viewer; `None` when there is none. The loader is handed the viewer whose answer it makes.
    pub async fn read<T: Cached, F>(
        &self,
        kind: &'static Kind<T>,
        (viewer, id): (&Viewer, [u8; 16]),
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

    /// The answer under this key.
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
        debug_assert!(!load::holds_place(), "{:?} reads what is cached: it is composed", kind.name);
        let slot = Slot::of(kind, &key);
        let (gate, now) = (self.gates.of(&scopes), self.context.ticks());
        let held = self.local.get(&slot).filter(|held| held.gate == gate && now < held.hard);
        let trusted = self.lease.holds(now);
        let flight = |newer_than| Flight { kind, slot, scopes, gate, newer_than };
        match held {
            Some(held) if trusted && now < held.soft => {
                self.counts.add(kind.name, Event::LocalHit);
                status::note(Status::LocalHit);
                if self.is_early(&held, now)
                    && let Boarding::Leads(_, landing) = self.flights.board(slot, gate, now)
                {
                    self.take_off(flight(Some(held.made)), landing, load(key.audience.viewer()));
                }
                self.shown(&held, &slot)
            }
            held => {
                self.counts.add(kind.name, Event::LocalMiss);
                let waiting = match self.flights.board(slot, gate, now) {
                    Boarding::Joined(waiting) => {
                        self.counts.add(kind.name, Event::Coalesced);
                        waiting
                    }
                    Boarding::Leads(waiting, landing) => {
                        let flight = flight(held.as_ref().map(|held| held.made));
                        self.take_off(flight, landing, load(key.audience.viewer()));
                        waiting
                    }
                };
                let held = held.map(|held| (held, trusted));
                // In a box, so that a hit does not carry what waiting takes.
                Box::pin(self.landed(kind.name, slot, waiting.outcome(), held)).await
            }
        }
    }

    /// The flight's answer; or what is held, if that was never invalidated, when the database does not answer.
    async fn landed<T: Cached>(
        &self,
        name: Name,
        slot: Slot,
        outcome: impl Future<Output = flights::Outcome>,
        older: Option<(Arc<Held>, bool)>,
    ) -> Result<Option<Arc<T>>> {
        let outcome = match &older {
            // Slowness alone is no reason to show what the others may have changed unheard.
            Some((_, true)) => tokio::time::timeout(PATIENCE, outcome).await.unwrap_or(Err(Error::Busy)),
            _ => waits::within(outcome).await.unwrap_or(Err(Error::Busy)),
        };
        match (outcome, older) {
            (Ok((held, source)), _) => {
                status::note(if source == Source::Redis { Status::RemoteHit } else { Status::Miss });
                self.shown(&held, &slot)
            }
            (Err(error), Some((held, _))) if is_outage(&error) => {
                self.counts.add(name, Event::Stale);
                status::note(Status::Stale);
                self.shown(&held, &slot)
            }
            (Err(error), _) => Err(error),
        }
    }

    /// Goes on whoever goes away meanwhile, and when those who wait have lost patience.
    fn take_off<T: Cached>(
        &self,
        flight: Flight<T>,
        landing: flights::Landing,
        load: impl Future<Output = Result<Option<T>>> + Send + 'static,
    ) {
        let cache = self.clone();
        tokio::spawn(async move {
            let mut flying = Box::pin(cache.fly(&flight, load));
            let flown = tokio::time::timeout(load::WAIT_LIMIT, &mut flying).await;
            landing.land(flown.as_ref().map_or(Err(Error::Busy), |(outcome, _)| outcome.clone()));
            drop(landing);
            let filling = match flown {
                Ok((_, filling)) => filling,
                Err(_) => flying.await.1,
            };
            if let Some(filling) = filling {
                cache.fill(&flight, filling).await;
            }
        });
    }

    fn shown<T: Cached>(&self, held: &Held, slot: &Slot) -> Result<Option<Arc<T>>> {
        held.value(slot).map_err(|_| {
            self.local.remove(slot);
            tracing::error!(
                event = "cache_misplaced",
                kind = slot.kind.as_str(),
                "a cached value is not what its key says"
            );
            Error::Internal("a cached value is not what its key says".to_owned())
        })
    }

    fn is_early(&self, held: &Held, now: i64) -> bool {
        freshness::is_early(held.soft - now, held.cost, || u64::from_le_bytes(self.context.random()))
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock()
    }

    /// How full memory is.
    #[must_use]
    pub fn occupancy(&self) -> Occupancy {
        self.local.occupancy()
    }

    /// Whether what is in memory may be served without asking, and Redis, if there is one, be asked and heard.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        let redis =
            self.remote.as_ref().is_none_or(|remote| remote.place().is_some() && self.counts.is_listening());
        redis && self.ledger().has_looked() && self.lease.holds(self.context.ticks())
    }

    /// Holds nothing in memory any more.
    pub fn forget_memory(&self) {
        self.local.clear();
    }
}

/// Whether the database did not answer, as opposed to answering that something is wrong.
const fn is_outage(error: &Error) -> bool {
    matches!(error, Error::Unavailable(_) | Error::Busy | Error::TimedOut)
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}
