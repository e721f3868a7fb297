//! What the metrics page says, as plain data: the page and the API show the same.

use serde::Serialize;
use utoipa::ToSchema;

use crate::telemetry::recent::{Failure, SlowQuery};
use crate::timestamp::Timestamp;

/// How coffer does, over the time that was asked for.
#[derive(Debug, Serialize, ToSchema)]
pub struct Report {
    /// `well`, `degraded` or `failing`.
    pub status: &'static str,
    /// Why, in a sentence.
    pub reason: String,
    pub version: &'static str,
    /// Of the instance that answers.
    pub uptime_seconds: i64,
    pub instances: Vec<String>,
    pub range: String,
    pub instance: String,
    /// The end of the data, in seconds since 1970; 0 before there are any.
    pub until: i64,
    /// The beginning of the first step, in seconds since 1970.
    pub from: i64,
    /// Seconds that a step takes.
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

/// Something that wants an operator's eyes.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Attention {
    pub text: String,
    /// The section that tells more.
    pub section: &'static str,
    /// Whether visitors notice it.
    pub severe: bool,
}

/// Of the last five minutes, but for the budget, which is that of the whole range.
#[derive(Debug, Serialize, ToSchema)]
pub struct Tiles {
    pub requests_per_second: f64,
    /// Share of 5xx.
    pub errors: f64,
    pub p95_seconds: Option<f64>,
    pub p99_seconds: Option<f64>,
    pub in_flight: f64,
    /// Share of the 0.1 % of 5xx that the range allows; below 0 when more have happened.
    pub budget_left: f64,
}

/// One step: requests a second by status class, and seconds.
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
    /// 4xx but 429.
    pub refused: f64,
    pub limited: f64,
    pub failed: f64,
    pub p50: Option<f64>,
    pub p95: Option<f64>,
    pub p99: Option<f64>,
    pub max: Option<f64>,
    /// Requests a second, step by step.
    pub trend: Vec<Option<f64>>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct RouteDetail {
    pub name: String,
    /// By powers of two.
    pub durations: Vec<Octave>,
    pub failures: Vec<Failure>,
}

/// Requests whose time lies within a power of two.
#[derive(Debug, Serialize, ToSchema)]
pub struct Octave {
    /// The seconds where it ends.
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

/// Attempts to send a mail, and what is left.
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
    /// Seconds that all of them took, to within 3 %.
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
    /// What it says of itself, where it tells.
    pub memory_bytes: Option<f64>,
    /// Redis alone: until word of a change has gone round through it.
    pub invalidation_p99: Option<f64>,
    /// For each step: 0 all well, 1 not.
    pub trouble: Vec<Option<f64>>,
}

impl Dependency {
    /// Whether every instance reaches it.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.up >= self.asked
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Process {
    pub instance: String,
    pub uptime_seconds: i64,
    /// Cores, over the last span.
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
    /// When the earliest of those that are remembered was.
    #[schema(value_type = String, format = DateTime)]
    pub first: Timestamp,
    /// The latest one.
    pub latest: Failure,
    /// Finds its lines in Loki.
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
