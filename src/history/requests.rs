//! All requests of a span together.

use std::ops::AddAssign;

use super::key::label;
use super::sample::Sample;
use crate::telemetry::sketch::Summary;

pub const COUNT: &str = "http_server_request_duration_seconds_count";

/// Computed once for each span, when it is first drawn.
#[derive(Clone, Debug)]
pub struct Requests {
    pub classes: Classes,
    pub latency: Summary,
}

impl Requests {
    pub(super) fn from_sample(sample: &Sample) -> Self {
        Self { classes: Classes::new(sample.counts(COUNT)), latency: sample.timing_of_all("http ") }
    }
}

#[derive(Clone, Copy, Debug, Default)]
pub struct Classes {
    pub success: f64,
    pub redirect: f64,
    pub refused: f64,
    pub limited: f64,
    pub failed: f64,
}

impl Classes {
    pub fn new<'a>(counts: impl Iterator<Item = (&'a str, f64)>) -> Self {
        let mut classes = Self::default();
        for (key, count) in counts {
            classes.add(label(key, "http_response_status_code"), count);
        }
        classes
    }

    pub fn add(&mut self, status: &str, count: f64) {
        match (status, status.bytes().next()) {
            ("429", _) => self.limited += count,
            (_, Some(b'5')) => self.failed += count,
            (_, Some(b'4')) => self.refused += count,
            (_, Some(b'3')) => self.redirect += count,
            _ => self.success += count,
        }
    }

    pub fn total(self) -> f64 {
        self.success + self.redirect + self.refused + self.limited + self.failed
    }
}

impl AddAssign for Classes {
    fn add_assign(&mut self, other: Self) {
        self.success += other.success;
        self.redirect += other.redirect;
        self.refused += other.refused;
        self.limited += other.limited;
        self.failed += other.failed;
    }
}
