//! The tiered cache, by what it keeps: `metrics.cache.of("resource")` is made once and counts from then on.

use std::time::Duration;

use prometheus::{HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec};

use super::family::{Counters, Family, Label as _, label};
use crate::telemetry::timing::{Sketches, Timing};

const LOAD_BUCKETS: [f64; 10] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.25, 1.0, 5.0];

label! {
    /// Where was asked.
    Tier { L1 = "l1", L2 = "l2" }
}

label! {
    /// What came of asking.
    Outcome { Hit = "hit", Miss = "miss", Stale = "stale", Error = "error", Bypass = "bypass" }
}

label! {
    /// Why an entry left the process's memory.
    Evicted { Size = "size", Expired = "expired", Invalidated = "invalidated" }
}

label! {
    /// Who told that something has changed.
    Invalidation {
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
    requests: IntCounterVec,
    loads: HistogramVec,
    coalesced: IntCounterVec,
    evictions: IntCounterVec,
    invalidations: IntCounterVec,
    entries: IntGaugeVec,
    weight: IntGaugeVec,
    capacity: IntGaugeVec,
    /// Until a word that a node sends to all comes round to itself, which is how late it may learn of a change.
    pub invalidation_lag: Timing,
    sketches: Sketches,
}

/// What one kind of thing counts in the cache; cheap to clone.
#[derive(Clone, Debug)]
pub struct CacheMeter {
    l1: Counters<Outcome>,
    l2: Counters<Outcome>,
    loads: Timing,
    coalesced: IntCounter,
    evictions: Counters<Evicted>,
    invalidations: Counters<Invalidation>,
    pub entries: IntGauge,
    pub weight_bytes: IntGauge,
    pub capacity_bytes: IntGauge,
}

impl Cache {
    pub(super) fn new(family: Family) -> Self {
        let by_cache = ["cache"];
        let lag = family.histograms(
            "coffer_cache_invalidation_lag_seconds",
            "Time until a word that a node sends through Redis to all nodes comes round to itself.",
            &[],
            &LOAD_BUCKETS,
        );
        Self {
            invalidation_lag: family.timing(lag.with_label_values::<&str>(&[]), "invalidation", "lag"),
            requests: family.counters(
                "coffer_cache_requests_total",
                "Look-ups in a tier of the cache, by what came of them.",
                &["cache", "tier", "outcome"],
            ),
            loads: family.histograms(
                "coffer_cache_load_duration_seconds",
                "Duration of loads from the database that fill the cache.",
                &by_cache,
                &LOAD_BUCKETS,
            ),
            coalesced: family.counters(
                "coffer_cache_coalesced_total",
                "Requests that shared the load of another one.",
                &by_cache,
            ),
            evictions: family.counters(
                "coffer_cache_evictions_total",
                "Entries that left the process's memory, by cause.",
                &["cache", "cause"],
            ),
            invalidations: family.counters(
                "coffer_cache_invalidations_total",
                "Invalidations, by who told of them.",
                &["cache", "source"],
            ),
            entries: family.gauges("coffer_cache_entries", "Entries in the process's memory.", &by_cache),
            weight: family.gauges("coffer_cache_weight_bytes", "Bytes that the entries take.", &by_cache),
            capacity: family.gauges(
                "coffer_cache_capacity_bytes",
                "Bytes that the entries may take.",
                &by_cache,
            ),
            sketches: family.sketches.clone(),
        }
    }

    /// The meter of what is cached under this name, such as `resource`; all at 0.
    #[must_use]
    pub fn of(&self, cache: &str) -> CacheMeter {
        CacheMeter {
            l1: Counters::new(&self.requests, &[cache, Tier::L1.as_str()]),
            l2: Counters::new(&self.requests, &[cache, Tier::L2.as_str()]),
            loads: Timing::new(self.loads.with_label_values(&[cache]), self.sketches.of("load", cache)),
            coalesced: self.coalesced.with_label_values(&[cache]),
            evictions: Counters::new(&self.evictions, &[cache]),
            invalidations: Counters::new(&self.invalidations, &[cache]),
            entries: self.entries.with_label_values(&[cache]),
            weight_bytes: self.weight.with_label_values(&[cache]),
            capacity_bytes: self.capacity.with_label_values(&[cache]),
        }
    }
}

impl CacheMeter {
    pub fn request(&self, tier: Tier, outcome: Outcome) {
        self.tier(tier).count(outcome);
    }

    pub fn hit(&self, tier: Tier) {
        self.request(tier, Outcome::Hit);
    }

    pub fn miss(&self, tier: Tier) {
        self.request(tier, Outcome::Miss);
    }

    pub fn loaded(&self, duration: Duration) {
        self.loads.record(duration);
    }

    pub fn coalesced(&self) {
        self.coalesced.inc();
    }

    pub fn evicted(&self, cause: Evicted) {
        self.evictions.count(cause);
    }

    pub fn invalidated(&self, source: Invalidation) {
        self.invalidations.count(source);
    }

    /// How often looking in this tier ended like this.
    #[must_use]
    pub fn requests(&self, tier: Tier, outcome: Outcome) -> u64 {
        self.tier(tier).get(outcome)
    }

    #[must_use]
    pub fn loads(&self) -> u64 {
        self.loads.count()
    }

    fn tier(&self, tier: Tier) -> &Counters<Outcome> {
        match tier {
            Tier::L1 => &self.l1,
            Tier::L2 => &self.l2,
        }
    }
}
