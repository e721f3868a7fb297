//! Verifies the audit log: computes every hash again, and checks that no number is missing.

use std::cmp::Ordering;
use std::fmt;

use data_encoding::HEXLOWER;

use super::{AuditLog, action, store};
use crate::db::Db;
use crate::keys::retired::{Era, Known};

/// Events read at a time, so that memory stays flat.
const CHUNK: i64 = 1000;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// How many events are intact, from the first on.
    pub events: i64,
    /// The first digits of the last good event's hash, to be compared with one that was noted elsewhere.
    pub last_hash: String,
    /// How many events were chained under a key that is lost: their order was checked, but not their content.
    pub unkeyed: i64,
    pub fault: Option<Fault>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The event's fields or its position don't fit its hash.
    Changed(i64),
    Missing(i64),
    /// The log ends before this event.
    Cut(i64),
    /// The event comes after the one that was written last.
    Added(i64),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed(seq) => write!(f, "event {seq} was changed or moved after it was written"),
            Self::Missing(seq) => write!(f, "event {seq} was removed"),
            Self::Cut(seq) => write!(f, "the trail was cut off from event {seq} on"),
            Self::Added(seq) => write!(f, "event {seq} was added after the recorded end"),
        }
    }
}

pub struct Chain {
    key: [u8; 32],
    eras: Vec<Era>,
    /// Of the last event that is intact.
    seq: i64,
    hash: Vec<u8>,
}

impl AuditLog {
    /// Verifies the whole chain, also while events are appended.
    pub async fn verify(&self, db: &Db) -> sqlx::Result<Verified> {
        let mut chain = Chain::new(self.key, self.retired.eras(db).await?);
        loop {
            // Read before the rows up to it, so that no missing row can be still on its way.
            let head = store::head(db).await?;
            let rows = store::after(db, chain.seq, CHUNK).await?;
            if rows.is_empty() {
                return Ok(chain.end(head.seq, &head.hash));
            }
            if let Some(fault) = rows.into_iter().find_map(|row| chain.next(row)) {
                return Ok(chain.verified(Some(fault)));
            }
        }
    }
}

impl Chain {
    /// `key`: derived for the log from the master key in force.
    #[must_use]
    pub const fn new(key: [u8; 32], eras: Vec<Era>) -> Self {
        Self { key, eras, seq: 0, hash: Vec::new() }
    }

    pub fn next(&mut self, row: store::Row) -> Option<Fault> {
        if row.seq != self.seq + 1 {
            return Some(Fault::Missing(self.seq + 1));
        }
        let is_sound = match self.eras.iter().find(|era| row.seq <= era.until).map(|era| &era.key) {
            None => row.hash == super::hash(&self.key, &row),
            Some(Known::Keys(keys)) => row.hash == super::hash(&keys.audit, &row),
            Some(Known::Lost) => true,
            Some(Known::Unreadable) => false,
        };
        // The loss of keys counts only if the next event, under a key that is there, records it.
        let unkeyed = unkeyed(&self.eras);
        let is_told = unkeyed == 0 || self.seq != unkeyed || row.action == action::KEY_LOST.as_str();
        if row.previous != self.hash || !is_sound || !is_told {
            return Some(Fault::Changed(row.seq));
        }
        (self.seq, self.hash) = (row.seq, row.hash);
        None
    }

    /// `last` and `hash`: of the event that was written last.
    #[must_use]
    pub fn end(&self, last: i64, hash: &[u8]) -> Verified {
        let unkeyed = unkeyed(&self.eras);
        self.verified(match self.seq.cmp(&last) {
            // Without an event that records the loss, a forged log could call its key lost.
            _ if unkeyed > 0 && self.seq <= unkeyed => Some(Fault::Cut(self.seq + 1)),
            Ordering::Less => Some(Fault::Cut(self.seq + 1)),
            Ordering::Greater => Some(Fault::Added(last + 1)),
            Ordering::Equal => (hash != self.hash).then_some(Fault::Changed(self.seq)),
        })
    }

    #[must_use]
    pub fn verified(&self, fault: Option<Fault>) -> Verified {
        Verified {
            events: self.seq,
            last_hash: HEXLOWER.encode(&self.hash[..self.hash.len().min(6)]),
            unkeyed: unkeyed(&self.eras).min(self.seq),
            fault,
        }
    }
}

/// The last event whose key is lost, or 0. The keys of all events before it are lost too.
fn unkeyed(eras: &[Era]) -> i64 {
    eras.iter().filter(|era| matches!(era.key, Known::Lost)).map(|era| era.until).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timestamp::Timestamp;

    const KEY: [u8; 32] = [7; 32];

    /// Chains events of these actions under one key, and verifies them with these eras.
    fn fault(eras: Vec<Era>, actions: &[&str]) -> Option<Fault> {
        let (mut chain, mut previous) = (Chain::new(KEY, eras), Vec::new());
        actions.iter().zip(1..).find_map(|(action, seq)| {
            let mut row = store::Row {
                seq,
                at: Timestamp::from_micros(0),
                actor_id: None,
                action: (*action).to_owned(),
                target: String::new(),
                outcome: "ok".to_owned(),
                network: None,
                request_id: String::new(),
                previous: previous.clone(),
                hash: Vec::new(),
            };
            row.hash = super::super::hash(&KEY, &row);
            previous.clone_from(&row.hash);
            chain.next(row)
        })
    }

    #[test]
    fn a_lost_key_counts_only_if_the_next_event_tells_of_it() {
        let lost = || vec![Era { until: 2, key: Known::Lost }];
        assert_eq!(fault(lost(), &["login", "logout", action::KEY_LOST.as_str(), "login"]), None);
        assert_eq!(fault(lost(), &["login", "logout", "login"]), Some(Fault::Changed(3)));
    }

    #[test]
    fn events_of_a_key_that_does_not_open_are_no_good_events() {
        let unreadable = vec![Era { until: 1, key: Known::Unreadable }];
        assert_eq!(fault(unreadable, &["login", "login"]), Some(Fault::Changed(1)));
        assert_eq!(fault(Vec::new(), &["login", "login"]), None);
    }
}
