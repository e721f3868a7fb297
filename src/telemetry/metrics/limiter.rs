//! The rate limiter: what each policy decided, and what deciding took.

use prometheus::{IntCounter, IntCounterVec, IntGauge};

use super::family::{Counters, Family, Label as _, label};
use crate::telemetry::timing::Timing;

const CHECK_BUCKETS: [f64; 9] = [0.000_001, 0.000_005, 0.000_025, 0.0001, 0.0005, 0.001, 0.005, 0.02, 0.1];

label! {
    Decision {
        Allowed = "allowed",
        Blocked = "blocked",
        /// Would have been blocked; the policy only watches.
        ShadowBlocked = "shadow_blocked",
    }
}

label! {
    Mode {
        /// Counted over all nodes.
        Exact = "exact",
        /// By this node alone: Redis is away, or there is none.
        Local = "local",
    }
}

label! {
    /// Who decided.
    Backend { Redis = "redis", Local = "local" }
}

#[derive(Debug)]
pub struct Limiter {
    decisions: IntCounterVec,
    redis: Timing,
    local: Timing,
    pub tracked_keys: IntGauge,
    pub evictions: IntCounter,
}

/// What one policy counts; cheap to clone.
#[derive(Clone, Debug)]
pub struct PolicyMeter {
    exact: Counters<Decision>,
    local: Counters<Decision>,
}

impl Limiter {
    pub(super) fn new(family: Family) -> Self {
        let checks = family.histograms(
            "coffer_rate_limit_check_duration_seconds",
            "Duration of a decision, by who made it.",
            &["backend"],
            &CHECK_BUCKETS,
        );
        Self {
            decisions: family.counters(
                "coffer_rate_limit_decisions_total",
                "Decisions of the rate limiter.",
                &["policy", "decision", "mode"],
            ),
            redis: family.timing(checks.with_label_values(&["redis"]), "check", "redis"),
            local: family.timing(checks.with_label_values(&["local"]), "check", "local"),
            tracked_keys: family.gauge(
                "coffer_rate_limit_tracked_keys",
                "Clients, accounts and tokens that the process remembers.",
            ),
            evictions: family.counter(
                "coffer_rate_limit_evictions_total",
                "Clients that were forgotten early because the table was full.",
            ),
        }
    }

    /// The meter of the policy of this name; all at 0.
    #[must_use]
    pub fn policy(&self, policy: &str) -> PolicyMeter {
        // The label in the middle is the one that varies, so each counter is named in full.
        let of = |mode: Mode| {
            Counters::from_fn(|decision: Decision| {
                self.decisions.with_label_values(&[policy, decision.as_str(), mode.as_str()])
            })
        };
        PolicyMeter { exact: of(Mode::Exact), local: of(Mode::Local) }
    }

    /// What a decision took.
    #[must_use]
    pub fn checks(&self, backend: Backend) -> &Timing {
        match backend {
            Backend::Redis => &self.redis,
            Backend::Local => &self.local,
        }
    }
}

impl PolicyMeter {
    pub fn decided(&self, decision: Decision, mode: Mode) {
        self.mode(mode).count(decision);
    }

    #[must_use]
    pub fn decisions(&self, decision: Decision, mode: Mode) -> u64 {
        self.mode(mode).get(decision)
    }

    fn mode(&self, mode: Mode) -> &Counters<Decision> {
        match mode {
            Mode::Exact => &self.exact,
            Mode::Local => &self.local,
        }
    }
}
