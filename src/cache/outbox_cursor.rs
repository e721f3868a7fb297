//! A node's position in the outbox: which rows it has seen, where the next poll starts, which rows can be deleted.

use std::collections::{BTreeSet, VecDeque};

/// Rows don't become visible in the order of their numbers, so each poll goes back this far, in microseconds.
const OVERLAP: i64 = 30_000_000;
/// Rows are kept this long for other nodes.
const RETENTION: i64 = 60_000_000;
/// After this long without a poll, other nodes may have deleted rows that this one has not seen.
const MAX_GAP: i64 = 20_000_000;

#[derive(Debug, Default)]
pub struct OutboxCursor {
    polls: VecDeque<Poll>,
    seen: BTreeSet<i64>,
    removed: i64,
}

#[derive(Debug)]
struct Poll {
    began: i64,
    highest_row: i64,
}

impl OutboxCursor {
    /// The next poll reads the rows after this number.
    pub fn poll_after(&self, now: i64) -> i64 {
        self.highest_before(now - OVERLAP)
    }

    /// Up to which number rows can be deleted, if that number has risen.
    pub fn removable(&mut self, now: i64) -> Option<i64> {
        let highest = self.highest_before(now - RETENTION);
        if highest <= self.removed {
            return None;
        }
        self.removed = highest;
        Some(highest)
    }

    fn highest_before(&self, then: i64) -> i64 {
        self.polls.iter().rev().find(|poll| poll.began <= then).map_or(0, |poll| poll.highest_row)
    }

    pub fn has_polled(&self) -> bool {
        !self.polls.is_empty()
    }

    pub fn is_late(&self, now: i64) -> bool {
        self.polls.back().is_some_and(|poll| now - poll.began > MAX_GAP)
    }

    pub fn has_seen(&self, row: i64) -> bool {
        self.seen.contains(&row)
    }

    pub fn mark_seen(&mut self, row: i64) -> bool {
        self.seen.insert(row)
    }

    pub fn finish_poll(&mut self, began: i64, highest_row: Option<i64>) {
        let before = self.polls.back().map_or(0, |poll| poll.highest_row);
        self.polls.push_back(Poll { began, highest_row: highest_row.unwrap_or(0).max(before) });
        while self.polls.get(1).is_some_and(|poll| poll.began <= began - RETENTION) {
            self.polls.pop_front();
        }
        self.seen = self.seen.split_off(&(self.poll_after(began) + 1));
    }
}
