//! The second recorder, which the built-in page and its history read: the exporter's handles can only be written.

use std::collections::BTreeMap;
use std::iter::once;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use metrics::atomics::AtomicU64;
use metrics::{
    Counter, Gauge, GaugeFn as _, Histogram, HistogramFn, Key, KeyName, Label, Metadata, Recorder,
    SharedString, Unit,
};
use metrics_util::registry::{Registry, Storage};
use parking_lot::Mutex;

use super::family::real;
use super::recorder::Durations;
use crate::telemetry::sketch::{Sketch, Summary};

/// Series as they stand, by name and labels.
#[derive(Debug, Default)]
pub struct Readings {
    pub counters: Vec<(String, f64)>,
    pub gauges: Vec<(String, f64)>,
}

#[derive(Clone, Debug)]
pub struct PageRecorder(Arc<Registry<Key, Values>>);

impl PageRecorder {
    pub fn new(durations: &'static [&'static Durations]) -> Self {
        Self(Arc::new(Registry::new(Values { durations, sketches: Mutex::default() })))
    }

    pub fn counted(&self, key: &Key) -> u64 {
        self.0.get_counter(key).map_or(0, |value| value.load(Ordering::Relaxed))
    }

    pub fn readings(&self) -> Readings {
        let Readings { mut counters, mut gauges } = Readings::default();
        let counted = |value: &AtomicU64| real(value.load(Ordering::Relaxed));
        let measured = |value: &AtomicU64| f64::from_bits(value.load(Ordering::Relaxed));
        self.0.visit_counters(|key, value| counters.push((series(key, ""), counted(value))));
        self.0.visit_gauges(|key, value| gauges.push((series(key, ""), measured(value))));
        self.0.visit_histograms(|key, recorded| {
            // The page shows the others by their sketches alone.
            if key.name().starts_with("http_server") {
                counters.push((series(key, "_count"), counted(&recorded.count)));
                counters.push((series(key, "_sum"), measured(&recorded.sum)));
            }
        });
        Readings { counters, gauges }
    }

    pub fn take_sketches(&self) -> BTreeMap<String, Summary> {
        let sketches = self.0.storage().sketches.lock();
        let taken = sketches.iter().map(|(name, sketch)| (name.clone(), sketch.take()));
        taken.filter(|(_, summary)| !summary.is_empty()).collect()
    }
}

impl Recorder for PageRecorder {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        self.0.get_or_create_counter(key, |value| value.clone().into())
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        self.0.get_or_create_gauge(key, |value| value.clone().into())
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        self.0.get_or_create_histogram(key, |recorded| recorded.clone().into())
    }
}

#[derive(Debug)]
pub struct Values {
    durations: &'static [&'static Durations],
    sketches: Mutex<BTreeMap<String, Arc<Sketch>>>,
}

impl Storage<Key> for Values {
    type Counter = Arc<AtomicU64>;
    type Gauge = Arc<AtomicU64>;
    type Histogram = Arc<Recorded>;

    fn counter(&self, _: &Key) -> Self::Counter {
        Arc::default()
    }

    fn gauge(&self, _: &Key) -> Self::Gauge {
        Arc::default()
    }

    fn histogram(&self, key: &Key) -> Self::Histogram {
        let family = self.durations.iter().find(|family| family.name == key.name());
        let sketch = family.map(|family| {
            let value = |name| key.labels().find(|label| label.key() == name).map_or("", Label::value);
            let name: Vec<_> = once(family.kind).chain(family.by.iter().copied().map(value)).collect();
            let name = name.join(" ");
            self.sketches.lock().entry(name).or_default().clone()
        });
        Arc::new(Recorded { sketch: sketch.unwrap_or_default(), ..Recorded::default() })
    }
}

#[derive(Debug, Default)]
pub struct Recorded {
    count: AtomicU64,
    sum: AtomicU64,
    /// Shared with the family's series that differ in other labels.
    sketch: Arc<Sketch>,
}

impl HistogramFn for Recorded {
    fn record(&self, seconds: f64) {
        self.count.fetch_add(1, Ordering::Relaxed);
        self.sum.increment(seconds);
        self.sketch.record(Duration::try_from_secs_f64(seconds).unwrap_or_default());
    }
}

/// As Prometheus writes it: `name{label="value"}`.
fn series(key: &Key, suffix: &str) -> String {
    let labels: Vec<String> =
        key.labels().map(|label| format!("{}=\"{}\"", label.key(), label.value())).collect();
    let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
    format!("{}{suffix}{labels}", key.name())
}
