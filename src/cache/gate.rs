//! Local counters that say whether anything was touched since: an answer is good while their sum stays.

use std::sync::atomic::{AtomicU64, Ordering};

use super::scope::{STRIPES, Scope, Scopes};

#[derive(Debug)]
pub struct Gates {
    stripes: Box<[AtomicU64]>,
    all: AtomicU64,
}

/// The sum at one moment. Counters only rise: the same sum later means that none has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gate(u64);

impl Default for Gates {
    fn default() -> Self {
        Self { stripes: (0..STRIPES).map(|_| AtomicU64::default()).collect(), all: AtomicU64::default() }
    }
}

impl Gates {
    #[must_use]
    pub fn of(&self, scopes: &Scopes) -> Gate {
        let sum = |sum: u64, scope: &Scope| sum.wrapping_add(self.counter(*scope).load(Ordering::Acquire));
        Gate(scopes.as_slice().iter().fold(0, sum))
    }

    pub fn bump(&self, scopes: &[Scope]) {
        for scope in scopes {
            self.counter(*scope).fetch_add(1, Ordering::AcqRel);
        }
    }

    fn counter(&self, scope: Scope) -> &AtomicU64 {
        match scope {
            Scope::All => &self.all,
            scope => &self.stripes[scope.stripe()],
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_gate_changes_when_one_of_its_scopes_is_touched_and_else_never() {
        let gates = Gates::default();
        let (user, resource) = (Scope::User(Uuid::from_u128(1)), Scope::Resource(Uuid::from_u128(2)));
        let scopes = Scopes::two(user, Scope::Shared);
        let before = gates.of(&scopes);
        gates.bump(&[resource]);
        assert_eq!(gates.of(&scopes), before);
        for touched in [user, Scope::Shared, Scope::All] {
            let before = gates.of(&scopes);
            gates.bump(&[touched]);
            assert_ne!(gates.of(&scopes), before, "{touched}");
        }
    }
}
