//! What this node knows of the outbox: which rows it has seen, and which Redis has not been told of.

use std::collections::{BTreeMap, HashMap};

use super::outbox::Row;
use super::outbox_cursor::OutboxCursor;
use super::scope::{Scope, Scopes};

/// More scopes than this are published as `Scope::All`.
const MAX_SCOPES: usize = 256;

#[derive(Debug, Default)]
pub struct OutboxTracker {
    /// A row is seen once this process has invalidated its scopes in memory.
    cursor: OutboxCursor,
    unpublished: BTreeMap<i64, Vec<Scope>>,
    /// How many unpublished rows touch a scope.
    dirty: HashMap<Scope, usize>,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub struct PollResult {
    /// To be invalidated in memory.
    pub touched: Vec<Scope>,
    /// Rows may have been deleted unseen: all of memory must be invalidated.
    pub may_have_missed: bool,
}

/// Unpublished rows, and each of their scopes once.
#[derive(Debug, PartialEq, Eq)]
pub struct Unpublished {
    pub rows: Vec<i64>,
    pub scopes: Vec<Scope>,
}

impl OutboxTracker {
    pub fn poll_after(&self, now: i64) -> i64 {
        self.cursor.poll_after(now)
    }

    /// Up to which number rows can be deleted; `None` while some are unpublished.
    pub fn removable(&mut self, now: i64) -> Option<i64> {
        if self.unpublished.is_empty() { self.cursor.removable(now) } else { None }
    }

    /// Redis is read only after the first poll: before, it may not know of rows from earlier.
    pub fn has_polled(&self) -> bool {
        self.cursor.has_polled()
    }

    pub fn finish_poll(&mut self, began: i64, rows: &[Row], with_redis: bool) -> PollResult {
        let mut result = PollResult { may_have_missed: self.cursor.is_late(began), ..PollResult::default() };
        for row in rows {
            if self.cursor.mark_seen(row.seq) {
                result.touched.extend(&row.scopes);
                if with_redis {
                    self.mark_unpublished(row.seq, &row.scopes);
                }
            }
        }
        self.cursor.finish_poll(began, rows.last().map(|row| row.seq));
        result
    }

    pub fn mark_seen(&mut self, row: i64) {
        self.cursor.mark_seen(row);
    }

    pub fn mark_published(&mut self, row: i64) {
        self.cursor.mark_seen(row);
        for scope in self.unpublished.remove(&row).into_iter().flatten() {
            if let Some(count) = self.dirty.get_mut(&scope) {
                *count -= 1;
                if *count == 0 {
                    self.dirty.remove(&scope);
                }
            }
        }
    }

    /// Redis could not be told: these scopes stay dirty until it is.
    pub fn mark_unpublished(&mut self, row: i64, scopes: &[Scope]) {
        self.cursor.mark_seen(row);
        if self.unpublished.insert(row, scopes.to_vec()).is_none() {
            for scope in scopes {
                *self.dirty.entry(*scope).or_default() += 1;
            }
        }
    }

    pub fn unpublished(&self) -> Option<Unpublished> {
        if self.unpublished.is_empty() {
            return None;
        }
        let too_many = self.dirty.len() > MAX_SCOPES;
        let scopes = if too_many { vec![Scope::All] } else { self.dirty.keys().copied().collect() };
        Some(Unpublished { rows: self.unpublished.keys().copied().collect(), scopes })
    }

    pub fn is_dirty(&self, scopes: &Scopes) -> bool {
        !self.dirty.is_empty() && scopes.as_slice().iter().any(|scope| self.dirty.contains_key(scope))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000;

    fn row(seq: i64) -> Row {
        Row { seq, scopes: vec![Scope::Shared] }
    }

    #[test]
    fn a_row_is_new_once_and_late_ones_are_found() {
        let mut tracker = OutboxTracker::default();
        let first = tracker.finish_poll(0, &[row(1), row(3)], false);
        assert_eq!(first.touched, [Scope::Shared, Scope::Shared]);
        assert_eq!(tracker.finish_poll(SECOND, &[row(1), row(3)], false), PollResult::default());
        // Number 2 was given before 3 and committed after it.
        let late = tracker.finish_poll(2 * SECOND, &[row(1), row(2), row(3)], false);
        assert_eq!(late.touched, [Scope::Shared]);
        assert_eq!(tracker.poll_after(2 * SECOND), 0);
        assert_eq!(tracker.poll_after(31 * SECOND), 3);
    }

    #[test]
    fn a_long_absence_puts_everything_in_doubt() {
        let mut tracker = OutboxTracker::default();
        assert!(!tracker.finish_poll(0, &[], false).may_have_missed);
        assert!(!tracker.finish_poll(20 * SECOND, &[], false).may_have_missed);
        assert!(tracker.finish_poll(41 * SECOND, &[], false).may_have_missed);
    }

    #[test]
    fn unpublished_scopes_are_dirty_until_they_are_published() {
        let mut tracker = OutboxTracker::default();
        tracker.mark_unpublished(5, &[Scope::Shared]);
        tracker.finish_poll(0, &[row(5), row(6)], true);
        assert!(tracker.is_dirty(&Scopes::one(Scope::Shared)));
        let expected = Unpublished { rows: vec![5, 6], scopes: vec![Scope::Shared] };
        assert_eq!(tracker.unpublished(), Some(expected));
        tracker.mark_published(5);
        assert!(tracker.is_dirty(&Scopes::one(Scope::Shared)));
        tracker.mark_published(6);
        assert!(!tracker.is_dirty(&Scopes::one(Scope::Shared)) && tracker.unpublished().is_none());
    }

    #[test]
    fn rows_are_kept_for_other_nodes_and_while_they_are_unpublished() {
        let mut tracker = OutboxTracker::default();
        tracker.finish_poll(SECOND, &[row(7)], true);
        assert_eq!(tracker.removable(62 * SECOND), None, "row 7 is unpublished");
        tracker.mark_published(7);
        assert_eq!(tracker.removable(60 * SECOND), None, "too young");
        assert_eq!(tracker.removable(62 * SECOND), Some(7));
        assert_eq!(tracker.removable(63 * SECOND), None, "once");
    }

    #[test]
    fn too_many_scopes_are_published_as_all() {
        let mut tracker = OutboxTracker::default();
        for n in 0..300_i64 {
            let id = uuid::Uuid::from_u128(u128::from(n.unsigned_abs()));
            tracker.mark_unpublished(n, &[Scope::Noun('r', id)]);
        }
        assert_eq!(tracker.unpublished().expect("300 rows").scopes, [Scope::All]);
    }
}
