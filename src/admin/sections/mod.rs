//! The sections of the report, each from the window or from its total.

mod inside;
mod requests;
mod stores;

pub use self::inside::{access, failures, logs, mails, processes};
pub use self::requests::{by_route, failed, local_decisions, requests, route, routes, tiles, traffic};
pub use self::stores::{caches, database, dependencies, limits};

use std::collections::BTreeSet;

use crate::history::Window;
use crate::history::key::label;
use crate::history::slot::Slot;

/// A count, for dividing; no more than 2³².
fn real(count: impl TryInto<u32>) -> f64 {
    f64::from(count.try_into().unwrap_or(u32::MAX))
}

/// `name="value"`, as it stands in a key.
fn is(name: &str, value: &str) -> String {
    format!("{name}=\"{value}\"")
}

/// The values that a label has in a family, in their order.
fn values_of(slot: &Slot, family: &str, name: &str) -> Vec<String> {
    let counts = slot.counts(family).chain(slot.gauges(family));
    let values: BTreeSet<String> = counts.map(|(key, _)| label(key, name).to_owned()).collect();
    values.into_iter().collect()
}

/// The sum of a gauge over the instances, as it stands now.
fn now(window: &Window, family: &str, labels: &[&str]) -> f64 {
    window.latest.iter().fold(0.0, |sum, (_, slot)| sum + slot.gauge(family, labels))
}

/// A gauge that every instance reads from the same place.
fn shared_now(window: &Window, family: &str) -> f64 {
    window.latest.iter().map(|(_, slot)| slot.gauge(family, &[])).fold(0.0, f64::max)
}
