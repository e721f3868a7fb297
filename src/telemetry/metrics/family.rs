//! How families are declared: registered once, with labels that are closed sets wherever they can be.

use prometheus::core::Collector;
use prometheus::proto;
use prometheus::{
    GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry,
};

use crate::telemetry::timing::{Sketches, Timing};

/// Declares an enum that is the closed set of a label's values.
macro_rules! label {
    ($(#[$doc:meta])* $name:ident { $($(#[$about:meta])* $variant:ident = $value:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$about])* $variant),+ }

        impl $crate::telemetry::metrics::family::Label for $name {
            const ALL: &'static [Self] = &[$(Self::$variant),+];

            fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $value),+ }
            }

            fn index(self) -> usize {
                self as usize
            }
        }
    };
}
pub(crate) use label;

/// A closed set of label values.
pub trait Label: Copy + 'static {
    const ALL: &'static [Self];

    fn as_str(self) -> &'static str;

    fn index(self) -> usize;
}

/// Makes families in one registry. A name or label that Prometheus does not allow is a mistake in this crate, which
/// the tests find: such a family would merely not be shown.
#[derive(Clone, Copy)]
pub struct Family<'a> {
    pub registry: &'a Registry,
    pub sketches: &'a Sketches,
}

impl Family<'_> {
    #[must_use]
    pub fn counters(self, name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
        self.register(IntCounterVec::new(Opts::new(name, help), labels))
    }

    #[must_use]
    pub fn counter(self, name: &str, help: &str) -> IntCounter {
        self.register(IntCounter::new(name, help))
    }

    #[must_use]
    pub fn gauges(self, name: &str, help: &str, labels: &[&str]) -> IntGaugeVec {
        self.register(IntGaugeVec::new(Opts::new(name, help), labels))
    }

    #[must_use]
    pub fn gauge(self, name: &str, help: &str) -> IntGauge {
        self.register(IntGauge::new(name, help))
    }

    #[must_use]
    pub fn real_gauges(self, name: &str, help: &str, labels: &[&str]) -> GaugeVec {
        self.register(GaugeVec::new(Opts::new(name, help), labels))
    }

    #[must_use]
    pub fn histograms(self, name: &str, help: &str, labels: &[&str], buckets: &[f64]) -> HistogramVec {
        self.register(HistogramVec::new(HistogramOpts::new(name, help).buckets(buckets.to_vec()), labels))
    }

    #[must_use]
    pub fn histogram(self, name: &str, help: &str, buckets: &[f64]) -> Histogram {
        self.register(Histogram::with_opts(HistogramOpts::new(name, help).buckets(buckets.to_vec())))
    }

    /// A histogram's series together with the sketch of this name.
    #[must_use]
    pub fn timing(self, histogram: Histogram, kind: &str, name: &str) -> Timing {
        Timing::new(histogram, self.sketches.of(kind, name))
    }

    /// Something that is asked for its series at each scrape.
    pub fn collector(self, collector: impl Collector + 'static) {
        let _ = self.registry.register(Box::new(collector));
    }

    #[expect(
        clippy::expect_used,
        reason = "a family that can't be made is a mistake in this crate's constants"
    )]
    fn register<C: Collector + Clone + 'static>(self, family: prometheus::Result<C>) -> C {
        let family = family.expect("a family's name, labels and buckets are constants that fit");
        self.registry.register(Box::new(family.clone())).expect("each family is declared once");
        family
    }
}

/// One counter for each value of a closed label, all of them at 0 from the start.
#[derive(Clone, Debug)]
pub struct Counters<L> {
    counters: Vec<IntCounter>,
    label: std::marker::PhantomData<L>,
}

impl<L: Label> Counters<L> {
    /// The counters of `vec` that have `before` as the values of their first labels.
    #[must_use]
    pub fn new(vec: &IntCounterVec, before: &[&str]) -> Self {
        Self::from_fn(|label| vec.with_label_values(&[before, &[label.as_str()]].concat()))
    }

    #[must_use]
    pub fn from_fn(counter: impl Fn(L) -> IntCounter) -> Self {
        let counters = L::ALL.iter().map(|label| counter(*label)).collect();
        Self { counters, label: std::marker::PhantomData }
    }

    pub fn count(&self, label: L) {
        self.counters[label.index()].inc();
    }

    pub fn add(&self, label: L, count: u64) {
        self.counters[label.index()].inc_by(count);
    }

    #[must_use]
    pub fn get(&self, label: L) -> u64 {
        self.counters[label.index()].get()
    }

    #[must_use]
    pub fn total(&self) -> u64 {
        self.counters.iter().map(IntCounter::get).sum()
    }
}

/// What a series shows; of a histogram, how many values it has seen.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2⁵³")]
pub fn number(series: &proto::Metric) -> f64 {
    let seen = series.get_histogram().get_sample_count() as f64;
    // A series is of one kind; the others are 0.
    seen + series.get_counter().get_value() + series.get_gauge().get_value()
}
