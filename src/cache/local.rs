//! The tier in memory: moka as a map bounded by weight. Readers check themselves whether an entry is still good.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ahash::RandomState;
use moka::notification::RemovalCause;

use super::kind::{Asker, Cached, EntryKey};
use super::local_generation::LocalGeneration;

/// Bytes that an entry occupies besides its value, in coffer and in moka (485 measured with 200,000 entries).
const OVERHEAD: u64 = 512;
/// An entry over this fraction of the capacity is not kept: an eighth.
const LARGEST_SHARE: u64 = 8;
/// How far memory may exceed the capacity: a twentieth of it, but at least this many bytes.
const SLACK: u64 = 1 << 20;

pub struct CachedEntry {
    pub generation: LocalGeneration,
    /// In ticks, as are the expiries.
    pub loaded_at: i64,
    pub soft_expiry: i64,
    pub hard_expiry: i64,
    pub load_us: u32,
    pub weight: usize,
    /// `None`: the database has no such row.
    pub value: Option<Arc<dyn Any + Send + Sync>>,
}

impl CachedEntry {
    /// The last check before the value is served: its type must be that of the key, and it must be for the asker.
    pub fn value<T: Cached>(&self, asker: Asker) -> Result<Option<Arc<T>>, KeyMismatch> {
        let Some(value) = &self.value else { return Ok(None) };
        let value = Arc::clone(value).downcast::<T>().map_err(|_| KeyMismatch)?;
        match (value.is_for(asker.id), asker.may_be_refused) {
            (true, _) => Ok(Some(value)),
            (false, true) => Ok(None),
            (false, false) => Err(KeyMismatch),
        }
    }
}

#[derive(Debug)]
pub struct KeyMismatch;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Occupancy {
    pub entries: u64,
    /// By weight, with what moka has removed and not freed yet.
    pub bytes: u64,
    pub capacity: u64,
    pub evictions: u64,
}

pub struct Local {
    map: moka::sync::Cache<EntryKey, Arc<TrackedEntry>, RandomState>,
    capacity: u64,
    occupied: Arc<AtomicU64>,
    evictions: Arc<AtomicU64>,
}

/// Counts as occupied until its memory is free. moka may free it some time after its removal.
struct TrackedEntry {
    entry: Arc<CachedEntry>,
    bytes: u64,
    occupied: Arc<AtomicU64>,
}

impl Drop for TrackedEntry {
    fn drop(&mut self) {
        self.occupied.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

impl Local {
    pub fn new(capacity: u64) -> Self {
        let evictions = Arc::new(AtomicU64::new(0));
        let evicted = Arc::clone(&evictions);
        let map = moka::sync::Cache::builder()
            .max_capacity(capacity)
            .weigher(|_, tracked: &Arc<TrackedEntry>| u32::try_from(tracked.bytes).unwrap_or(u32::MAX))
            .eviction_listener(move |_, _, cause| {
                if cause == RemovalCause::Size {
                    evicted.fetch_add(1, Ordering::Relaxed);
                }
            })
            .build_with_hasher(RandomState::new());
        Self { map, capacity, occupied: Arc::default(), evictions }
    }

    pub fn get(&self, key: &EntryKey) -> Option<Arc<CachedEntry>> {
        self.map.get(key).map(|tracked| Arc::clone(&tracked.entry))
    }

    /// Drops the entry if it is too large, or if memory is over the capacity and can't be freed at once. moka evicts
    /// some time after an insert, and frees memory only when no other thread may still read it.
    pub fn put(&self, key: EntryKey, entry: Arc<CachedEntry>) {
        let bytes = entry.weight as u64 + OVERHEAD;
        if bytes > self.capacity / LARGEST_SHARE {
            return self.map.invalidate(&key);
        }
        let tracked = TrackedEntry::new(entry, bytes, &self.occupied);
        if self.is_over(0) {
            self.map.run_pending_tasks();
        }
        if !self.is_over(self.slack()) {
            self.map.insert(key, Arc::new(tracked));
        }
    }

    pub fn remove(&self, key: &EntryKey) {
        self.map.invalidate(key);
    }

    pub fn clear(&self) {
        self.map.invalidate_all();
    }

    pub fn occupancy(&self) -> Occupancy {
        self.map.run_pending_tasks();
        Occupancy {
            entries: self.map.entry_count(),
            bytes: self.occupied.load(Ordering::Relaxed),
            capacity: self.capacity,
            evictions: self.evictions.load(Ordering::Relaxed),
        }
    }

    fn is_over(&self, slack: u64) -> bool {
        self.occupied.load(Ordering::Relaxed) > self.capacity + slack
    }

    fn slack(&self) -> u64 {
        SLACK.max(self.capacity / 20)
    }
}

impl TrackedEntry {
    fn new(entry: Arc<CachedEntry>, bytes: u64, occupied: &Arc<AtomicU64>) -> Self {
        occupied.fetch_add(bytes, Ordering::Relaxed);
        Self { entry, bytes, occupied: Arc::clone(occupied) }
    }
}

#[cfg(test)]
mod tests;
