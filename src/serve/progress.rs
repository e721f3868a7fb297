//! Whether anything moves on a connection: what it last did, and who is waited for.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// What is looked at when a limit is reached, not a moment before: answers to late requests come first.
const SLACK: Duration = Duration::from_secs(1);

/// How long a connection may stand still.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Without a request.
    pub idle: Duration,
    /// In the middle of one.
    pub request: Duration,
}

/// What becomes of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// Look again after this.
    Moves(Duration),
    /// Nobody asks anything.
    Idle,
    /// It would stay like this for ever.
    Stuck,
}

/// What has happened on one connection. Instants are microseconds since it was accepted, and never 0.
#[derive(Debug)]
pub struct Progress {
    accepted: Instant,
    in_flight: AtomicU32,
    moved: AtomicU64,
    /// Since when the client has taken nothing of what is to be written; 0 while it does.
    blocked: AtomicU64,
    is_http2: AtomicBool,
    is_given_up: AtomicBool,
}

/// A request that is not answered to its end.
#[derive(Debug)]
pub struct InFlight(Arc<Progress>);

impl Progress {
    pub fn new() -> Self {
        Self {
            accepted: Instant::now(),
            in_flight: AtomicU32::new(0),
            moved: AtomicU64::new(1),
            blocked: AtomicU64::new(0),
            is_http2: AtomicBool::new(false),
            is_given_up: AtomicBool::new(false),
        }
    }

    pub fn begin(self: &Arc<Self>, is_http2: bool) -> InFlight {
        self.is_http2.store(is_http2, Ordering::Relaxed);
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        self.moves();
        InFlight(self.clone())
    }

    pub fn is_http2(&self) -> bool {
        self.is_http2.load(Ordering::Relaxed)
    }

    /// The client took some of it. What HTTP/2 writes may be nothing but pings, so there only the bodies count.
    pub fn wrote(&self) {
        if self.blocked.load(Ordering::Relaxed) != 0 {
            self.blocked.store(0, Ordering::Relaxed);
        }
        if !self.is_http2() {
            self.moves();
        }
    }

    /// The client takes nothing for now.
    pub fn is_blocked(&self) {
        let _ = self.blocked.compare_exchange(0, self.micros(), Ordering::Relaxed, Ordering::Relaxed);
    }

    pub fn give_up(&self) {
        self.is_given_up.store(true, Ordering::Relaxed);
    }

    pub fn is_given_up(&self) -> bool {
        self.is_given_up.load(Ordering::Relaxed)
    }

    pub fn look(&self, limits: Limits) -> Finding {
        let standing = Standing {
            is_idle: self.in_flight.load(Ordering::Relaxed) == 0,
            moved: self.moved.load(Ordering::Relaxed),
            blocked: self.blocked.load(Ordering::Relaxed),
        };
        standing.finding(self.micros(), limits)
    }

    fn moves(&self) {
        self.moved.store(self.micros(), Ordering::Relaxed);
    }

    fn micros(&self) -> u64 {
        micros(self.accepted.elapsed()).max(1)
    }
}

/// A connection at one moment.
#[derive(Clone, Copy, Debug)]
struct Standing {
    is_idle: bool,
    moved: u64,
    blocked: u64,
}

impl Standing {
    fn finding(self, now: u64, limits: Limits) -> Finding {
        let quiet = SLACK + if self.is_idle { limits.idle } else { limits.request };
        let quiet_until = self.moved + micros(quiet);
        let blocked_until = if self.blocked == 0 { u64::MAX } else { self.blocked + micros(limits.request) };
        if now >= blocked_until || (!self.is_idle && now >= quiet_until) {
            Finding::Stuck
        } else if now >= quiet_until {
            Finding::Idle
        } else {
            // A write that is blocked from now on is noticed by then.
            let next = quiet_until.min(blocked_until).min(now + micros(limits.request));
            Finding::Moves(Duration::from_micros(next - now))
        }
    }
}

impl InFlight {
    /// The client took a part of the answer, or made room for it.
    pub fn moves(&self) {
        self.0.moves();
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.moves();
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX / 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { idle: Duration::from_secs(10), request: Duration::from_secs(30) };
    const SECOND: u64 = 1_000_000;

    fn at(seconds: u64, standing: Standing) -> Finding {
        standing.finding(seconds * SECOND, LIMITS)
    }

    #[test]
    fn nobody_asking_is_idle_and_nothing_moving_is_stuck() {
        let idle = Standing { is_idle: true, moved: SECOND, blocked: 0 };
        assert_eq!(at(2, idle), Finding::Moves(Duration::from_secs(10)));
        assert_eq!(at(12, idle), Finding::Idle);
        let asks = Standing { is_idle: false, ..idle };
        assert_eq!(at(2, asks), Finding::Moves(Duration::from_secs(30)));
        assert_eq!(at(31, asks), Finding::Moves(Duration::from_secs(1)));
        assert_eq!(at(32, asks), Finding::Stuck);
    }

    #[test]
    fn a_client_that_takes_nothing_is_stuck_whatever_else_moves() {
        for is_idle in [true, false] {
            let blocked = Standing { is_idle, moved: 50 * SECOND, blocked: 20 * SECOND };
            assert_eq!(at(50, blocked), Finding::Stuck);
            assert!(matches!(at(49, blocked), Finding::Moves(_)));
        }
    }

    #[test]
    fn what_http2_writes_is_no_progress_by_itself() {
        // A time that the clock does not show here.
        const NEVER: u64 = 1 << 40;
        let progress = Arc::new(Progress::new());
        progress.is_blocked();
        let answer = progress.begin(true);
        progress.moved.store(NEVER, Ordering::Relaxed);
        progress.wrote();
        assert_eq!(
            (progress.moved.load(Ordering::Relaxed), progress.blocked.load(Ordering::Relaxed)),
            (NEVER, 0)
        );
        drop(answer);
        assert_ne!(progress.moved.load(Ordering::Relaxed), NEVER);
        progress.moved.store(NEVER, Ordering::Relaxed);
        drop(progress.begin(false));
        progress.moved.store(NEVER, Ordering::Relaxed);
        progress.wrote();
        assert_ne!(progress.moved.load(Ordering::Relaxed), NEVER);
    }
}
