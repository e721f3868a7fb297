//! Which rows of the outbox a node has seen, how far back it must look, and what every node must have seen by now.

use std::collections::{BTreeSet, VecDeque};

/// Numbers don't become visible in the order in which they were given: a look goes back this far, in microseconds.
const TRAILING: i64 = 30_000_000;
/// What was seen is kept for the others to see for this long.
const KEPT: i64 = 60_000_000;
/// Who has not looked for this long may have missed rows that others have removed since.
const GAP: i64 = 20_000_000;

#[derive(Debug, Default)]
pub struct Looks {
    /// The highest number at each look, by when it was.
    ends: VecDeque<(i64, i64)>,
    seen: BTreeSet<i64>,
    /// Until which number rows were handed out for removal.
    removed: i64,
}

impl Looks {
    /// The number after which the next look reads.
    #[must_use]
    pub fn floor(&self, now: i64) -> i64 {
        self.highest_before(now - TRAILING)
    }

    /// Until which number rows may be removed, if there are more than were removed already.
    pub fn removable(&mut self, now: i64) -> Option<i64> {
        let highest = self.highest_before(now - KEPT);
        if highest <= self.removed {
            return None;
        }
        self.removed = highest;
        Some(highest)
    }

    fn highest_before(&self, then: i64) -> i64 {
        self.ends.iter().rev().find(|(at, _)| *at <= then).map_or(0, |(_, highest)| *highest)
    }

    #[must_use]
    pub fn has_looked(&self) -> bool {
        !self.ends.is_empty()
    }

    /// Whether the last look is so long ago that rows may have come and gone.
    #[must_use]
    pub fn is_late(&self, now: i64) -> bool {
        self.ends.back().is_some_and(|(at, _)| now - at > GAP)
    }

    #[must_use]
    pub fn has_seen(&self, seq: i64) -> bool {
        self.seen.contains(&seq)
    }

    /// Whether it had not been seen.
    pub fn see(&mut self, seq: i64) -> bool {
        self.seen.insert(seq)
    }

    /// A look that began at `began` found rows up to this number, or none.
    pub fn end(&mut self, began: i64, highest: Option<i64>) {
        let last = self.ends.back().map_or(0, |(_, highest)| *highest);
        self.ends.push_back((began, highest.unwrap_or(0).max(last)));
        while self.ends.get(1).is_some_and(|(at, _)| *at <= began - KEPT) {
            self.ends.pop_front();
        }
        let floor = self.floor(began);
        self.seen = self.seen.split_off(&(floor + 1));
    }
}
