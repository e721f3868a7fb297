//! The database: each query by its name, and the pools of connections.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use prometheus::{HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec};

use super::family::{Counters, Family, Label as _, label};
use crate::context::Context;
use crate::telemetry::recent::{Recent, SlowQuery};
use crate::telemetry::timing::{Sketches, Timing};

/// A query that takes longer is remembered with its request.
const SLOW: Duration = Duration::from_millis(100);

/// OpenTelemetry's advice for databases, and one finer.
const BUCKETS: [f64; 10] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0];

label! { PoolState { Used = "used", Idle = "idle" } }

label! {
    /// Why a query failed.
    ErrorType { Unavailable = "unavailable", Timeout = "timeout", Conflict = "conflict", Other = "other" }
}

#[derive(Debug)]
pub struct Database {
    durations: HistogramVec,
    errors: IntCounterVec,
    queries: RwLock<HashMap<&'static str, Arc<QueryMeter>>>,
    connections: IntGaugeVec,
    max: IntGaugeVec,
    waiting: IntGaugeVec,
    acquire: HistogramVec,
    timeouts: IntCounterVec,
    sketches: Sketches,
    context: Context,
    pub slow_queries: Recent<SlowQuery>,
}

/// One query.
#[derive(Debug)]
pub struct QueryMeter {
    pub name: String,
    durations: Timing,
    errors: Counters<ErrorType>,
}

/// One pool of connections; cheap to clone.
#[derive(Clone, Debug)]
pub struct PoolMeter {
    pub used: IntGauge,
    pub idle: IntGauge,
    pub max: IntGauge,
    pub waiting: IntGauge,
    pub acquire: Timing,
    pub timeouts: IntCounter,
}

impl Database {
    pub(super) fn new(family: Family, context: &Context) -> Self {
        Self {
            durations: family.histograms(
                "db_client_operation_duration_seconds",
                "Duration of database queries, by the name of the query.",
                &["db_system_name", "db_operation_name", "db_query_summary"],
                &BUCKETS,
            ),
            errors: family.counters(
                "coffer_db_errors_total",
                "Database queries that failed, by why.",
                &["db_query_summary", "error_type"],
            ),
            queries: RwLock::default(),
            connections: family.gauges(
                "coffer_db_pool_connections",
                "Database connections of this process.",
                &["pool", "state"],
            ),
            max: family.gauges("coffer_db_pool_max", "Database connections that may be open.", &["pool"]),
            waiting: family.gauges(
                "coffer_db_pool_waiting",
                "Who waits for a database connection.",
                &["pool"],
            ),
            acquire: family.histograms(
                "coffer_db_pool_acquire_duration_seconds",
                "Time until a database connection, or a write transaction, was had.",
                &["pool"],
                &BUCKETS,
            ),
            timeouts: family.counters(
                "coffer_db_pool_acquire_timeouts_total",
                "Waits for a database connection that were given up.",
                &["pool"],
            ),
            sketches: family.sketches.clone(),
            context: context.clone(),
            slow_queries: Recent::default(),
        }
    }

    /// The meter of the query that is asked at this place, as [`std::any::type_name`] tells it; `system` is
    /// `postgresql` or `sqlite`, `operation` is `SELECT`, `INSERT` and so on.
    #[must_use]
    pub fn query(&self, system: &str, operation: &str, place: &'static str) -> Arc<QueryMeter> {
        let queries = self.queries.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = queries.get(place) {
            return found.clone();
        }
        drop(queries);
        let name = name_of(place);
        let histogram = self.durations.with_label_values(&[system, operation, &name]);
        let meter = Arc::new(QueryMeter {
            durations: Timing::new(histogram, self.sketches.of("query", &name)),
            errors: Counters::new(&self.errors, &[&name]),
            name,
        });
        let mut queries = self.queries.write().unwrap_or_else(PoisonError::into_inner);
        queries.entry(place).or_insert(meter).clone()
    }

    /// Remembers what took long.
    pub fn slow(&self, query: &QueryMeter, took: Duration) {
        if took >= SLOW {
            self.slow_queries.push(SlowQuery::now(self.context.now(), &query.name, took));
        }
    }

    #[must_use]
    pub fn pool(&self, pool: &str) -> PoolMeter {
        PoolMeter {
            used: self.connections.with_label_values(&[pool, PoolState::Used.as_str()]),
            idle: self.connections.with_label_values(&[pool, PoolState::Idle.as_str()]),
            max: self.max.with_label_values(&[pool]),
            waiting: self.waiting.with_label_values(&[pool]),
            acquire: Timing::new(self.acquire.with_label_values(&[pool]), self.sketches.of("acquire", pool)),
            timeouts: self.timeouts.with_label_values(&[pool]),
        }
    }
}

/// `coffer::resources::store::list::page::{{closure}}::here` is `resources.list.page`.
fn name_of(place: &str) -> String {
    let parts = place.split("::").filter(|part| !["coffer", "store", "{{closure}}", "here"].contains(part));
    parts.collect::<Vec<_>>().join(".")
}

impl QueryMeter {
    pub fn took(&self, duration: Duration) {
        self.durations.record(duration);
    }

    pub fn failed(&self, error: &sqlx::Error) {
        self.errors.count(match error {
            sqlx::Error::PoolTimedOut => ErrorType::Timeout,
            error if crate::db::is_silence(error) => ErrorType::Timeout,
            error if crate::db::is_unavailable(error) => ErrorType::Unavailable,
            error if crate::db::is_duplicate(error) => ErrorType::Conflict,
            _ => ErrorType::Other,
        });
    }
}
