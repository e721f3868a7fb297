//! The circuit breaker: while it is open, no request waits for Redis and no socket is touched.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

/// In microseconds. This many failures or time-outs within it open the breaker.
const WINDOW: i64 = 1_000_000;
const FAILURES: usize = 5;
const TIME_OUTS: usize = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    Refused,
    TimedOut,
}

#[derive(Debug, Default)]
pub struct Breaker {
    open: AtomicBool,
    recent: Mutex<VecDeque<(i64, Failure)>>,
}

impl Breaker {
    pub fn is_open(&self) -> bool {
        self.open.load(Ordering::Acquire)
    }

    /// `now` in ticks. Returns whether this failure has opened the breaker.
    pub fn failed(&self, failure: Failure, now: i64) -> bool {
        let mut recent = self.recent.lock();
        recent.retain(|(at, _)| *at > now - WINDOW);
        recent.push_back((now, failure));
        let time_outs = recent.iter().filter(|(_, failure)| *failure == Failure::TimedOut).count();
        if recent.len() < FAILURES && time_outs < TIME_OUTS {
            return false;
        }
        !self.open.swap(true, Ordering::AcqRel)
    }

    pub fn close(&self) {
        self.recent.lock().clear();
        self.open.store(false, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLIS: i64 = 1000;

    fn opens_after(failures: &[(i64, Failure)]) -> Option<usize> {
        let breaker = Breaker::default();
        let opened = failures.iter().position(|(at, failure)| breaker.failed(*failure, at * MILLIS));
        opened.map(|index| index + 1)
    }

    #[test]
    fn five_failures_or_three_time_outs_within_a_second_open_it() {
        use Failure::{Refused, TimedOut};
        assert_eq!(opens_after(&[(0, TimedOut), (300, TimedOut), (900, TimedOut)]), Some(3));
        assert_eq!(opens_after(&[(0, TimedOut), (600, TimedOut), (1100, TimedOut)]), None);
        let refused: Vec<_> = (0..5).map(|n| (n * 200, Refused)).collect();
        assert_eq!(opens_after(&refused), Some(5));
        let slowly: Vec<_> = (0..20).map(|n| (n * 300, Refused)).collect();
        assert_eq!(opens_after(&slowly), None);
    }

    #[test]
    fn it_opens_once_and_starts_afresh_when_it_closes() {
        let breaker = Breaker::default();
        for at in 0..10 {
            assert_eq!(breaker.failed(Failure::TimedOut, at), at == 2);
        }
        assert!(breaker.is_open());
        breaker.close();
        assert!(!breaker.is_open() && !breaker.failed(Failure::TimedOut, 11));
    }
}
