//! Latency sketches: log-linear histograms of fixed size, merged exactly by adding (as `HdrHistogram` does it).
//!
//! A value in microseconds falls into one of 16 equal parts of its power of two, so that a bucket's middle is within
//! 3.2 % of everything in it. 352 buckets reach 33 s, which is longer than a request may take.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize, Serializer};

const BUCKETS: usize = 352;
/// Values below this have a bucket each.
const LINEAR: u64 = 16;

/// Counts as things happen; 1.4 KiB.
#[derive(Debug)]
pub struct Sketch([AtomicU32; BUCKETS]);

impl Default for Sketch {
    fn default() -> Self {
        Self([const { AtomicU32::new(0) }; BUCKETS])
    }
}

impl Sketch {
    pub fn record(&self, duration: Duration) {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        self.0[bucket(micros)].fetch_add(1, Ordering::Relaxed);
    }

    /// What was recorded since the last call.
    pub fn take(&self) -> Summary {
        let taken = self.0.iter().enumerate().filter_map(|(place, count)| {
            let count = if count.load(Ordering::Relaxed) == 0 { 0 } else { count.swap(0, Ordering::Relaxed) };
            (count > 0).then_some((u16::try_from(place).ok()?, count))
        });
        taken.collect::<Vec<_>>().into()
    }
}

/// The buckets that are not empty, in order. A day has tens of thousands of summaries, so each is small.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "Vec<(u16, u32)>")]
pub struct Summary {
    buckets: Box<[(u16, u32)]>,
    count: u64,
}

impl From<Vec<(u16, u32)>> for Summary {
    fn from(buckets: Vec<(u16, u32)>) -> Self {
        Self { count: buckets.iter().map(|(_, count)| u64::from(*count)).sum(), buckets: buckets.into() }
    }
}

impl Serialize for Summary {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.buckets.serialize(serializer)
    }
}

impl Summary {
    pub fn count(&self) -> u64 {
        self.count
    }

    pub fn is_empty(&self) -> bool {
        self.buckets.is_empty()
    }

    /// Seconds that this share of the values does not exceed; nothing without values.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rank among counts that are far below 2⁵³"
    )]
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let rank = (self.count as f64 * share).ceil().max(1.0) as u64;
        let mut below = 0;
        let found = self.buckets.iter().find(|(_, count)| {
            below += u64::from(*count);
            below >= rank
        });
        found.map(|(place, _)| middle(*place))
    }

    /// The sum of the values, in seconds, to within 3.2 %.
    pub fn total(&self) -> f64 {
        self.buckets.iter().map(|(place, count)| middle(*place) * f64::from(*count)).sum()
    }

    pub fn max(&self) -> Option<f64> {
        self.buckets.last().map(|(place, _)| middle(*place))
    }

    /// How many values are at most this long.
    pub fn within(&self, seconds: f64) -> u64 {
        self.buckets
            .iter()
            .filter(|(place, _)| middle(*place) <= seconds)
            .map(|(_, count)| u64::from(*count))
            .sum()
    }

    /// The counts by powers of two: the seconds where each ends, and how many values it holds.
    pub fn octaves(&self) -> Vec<(f64, u64)> {
        let mut octaves: Vec<(f64, u64)> = Vec::new();
        for (place, count) in &*self.buckets {
            let octave = u32::from(*place) / 16;
            let end = seconds(LINEAR << octave);
            match octaves.last_mut() {
                Some((last, sum)) if *last >= end => *sum += u64::from(*count),
                _ => octaves.push((end, u64::from(*count))),
            }
        }
        octaves
    }
}

/// For merging many summaries.
pub struct Dense([u32; BUCKETS]);

impl Default for Dense {
    fn default() -> Self {
        Self([0; BUCKETS])
    }
}

impl Dense {
    pub fn add(&mut self, summary: &Summary) {
        for (place, count) in &*summary.buckets {
            if let Some(sum) = self.0.get_mut(usize::from(*place)) {
                *sum = sum.saturating_add(*count);
            }
        }
    }

    pub fn summary(&self) -> Summary {
        let held = self.0.iter().zip(0_u16..).filter(|(count, _)| **count > 0);
        held.map(|(count, place)| (place, *count)).collect::<Vec<_>>().into()
    }
}

fn bucket(micros: u64) -> usize {
    if micros < LINEAR {
        return usize::try_from(micros).unwrap_or(0);
    }
    let power = micros.ilog2();
    let part = (micros >> (power - 4)) & 15;
    let place = u64::from(power - 3) * LINEAR + part;
    usize::try_from(place).unwrap_or(BUCKETS).min(BUCKETS - 1)
}

/// The middle of a bucket, in seconds.
fn middle(place: u16) -> f64 {
    let place = u64::from(place);
    if place < LINEAR {
        return seconds(place);
    }
    let (octave, part) = (place / LINEAR, place % LINEAR);
    let width = 1_u64 << (octave - 1);
    seconds((LINEAR + part) * width) + seconds(width) / 2.0
}

#[expect(clippy::cast_precision_loss, reason = "at most 33 million")]
fn seconds(micros: u64) -> f64 {
    micros as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn recorded(micros: &[u64]) -> Sketch {
        let sketch = Sketch::default();
        for value in micros {
            sketch.record(Duration::from_micros(*value));
        }
        sketch
    }

    proptest! {
        #[test]
        fn quantiles_are_within_the_promised_share(
            mut micros in prop::collection::vec(16_u32..30_000_000, 1..400),
            share in 0.01_f64..1.0,
        ) {
            let values: Vec<u64> = micros.iter().map(|value| u64::from(*value)).collect();
            let sketch = recorded(&values);
            let found = sketch.take().quantile(share).unwrap() * 1e6;
            micros.sort_unstable();
            let rank = f64::from(u32::try_from(micros.len()).unwrap()) * share;
            let real = (1_u32..).zip(&micros).find(|(place, _)| f64::from(*place) >= rank).unwrap().1;
            let real = f64::from(*real);
            prop_assert!((found - real).abs() <= real * 0.032 + 0.5, "{found} for {real}");
        }

        #[test]
        fn merging_is_exact(one in prop::collection::vec(0_u64..40_000_000, 0..200),
                            other in prop::collection::vec(0_u64..40_000_000, 0..200)) {
            let mut merged = Dense::default();
            merged.add(&recorded(&one).take());
            merged.add(&recorded(&other).take());
            prop_assert_eq!(merged.summary(), recorded(&[one, other].concat()).take());
        }
    }

    #[test]
    fn taking_leaves_nothing() {
        let sketch = Sketch::default();
        sketch.record(Duration::from_millis(3));
        assert_eq!((sketch.take().count(), sketch.take().count()), (1, 0));
        assert_eq!(Summary::default().quantile(0.5), None);
    }

    #[test]
    fn the_longest_is_kept_too() {
        let sketch = Sketch::default();
        sketch.record(Duration::from_hours(9));
        assert!(sketch.take().max().unwrap() > 30.0);
    }

    #[test]
    fn octaves_hold_everything_once() {
        let octaves = recorded(&[1, 20, 40, 5_000, 5_100]).take().octaves();
        assert_eq!(octaves.iter().map(|(_, count)| count).sum::<u64>(), 5);
        assert!(octaves.is_sorted_by(|a, b| a.0 < b.0), "{octaves:?}");
    }
}
