//! What this node knows of the outbox: which rows it has seen, which Redis has not been told yet.

use std::collections::{BTreeMap, HashMap};

use super::looks::Looks;
use super::scope::{Scope, Scopes};

/// More scopes than this are told as all.
const MOST: usize = 256;

#[derive(Debug, Default)]
pub struct Ledger {
    /// Seen are the rows whose scopes this process has invalidated in its own memory.
    looks: Looks,
    /// Rows that Redis has not been told by anybody we know of, with their scopes.
    untold: BTreeMap<i64, Vec<Scope>>,
    /// How many untold rows touch a scope.
    dirty: HashMap<Scope, usize>,
}

/// What a look into the outbox asks to be done.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct News {
    /// To be invalidated in memory.
    pub touched: Vec<Scope>,
    /// Rows may have been missed: everything in memory is in doubt.
    pub missed: bool,
}

impl Ledger {
    /// The number after which the next look reads.
    #[must_use]
    pub fn floor(&self, now: i64) -> i64 {
        self.looks.floor(now)
    }

    /// Until which number rows may be removed; `None` while some wait for Redis.
    #[must_use]
    pub fn removable(&mut self, now: i64) -> Option<i64> {
        if self.untold.is_empty() { self.looks.removable(now) } else { None }
    }

    /// Whether L2 may be asked: the outbox was read once, so that nothing left from before is unknown.
    #[must_use]
    pub fn has_looked(&self) -> bool {
        self.looks.has_looked()
    }

    /// After a look that began at `began` and found these rows.
    pub fn look(&mut self, began: i64, rows: &[(i64, Vec<Scope>)], tells_redis: bool) -> News {
        let mut news = News { missed: self.looks.is_late(began), ..News::default() };
        for (seq, scopes) in rows {
            if self.looks.see(*seq) {
                news.touched.extend(scopes);
                if tells_redis {
                    self.untold(*seq, scopes);
                }
            }
        }
        self.looks.end(began, rows.last().map(|(seq, _)| *seq));
        news
    }

    /// A row is looked after; a look need not.
    pub fn seen(&mut self, seq: i64) {
        self.looks.see(seq);
    }

    /// A row's scopes were invalidated in memory, and Redis was told by whoever told us.
    pub fn told(&mut self, seq: i64) {
        self.looks.see(seq);
        self.drop_untold(seq);
    }

    /// Redis could not be told: until it is, nothing that depends on these scopes is believed of it.
    pub fn untold(&mut self, seq: i64, scopes: &[Scope]) {
        self.looks.see(seq);
        if self.untold.insert(seq, scopes.to_vec()).is_none() {
            for scope in scopes {
                *self.dirty.entry(*scope).or_default() += 1;
            }
        }
    }

    /// Rows that Redis must be told, with their scopes, each once.
    #[must_use]
    pub fn to_tell(&self) -> Option<(Vec<i64>, Vec<Scope>)> {
        if self.untold.is_empty() {
            return None;
        }
        let seqs = self.untold.keys().copied().collect();
        let scopes =
            if self.dirty.len() > MOST { vec![Scope::All] } else { self.dirty.keys().copied().collect() };
        Some((seqs, scopes))
    }

    #[must_use]
    pub fn is_dirty(&self, scopes: &Scopes) -> bool {
        !self.dirty.is_empty() && scopes.as_slice().iter().any(|scope| self.dirty.contains_key(scope))
    }

    fn drop_untold(&mut self, seq: i64) {
        for scope in self.untold.remove(&seq).into_iter().flatten() {
            if let Some(count) = self.dirty.get_mut(&scope) {
                *count -= 1;
                if *count == 0 {
                    self.dirty.remove(&scope);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000;

    fn row(seq: i64) -> (i64, Vec<Scope>) {
        (seq, vec![Scope::Shared])
    }

    #[test]
    fn a_row_is_news_once_and_late_ones_are_found() {
        let mut ledger = Ledger::default();
        assert_eq!(ledger.look(0, &[row(1), row(3)], false).touched, [Scope::Shared, Scope::Shared]);
        assert_eq!(ledger.look(SECOND, &[row(1), row(3)], false), News::default());
        // Number 2 was given before 3 and committed after it.
        assert_eq!(ledger.look(2 * SECOND, &[row(1), row(2), row(3)], false).touched, [Scope::Shared]);
        assert_eq!(ledger.floor(2 * SECOND), 0);
        assert_eq!(ledger.floor(31 * SECOND), 3);
    }

    #[test]
    fn a_long_absence_puts_everything_in_doubt() {
        let mut ledger = Ledger::default();
        assert!(!ledger.look(0, &[], false).missed);
        assert!(!ledger.look(20 * SECOND, &[], false).missed);
        assert!(ledger.look(41 * SECOND, &[], false).missed);
    }

    #[test]
    fn what_redis_was_not_told_is_dirty_until_it_is() {
        let mut ledger = Ledger::default();
        ledger.untold(5, &[Scope::Shared]);
        ledger.look(0, &[row(5), row(6)], true);
        assert!(ledger.is_dirty(&Scopes::one(Scope::Shared)));
        assert_eq!(ledger.to_tell(), Some((vec![5, 6], vec![Scope::Shared])));
        ledger.told(5);
        assert!(ledger.is_dirty(&Scopes::one(Scope::Shared)));
        ledger.told(6);
        assert!(!ledger.is_dirty(&Scopes::one(Scope::Shared)) && ledger.to_tell().is_none());
    }

    #[test]
    fn rows_are_kept_for_the_others_and_while_redis_is_not_told() {
        let mut ledger = Ledger::default();
        ledger.look(SECOND, &[row(7)], true);
        assert_eq!(ledger.removable(62 * SECOND), None, "row 7 is untold");
        ledger.told(7);
        assert_eq!(ledger.removable(60 * SECOND), None, "too young");
        assert_eq!(ledger.removable(62 * SECOND), Some(7));
        assert_eq!(ledger.removable(63 * SECOND), None, "once");
    }

    #[test]
    fn too_many_scopes_are_told_as_all() {
        let mut ledger = Ledger::default();
        for n in 0..300 {
            ledger.untold(n, &[Scope::Resource(uuid::Uuid::from_u128(u128::from(n.unsigned_abs())))]);
        }
        assert_eq!(ledger.to_tell().expect("300 rows").1, [Scope::All]);
    }
}
