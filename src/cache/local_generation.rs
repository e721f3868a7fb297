//! Local generations: one counter for each scope. A cached entry is good while the sum of its scopes' counters
//! stays.

use std::sync::atomic::{AtomicU64, Ordering};

use super::scope::{STRIPES, Scope, Scopes};

#[derive(Debug)]
pub struct LocalGenerations {
    stripes: Box<[AtomicU64]>,
    all: AtomicU64,
}

/// Counters only rise, so an equal sum means that none has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalGeneration(u64);

impl Default for LocalGenerations {
    fn default() -> Self {
        Self { stripes: (0..STRIPES).map(|_| AtomicU64::default()).collect(), all: AtomicU64::default() }
    }
}

impl LocalGenerations {
    pub fn current(&self, scopes: &Scopes) -> LocalGeneration {
        let sum = |sum: u64, scope: &Scope| sum.wrapping_add(self.counter(*scope).load(Ordering::Acquire));
        LocalGeneration(scopes.as_slice().iter().fold(0, sum))
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
    fn a_generation_changes_only_when_one_of_its_scopes_is_touched() {
        let generations = LocalGenerations::default();
        let (user, resource) = (Scope::User(Uuid::from_u128(1)), Scope::Noun('r', Uuid::from_u128(2)));
        let scopes = Scopes::two(user, Scope::Shared);
        let before = generations.current(&scopes);
        generations.bump(&[resource]);
        assert_eq!(generations.current(&scopes), before);
        for touched in [user, Scope::Shared, Scope::All] {
            let before = generations.current(&scopes);
            generations.bump(&[touched]);
            assert_ne!(generations.current(&scopes), before, "{touched}");
        }
    }
}
