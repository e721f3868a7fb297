//! The rate limiter: what each policy decided, and what deciding took.

use metrics::{Counter, Gauge, Histogram};

use super::family::{Counters, Label as _, label};
use super::recorder::{Durations, Recorder};

pub(super) const CHECKS: Durations = Durations {
    name: "coffer_rate_limit_check_duration_seconds",
    help: "Duration of a decision, by who made it.",
    buckets: &[0.000_001, 0.000_005, 0.000_025, 0.0001, 0.0005, 0.001, 0.005, 0.02, 0.1],
    kind: "check",
    by: &["backend"],
};

const DECISIONS: &str = "coffer_rate_limit_decisions_total";

label! {
    Decision = "decision" {
        Allowed = "allowed",
        Blocked = "blocked",
        /// Would have been blocked; the policy only watches.
        ShadowBlocked = "shadow_blocked",
    }
}

label! {
    Mode = "mode" {
        /// Counted over all nodes.
        Exact = "exact",
        /// By this node alone: Redis is away, or there is none.
        Local = "local",
    }
}

label! {
    Backend = "backend" { Redis = "redis", Local = "local" }
}

#[derive(Debug)]
pub struct Limiter {
    recorder: Recorder,
    redis: Histogram,
    local: Histogram,
    pub tracked_keys: Gauge,
    pub evictions: Counter,
}

#[derive(Clone, Debug)]
pub struct PolicyMeter {
    exact: Counters<Decision>,
    local: Counters<Decision>,
}

impl Limiter {
    pub(super) fn new(recorder: &Recorder) -> Self {
        Self {
            recorder: recorder.clone(),
            redis: recorder.durations(&CHECKS, &[Backend::Redis.pair()]),
            local: recorder.durations(&CHECKS, &[Backend::Local.pair()]),
            tracked_keys: recorder.gauge(
                "coffer_rate_limit_tracked_keys",
                "Clients, accounts and tokens that the process remembers.",
                &[],
            ),
            evictions: recorder.counter(
                "coffer_rate_limit_evictions_total",
                "Clients that were forgotten early because the table was full.",
                &[],
            ),
        }
    }

    /// The meter of the policy of this name; all at 0.
    pub fn policy(&self, policy: &str) -> PolicyMeter {
        let decisions = |mode: Mode| {
            let labels = [("policy", policy), mode.pair()];
            Counters::new(&self.recorder, DECISIONS, "Decisions of the rate limiter.", &labels)
        };
        PolicyMeter { exact: decisions(Mode::Exact), local: decisions(Mode::Local) }
    }

    /// How often the policy of this name decided like this, in either mode.
    pub fn decisions(&self, policy: &str, decision: Decision) -> u64 {
        let labels = |mode: &Mode| [("policy", policy), decision.pair(), mode.pair()];
        Mode::ALL.iter().map(|mode| self.recorder.counted(DECISIONS, &labels(mode))).sum()
    }

    pub fn checks(&self, backend: Backend) -> &Histogram {
        match backend {
            Backend::Redis => &self.redis,
            Backend::Local => &self.local,
        }
    }
}

impl PolicyMeter {
    pub fn decided(&self, decision: Decision, mode: Mode) {
        match mode {
            Mode::Exact => self.exact.count(decision),
            Mode::Local => self.local.count(decision),
        }
    }
}
