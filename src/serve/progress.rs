//! The progress of a connection: when data last moved, and whether the client reads.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// Checks come this much after a timeout, so that the answer to a late request is sent first.
const SLACK: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// Without a request.
    pub idle: Duration,
    /// Without progress during a request.
    pub request: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// Check again after this.
    Active(Duration),
    /// No request is in flight.
    Idle,
    /// The client neither sends nor reads.
    Stuck,
}

/// Times are in microseconds since the connection was accepted, and never 0.
#[derive(Debug)]
pub struct Progress {
    accepted: Instant,
    in_flight: AtomicU32,
    moved_at: AtomicU64,
    /// Since when the client has read nothing; 0 while it reads.
    blocked_since: AtomicU64,
    is_http2: AtomicBool,
    is_given_up: AtomicBool,
}

/// A request whose answer is not complete.
#[derive(Debug)]
pub struct InFlight(Arc<Progress>);

impl Progress {
    pub fn new() -> Self {
        Self {
            accepted: Instant::now(),
            in_flight: AtomicU32::new(0),
            moved_at: AtomicU64::new(1),
            blocked_since: AtomicU64::new(0),
            is_http2: AtomicBool::new(false),
            is_given_up: AtomicBool::new(false),
        }
    }

    pub fn begin(self: &Arc<Self>, is_http2: bool) -> InFlight {
        self.is_http2.store(is_http2, Ordering::Relaxed);
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        self.record_progress();
        InFlight(self.clone())
    }

    pub fn is_http2(&self) -> bool {
        self.is_http2.load(Ordering::Relaxed)
    }

    /// The client has read data. With HTTP/2 that may be only pings, so there only the bodies count.
    pub fn record_write(&self) {
        if self.blocked_since.load(Ordering::Relaxed) != 0 {
            self.blocked_since.store(0, Ordering::Relaxed);
        }
        if !self.is_http2() {
            self.record_progress();
        }
    }

    /// The client reads nothing for now.
    pub fn record_block(&self) {
        let _ = self.blocked_since.compare_exchange(0, self.micros(), Ordering::Relaxed, Ordering::Relaxed);
    }

    pub fn give_up(&self) {
        self.is_given_up.store(true, Ordering::Relaxed);
    }

    pub fn is_given_up(&self) -> bool {
        self.is_given_up.load(Ordering::Relaxed)
    }

    pub fn activity(&self, timeouts: Timeouts) -> Activity {
        let snapshot = Snapshot {
            is_idle: self.in_flight.load(Ordering::Relaxed) == 0,
            moved_at: self.moved_at.load(Ordering::Relaxed),
            blocked_since: self.blocked_since.load(Ordering::Relaxed),
        };
        snapshot.activity(self.micros(), timeouts)
    }

    fn record_progress(&self) {
        self.moved_at.store(self.micros(), Ordering::Relaxed);
    }

    fn micros(&self) -> u64 {
        micros(self.accepted.elapsed()).max(1)
    }
}

#[derive(Clone, Copy, Debug)]
struct Snapshot {
    is_idle: bool,
    moved_at: u64,
    blocked_since: u64,
}

impl Snapshot {
    fn activity(self, now: u64, timeouts: Timeouts) -> Activity {
        let quiet = SLACK + if self.is_idle { timeouts.idle } else { timeouts.request };
        let quiet_until = self.moved_at + micros(quiet);
        let blocked_until =
            if self.blocked_since == 0 { u64::MAX } else { self.blocked_since + micros(timeouts.request) };
        if now >= blocked_until || (!self.is_idle && now >= quiet_until) {
            Activity::Stuck
        } else if now >= quiet_until {
            Activity::Idle
        } else {
            // Early enough to notice a write that blocks from now on.
            let next = quiet_until.min(blocked_until).min(now + micros(timeouts.request));
            Activity::Active(Duration::from_micros(next - now))
        }
    }
}

impl InFlight {
    /// A part of the answer has been read, or may be sent.
    pub fn record_progress(&self) {
        self.0.record_progress();
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.record_progress();
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX / 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUTS: Timeouts = Timeouts { idle: Duration::from_secs(10), request: Duration::from_secs(30) };
    const SECOND: u64 = 1_000_000;

    fn at(seconds: u64, snapshot: Snapshot) -> Activity {
        snapshot.activity(seconds * SECOND, TIMEOUTS)
    }

    #[test]
    fn nobody_asking_is_idle_and_nothing_moving_is_stuck() {
        let idle = Snapshot { is_idle: true, moved_at: SECOND, blocked_since: 0 };
        assert_eq!(at(2, idle), Activity::Active(Duration::from_secs(10)));
        assert_eq!(at(12, idle), Activity::Idle);
        let asks = Snapshot { is_idle: false, ..idle };
        assert_eq!(at(2, asks), Activity::Active(Duration::from_secs(30)));
        assert_eq!(at(31, asks), Activity::Active(Duration::from_secs(1)));
        assert_eq!(at(32, asks), Activity::Stuck);
    }

    #[test]
    fn a_client_that_takes_nothing_is_stuck_whatever_else_moves() {
        for is_idle in [true, false] {
            let blocked_since = Snapshot { is_idle, moved_at: 50 * SECOND, blocked_since: 20 * SECOND };
            assert_eq!(at(50, blocked_since), Activity::Stuck);
            assert!(matches!(at(49, blocked_since), Activity::Active(_)));
        }
    }

    #[test]
    fn what_http2_writes_is_no_progress_by_itself() {
        // A time that the test never reaches.
        const NEVER: u64 = 1 << 40;
        let progress = Arc::new(Progress::new());
        progress.record_block();
        let answer = progress.begin(true);
        progress.moved_at.store(NEVER, Ordering::Relaxed);
        progress.record_write();
        assert_eq!(
            (progress.moved_at.load(Ordering::Relaxed), progress.blocked_since.load(Ordering::Relaxed)),
            (NEVER, 0)
        );
        drop(answer);
        assert_ne!(progress.moved_at.load(Ordering::Relaxed), NEVER);
        progress.moved_at.store(NEVER, Ordering::Relaxed);
        drop(progress.begin(false));
        progress.moved_at.store(NEVER, Ordering::Relaxed);
        progress.record_write();
        assert_ne!(progress.moved_at.load(Ordering::Relaxed), NEVER);
    }
}
