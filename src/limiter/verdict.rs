//! What became of a request's policies, and what a refused visitor is told.

use super::Charge;
use super::batch::{Answer, Outcome};
use super::gcra::{Decision, Micros, Quota};
use super::policy::Policy;

/// Who decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tier {
    /// Redis, for all nodes.
    Exact,
    /// This node, with its part of the limits.
    Local,
    /// This node, which knew that Redis would refuse.
    Remembered,
}

/// The answers of all policies that a request came under.
#[derive(Clone, Debug)]
pub struct Verdict {
    pub tier: Tier,
    pub answers: Vec<(Charge, Answer)>,
    /// The time by the clock of the tier that decided.
    pub(super) now: Micros,
    /// A client was refused for the first, second, fourth, eighth time and so on: worth a line in the log.
    pub is_news: bool,
}

/// Why a request was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub policies: Vec<Policy>,
    /// Seconds, with a little chance in them, so that not everybody returns at once.
    pub retry_after: u64,
}

impl Refusal {
    /// What was too much.
    #[must_use]
    pub fn message(&self) -> &'static str {
        self.policies.first().copied().unwrap_or(Policy::Pages).message()
    }

    /// When to come back, for people.
    #[must_use]
    pub fn wait(&self) -> String {
        match self.retry_after {
            1 => "a second".to_owned(),
            seconds @ 0..120 => format!("{seconds} seconds"),
            seconds => format!("{} minutes", seconds.div_ceil(60)),
        }
    }
}

impl Verdict {
    pub(super) fn of(tier: Tier, now: Micros, charges: Vec<Charge>, answers: Vec<Answer>) -> Self {
        Self { tier, answers: charges.into_iter().zip(answers).collect(), now, is_news: false }
    }

    #[must_use]
    pub fn is_allowed(&self) -> bool {
        self.refused().next().is_none()
    }

    /// The policies that refused, without shadows.
    pub fn refused(&self) -> impl Iterator<Item = (Policy, Decision)> {
        let refuses = |(charge, answer): &&(Charge, Answer)| answer.is_refused() && !charge.ask.shadow;
        self.answers.iter().filter(refuses).map(|(charge, answer)| (charge.policy, answer.decision))
    }

    /// What is told in headers: the policies with a rate that really limit.
    pub fn rates(&self) -> impl Iterator<Item = (Policy, Quota, &Answer)> {
        let told = |(charge, _): &&(Charge, Answer)| {
            !charge.ask.shadow && matches!(charge.ask.quota, Quota::Rate { .. })
        };
        self.answers.iter().filter(told).map(|(charge, answer)| (charge.policy, charge.ask.quota, answer))
    }

    /// What was taken and can be given back.
    pub fn taken(&self) -> impl Iterator<Item = (Charge, Micros)> {
        let taken = |(_, answer): &&(Charge, Answer)| answer.outcome == Outcome::Taken;
        self.answers.iter().filter(taken).map(|(charge, answer)| (*charge, answer.decision.state))
    }

    /// Why it was refused; `chance` makes any number.
    #[must_use]
    pub fn refusal(&self, chance: impl FnOnce() -> u64) -> Option<Refusal> {
        let wait = self.refused().map(|(_, decision)| decision.retry_after).max()?;
        let seconds = wait.div_ceil(1_000_000).max(1);
        let policies = self.refused().map(|(policy, _)| policy).collect();
        Some(Refusal { policies, retry_after: seconds + chance() % (seconds / 4 + 2).min(16) })
    }
}
