//! The generic cell rate algorithm (ITU-T I.371), with one number for each client and no clock of its own.
//!
//! The number is the theoretical arrival time, in microseconds since 1970: from then on the client has all units
//! again. Only time changes it after a refusal, so the end of a refusal is known when it is made.

pub type Micros = u64;

/// A backoff counts its attempts in the lowest bits of the number, which costs 64 microseconds of precision.
const COUNTED: Micros = 64;

/// `script.lua` computes the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quota {
    /// `count` in `period` at a steady pace, and `burst` at once.
    Rate { burst: u32, count: u32, period: Micros },
    /// `free` attempts, then a delay that doubles from `first` to `longest`. Forgotten `longest` after the delay.
    Backoff { free: u32, first: Micros, longest: Micros },
    /// Refuses nothing, and remembers the client for `period`.
    Mark { period: Micros },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    pub allowed: bool,
    /// To be stored also after a refusal, as the clock may have been set back.
    pub state: Micros,
    pub remaining: u32,
    pub retry_after: Micros,
    /// Until the client has all units again.
    pub reset: Micros,
}

impl Quota {
    pub fn decide(self, state: Micros, now: Micros) -> Decision {
        self.take(1, state, now)
    }

    /// Takes all these units, or none.
    pub fn take(self, units: u32, state: Micros, now: Micros) -> Decision {
        let state = self.clamp(state, now);
        let cost = self.cost(units);
        let next = match self {
            Self::Rate { .. } => state.max(now) + cost,
            Self::Backoff { first, longest, free } => {
                let attempts = (attempts(state, now) + 1).min(COUNTED - 1);
                let doublings = u32::try_from(attempts).unwrap_or(0).checked_sub(free);
                let delay = doublings.map_or(0, |n| first.saturating_mul(1 << n.min(40)).min(longest));
                coarse(now + delay + longest) + attempts
            }
            Self::Mark { period } => now + period,
        };
        match self.wait(cost, state, now) {
            0 => self.allowed(next, now),
            wait => Decision { allowed: false, retry_after: wait, ..self.allowed(state, now) },
        }
    }

    /// How far these units move a rate's state. A request that needs more than all units needs all of them.
    pub fn cost(self, units: u32) -> Micros {
        self.interval().saturating_mul(units.into()).min(self.tolerance())
    }

    pub fn peek(self, state: Micros, now: Micros) -> Decision {
        self.allowed(self.clamp(state, now), now)
    }

    fn allowed(self, state: Micros, now: Micros) -> Decision {
        let ahead = state.saturating_sub(now);
        let remaining = match self {
            Self::Rate { .. } => self.tolerance().saturating_sub(ahead) / self.interval(),
            Self::Backoff { free, .. } => u64::from(free).saturating_sub(attempts(state, now)),
            Self::Mark { .. } => u64::from(u32::MAX),
        };
        let remaining = u32::try_from(remaining).unwrap_or(u32::MAX);
        Decision { allowed: true, state, remaining, retry_after: 0, reset: ahead }
    }

    fn wait(self, cost: Micros, state: Micros, now: Micros) -> Micros {
        match self {
            Self::Rate { .. } => (state.max(now) + cost).saturating_sub(now + self.tolerance()),
            Self::Backoff { longest, .. } => (state - state % COUNTED).saturating_sub(longest + now),
            Self::Mark { .. } => 0,
        }
    }

    /// Cuts the state down to what this quota can reach, so that neither a clock that was set back nor a larger quota
    /// from before blocks a client for longer. A state that time has passed becomes 0, as of a new client.
    pub fn clamp(self, state: Micros, now: Micros) -> Micros {
        match self {
            _ if self.is_new(state, now) => 0,
            Self::Rate { .. } => state.min(now + self.tolerance()),
            Self::Backoff { longest, .. } if state > coarse(now + 2 * longest) + COUNTED - 1 => {
                coarse(now + 2 * longest) + state % COUNTED
            }
            Self::Backoff { .. } => state,
            Self::Mark { period } => state.min(now + period),
        }
    }

    pub const fn is_new(self, state: Micros, now: Micros) -> bool {
        match self {
            Self::Backoff { .. } => state - state % COUNTED <= now,
            _ => state <= now,
        }
    }

    /// Gives back the unit that made the state `taken`, as far as time has not given it back yet.
    pub fn refund(self, state: Micros, taken: Micros, now: Micros) -> Micros {
        match self {
            Self::Rate { .. } => state.saturating_sub(taken.saturating_sub(now).min(self.interval())),
            Self::Backoff { .. } => 0,
            Self::Mark { .. } => state,
        }
    }

    pub fn rebased(self, state: Micros, from: Micros, to: Micros) -> Micros {
        let ahead = state.saturating_sub(from);
        match self {
            _ if ahead == 0 => 0,
            Self::Backoff { .. } => coarse(state - state % COUNTED - from.min(state) + to) + state % COUNTED,
            _ => to + ahead,
        }
    }

    /// One node's share while nodes can't agree: the same recovery time, and at least one unit.
    pub fn shared_by(self, nodes: u32) -> Self {
        match self {
            Self::Rate { burst, count, period } if nodes > 1 => {
                Self::Rate { burst: (burst / nodes).max(1), count, period: period * u64::from(nodes) }
            }
            other => other,
        }
    }

    pub fn memory(self) -> Micros {
        match self {
            Self::Rate { .. } => self.tolerance(),
            Self::Backoff { longest, .. } => 2 * longest,
            Self::Mark { period } => period,
        }
    }

    pub fn interval(self) -> Micros {
        match self {
            Self::Rate { count, period, .. } => period.div_ceil(u64::from(count.max(1))).max(1),
            Self::Backoff { first, .. } => first,
            Self::Mark { period } => period,
        }
    }

    /// How far a state may be ahead of the clock.
    pub fn tolerance(self) -> Micros {
        match self {
            Self::Rate { burst, .. } => self.interval() * u64::from(burst.max(1)),
            Self::Backoff { longest, .. } => longest,
            Self::Mark { period } => period,
        }
    }
}

const fn attempts(state: Micros, now: Micros) -> u64 {
    if state - state % COUNTED > now { state % COUNTED } else { 0 }
}

/// Whole seconds, rounded up, but without the precision that a backoff lacks.
pub const fn seconds(span: Micros) -> u64 {
    span.saturating_sub(2 * COUNTED).div_ceil(1_000_000)
}

/// Rounded down, so that the free attempts can all come within one instant.
const fn coarse(instant: Micros) -> Micros {
    instant - instant % COUNTED
}
