//! What keys are named after: the installation, and the Redis processes that hold them.
//!
//! A restart brings back what was on the disk, perhaps old; a failover what had come across. Each is another process,
//! so what it brings lies under names that are asked for no more. In a cluster every master counts.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};

#[derive(Clone, Debug)]
pub struct Space {
    /// The installation's name.
    pub name: Arc<str>,
    id: Arc<str>,
    /// It is known as of this count of doubts.
    doubts: u64,
    /// How far the database had come when Redis was told last.
    marked: Arc<AtomicI64>,
}

impl Space {
    /// Of these processes, by their run ids.
    #[must_use]
    pub fn new(name: &str, processes: &[String], doubts: u64) -> Self {
        let mut processes = processes.to_vec();
        processes.sort();
        let id =
            std::iter::once(name).chain(processes.iter().map(String::as_str)).collect::<Vec<_>>().join(" ");
        Self { name: name.into(), id: id.into(), doubts, marked: Arc::new(AtomicI64::new(0)) }
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
    pub fn marked(&self) -> i64 {
        self.marked.load(Ordering::Relaxed)
    }

    pub fn mark(&self, at: i64) {
        self.marked.fetch_max(at, Ordering::Relaxed);
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
