//! What each policy did, since this process started.

use std::ops::Add;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use super::Charge;
use super::batch::{Answer, Outcome};
use super::gcra::Quota;
use super::policy::Policy;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Count {
    pub allowed: u64,
    pub refused: u64,
    /// Would have been refused, but the policy only counts.
    pub shadow: u64,
    /// Allowed, with less than a tenth left.
    pub near: u64,
}

impl Add for Count {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            allowed: self.allowed + other.allowed,
            refused: self.refused + other.refused,
            shadow: self.shadow + other.shadow,
            near: self.near + other.near,
        }
    }
}

#[derive(Debug, Default)]
pub struct Counts([[AtomicU64; 4]; Policy::ALL.len()]);

impl Counts {
    #[must_use]
    pub fn of(&self, policy: Policy) -> Count {
        let [allowed, refused, shadow, near] =
            std::array::from_fn(|at| self.0[policy.index()][at].load(Ordering::Relaxed));
        Count { allowed, refused, shadow, near }
    }

    pub fn add(&self, charge: &Charge, answer: &Answer) {
        let counts = &self.0[charge.policy.index()];
        let add = |at: usize| counts[at].fetch_add(1, Ordering::Relaxed);
        match answer.outcome {
            Outcome::Taken => {
                add(0);
                if is_near(charge.ask.quota, answer.decision.remaining) {
                    add(3);
                }
            }
            Outcome::Refused if charge.ask.shadow => drop(add(2)),
            Outcome::Refused => drop(add(1)),
            Outcome::Spared => {}
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
