//! Durations that are counted twice: in fixed buckets for Prometheus, in a sketch for the page.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use prometheus::Histogram;

use super::sketch::{Sketch, Summary};

/// Cheap to clone.
#[derive(Clone, Debug)]
pub struct Timing {
    histogram: Histogram,
    sketch: Arc<Sketch>,
}

impl Timing {
    #[must_use]
    pub fn new(histogram: Histogram, sketch: Arc<Sketch>) -> Self {
        Self { histogram, sketch }
    }

    pub fn record(&self, duration: Duration) {
        self.histogram.observe(duration.as_secs_f64());
        self.sketch.record(duration);
    }

    #[must_use]
    pub fn count(&self) -> u64 {
        self.histogram.get_sample_count()
    }
}

/// The sketches of one application, by what they measure: `http GET /resources`, `query resources.find`.
#[derive(Clone, Debug, Default)]
pub struct Sketches(Arc<Mutex<BTreeMap<String, Arc<Sketch>>>>);

impl Sketches {
    #[must_use]
    pub fn of(&self, kind: &str, name: &str) -> Arc<Sketch> {
        let mut sketches = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sketches.entry(format!("{kind} {name}")).or_default().clone()
    }

    /// What was recorded since the last time, of those that recorded anything.
    #[must_use]
    pub fn take(&self) -> BTreeMap<String, Summary> {
        let sketches = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = sketches.iter().map(|(name, sketch)| (name.clone(), sketch.take()));
        taken.filter(|(_, summary)| !summary.is_empty()).collect()
    }
}
