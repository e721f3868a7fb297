//! What became of a request's policies, and what a refused visitor is told.

use super::Charge;
use super::batch::{Answer, Outcome};
use super::gcra::{Decision, Micros, Quota, seconds};
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
}

/// What a client is told of one policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    pub policy: Policy,
    pub quota: Quota,
    pub remaining: u32,
    /// Until there is a unit again, or else until all are there.
    pub until: Micros,
}

/// Why a request was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub policies: Vec<Policy>,
    /// All policies that the request came under.
    pub told: Vec<Told>,
    /// Seconds, with a little chance in them, so that not everybody returns at once.
    pub retry_after: u64,
}

impl Refusal {
    /// What was too much.
    #[must_use]
    pub fn message(&self) -> &'static str {
        self.policies.first().copied().unwrap_or(Policy::Pages).message()
    }

    /// Whether one account was tried too often, and not too much came from one place.
    #[must_use]
    pub fn is_about_account(&self) -> bool {
        let accounts = [Policy::LoginAccount, Policy::LoginPair, Policy::LoginDevice];
        self.policies.first().is_some_and(|policy| accounts.contains(policy))
    }

    #[must_use]
    pub fn heading(&self) -> &'static str {
        if self.retry_after < 120 { "One moment, please" } else { "Come back later, please" }
    }

    /// When to come back, for people.
    #[must_use]
    pub fn wait(&self) -> String {
        wait(self.retry_after)
    }
}

/// So many seconds, for people.
#[must_use]
pub fn wait(seconds: u64) -> String {
    match seconds {
        1 => "a second".to_owned(),
        0..120 => format!("{seconds} seconds"),
        _ => format!("{} minutes", seconds.div_ceil(60)),
    }
}

impl Verdict {
    pub(super) fn of(tier: Tier, now: Micros, charges: Vec<Charge>, answers: Vec<Answer>) -> Self {
        Self { tier, answers: charges.into_iter().zip(answers).collect(), now }
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

    /// What is told in headers: of the policies that really limit.
    pub fn told(&self) -> impl Iterator<Item = Told> {
        let limits = |(charge, _): &&(Charge, Answer)| {
            !charge.ask.shadow && !matches!(charge.ask.quota, Quota::Mark { .. })
        };
        self.answers.iter().filter(limits).map(|(charge, answer)| Told {
            policy: charge.policy,
            quota: charge.ask.quota,
            remaining: answer.decision.remaining,
            until: if answer.is_refused() { answer.decision.retry_after } else { answer.decision.reset },
        })
    }

    /// What was taken and can be given back; that a client was there can't.
    pub fn taken(&self) -> impl Iterator<Item = (Charge, Micros)> {
        let taken = |(charge, answer): &&(Charge, Answer)| {
            answer.outcome == Outcome::Taken && !matches!(charge.ask.quota, Quota::Mark { .. })
        };
        self.answers.iter().filter(taken).map(|(charge, answer)| (*charge, answer.decision.state))
    }

    /// Why it was refused; `chance` makes any number.
    #[must_use]
    pub fn refusal(&self, chance: impl FnOnce() -> u64) -> Option<Refusal> {
        let wait = self.refused().map(|(_, decision)| decision.retry_after).max()?;
        let seconds = seconds(wait).max(1);
        let policies = self.refused().map(|(policy, _)| policy).collect();
        let told = self.told().collect();
        Some(Refusal { policies, told, retry_after: seconds + chance() % (seconds / 4 + 2).min(16) })
    }
}
