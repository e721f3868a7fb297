//! Decisions by policy, the time they took, and how full the table is.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::batch::Outcome;
use super::counts::Count;
use super::gcra::Quota;
use super::policy::Policy;
use super::table::Table;
use super::verdict::{Tier, Verdict};
use crate::telemetry::metrics::{Backend, Decision, Metrics, Mode, PolicyMeter, real};

pub struct Meter {
    metrics: Metrics,
    policies: [PolicyMeter; Policy::ALL.len()],
    /// Allowed with less than a tenth left: nodes tell each other, and no metric has it.
    near: [AtomicU64; Policy::ALL.len()],
}

impl Meter {
    pub fn new(metrics: &Metrics) -> Self {
        let policies = Policy::ALL.map(|policy| metrics.limiter.policy(policy.as_str()));
        Self { metrics: metrics.clone(), policies, near: Default::default() }
    }

    /// `tier`: how the node decides now. A remembered refusal counts for it.
    pub fn decided(&self, verdict: &Verdict, tier: Tier, took: Duration) {
        let backend = if verdict.tier == Tier::Exact { Backend::Redis } else { Backend::Local };
        self.metrics.limiter.checks(backend).record(took);
        let counted = if verdict.tier == Tier::Remembered { tier } else { verdict.tier };
        let mode = if counted == Tier::Exact { Mode::Exact } else { Mode::Local };
        for (charge, answer) in &verdict.answers {
            let decision = match answer.outcome {
                Outcome::Taken => Decision::Allowed,
                Outcome::Refused if charge.check.shadow => Decision::ShadowBlocked,
                Outcome::Refused => Decision::Blocked,
                Outcome::Spared => continue,
            };
            self.policies[charge.policy.index()].decided(decision, mode);
            if decision == Decision::Allowed && is_near(charge.check.quota, answer.decision.remaining) {
                self.near[charge.policy.index()].fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    pub fn look_at(&self, table: &Table) {
        self.metrics.limiter.tracked_keys.set(real(table.used()));
        self.metrics.limiter.evictions.absolute(table.evicted());
    }

    pub fn count(&self, policy: Policy) -> Count {
        let decisions = |decision| self.metrics.limiter.decisions(policy.as_str(), decision);
        Count {
            allowed: decisions(Decision::Allowed),
            refused: decisions(Decision::Blocked),
            shadow: decisions(Decision::ShadowBlocked),
            near: self.near[policy.index()].load(Ordering::Relaxed),
        }
    }
}

fn is_near(quota: Quota, remaining: u32) -> bool {
    match quota {
        Quota::Rate { burst: all, .. } | Quota::Backoff { free: all, .. } => {
            u64::from(remaining) * 10 < u64::from(all)
        }
        Quota::Mark { .. } => false,
    }
}
