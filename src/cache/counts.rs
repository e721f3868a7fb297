//! What the cache counts of itself.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use super::Occupancy;
use super::kind::Name;
use crate::telemetry::metrics::{CacheMeter, Evicted, Invalidation, Metrics, Outcome, Tier};
use crate::telemetry::timing::Timing;

/// How a request for an answer ended, by tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    LocalHit,
    LocalMiss,
    /// Older than it should be, because it could not be loaded.
    Stale,
    RemoteHit,
    RemoteMiss,
    /// Redis was not asked: it is away, or has not been told of a write yet.
    RemoteBypass,
    /// Redis gave no answer, or one that does not check out.
    RemoteError,
    /// Waited for somebody else's load.
    Coalesced,
    Loaded,
    LoadFailed,
}

impl Event {
    pub const ALL: [Self; 10] = [
        Self::LocalHit,
        Self::LocalMiss,
        Self::Stale,
        Self::RemoteHit,
        Self::RemoteMiss,
        Self::RemoteBypass,
        Self::RemoteError,
        Self::Coalesced,
        Self::Loaded,
        Self::LoadFailed,
    ];
}

#[derive(Debug, Default)]
pub struct Counts {
    events: [[AtomicU64; Event::ALL.len()]; Name::ALL.len()],
    touched: AtomicU64,
    heard: AtomicU64,
    heard_late: AtomicU64,
    evictions: AtomicU64,
    listening: AtomicBool,
    /// By kind, and last that of the memory they share; empty where nobody measures.
    meters: Vec<CacheMeter>,
    lag: Option<Timing>,
}

impl Counts {
    #[must_use]
    pub fn new(metrics: Option<&Metrics>) -> Self {
        let names = Name::ALL.map(Name::as_str).into_iter().chain(["memory"]);
        let meters = metrics.map(|metrics| names.map(|name| metrics.cache.of(name)).collect());
        let lag = metrics.map(|metrics| metrics.cache.invalidation_lag.clone());
        Self { meters: meters.unwrap_or_default(), lag, ..Self::default() }
    }

    pub fn add(&self, name: Name, event: Event) {
        self.events[name as usize][event as usize].fetch_add(1, Ordering::Relaxed);
        let Some(meter) = self.meters.get(name as usize) else { return };
        match event {
            Event::LocalHit => meter.hit(Tier::L1),
            Event::LocalMiss => meter.miss(Tier::L1),
            Event::Stale => meter.request(Tier::L1, Outcome::Stale),
            Event::RemoteHit => meter.hit(Tier::L2),
            Event::RemoteMiss => meter.miss(Tier::L2),
            Event::RemoteBypass => meter.request(Tier::L2, Outcome::Bypass),
            Event::RemoteError => meter.request(Tier::L2, Outcome::Error),
            Event::Coalesced => meter.coalesced(),
            Event::Loaded | Event::LoadFailed => {}
        }
    }

    pub(super) fn loaded(&self, name: Name, took: Duration) {
        self.add(name, Event::Loaded);
        self.meters.get(name as usize).inspect(|meter| meter.loaded(took));
    }

    pub(super) fn occupied(&self, now: Occupancy) {
        let Some(memory) = self.memory() else { return };
        let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        memory.entries.set(number(now.entries));
        memory.weight_bytes.set(number(now.bytes));
        memory.capacity_bytes.set(number(now.capacity));
        let before = self.evictions.swap(now.evictions, Ordering::Relaxed);
        (before..now.evictions).for_each(|_| memory.evicted(Evicted::Size));
    }

    /// A connection was lost or made: everything counts as changed.
    pub(super) fn doubted(&self) {
        self.memory().inspect(|memory| memory.invalidated(Invalidation::Connection));
    }

    fn memory(&self) -> Option<&CacheMeter> {
        self.meters.get(Name::ALL.len())
    }

    fn invalidated(&self, count: &AtomicU64, source: Invalidation, scopes: usize) {
        count.fetch_add(scopes as u64, Ordering::Relaxed);
        let Some(memory) = self.memory() else { return };
        (0..scopes).for_each(|_| memory.invalidated(source));
    }

    #[must_use]
    pub fn of(&self, name: Name, event: Event) -> u64 {
        self.events[name as usize][event as usize].load(Ordering::Relaxed)
    }

    /// Over all kinds.
    #[must_use]
    pub fn total(&self, event: Event) -> u64 {
        Name::ALL.into_iter().map(|name| self.of(name, event)).sum()
    }

    pub(super) fn touched(&self, scopes: usize) {
        self.invalidated(&self.touched, Invalidation::Local, scopes);
    }

    pub(super) fn heard(&self, scopes: usize) {
        self.invalidated(&self.heard, Invalidation::Remote, scopes);
    }

    /// Our own word has come round.
    pub(super) fn came_round(&self, micros: i64) {
        if let Some(lag) = &self.lag {
            lag.record(Duration::from_micros(micros.max(0).unsigned_abs()));
        }
    }

    pub(super) fn heard_late(&self, scopes: usize) {
        self.invalidated(&self.heard_late, Invalidation::Outbox, scopes);
    }

    pub(super) fn listening(&self, yes: bool) {
        self.listening.store(yes, Ordering::Relaxed);
    }

    /// Whether the subscriber hears the other nodes.
    #[must_use]
    pub fn is_listening(&self) -> bool {
        self.listening.load(Ordering::Relaxed)
    }

    /// Scopes invalidated by this node's own writes, by messages, by the outbox.
    #[must_use]
    pub fn invalidations(&self) -> [(&'static str, u64); 3] {
        [("write", &self.touched), ("message", &self.heard), ("outbox", &self.heard_late)]
            .map(|(source, count)| (source, count.load(Ordering::Relaxed)))
    }
}
