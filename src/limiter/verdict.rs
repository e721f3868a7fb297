//! The decision about a request, and what the answer says of it.

use super::Charge;
use super::batch::{Answer, Outcome};
use super::gcra::{Decision, Micros, Quota, seconds};
use super::policy::Policy;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tier {
    /// Redis, for all nodes.
    Exact,
    /// This node, by its share of the limits.
    Local,
    /// This node, which knew that Redis would refuse.
    Remembered,
}

#[derive(Clone, Debug)]
pub struct Verdict {
    pub tier: Tier,
    pub answers: Vec<(Charge, Answer)>,
    /// By the clock of the tier that decided.
    pub(super) now: Micros,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuotaStatus {
    pub policy: Policy,
    pub quota: Quota,
    pub remaining: u32,
    /// After a refusal until there is a unit again, otherwise until all are there.
    pub until: Micros,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub policies: Vec<Policy>,
    /// Of all the request's policies.
    pub quotas: Vec<QuotaStatus>,
    /// In seconds, with some jitter, so that clients don't all return at once.
    pub retry_after: u64,
}

impl Refusal {
    pub fn message(&self) -> &'static str {
        self.policies.first().copied().unwrap_or(Policy::Pages).message()
    }

    pub fn is_about_account(&self) -> bool {
        let accounts = [Policy::LoginAccount, Policy::LoginPair, Policy::LoginDevice];
        self.policies.first().is_some_and(|policy| accounts.contains(policy))
    }

    pub fn heading(&self) -> &'static str {
        if self.retry_after < 120 { "Too many requests" } else { "Please try again later" }
    }

    pub fn wait(&self) -> String {
        wait(self.retry_after)
    }
}

/// Seconds as text for people.
pub fn wait(seconds: u64) -> String {
    match seconds {
        1 => "a second".to_owned(),
        0..120 => format!("{seconds} seconds"),
        _ => format!("{} minutes", seconds.div_ceil(60)),
    }
}

impl Verdict {
    pub(super) fn new(tier: Tier, now: Micros, charges: Vec<Charge>, answers: Vec<Answer>) -> Self {
        Self { tier, answers: charges.into_iter().zip(answers).collect(), now }
    }

    pub fn is_allowed(&self) -> bool {
        self.refused().next().is_none()
    }

    /// The policies that refused, without shadows.
    pub fn refused(&self) -> impl Iterator<Item = (Policy, Decision)> {
        let refuses = |(charge, answer): &&(Charge, Answer)| answer.is_refused() && !charge.check.shadow;
        self.answers.iter().filter(refuses).map(|(charge, answer)| (charge.policy, answer.decision))
    }

    /// For the headers: without shadows and marks.
    pub fn quota_statuses(&self) -> impl Iterator<Item = QuotaStatus> {
        let limits = |(charge, _): &&(Charge, Answer)| {
            !charge.check.shadow && !matches!(charge.check.quota, Quota::Mark { .. })
        };
        self.answers.iter().filter(limits).map(|(charge, answer)| QuotaStatus {
            policy: charge.policy,
            quota: charge.check.quota,
            remaining: answer.decision.remaining,
            until: if answer.is_refused() { answer.decision.retry_after } else { answer.decision.reset },
        })
    }

    pub fn taken(&self) -> impl Iterator<Item = (Charge, Micros)> {
        let taken = |(charge, answer): &&(Charge, Answer)| {
            answer.outcome == Outcome::Taken && !matches!(charge.check.quota, Quota::Mark { .. })
        };
        self.answers.iter().filter(taken).map(|(charge, answer)| (*charge, answer.decision.state))
    }

    /// `chance` returns a random number for the jitter.
    pub fn refusal(&self, chance: impl FnOnce() -> u64) -> Option<Refusal> {
        let wait = self.refused().map(|(_, decision)| decision.retry_after).max()?;
        let seconds = seconds(wait).max(1);
        let policies = self.refused().map(|(policy, _)| policy).collect();
        let quotas = self.quota_statuses().collect();
        Some(Refusal { policies, quotas, retry_after: seconds + chance() % (seconds / 4 + 2).min(16) })
    }
}
