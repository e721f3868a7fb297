//! The tiered cache, by what it keeps: `metrics.cache.meter("resource")` is made once and counts from then on.

use std::time::Duration;

use metrics::{Counter, Gauge, Histogram};

use super::family::{Counters, Label as _, label};
use super::recorder::{Durations, Recorder};

const BUCKETS: &[f64] = &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.25, 1.0, 5.0];

pub(super) const LOADS: Durations = Durations {
    name: "coffer_cache_load_duration_seconds",
    help: "Duration of loads from the database that fill the cache.",
    buckets: BUCKETS,
    kind: "load",
    by: &["cache"],
};

pub(super) const LAG: Durations = Durations {
    name: "coffer_cache_invalidation_lag_seconds",
    help: "Time until a word that a node sends through Redis to all nodes comes round to itself.",
    buckets: BUCKETS,
    kind: "invalidation lag",
    by: &[],
};

label! {
    Tier = "tier" { L1 = "l1", L2 = "l2" }
}

label! {
    Outcome = "outcome" { Hit = "hit", Miss = "miss", Stale = "stale", Error = "error", Bypass = "bypass" }
}

label! {
    Evicted = "cause" { Size = "size" }
}

label! {
    Invalidation = "source" {
        /// A write on this node.
        Local = "local",
        /// A message from another node.
        Remote = "remote",
        /// The outbox, after a message could not be sent or may be lost.
        Outbox = "outbox",
        /// A lost or new connection: everything counts as changed.
        Connection = "connection",
    }
}

#[derive(Debug)]
pub struct Cache {
    recorder: Recorder,
    /// Until a node's own heartbeat comes back to it: how late it may learn of a change.
    pub invalidation_lag: Histogram,
}

#[derive(Clone, Debug)]
pub struct CacheMeter {
    l1: Counters<Outcome>,
    l2: Counters<Outcome>,
    loads: Histogram,
    coalesced: Counter,
    evictions: Counters<Evicted>,
    invalidations: Counters<Invalidation>,
    pub entries: Gauge,
    pub weight_bytes: Gauge,
    pub capacity_bytes: Gauge,
}

impl Cache {
    pub(super) fn new(recorder: &Recorder) -> Self {
        Self { recorder: recorder.clone(), invalidation_lag: recorder.durations(&LAG, &[]) }
    }

    /// The meter of what is cached under this name, such as `resource`; all at 0.
    pub fn meter(&self, cache: &str) -> CacheMeter {
        let (recorder, labels) = (&self.recorder, &[("cache", cache)]);
        let gauge = |name, help| recorder.gauge(name, help, labels);
        let requests = |tier: Tier| {
            let help = "Look-ups in a tier of the cache, by what came of them.";
            Counters::new(recorder, "coffer_cache_requests_total", help, &[labels[0], tier.pair()])
        };
        CacheMeter {
            l1: requests(Tier::L1),
            l2: requests(Tier::L2),
            loads: recorder.durations(&LOADS, labels),
            coalesced: recorder.counter(
                "coffer_cache_coalesced_total",
                "Requests that shared the load of another one.",
                labels,
            ),
            evictions: Counters::new(
                recorder,
                "coffer_cache_evictions_total",
                "Entries that left the process's memory, by cause.",
                labels,
            ),
            invalidations: Counters::new(
                recorder,
                "coffer_cache_invalidations_total",
                "Invalidations, by who told of them.",
                labels,
            ),
            entries: gauge("coffer_cache_entries", "Entries in the process's memory."),
            weight_bytes: gauge("coffer_cache_weight_bytes", "Bytes that the entries take."),
            capacity_bytes: gauge("coffer_cache_capacity_bytes", "Bytes that the entries may take."),
        }
    }
}

impl CacheMeter {
    pub fn request(&self, tier: Tier, outcome: Outcome) {
        match tier {
            Tier::L1 => self.l1.count(outcome),
            Tier::L2 => self.l2.count(outcome),
        }
    }

    pub fn loaded(&self, duration: Duration) {
        self.loads.record(duration);
    }

    pub fn coalesced(&self) {
        self.coalesced.increment(1);
    }

    /// `count`: since the start.
    pub fn evicted(&self, cause: Evicted, count: u64) {
        self.evictions.get(cause).absolute(count);
    }

    pub fn invalidated(&self, source: Invalidation, scopes: u64) {
        self.invalidations.get(source).increment(scopes);
    }
}
