//! The generic cell rate algorithm (ITU-T I.371) on one number a client, without a clock of its own.
//!
//! The number is the instant, in microseconds since 1970, at which the client is as good as new: the theoretical
//! arrival time. Time alone changes it, so a refusal holds until an instant that is known when it is made.

pub type Micros = u64;

/// A backoff counts its attempts in the lowest bits of its number: 64 microseconds matter to nobody.
const COUNTED: Micros = 64;

/// How much is allowed. `script.lua` computes the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quota {
    /// `count` in `period` at a steady pace, and `burst` at once.
    Rate { burst: u32, count: u32, period: Micros },
    /// `free` attempts, then a delay that doubles from `first` to `longest` and is forgotten as long after it.
    Backoff { free: u32, first: Micros, longest: Micros },
    /// Refuses nothing and remembers for `period` that the client was there.
    Mark { period: Micros },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    pub allowed: bool,
    /// What to remember of the client, also after a refusal: the clock may have been set back.
    pub state: Micros,
    /// How many more would be allowed at once.
    pub remaining: u32,
    /// 0 when it is allowed.
    pub retry_after: Micros,
    /// Until the client is as good as new.
    pub reset: Micros,
}

impl Quota {
    /// Takes one unit of it, if there is one.
    #[must_use]
    pub fn decide(self, state: Micros, now: Micros) -> Decision {
        let state = self.clamp(state, now);
        let next = match self {
            Self::Rate { .. } => state.max(now) + self.interval(),
            Self::Backoff { first, longest, free } => {
                let attempts = (attempts(state, now) + 1).min(COUNTED - 1);
                let doublings = u32::try_from(attempts).unwrap_or(0).checked_sub(free);
                let delay = doublings.map_or(0, |n| first.saturating_mul(1 << n.min(40)).min(longest));
                coarse(now + delay + longest) + attempts
            }
            Self::Mark { period } => now + period,
        };
        match self.wait(state, now) {
            0 => self.allowed(next, now),
            wait => Decision { allowed: false, state, remaining: 0, retry_after: wait, reset: state - now },
        }
    }

    /// What is left to a client who takes nothing.
    #[must_use]
    pub fn look(self, state: Micros, now: Micros) -> Decision {
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

    /// How long nothing more is to be had.
    fn wait(self, state: Micros, now: Micros) -> Micros {
        match self {
            Self::Rate { .. } => (state.max(now) + self.interval()).saturating_sub(now + self.tolerance()),
            Self::Backoff { longest, .. } => (state - state % COUNTED).saturating_sub(longest + now),
            Self::Mark { .. } => 0,
        }
    }

    /// No state is further ahead than this quota can bring it: neither a clock that was set back nor a quota that
    /// was larger before shuts anybody out for longer.
    /// Whom time has forgiven is as one never seen.
    #[must_use]
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

    /// Whether there is nothing to remember of a client.
    #[must_use]
    pub const fn is_new(self, state: Micros, now: Micros) -> bool {
        match self {
            Self::Backoff { .. } => state - state % COUNTED <= now,
            _ => state <= now,
        }
    }

    /// Gives back what was taken when the state became `taken`, as far as time has not done so already.
    #[must_use]
    pub fn refund(self, state: Micros, taken: Micros, now: Micros) -> Micros {
        match self {
            Self::Rate { .. } => state.saturating_sub(taken.saturating_sub(now).min(self.interval())),
            Self::Backoff { .. } => 0,
            Self::Mark { .. } => state,
        }
    }

    /// The state by another clock.
    #[must_use]
    pub fn moved(self, state: Micros, from: Micros, to: Micros) -> Micros {
        let ahead = state.saturating_sub(from);
        match self {
            _ if ahead == 0 => 0,
            Self::Backoff { .. } => coarse(state - state % COUNTED - from.min(state) + to) + state % COUNTED,
            _ => to + ahead,
        }
    }

    /// One node's part while the nodes can't agree: the same time until forgiveness, at least one unit.
    #[must_use]
    pub fn shared_by(self, nodes: u32) -> Self {
        match self {
            Self::Rate { burst, count, period } if nodes > 1 => {
                Self::Rate { burst: (burst / nodes).max(1), count, period: period * u64::from(nodes) }
            }
            other => other,
        }
    }

    /// How long a client can be remembered.
    #[must_use]
    pub fn memory(self) -> Micros {
        match self {
            Self::Rate { .. } => self.tolerance(),
            Self::Backoff { longest, .. } => 2 * longest,
            Self::Mark { period } => period,
        }
    }

    /// Between two units at the steady pace.
    #[must_use]
    pub fn interval(self) -> Micros {
        match self {
            Self::Rate { count, period, .. } => period.div_ceil(u64::from(count.max(1))).max(1),
            Self::Backoff { first, .. } => first,
            Self::Mark { period } => period,
        }
    }

    /// How far ahead of the clock a client may be.
    #[must_use]
    pub fn tolerance(self) -> Micros {
        match self {
            Self::Rate { burst, .. } => self.interval() * u64::from(burst.max(1)),
            Self::Backoff { longest, .. } => longest,
            Self::Mark { period } => period,
        }
    }
}

/// The attempts that a backoff's state has counted and not forgotten.
const fn attempts(state: Micros, now: Micros) -> u64 {
    if state - state % COUNTED > now { state % COUNTED } else { 0 }
}

/// Whole seconds, rounded up, but not for what is too little to matter.
#[must_use]
pub const fn seconds(span: Micros) -> u64 {
    span.saturating_sub(2 * COUNTED).div_ceil(1_000_000)
}

/// Rounded down: whoever may try again at once may do so within the same instant.
const fn coarse(instant: Micros) -> Micros {
    instant - instant % COUNTED
}
