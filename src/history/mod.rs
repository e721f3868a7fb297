//! The last day of all nodes, in memory: every 10 seconds for an hour, every 5 minutes for a day.
//!
//! Each node records its own spans and, with Redis, shares them with the others and its own next start.

pub mod key;
mod level;
pub mod requests;
pub mod sample;
pub mod shared;
mod window;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};

use self::key::Key;
use self::level::Level;
use self::sample::Sample;
pub use self::window::Window;
use crate::telemetry::metrics::{Metrics, Readings};
use crate::timestamp::Timestamp;

/// A fine span, and for how long they are kept, in seconds.
pub const FINE: i64 = 10;
const FINE_KEPT: i64 = 3_600;
pub const COARSE: i64 = 300;
const COARSE_KEPT: i64 = 86_400;
const HOUR: i64 = 3_600;

/// The instance's name, and its start in microseconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Source {
    pub instance: Arc<str>,
    pub started: i64,
}

#[derive(Clone, Debug)]
pub struct History(Arc<Mutex<Inner>>);

#[derive(Debug)]
struct Inner {
    own: Source,
    fine: Level,
    coarse: Level,
    keys: HashSet<Key>,
    counters: HashMap<String, f64>,
}

impl History {
    #[must_use]
    pub fn new(instance: &str, started: Timestamp) -> Self {
        let own = Source { instance: instance.into(), started: started.micros() };
        Self(Arc::new(Mutex::new(Inner {
            own,
            fine: Level::new(FINE, COARSE, FINE_KEPT),
            // A coarse span is recorded before it has ended.
            coarse: Level::new(COARSE, HOUR, COARSE_KEPT + COARSE),
            keys: HashSet::new(),
            counters: HashMap::new(),
        })))
    }

    /// Records what happened since the last call. Returns the spans that ended, to be shared: length, beginning, sample.
    #[must_use]
    pub fn record(&self, metrics: &Metrics, now: Timestamp) -> Vec<(i64, i64, Arc<Sample>)> {
        // Just after a boundary, the span before it is meant.
        let at = (now.micros() / 1_000_000 - 1).div_euclid(FINE) * FINE;
        let mut inner = self.lock();
        let sample = inner.read(metrics);
        let own = inner.own.clone();
        let before = inner.fine.get(at).and_then(|samples| samples.get(&own)).cloned();
        let sample =
            Arc::new(before.map_or_else(
                || sample.clone(),
                |before| Sample::merged([&*before, &sample].into_iter(), false),
            ));
        inner.fine.put(at, own.clone(), sample.clone());
        let mut ended = vec![(FINE, at, sample)];
        let coarse = at.div_euclid(COARSE) * COARSE;
        let parts = inner.fine.range(coarse..coarse + COARSE).filter_map(|samples| samples.get(&own));
        let merged = Arc::new(Sample::merged(parts.map(|sample| &**sample), false));
        inner.coarse.put(coarse, own, merged.clone());
        if at + FINE == coarse + COARSE {
            ended.push((COARSE, coarse, merged));
        }
        inner.fine.forget(at);
        inner.coarse.forget(at);
        ended
    }

    /// Adds the sample of another node, or of this one before its start.
    pub fn learn(&self, span: i64, at: i64, source: Source, sample: Sample) {
        let mut inner = self.lock();
        if source == inner.own {
            return;
        }
        let sample = Arc::new(inner.interned(sample));
        let level = if span == FINE { &mut inner.fine } else { &mut inner.coarse };
        level.put(at, source, sample);
    }

    /// The last `seconds` before `now`, of one instance or of all.
    #[must_use]
    pub fn window(&self, now: Timestamp, seconds: i64, instance: Option<&str>) -> Window {
        let inner = &mut *self.lock();
        let level = if seconds <= FINE_KEPT { &mut inner.fine } else { &mut inner.coarse };
        let step = level.step;
        // The span that has not ended yet is left out of the fine ones and is part of the coarse ones.
        let now = now.micros() / 1_000_000;
        let end =
            if step == FINE { now.div_euclid(step) * step } else { (now + step - 1).div_euclid(step) * step };
        let from = end - seconds;
        let wanted = |source: &Source| instance.is_none_or(|wanted| *source.instance == *wanted);
        let points = (0..seconds / step).map(|n| {
            let there = level.get(from + n * step).into_iter().flatten();
            there.filter(|(source, _)| wanted(source)).map(|(_, sample)| sample.clone()).collect()
        });
        let points = points.collect();
        let parts = level.parts(from..end, wanted);
        let mut starts: Vec<i64> =
            inner.sources().filter(|source| wanted(source)).map(|s| s.started / 1_000_000).collect();
        starts.sort_unstable();
        starts.dedup();
        Window { from, step, points, parts, latest: inner.latest(end, wanted), starts, until: inner.until() }
    }

    /// All of the last day.
    #[must_use]
    pub fn instances(&self) -> Vec<Arc<str>> {
        let names: std::collections::BTreeSet<Arc<str>> =
            self.lock().sources().map(|source| source.instance.clone()).collect();
        names.into_iter().collect()
    }

    #[must_use]
    pub fn own(&self) -> Source {
        self.lock().own.clone()
    }

    #[must_use]
    pub fn until(&self) -> i64 {
        self.lock().until()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock()
    }
}

impl Inner {
    fn read(&mut self, metrics: &Metrics) -> Sample {
        let Readings { counters, gauges } = metrics.readings();
        let mut counts = Vec::new();
        let first = self.counters.is_empty();
        for (key, value) in counters {
            // What the process and its workers did before is not part of the span.
            let older = first && (key.starts_with("process_") || key.starts_with("tokio_"));
            let before = self.counters.insert(key.clone(), value).unwrap_or(if older { value } else { 0.0 });
            if value > before {
                counts.push((self.key(&key), value - before));
            }
        }
        let gauges = gauges.into_iter().map(|(key, value)| (self.key(&key), value)).collect();
        let timings = metrics.recorder.take_sketches().into_iter();
        let timings = timings.map(|(key, taken)| (self.key(&key), taken)).collect();
        let mut sample = Sample {
            counts,
            gauges,
            timings,
            slow_queries: metrics.database.slow_queries.take(),
            failures: metrics.failures.take(),
            ..Sample::default()
        };
        sample.counts.sort_by(|(a, _), (b, _)| a.cmp(b));
        sample.gauges.sort_by(|(a, _), (b, _)| a.cmp(b));
        sample
    }

    /// Interns it: all samples have the same few hundred keys.
    fn key(&mut self, key: &str) -> Key {
        if let Some(known) = self.keys.get(key) {
            return known.clone();
        }
        let key: Key = key.into();
        self.keys.insert(key.clone());
        key
    }

    fn interned(&mut self, mut sample: Sample) -> Sample {
        for (key, _) in sample.counts.iter_mut().chain(&mut sample.gauges) {
            *key = self.key(key);
        }
        for (key, _) in &mut sample.timings {
            *key = self.key(key);
        }
        sample
    }

    fn sources(&self) -> impl Iterator<Item = &Source> {
        self.fine.all().chain(self.coarse.all()).flat_map(BTreeMap::keys)
    }

    /// Of the instances that reported within the last minute.
    fn latest(&self, now: i64, wanted: impl Fn(&Source) -> bool) -> Vec<(Source, Arc<Sample>)> {
        let mut latest = BTreeMap::new();
        for (source, sample) in self.fine.range(now - 60..i64::MAX).flatten() {
            if wanted(source) {
                latest.insert(source.instance.clone(), (source.clone(), sample.clone()));
            }
        }
        latest.into_values().collect()
    }

    fn until(&self) -> i64 {
        self.fine.until().unwrap_or(0)
    }
}
