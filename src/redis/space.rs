//! What keys are named after: the installation, and the Redis processes that hold them.
//!
//! A restart brings back what was on the disk, perhaps old; a failover what had come across. Each is another process,
//! so what it brings lies under names that are asked for no more. In a cluster every master counts.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use data_encoding::HEXLOWER;
use parking_lot::Mutex;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// A row of the database's outbox. Its number alone is not enough: a restored database gives the same ones again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    pub at: i64,
    pub row: Uuid,
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.at, self.row)
    }
}

impl FromStr for Mark {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (at, row) = text.split_once(' ').ok_or("no mark")?;
        Ok(Self { at: at.parse().map_err(|_| "no number")?, row: row.parse().map_err(|_| "no row")? })
    }
}

#[derive(Clone, Debug)]
pub struct Space {
    /// The installation's name.
    pub name: Arc<str>,
    id: Arc<str>,
    /// It is known as of this count of doubts.
    doubts: u64,
    /// What Redis was told last of how far the database has come.
    marked: Arc<Mutex<Option<Mark>>>,
}

impl Space {
    /// Of these processes, by their run ids.
    #[must_use]
    pub fn new(name: &str, processes: &[String], doubts: u64) -> Self {
        let mut processes = processes.to_vec();
        processes.sort();
        let id =
            std::iter::once(name).chain(processes.iter().map(String::as_str)).collect::<Vec<_>>().join(" ");
        Self { name: name.into(), id: id.into(), doubts, marked: Arc::default() }
    }

    /// Name and run ids, as they go into keys' hashes.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    #[must_use]
    pub const fn doubts(&self) -> u64 {
        self.doubts
    }

    /// The same, as of this count.
    #[must_use]
    pub fn at(self, doubts: u64) -> Self {
        Self { doubts, ..self }
    }

    /// The id in 32 letters.
    #[must_use]
    pub fn short(&self) -> String {
        HEXLOWER.encode(&Sha256::digest(self.id.as_bytes())[..16])
    }

    #[must_use]
    pub fn marked(&self) -> Option<Mark> {
        *self.marked.lock()
    }

    pub fn mark(&self, latest: Mark) {
        *self.marked.lock() = Some(latest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_space_is_of_all_its_processes_whatever_their_order() {
        let of = |name: &str, ids: &[&str]| {
            Space::new(name, &ids.iter().map(ToString::to_string).collect::<Vec<_>>(), 0).id().to_owned()
        };
        assert_eq!(of("a", &["1", "2", "3"]), of("a", &["3", "1", "2"]));
        let others = [of("b", &["1", "2", "3"]), of("a", &["1", "2", "4"]), of("a", &["1", "2"])];
        assert!(others.iter().all(|other| *other != of("a", &["1", "2", "3"])));
    }
}
