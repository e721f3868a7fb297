//! All policies of one request: takes a unit of each, or of none. Pure; `script.lua` does the same in Redis.

use super::gcra::{Decision, Micros, Quota};

#[derive(Clone, Copy, Debug)]
pub struct Check {
    pub quota: Quota,
    pub shadow: bool,
    /// How many a rate takes at once; the other kinds count requests.
    pub units: u32,
    /// The position of another check: takes a unit only when the client is new to that one.
    pub only_if_new: Option<usize>,
}

impl Check {
    pub fn decide(&self, state: Micros, now: Micros) -> Decision {
        self.quota.take(self.units, state, now)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Refused,
    Taken,
    /// Allowed, but no unit was taken: another policy refused, or none was due.
    Spared,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    pub outcome: Outcome,
    pub decision: Decision,
}

impl Answer {
    pub const fn is_refused(&self) -> bool {
        matches!(self.outcome, Outcome::Refused)
    }

    pub fn spare(&mut self) {
        if self.outcome == Outcome::Taken {
            self.outcome = Outcome::Spared;
        }
    }
}

impl AsRef<Self> for Check {
    fn as_ref(&self) -> &Self {
        self
    }
}

/// `states[i]` is the stored state of the client of `checks[i]`.
pub fn take<A: AsRef<Check>>(checks: &[A], states: &[Micros], now: Micros) -> Vec<Answer> {
    let each = || checks.iter().map(AsRef::as_ref).zip(states);
    let is_due = |check: &Check| {
        let other = check.only_if_new.and_then(|at| Some((checks.get(at)?.as_ref().quota, *states.get(at)?)));
        other.is_none_or(|(quota, state)| quota.is_new(state, now))
    };
    let refused =
        each().any(|(check, state)| !check.shadow && is_due(check) && !check.decide(*state, now).allowed);
    each().map(|(check, state)| answer(check, *state, is_due(check), refused, now)).collect()
}

fn answer(check: &Check, state: Micros, due: bool, refused: bool, now: Micros) -> Answer {
    let decision = check.decide(state, now);
    if due && !decision.allowed {
        Answer { outcome: Outcome::Refused, decision }
    } else if due && !refused {
        Answer { outcome: Outcome::Taken, decision }
    } else {
        Answer { outcome: Outcome::Spared, decision: check.quota.peek(state, now) }
    }
}
