//! The sections of the report, each from the window or from its total.

mod process;
mod requests;
mod storage;

pub use self::process::{access, failures, logs, mails, processes};
pub use self::requests::{by_route, failed, local_decisions, requests, route, routes, tiles, traffic};
pub use self::storage::{caches, database, dependencies, limits};

use std::collections::BTreeSet;

use crate::history::Window;
use crate::history::key::label;
use crate::history::sample::Sample;

/// A count, for dividing; no more than 2³².
fn real(count: impl TryInto<u32>) -> f64 {
    f64::from(count.try_into().unwrap_or(u32::MAX))
}

fn is(name: &str, value: &str) -> String {
    format!("{name}=\"{value}\"")
}

fn values_of(sample: &Sample, family: &str, name: &str) -> Vec<String> {
    let counts = sample.counts(family).chain(sample.gauges(family));
    let values: BTreeSet<String> = counts.map(|(key, _)| label(key, name).to_owned()).collect();
    values.into_iter().collect()
}

/// The sum over the instances.
fn now(window: &Window, family: &str, labels: &[&str]) -> f64 {
    window.latest.iter().fold(0.0, |sum, (_, sample)| sum + sample.gauge(family, labels))
}

/// A gauge that every instance reads from the same place.
fn shared_now(window: &Window, family: &str) -> f64 {
    window.latest.iter().map(|(_, sample)| sample.gauge(family, &[])).fold(0.0, f64::max)
}
