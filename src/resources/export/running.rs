//! The exports that run on this node, and how far each is.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

use crate::error::{Error, Result};

/// Exports that run at once; one more is refused as busy.
pub const AT_ONCE: usize = 4;

#[derive(Clone)]
pub struct Exports {
    permits: Arc<Semaphore>,
    running: Arc<Mutex<Vec<Weak<Progress>>>>,
}

/// Entries written, of those to write. An archive writes each entry more than once.
pub struct Progress {
    owner: Uuid,
    done: AtomicU64,
    total: AtomicU64,
}

impl Progress {
    pub fn new(owner: Uuid) -> Self {
        Self { owner, done: AtomicU64::default(), total: AtomicU64::default() }
    }

    pub fn expect(&self, entries: u64) {
        self.total.store(entries, Ordering::Relaxed);
    }

    pub fn add(&self, entries: usize) {
        self.done.fetch_add(entries as u64, Ordering::Relaxed);
    }

    /// At most 100; entries that came meanwhile are written too.
    pub fn percent(&self) -> u64 {
        let total = self.total.load(Ordering::Relaxed).max(1);
        (self.done.load(Ordering::Relaxed) * 100 / total).min(100)
    }
}

/// Held while an export runs.
pub struct Running {
    pub progress: Arc<Progress>,
    _permit: OwnedSemaphorePermit,
}

impl Default for Exports {
    fn default() -> Self {
        Self { permits: Arc::new(Semaphore::new(AT_ONCE)), running: Arc::default() }
    }
}

impl Exports {
    /// # Errors
    /// [`Error::Busy`] when [`AT_ONCE`] exports run already.
    pub fn start(&self, owner: Uuid) -> Result<Running> {
        let permit = self.permits.clone().try_acquire_owned().map_err(|_| Error::Busy)?;
        let progress = Arc::new(Progress::new(owner));
        let mut running = self.running.lock();
        running.retain(|one| one.strong_count() > 0);
        running.push(Arc::downgrade(&progress));
        Ok(Running { progress, _permit: permit })
    }

    /// How far each of this person's exports is, in percent.
    pub fn percents(&self, owner: Uuid) -> Vec<u64> {
        let running = self.running.lock();
        let own = running.iter().filter_map(Weak::upgrade).filter(|progress| progress.owner == owner);
        own.map(|progress| progress.percent()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_export_is_shown_to_its_owner_while_it_runs() {
        let (exports, [ada, eve]) = (Exports::default(), [1, 2].map(Uuid::from_u128));
        let running = exports.start(ada).expect("a permit");
        assert_eq!(exports.percents(ada), [0]);
        running.progress.expect(1_000);
        running.progress.add(250);
        assert_eq!(exports.percents(ada), [25]);
        assert!(exports.percents(eve).is_empty());
        running.progress.add(1_000);
        assert_eq!(exports.percents(ada), [100]);
        drop(running);
        assert!(exports.percents(ada).is_empty());
    }

    #[test]
    fn one_more_export_than_may_run_is_refused() {
        let exports = Exports::default();
        let running: Vec<_> = (0..AT_ONCE).map(|_| exports.start(Uuid::nil())).collect();
        assert!(running.iter().all(Result::is_ok) && matches!(exports.start(Uuid::nil()), Err(Error::Busy)));
    }
}
