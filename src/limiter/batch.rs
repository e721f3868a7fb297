//! All policies of one request: a unit of each is taken, or of none. Pure; `script.lua` does the same in Redis.

use super::gcra::{Decision, Micros, Quota};

/// What a request asks of one policy.
#[derive(Clone, Copy, Debug)]
pub struct Ask {
    pub quota: Quota,
    /// Counts and refuses nothing.
    pub shadow: bool,
    /// Takes a unit only when the client of that ask (by its position) was not there before.
    pub only_if_new: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Refused,
    Taken,
    /// Would be allowed, but nothing was taken: another policy refused, or there was nothing to take.
    Spared,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    pub outcome: Outcome,
    pub decision: Decision,
}

impl Answer {
    #[must_use]
    pub const fn is_refused(&self) -> bool {
        matches!(self.outcome, Outcome::Refused)
    }

    /// What another policy's refusal makes of it.
    pub fn spare(&mut self) {
        if self.outcome == Outcome::Taken {
            self.outcome = Outcome::Spared;
        }
    }
}

impl AsRef<Self> for Ask {
    fn as_ref(&self) -> &Self {
        self
    }
}

/// One answer an ask; `states[i]` is what is remembered of the client of `asks[i]`.
#[must_use]
pub fn take<A: AsRef<Ask>>(asks: &[A], states: &[Micros], now: Micros) -> Vec<Answer> {
    let each = || asks.iter().map(AsRef::as_ref).zip(states);
    let is_due = |ask: &Ask| {
        let other = ask.only_if_new.and_then(|at| Some((asks.get(at)?.as_ref().quota, *states.get(at)?)));
        other.is_none_or(|(quota, state)| quota.is_new(state, now))
    };
    let refused =
        each().any(|(ask, state)| !ask.shadow && is_due(ask) && !ask.quota.decide(*state, now).allowed);
    each().map(|(ask, state)| answer(ask, *state, is_due(ask), refused, now)).collect()
}

fn answer(ask: &Ask, state: Micros, due: bool, refused: bool, now: Micros) -> Answer {
    let decision = ask.quota.decide(state, now);
    if due && !decision.allowed {
        Answer { outcome: Outcome::Refused, decision }
    } else if due && !refused {
        Answer { outcome: Outcome::Taken, decision }
    } else {
        Answer { outcome: Outcome::Spared, decision: ask.quota.look(state, now) }
    }
}
