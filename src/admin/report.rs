//! What the metrics page says, as plain data: the page and the API show the same.

use serde::Serialize;
use utoipa::ToSchema;

use crate::telemetry::recent::{Failure, SlowQuery};
use crate::timestamp::Timestamp;

/// The metrics for the requested range.
#[derive(Debug, Serialize, ToSchema)]
pub struct Report {
    /// `well`, `degraded` or `failing`.
    pub status: &'static str,
    /// The reason.
    pub reason: String,
    pub version: &'static str,
    /// Of the instance that answers.
    pub uptime_seconds: i64,
    pub instances: Vec<String>,
    pub range: String,
    pub instance: String,
    /// The end of the data, in seconds since 1970; 0 if there is none yet.
    pub until: i64,
    /// The beginning of the first step, in seconds since 1970.
    pub from: i64,
    /// Length of a step in seconds.
    pub step: i64,
    pub attention: Vec<Attention>,
    pub tiles: Tiles,
    pub traffic: Vec<Option<Traffic>>,
    /// Starts of instances, in seconds since 1970.
    pub starts: Vec<i64>,
    pub routes: Vec<Route>,
    pub route: Option<RouteDetail>,
    pub cache: Vec<Cache>,
    pub limits: Vec<Policy>,
    pub access: Access,
    pub mails: Mails,
    pub database: Database,
    pub dependencies: Vec<Dependency>,
    pub processes: Vec<Process>,
    pub failures: Vec<FailureGroup>,
    pub logs: Logs,
}

/// Something that needs attention.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Attention {
    pub text: String,
    /// The section with details.
    pub section: &'static str,
    /// Whether it affects visitors.
    pub severe: bool,
}

/// For the last five minutes; the budget covers the whole range.
#[derive(Debug, Serialize, ToSchema)]
pub struct Tiles {
    pub requests_per_second: f64,
    /// Share of 5xx.
    pub errors: f64,
    pub p95_seconds: Option<f64>,
    pub p99_seconds: Option<f64>,
    pub in_flight: f64,
    /// Remaining share of the error budget of 0.1 %; negative if it is exceeded.
    pub budget_left: f64,
}

/// One step: requests per second by status class, and durations.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Traffic {
    pub success: f64,
    pub redirect: f64,
    pub refused: f64,
    pub limited: f64,
    pub failed: f64,
    pub p50: Option<f64>,
    pub p95: Option<f64>,
    pub p99: Option<f64>,
    pub in_flight: f64,
}

impl Traffic {
    #[must_use]
    pub fn total(&self) -> f64 {
        self.success + self.redirect + self.refused + self.limited + self.failed
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Route {
    /// `GET /resources/{id}`
    pub name: String,
    pub requests: f64,
    pub per_second: f64,
    /// Share of all the time that requests took.
    pub share: f64,
    /// Responses with status 4xx other than 429.
    pub refused: f64,
    pub limited: f64,
    pub failed: f64,
    pub p50: Option<f64>,
    pub p95: Option<f64>,
    pub p99: Option<f64>,
    pub max: Option<f64>,
    /// Requests per second, by step.
    pub trend: Vec<Option<f64>>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct RouteDetail {
    pub name: String,
    /// By powers of two.
    pub durations: Vec<Octave>,
    pub failures: Vec<Failure>,
}

/// Requests with a duration between two powers of two.
#[derive(Debug, Serialize, ToSchema)]
pub struct Octave {
    /// Its upper end, in seconds.
    pub seconds: f64,
    pub requests: u64,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Cache {
    pub name: String,
    pub memory_hits: f64,
    pub memory_requests: f64,
    pub redis_hits: f64,
    pub redis_requests: f64,
    pub redis_errors: f64,
    pub stale: f64,
    pub loads: u64,
    pub load_p99: Option<f64>,
    pub coalesced: f64,
    pub evicted: f64,
    pub invalidated: f64,
    pub entries: f64,
    pub weight_bytes: f64,
    pub capacity_bytes: f64,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Policy {
    pub name: String,
    pub allowed: f64,
    pub blocked: f64,
    pub shadow_blocked: f64,
    /// `exact`, `local`, both as `mixed`, or empty when nothing was decided.
    pub mode: &'static str,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Access {
    pub sessions_active: f64,
    pub session_loads_redis: f64,
    pub session_loads_database: f64,
    pub sign_ins: Vec<SignIns>,
    pub decision_p99: Option<f64>,
    pub tracked_keys: f64,
    pub forgotten_early: f64,
}

/// Attempts to send email, and the queue.
#[derive(Debug, Serialize, ToSchema)]
pub struct Mails {
    pub sent: f64,
    pub postponed: f64,
    pub given_up: f64,
    /// Now, over all nodes.
    pub waiting: f64,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct SignIns {
    pub method: String,
    pub success: f64,
    pub failure: f64,
    pub limited: f64,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Database {
    pub pools: Vec<PoolUse>,
    pub queries: Vec<Query>,
    pub slow: Vec<SlowQuery>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct PoolUse {
    pub name: String,
    pub used: f64,
    pub idle: f64,
    pub max: f64,
    pub waiting: f64,
    pub acquire_p99: Option<f64>,
    pub timeouts: f64,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Query {
    pub name: String,
    pub count: u64,
    /// Total duration in seconds, to within 3 %.
    pub total: f64,
    pub p50: Option<f64>,
    pub p99: Option<f64>,
    pub errors: f64,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Dependency {
    pub name: String,
    /// Instances that reach it, and all.
    pub up: f64,
    pub asked: f64,
    /// Instances whose breaker is open.
    pub open: f64,
    pub transitions: f64,
    pub rejections: f64,
    pub p50: Option<f64>,
    pub p99: Option<f64>,
    /// What it reports about itself, if anything.
    pub memory_bytes: Option<f64>,
    /// The invalidation delay, for Redis only.
    pub invalidation_p99: Option<f64>,
    /// For each step: 0 if healthy, 1 if not.
    pub trouble: Vec<Option<f64>>,
}

impl Dependency {
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.up >= self.asked
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Process {
    pub instance: String,
    pub uptime_seconds: i64,
    /// CPU cores in use, over the last span.
    pub cpu: f64,
    pub memory_bytes: f64,
    pub open_fds: f64,
    pub max_fds: f64,
    pub workers: f64,
    /// Share of the workers' time.
    pub busy: f64,
    pub tasks: f64,
    pub lag_p99: Option<f64>,
    pub disk_free: f64,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct FailureGroup {
    pub route: String,
    pub status: u16,
    pub code: String,
    pub count: usize,
    /// When the earliest remembered one happened.
    #[schema(value_type = String, format = DateTime)]
    pub first: Timestamp,
    /// The latest one.
    pub latest: Failure,
    /// A Loki query for its log lines.
    pub logql: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Logs {
    pub lines: Vec<LevelCount>,
    pub dropped: Vec<Dropped>,
}

/// How many lines of a level were logged.
#[derive(Debug, Serialize, ToSchema)]
pub struct LevelCount {
    pub level: String,
    pub lines: f64,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Dropped {
    pub sink: String,
    pub reason: String,
    pub lines: f64,
}
