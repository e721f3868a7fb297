//! The lease: how long this process may serve from memory without proof that it has missed no write.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// Counted from when the proof was asked for: a heartbeat sent, or a poll of the outbox begun.
pub const LEASE: Duration = Duration::from_millis(1500);

/// Its end in ticks: microseconds of a clock that is never set, and that goes on while the process is stopped.
#[derive(Debug)]
pub struct Lease(AtomicI64);

impl Lease {
    pub const fn forever() -> Self {
        Self(AtomicI64::new(i64::MAX))
    }

    pub const fn lapsed() -> Self {
        Self(AtomicI64::new(i64::MIN))
    }

    pub fn is_forever(&self) -> bool {
        self.0.load(Ordering::Acquire) == i64::MAX
    }

    pub fn holds(&self, now: i64) -> bool {
        now < self.0.load(Ordering::Acquire)
    }

    pub fn renew(&self, since: i64) {
        let micros = i64::try_from(LEASE.as_micros()).unwrap_or(i64::MAX);
        self.0.fetch_max(since.saturating_add(micros), Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_counts_from_when_its_proof_was_asked_for() {
        let lease = Lease::lapsed();
        assert!(!lease.holds(0));
        lease.renew(1_000);
        assert!(lease.holds(1_500_999) && !lease.holds(1_501_000));
        lease.renew(500);
        assert!(lease.holds(1_500_999), "an older proof takes nothing away");
    }
}
