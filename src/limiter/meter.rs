//! What scrapes see of the limits: decisions by policy, what deciding took, and how full the table is.

use std::time::Duration;

use super::batch::Outcome;
use super::policy::Policy;
use super::table::Table;
use super::verdict::{Tier, Verdict};
use crate::telemetry::metrics::{Backend, Decision, Metrics, Mode, PolicyMeter};

pub struct Meter {
    metrics: Metrics,
    policies: [PolicyMeter; Policy::ALL.len()],
}

impl Meter {
    pub fn new(metrics: &Metrics) -> Self {
        let policies = Policy::ALL.map(|policy| metrics.limiter.policy(policy.as_str()));
        Self { metrics: metrics.clone(), policies }
    }

    /// `tier` is how the node decides just now: what it remembers it knows from there.
    pub fn decided(&self, verdict: &Verdict, tier: Tier, took: Duration, table: &Table) {
        let limiter = &self.metrics.limiter;
        let backend = if verdict.tier == Tier::Exact { Backend::Redis } else { Backend::Local };
        limiter.checks(backend).record(took);
        let counted = if verdict.tier == Tier::Remembered { tier } else { verdict.tier };
        let mode = if counted == Tier::Exact { Mode::Exact } else { Mode::Local };
        for (charge, answer) in &verdict.answers {
            let decision = match answer.outcome {
                Outcome::Taken => Decision::Allowed,
                Outcome::Refused if charge.ask.shadow => Decision::ShadowBlocked,
                Outcome::Refused => Decision::Blocked,
                Outcome::Spared => continue,
            };
            self.policies[charge.policy.index()].decided(decision, mode);
        }
        limiter.tracked_keys.set(i64::try_from(table.used()).unwrap_or(i64::MAX));
        if let evicted @ 1.. = table.take_evicted() {
            limiter.evictions.inc_by(evicted);
        }
    }
}
