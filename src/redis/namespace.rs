//! The namespace of the keys in Redis: the installation's name and the run ids of the Redis processes.
//!
//! A restarted Redis may have an old copy of its data, and a replica that was promoted may have missed writes. Both
//! have other run ids, so their keys are never read. In a cluster, the run ids of all masters count.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use data_encoding::HEXLOWER;
use parking_lot::Mutex;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// A row of the outbox. The number alone is not enough: a restored database gives the same numbers again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutboxPosition {
    pub seq: i64,
    pub row: Uuid,
}

impl fmt::Display for OutboxPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.seq, self.row)
    }
}

impl FromStr for OutboxPosition {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (seq, row) = text.split_once(' ').ok_or("no mark")?;
        Ok(Self { seq: seq.parse().map_err(|_| "no number")?, row: row.parse().map_err(|_| "no row")? })
    }
}

#[derive(Clone, Debug)]
pub struct Namespace {
    pub name: Arc<str>,
    id: Arc<str>,
    /// The connection epoch in which it was found out.
    epoch: u64,
    /// The position that Redis was told last.
    noted: Arc<Mutex<Option<OutboxPosition>>>,
}

impl Namespace {
    pub fn new(name: &str, processes: &[String], epoch: u64) -> Self {
        let mut processes = processes.to_vec();
        processes.sort();
        let id =
            std::iter::once(name).chain(processes.iter().map(String::as_str)).collect::<Vec<_>>().join(" ");
        Self { name: name.into(), id: id.into(), epoch, noted: Arc::default() }
    }

    pub fn id(&self) -> &str {
        &self.id
    }

    pub const fn epoch(&self) -> u64 {
        self.epoch
    }

    pub fn in_epoch(self, epoch: u64) -> Self {
        Self { epoch, ..self }
    }

    pub fn short(&self) -> String {
        HEXLOWER.encode(&Sha256::digest(self.id.as_bytes())[..16])
    }

    pub fn noted_position(&self) -> Option<OutboxPosition> {
        *self.noted.lock()
    }

    pub fn set_noted_position(&self, latest: OutboxPosition) {
        *self.noted.lock() = Some(latest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_is_of_all_its_processes_in_any_order() {
        let of = |name: &str, ids: &[&str]| {
            Namespace::new(name, &ids.iter().map(ToString::to_string).collect::<Vec<_>>(), 0).id().to_owned()
        };
        assert_eq!(of("a", &["1", "2", "3"]), of("a", &["3", "1", "2"]));
        let others = [of("b", &["1", "2", "3"]), of("a", &["1", "2", "4"]), of("a", &["1", "2"])];
        assert!(others.iter().all(|other| *other != of("a", &["1", "2", "3"])));
    }
}
