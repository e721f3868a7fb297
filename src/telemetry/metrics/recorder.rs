//! Counts everything twice by one call: in the exporter, for Prometheus, and in the recorder that the page reads.

use std::collections::BTreeMap;
use std::sync::Arc;

use metrics::{Counter, Gauge, Histogram, Key, Label, Level, Metadata, Recorder as _, SharedString};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusRecorder};
use metrics_util::layers::{Fanout, FanoutBuilder};

use super::page::{PageRecorder, Readings};
use crate::telemetry::sketch::Summary;

static METADATA: Metadata<'static> = Metadata::new(module_path!(), Level::INFO, Some(module_path!()));

/// A family of durations. The page has a sketch for each combination of the labels in `by`, named by `kind` and their
/// values: `http GET /resources`.
#[derive(Debug)]
pub struct Durations {
    pub name: &'static str,
    pub help: &'static str,
    /// In seconds; without any the page alone has the family.
    pub buckets: &'static [f64],
    pub kind: &'static str,
    pub by: &'static [&'static str],
}

pub type Labels<'a> = &'a [(&'static str, &'a str)];

#[derive(Clone, Debug)]
pub struct Recorder {
    exporter: Arc<PrometheusRecorder>,
    page: PageRecorder,
}

impl Recorder {
    /// The exporter must know the buckets of each family before it takes a duration.
    pub fn new(durations: &'static [&'static Durations]) -> Self {
        Self { exporter: Arc::new(exporter(durations)), page: PageRecorder::new(durations) }
    }

    /// Made anew for each handle, since a `Fanout` can't be sent to another thread.
    fn both(&self) -> Fanout {
        FanoutBuilder::default().add_recorder(self.exporter.clone()).add_recorder(self.page.clone()).build()
    }

    pub fn counter(&self, name: &'static str, help: &'static str, labels: Labels) -> Counter {
        let both = self.both();
        both.describe_counter(name.into(), None, help.into());
        both.register_counter(&key(name, labels), &METADATA)
    }

    pub fn gauge(&self, name: &'static str, help: &'static str, labels: Labels) -> Gauge {
        let both = self.both();
        both.describe_gauge(name.into(), None, help.into());
        both.register_gauge(&key(name, labels), &METADATA)
    }

    pub fn durations(&self, family: &Durations, labels: Labels) -> Histogram {
        let (both, key) = (self.both(), key(family.name, labels));
        if family.buckets.is_empty() {
            return self.page.register_histogram(&key, &METADATA);
        }
        both.describe_histogram(family.name.into(), None, family.help.into());
        both.register_histogram(&key, &METADATA)
    }

    pub fn counted(&self, name: &'static str, labels: Labels) -> u64 {
        self.page.counted(&key(name, labels))
    }

    pub fn readings(&self) -> Readings {
        self.page.readings()
    }

    /// What each sketch has taken since the last call, by name, without empty ones.
    #[must_use]
    pub fn take_sketches(&self) -> BTreeMap<String, Summary> {
        self.page.take_sketches()
    }

    /// All series in Prometheus' text format.
    pub fn render(&self) -> String {
        self.exporter.handle().render()
    }

    /// Sorts new durations into their buckets; each takes 16 bytes until then.
    pub fn run_upkeep(&self) {
        self.exporter.handle().run_upkeep();
    }
}

#[expect(clippy::expect_used, reason = "buckets are constants of this crate")]
fn exporter(durations: &[&Durations]) -> PrometheusRecorder {
    let shown = durations.iter().filter(|family| !family.buckets.is_empty());
    let builder = shown.fold(PrometheusBuilder::new(), |builder, family| {
        let name = Matcher::Full(family.name.to_owned());
        builder.set_buckets_for_metric(name, family.buckets).expect("there are buckets")
    });
    builder.build_recorder()
}

/// Labels are sorted by name, as the history's keys have them; the exporter keeps the order that it is given.
fn key(name: &'static str, labels: Labels) -> Key {
    let label =
        |(name, value): &(&'static str, &str)| Label::new(*name, SharedString::from_shared((*value).into()));
    let mut labels: Vec<Label> = labels.iter().map(label).collect();
    labels.sort_unstable_by(|a, b| a.key().cmp(b.key()));
    Key::from_parts(name, labels)
}
