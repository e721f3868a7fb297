//! What happened in one span of time.

use std::sync::OnceLock;

use ahash::HashMap;
use serde::{Deserialize, Serialize};

use super::key::Key;
use super::requests::Requests;
use crate::telemetry::recent::{Failure, SlowQuery};
use crate::telemetry::sketch::{Dense, Summary};

/// Counts are what the span added, gauges their value at its end. All are sorted by key, without zeros.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Sample {
    pub counts: Vec<(Key, f64)>,
    pub gauges: Vec<(Key, f64)>,
    pub timings: Vec<(Key, Summary)>,
    pub slow_queries: Vec<SlowQuery>,
    pub failures: Vec<Failure>,
    #[serde(skip)]
    pub(super) requests: OnceLock<Requests>,
}

/// Of each kind, over one span.
const REMEMBERED: usize = 40;

impl Sample {
    /// Computed once: the sample must not change any more.
    pub fn requests(&self) -> &Requests {
        self.requests.get_or_init(|| Requests::from_sample(self))
    }

    /// The sum of the family's counts with all these labels, such as `tier="l1"`.
    #[must_use]
    pub fn count(&self, family: &str, labels: &[&str]) -> f64 {
        sum(&self.counts, family, labels)
    }

    #[must_use]
    pub fn gauge(&self, family: &str, labels: &[&str]) -> f64 {
        sum(&self.gauges, family, labels)
    }

    pub fn gauges<'a>(&'a self, family: &'a str) -> impl Iterator<Item = (&'a str, f64)> {
        of(&self.gauges, family).map(|(key, value)| (&**key, *value))
    }

    pub fn counts<'a>(&'a self, family: &'a str) -> impl Iterator<Item = (&'a str, f64)> {
        of(&self.counts, family).map(|(key, value)| (&**key, *value))
    }

    #[must_use]
    pub fn timing(&self, name: &str) -> Summary {
        let found = self.timings.binary_search_by(|(key, _)| (**key).cmp(name));
        found.map(|place| self.timings[place].1.clone()).unwrap_or_default()
    }

    /// By the rest of the name after `kind`, such as `http `.
    pub fn timings<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = (&'a str, &'a Summary)> {
        let from = self.timings.partition_point(|(key, _)| **key < *kind);
        self.timings[from..].iter().map_while(move |(key, summary)| Some((key.strip_prefix(kind)?, summary)))
    }

    #[must_use]
    pub fn timing_of_all(&self, kind: &str) -> Summary {
        let mut dense = Dense::default();
        self.timings(kind).for_each(|(_, summary)| dense.add(summary));
        dense.summary()
    }

    /// Several samples as one. Gauges add up at the same time, over instances; else the latest counts.
    pub fn merged<'a>(samples: impl Iterator<Item = &'a Self>, same_time: bool) -> Self {
        // The keys are interned, so their addresses tell them apart.
        let (mut counts, mut gauges) = (Sums::default(), Sums::default());
        let mut timings = HashMap::<usize, (Key, Dense)>::default();
        let mut last = None;
        let mut merged = Self::default();
        for sample in samples {
            add(&mut counts, &sample.counts);
            if same_time {
                add(&mut gauges, &sample.gauges);
            }
            last = Some(sample);
            for (key, summary) in &sample.timings {
                timings
                    .entry(key.address())
                    .or_insert_with(|| (key.clone(), Dense::default()))
                    .1
                    .add(summary);
            }
            merged.slow_queries.extend_from_slice(&sample.slow_queries);
            merged.failures.extend_from_slice(&sample.failures);
        }
        if let Some(last) = last.filter(|_| !same_time) {
            add(&mut gauges, &last.gauges);
        }
        merged.counts = sorted(counts.into_values());
        merged.gauges = sorted(gauges.into_values());
        merged.timings = sorted(timings.into_values().map(|(key, dense)| (key, dense.summary())));
        keep_latest(&mut merged.slow_queries, |query| query.at);
        keep_latest(&mut merged.failures, |failure| failure.at);
        merged
    }
}

type Sums = HashMap<usize, (Key, f64)>;

fn add(sums: &mut Sums, series: &[(Key, f64)]) {
    for (key, value) in series {
        sums.entry(key.address()).or_insert_with(|| (key.clone(), 0.0)).1 += value;
    }
}

fn sorted<T>(series: impl Iterator<Item = (Key, T)>) -> Vec<(Key, T)> {
    let mut series: Vec<_> = series.collect();
    series.sort_by(|(a, _), (b, _)| a.cmp(b));
    series
}

fn keep_latest<T, K: Ord>(items: &mut Vec<T>, at: impl Fn(&T) -> K) {
    items.sort_by_key(at);
    let surplus = items.len().saturating_sub(REMEMBERED);
    items.drain(..surplus);
}

fn of<'a>(series: &'a [(Key, f64)], family: &'a str) -> impl Iterator<Item = &'a (Key, f64)> {
    let from = series.partition_point(|(key, _)| **key < *family);
    series[from..]
        .iter()
        .take_while(move |(key, _)| key.starts_with(family))
        .filter(move |(key, _)| key.len() == family.len() || key[family.len()..].starts_with('{'))
}

fn sum(series: &[(Key, f64)], family: &str, labels: &[&str]) -> f64 {
    let fitting = of(series, family).filter(|(key, _)| labels.iter().all(|label| key.contains(label)));
    fitting.fold(0.0, |sum, (_, value)| sum + value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(counts: &[(&str, f64)], gauges: &[(&str, f64)]) -> Sample {
        let keyed =
            |values: &[(&str, f64)]| values.iter().map(|(key, value)| ((*key).into(), *value)).collect();
        Sample { counts: keyed(counts), gauges: keyed(gauges), ..Sample::default() }
    }

    #[test]
    fn families_are_told_apart() {
        let sample =
            sample(&[("a_total", 1.0), ("a_total{b=\"c\"}", 2.0), ("a_total_more{b=\"c\"}", 4.0)], &[]);
        assert!((sample.count("a_total", &[]) - 3.0).abs() < f64::EPSILON);
        assert!((sample.count("a_total", &["b=\"c\""]) - 2.0).abs() < f64::EPSILON);
    }

    #[test]
    fn gauges_add_up_over_instances_and_not_over_time() {
        let one = sample(&[("n", 1.0)], &[("g", 5.0)]);
        let mut other = one.clone();
        (other.counts[0].1, other.gauges[0].1) = (2.0, 7.0);
        let there = Sample::merged([&one, &other].into_iter(), true);
        assert_eq!((there.count("n", &[]), there.gauge("g", &[])), (3.0, 12.0));
        let then = Sample::merged([&one, &other].into_iter(), false);
        assert_eq!((then.count("n", &[]), then.gauge("g", &[])), (3.0, 7.0));
    }
}
