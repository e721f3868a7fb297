//! The tiered cache: this process' memory, then Redis, then the database. docs/cache.md explains the protocol.
//!
//! To read, you name a [`Kind`], a key, the [`Scopes`] that the answer depends on, and a loader ([`Cache::read`]).
//! To change data, you take a [`Write`], and name the scopes that it touches when you commit it.

mod counts;
mod freshness;
mod keyspace;
mod kind;
mod lease;
mod listen;
mod load;
mod local;
mod local_generation;
mod message;
#[doc(hidden)] // Tests ask the databases for the plans of its statements.
pub mod outbox;
pub(crate) mod outbox_cursor;
mod outbox_tracker;
mod read;
mod relay;
mod remote;
mod remote_entry;
mod remote_lookup;
mod scope;
mod single_flight;
pub mod status;
mod write;

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::{Notify, Semaphore};

use self::counts::{Counts, Event};
pub use self::freshness::Ttl;
#[cfg(feature = "test-internals")]
pub use self::kind::Public;
pub use self::kind::{Cached, Key, Kind, id_of};
use self::lease::Lease;
use self::local::Local;
pub use self::local::Occupancy;
use self::local_generation::LocalGenerations;
use self::message::Node;
use self::outbox_tracker::OutboxTracker;
use self::remote::Remote;
pub use self::scope::{Scope, Scopes};
use self::single_flight::SingleFlight;
pub use self::write::{CommitGuard, Write};
use crate::db::Db;
use crate::erased::Erased;
use crate::keys::Keys;
use crate::redis::Redis;
use crate::system::System;
use crate::telemetry::metrics::Metrics;

#[derive(Clone)]
pub struct Cache(Erased<Inner>);

pub struct Inner {
    db: Db,
    context: System,
    node: Node,
    local_generations: LocalGenerations,
    lease: Lease,
    local: Local,
    remote: Option<Remote>,
    single_flight: Arc<SingleFlight>,
    outbox_tracker: Mutex<OutboxTracker>,
    load_permits: Semaphore,
    relay_wake: Notify,
    counts: Counts,
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

#[derive(Clone, Copy)]
pub struct Deps<'a> {
    pub db: &'a Db,
    pub context: &'a System,
    pub redis: Option<&'a Redis>,
    pub keys: &'a Keys,
    pub metrics: Option<&'a Metrics>,
    pub kinds: &'a [&'static str],
}

#[derive(Clone, Copy, Debug)]
pub struct Capacity {
    /// Bytes in this process, by weight.
    pub memory: u64,
    pub loads: u32,
}

impl Cache {
    pub fn new(deps: Deps<'_>, capacity: Capacity) -> Self {
        let Deps { db, context, redis, keys, metrics, kinds } = deps;
        // An SQLite file belongs to one process, so no other node writes.
        let lease = if matches!(db, Db::Sqlite { .. }) { Lease::forever() } else { Lease::lapsed() };
        Self(Erased::new(Inner {
            remote: redis.map(|redis| Remote::new(redis, context, &keys.derive("cache"))),
            node: Node::from_le_bytes(context.random()),
            local_generations: LocalGenerations::default(),
            lease,
            local: Local::new(capacity.memory),
            single_flight: Arc::default(),
            outbox_tracker: Mutex::default(),
            load_permits: Semaphore::new(usize::try_from(capacity.loads).unwrap_or(1).max(1)),
            relay_wake: Notify::new(),
            counts: Counts::new(metrics, kinds),
            db: db.clone(),
            context: context.clone(),
        }))
    }

    fn outbox_tracker(&self) -> MutexGuard<'_, OutboxTracker> {
        self.outbox_tracker.lock()
    }

    pub fn occupancy(&self) -> Occupancy {
        self.local.occupancy()
    }

    /// Whether this node may serve from its memory, and reads and hears Redis if there is one.
    pub fn is_ready(&self) -> bool {
        let redis = self
            .remote
            .as_ref()
            .is_none_or(|remote| remote.keyspace().is_some() && self.counts.is_listening());
        redis && self.outbox_tracker().has_polled() && self.lease.holds(self.context.ticks())
    }

    pub fn invalidate_memory(&self, scopes: &[Scope]) {
        self.local_generations.bump(scopes);
    }

    pub fn clear_memory(&self) {
        self.local.clear();
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}
