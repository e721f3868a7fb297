//! Whether the trail is as it was written: every hash computed again, every number in its place.

use std::fmt;

use data_encoding::HEXLOWER;

use super::{Action, Audit, store};
use crate::db::Db;
use crate::keys::retired::{Era, Known};

/// Events read at a time: memory stays flat however long the trail is.
const CHUNK: i64 = 1000;

/// What a walk along the whole chain found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// How many events stand unbroken from the first on.
    pub events: i64,
    /// The beginning of the last good event's hash, to be compared with one that was noted elsewhere.
    pub last_hash: String,
    /// How many of the events were chained under a key that is lost: their order was checked, not what they say.
    pub unkeyed: i64,
    pub fault: Option<Fault>,
}

/// The first place at which the trail is not as it was written; an event's number each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The event's fields, or its place, are not those that its hash was made of.
    Changed(i64),
    /// There is no event of this number, but later ones.
    Missing(i64),
    /// The trail ends before this event, which was the last or before it.
    Cut(i64),
    /// The event stands after the one that was written last.
    Added(i64),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed(seq) => write!(f, "event {seq} was changed or moved after it was written"),
            Self::Missing(seq) => write!(f, "event {seq} was removed"),
            Self::Cut(seq) => write!(f, "the end was cut off, from event {seq} on"),
            Self::Added(seq) => write!(f, "event {seq} stands past the end that was written down"),
        }
    }
}

impl Audit {
    /// Walks the whole chain, also while events are being appended.
    pub async fn verify(&self, db: &Db) -> sqlx::Result<Verified> {
        let eras = self.retired.eras(db).await?;
        let unkeyed = unkeyed(&eras);
        let (mut seq, mut hash) = (0, Vec::new());
        let verified = |events, hash: &[u8], fault| {
            let last_hash = HEXLOWER.encode(&hash[..hash.len().min(6)]);
            Verified { events, last_hash, unkeyed: unkeyed.min(events), fault }
        };
        loop {
            // The head is read before the rows up to it, so that what is missing can't be still on its way.
            let head = store::head(db).await?;
            let rows = store::after(db, seq, CHUNK).await?;
            let is_end = rows.is_empty();
            for row in rows {
                if let Some(fault) = self.fault(&eras, seq, &hash, &row) {
                    return Ok(verified(seq, &hash, Some(fault)));
                }
                (seq, hash) = (row.seq, row.hash);
            }
            if is_end {
                let fault = match seq.cmp(&head.0) {
                    // Without the event that tells of the loss, a forged trail could call its key lost.
                    _ if unkeyed > 0 && seq <= unkeyed => Some(Fault::Cut(seq + 1)),
                    std::cmp::Ordering::Less => Some(Fault::Cut(seq + 1)),
                    std::cmp::Ordering::Greater => Some(Fault::Added(head.0 + 1)),
                    std::cmp::Ordering::Equal => (head.1 != hash).then_some(Fault::Changed(seq)),
                };
                return Ok(verified(seq, &hash, fault));
            }
        }
    }

    fn fault(&self, eras: &[Era], before: i64, previous: &[u8], row: &store::Row) -> Option<Fault> {
        if row.seq != before + 1 {
            return Some(Fault::Missing(before + 1));
        }
        let is_sound = match eras.iter().find(|era| row.seq <= era.until).map(|era| &era.key) {
            None => row.hash == super::hash(&self.key, row),
            Some(Known::Keys(keys)) => row.hash == super::hash(&keys.audit, row),
            Some(Known::Lost) => true,
            Some(Known::Unreadable) => false,
        };
        // That keys are lost is believed only if the next event, under a key that is there, says so.
        let unkeyed = unkeyed(eras);
        let is_told = unkeyed == 0 || before != unkeyed || row.action == Action::KeyLost.as_str();
        (row.previous != previous || !is_sound || !is_told).then_some(Fault::Changed(row.seq))
    }
}

/// The last event whose key is lost, or 0: with a key, all that came before it are lost.
fn unkeyed(eras: &[Era]) -> i64 {
    eras.iter().filter(|era| matches!(era.key, Known::Lost)).map(|era| era.until).max().unwrap_or(0)
}
