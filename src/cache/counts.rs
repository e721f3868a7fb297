//! What the cache counts of itself.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use metrics::Histogram;

use super::Occupancy;
use crate::telemetry::metrics::{CacheMeter, Evicted, Invalidation, Metrics, Outcome, Tier, real};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    LocalHit,
    LocalMiss,
    /// Older than it should be, because it could not be loaded.
    Stale,
    RemoteHit,
    RemoteMiss,
    /// Redis was not asked: it is away, or has missed a write so far.
    RemoteBypass,
    /// Redis gave no answer, or one that does not check out.
    RemoteError,
    /// Waited for the load of another request.
    Coalesced,
}

#[derive(Debug, Default)]
pub struct Counts {
    listening: AtomicBool,
    /// By kind; empty without metrics.
    meters: Vec<(&'static str, CacheMeter)>,
    /// Of the memory that the kinds share.
    memory: Option<CacheMeter>,
    lag: Option<Histogram>,
}

impl Counts {
    #[must_use]
    pub fn new(metrics: Option<&Metrics>, kinds: &[&'static str]) -> Self {
        let Some(cache) = metrics.map(|metrics| &metrics.cache) else { return Self::default() };
        Self {
            meters: kinds.iter().map(|kind| (*kind, cache.meter(kind))).collect(),
            memory: Some(cache.meter("memory")),
            lag: Some(cache.invalidation_lag.clone()),
            ..Self::default()
        }
    }

    pub(super) fn add(&self, kind: &'static str, event: Event) {
        let Some(meter) = self.meter(kind) else { return };
        match event {
            Event::LocalHit => meter.request(Tier::L1, Outcome::Hit),
            Event::LocalMiss => meter.request(Tier::L1, Outcome::Miss),
            Event::Stale => meter.request(Tier::L1, Outcome::Stale),
            Event::RemoteHit => meter.request(Tier::L2, Outcome::Hit),
            Event::RemoteMiss => meter.request(Tier::L2, Outcome::Miss),
            Event::RemoteBypass => meter.request(Tier::L2, Outcome::Bypass),
            Event::RemoteError => meter.request(Tier::L2, Outcome::Error),
            Event::Coalesced => meter.coalesced(),
        }
    }

    pub(super) fn loaded(&self, kind: &'static str, took: Duration) {
        self.meter(kind).inspect(|meter| meter.loaded(took));
    }

    pub(super) fn occupied(&self, now: Occupancy) {
        let Some(memory) = &self.memory else { return };
        memory.entries.set(real(now.entries));
        memory.weight_bytes.set(real(now.bytes));
        memory.capacity_bytes.set(real(now.capacity));
        memory.evicted(Evicted::Size, now.evictions);
    }

    /// A connection was lost or made: everything counts as changed.
    pub(super) fn doubted(&self) {
        self.invalidated(Invalidation::Connection, 1);
    }

    pub(super) fn touched(&self, scopes: usize) {
        self.invalidated(Invalidation::Local, scopes);
    }

    pub(super) fn heard(&self, scopes: usize) {
        self.invalidated(Invalidation::Remote, scopes);
    }

    pub(super) fn heard_late(&self, scopes: usize) {
        self.invalidated(Invalidation::Outbox, scopes);
    }

    /// The time that a heartbeat of this node took to come back to it.
    pub(super) fn came_round(&self, micros: i64) {
        if let Some(lag) = &self.lag {
            lag.record(Duration::from_micros(micros.max(0).unsigned_abs()));
        }
    }

    pub(super) fn listening(&self, yes: bool) {
        self.listening.store(yes, Ordering::Relaxed);
    }

    pub(super) fn is_listening(&self) -> bool {
        self.listening.load(Ordering::Relaxed)
    }

    fn invalidated(&self, source: Invalidation, scopes: usize) {
        self.memory.as_ref().inspect(|memory| memory.invalidated(source, scopes as u64));
    }

    fn meter(&self, kind: &'static str) -> Option<&CacheMeter> {
        self.meters.iter().find(|(name, _)| *name == kind).map(|(_, meter)| meter)
    }
}
