//! Recent problems, by names and ids only: slow queries, and requests that ended in a 5xx.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::request;
use crate::timestamp::Timestamp;

/// More of a kind would say nothing new.
const KEPT: usize = 20;

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct SlowQuery {
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    pub query: String,
    pub seconds: f64,
    /// Empty for background tasks.
    pub route: String,
    pub request_id: String,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize, ToSchema)]
pub struct Failure {
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// When the route first failed since its last success on this instance.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    pub route: String,
    pub status: u16,
    /// The stable name of the error.
    pub code: String,
    /// The database's error, for example `database is locked`; otherwise empty.
    #[serde(default)]
    pub reason: String,
    pub request_id: String,
}

#[derive(Debug)]
pub struct Recent<T>(Mutex<VecDeque<T>>);

impl<T> Default for Recent<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Recent<T> {
    pub fn push(&self, item: T) {
        let mut items = self.0.lock();
        if items.len() == KEPT {
            items.pop_front();
        }
        items.push_back(item);
    }

    #[must_use]
    pub fn take(&self) -> Vec<T> {
        self.0.lock().drain(..).collect()
    }
}

/// Since when each route fails: from the first failure after its last success on.
#[derive(Debug, Default)]
pub struct Failing {
    /// A success costs no lock while nothing fails.
    any: AtomicBool,
    since: Mutex<HashMap<String, Timestamp>>,
}

impl Failing {
    /// Returns when the route first failed since its last success.
    pub fn failed(&self, route: &str, at: Timestamp) -> Timestamp {
        let mut since = self.since.lock();
        self.any.store(true, Ordering::Relaxed);
        *since.entry(route.to_owned()).or_insert(at)
    }

    pub fn succeeded(&self, route: &str) {
        if self.any.load(Ordering::Relaxed) {
            let mut since = self.since.lock();
            since.remove(route);
            self.any.store(!since.is_empty(), Ordering::Relaxed);
        }
    }
}

impl SlowQuery {
    #[must_use]
    pub fn now(at: Timestamp, query: &str, took: Duration) -> Self {
        let request = request::current();
        Self {
            at,
            query: query.to_owned(),
            seconds: took.as_secs_f64(),
            route: request.as_ref().map(|request| request.route.clone()).unwrap_or_default(),
            request_id: request.map(|request| request.id.clone()).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_fails_since_its_first_failure_after_a_success() {
        let (failing, at) = (Failing::default(), Timestamp::from_micros);
        failing.succeeded("GET /tags");
        assert_eq!(failing.failed("GET /tags", at(1)), at(1));
        assert_eq!(failing.failed("GET /tags", at(2)), at(1));
        assert_eq!(failing.failed("GET /", at(3)), at(3));
        failing.succeeded("GET /");
        assert_eq!((failing.failed("GET /tags", at(4)), failing.failed("GET /", at(5))), (at(1), at(5)));
    }
}
