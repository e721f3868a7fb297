//! The part of the past that a page shows, cut into steps.

use std::sync::Arc;

use super::Source;
use super::sample::Sample;

#[derive(Debug)]
pub struct Window {
    /// The beginning of the first step, in seconds since 1970.
    pub from: i64,
    pub step: i64,
    /// The instances' samples of each step; empty where no instance was there.
    pub points: Vec<Vec<Arc<Sample>>>,
    /// The same in fewer and longer samples.
    pub(super) parts: Vec<Arc<Sample>>,
    /// The latest sample of each instance that runs.
    pub latest: Vec<(Source, Arc<Sample>)>,
    /// All known starts, in seconds since 1970.
    pub starts: Vec<i64>,
    /// The end of the latest span, in seconds since 1970.
    pub until: i64,
}

impl Window {
    #[must_use]
    pub fn total(&self) -> Sample {
        Sample::merged(self.parts.iter().map(|sample| &**sample), false)
    }

    /// The last `seconds` as one sample.
    #[must_use]
    pub fn last(&self, seconds: i64) -> Sample {
        let count = usize::try_from(seconds / self.step).unwrap_or(0).max(1);
        let from = self.points.len().saturating_sub(count);
        Sample::merged(self.points[from..].iter().flatten().map(|sample| &**sample), false)
    }

    /// In seconds: for how long any instance ran.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        let there = self.points.iter().filter(|samples| !samples.is_empty()).count();
        let there = u32::try_from(there).unwrap_or(u32::MAX);
        let step = u32::try_from(self.step).unwrap_or(1);
        (f64::from(there) * f64::from(step)).max(f64::from(step))
    }
}
