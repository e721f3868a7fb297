//! The database: each query by its name, and the pools of connections.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use metrics::{Counter, Gauge, Histogram};
use parking_lot::RwLock;

use super::family::{Counters, Label as _, label};
use super::recorder::{Durations, Recorder};
use crate::system::System;
use crate::telemetry::recent::{Recent, SlowQuery};

/// A query that takes longer is remembered with its request.
const SLOW: Duration = Duration::from_millis(100);

/// OpenTelemetry's advice for databases, and one finer.
const BUCKETS: &[f64] = &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0];

pub(super) const QUERIES: Durations = Durations {
    name: "db_client_operation_duration_seconds",
    help: "Duration of database queries, by the name of the query.",
    buckets: BUCKETS,
    kind: "query",
    by: &["db_query_summary"],
};

pub(super) const ACQUIRE: Durations = Durations {
    name: "coffer_db_pool_acquire_duration_seconds",
    help: "Time until a database connection, or a write transaction, was had.",
    buckets: BUCKETS,
    kind: "acquire",
    by: &["pool"],
};

label! { PoolState = "state" { Used = "used", Idle = "idle" } }

label! {
    ErrorType = "error_type" { Unavailable = "unavailable", Timeout = "timeout", Conflict = "conflict", Other = "other" }
}

#[derive(Debug)]
pub struct Database {
    recorder: Recorder,
    queries: RwLock<HashMap<&'static str, Arc<QueryMeter>>>,
    context: System,
    pub slow_queries: Recent<SlowQuery>,
}

#[derive(Debug)]
pub struct QueryMeter {
    name: String,
    durations: Histogram,
    errors: Counters<ErrorType>,
}

#[derive(Clone, Debug)]
pub struct PoolMeter {
    pub used: Gauge,
    pub idle: Gauge,
    pub max: Gauge,
    pub waiting: Gauge,
    pub acquire: Histogram,
    pub timeouts: Counter,
}

impl Database {
    pub(super) fn new(recorder: &Recorder, context: &System) -> Self {
        Self {
            recorder: recorder.clone(),
            queries: RwLock::default(),
            context: context.clone(),
            slow_queries: Recent::default(),
        }
    }

    /// The meter of the query that is asked at this place, as [`std::any::type_name`] tells it; `system` is
    /// `postgresql` or `sqlite`, `operation` is `SELECT`, `INSERT` and so on.
    pub fn query(&self, system: &str, operation: &str, place: &'static str) -> Arc<QueryMeter> {
        if let Some(found) = self.queries.read().get(place) {
            return found.clone();
        }
        let name = name_of(place);
        let labels =
            [("db_system_name", system), ("db_operation_name", operation), ("db_query_summary", &name)];
        let meter = Arc::new(QueryMeter {
            durations: self.recorder.durations(&QUERIES, &labels),
            errors: Counters::new(
                &self.recorder,
                "coffer_db_errors_total",
                "Database queries that failed, by why.",
                &[("db_query_summary", &name)],
            ),
            name,
        });
        self.queries.write().entry(place).or_insert(meter).clone()
    }

    pub fn slow(&self, query: &QueryMeter, took: Duration) {
        if took >= SLOW {
            self.slow_queries.push(SlowQuery::now(self.context.now(), &query.name, took));
        }
    }

    pub fn pool(&self, pool: &str) -> PoolMeter {
        let (recorder, labels) = (&self.recorder, &[("pool", pool)]);
        let connections = |state: PoolState| {
            let help = "Database connections of this process.";
            recorder.gauge("coffer_db_pool_connections", help, &[labels[0], state.pair()])
        };
        PoolMeter {
            used: connections(PoolState::Used),
            idle: connections(PoolState::Idle),
            max: recorder.gauge("coffer_db_pool_max", "Database connections that may be open.", labels),
            waiting: recorder.gauge("coffer_db_pool_waiting", "Who waits for a database connection.", labels),
            acquire: recorder.durations(&ACQUIRE, labels),
            timeouts: recorder.counter(
                "coffer_db_pool_acquire_timeouts_total",
                "Waits for a database connection that were given up.",
                labels,
            ),
        }
    }
}

/// `coffer::resources::store::list::page::{{closure}}::here` is `resources.list.page`.
fn name_of(place: &str) -> String {
    let mut depth = 0_usize;
    let without_generics = place.replace(
        |c| {
            let is_within = depth > 0 || c == '<';
            depth = match c {
                '<' => depth + 1,
                '>' => depth.saturating_sub(1),
                _ => depth,
            };
            is_within
        },
        "",
    );
    let parts = without_generics.split("::");
    let parts = parts.filter(|part| !["", "coffer", "store", "{{closure}}", "here"].contains(part));
    parts.collect::<Vec<_>>().join(".")
}

impl QueryMeter {
    pub fn took(&self, duration: Duration) {
        self.durations.record(duration);
    }

    pub fn failed(&self, kind: ErrorType) {
        self.errors.count(kind);
    }
}

#[cfg(test)]
mod tests {
    use super::name_of;

    #[test]
    fn a_query_is_named_after_its_function_without_generics() {
        for (place, name) in [
            ("coffer::sessions::store::load::{{closure}}::here", "sessions.load"),
            (
                "coffer::resources::store::latest::Source<'_>::found_by::{{closure}}::here",
                "resources.latest.Source.found_by",
            ),
            ("coffer::mail::<impl coffer::mail::Mail<T<u8>>>::waiting::here", "mail.waiting"),
        ] {
            assert_eq!(name_of(place), name);
        }
    }
}
