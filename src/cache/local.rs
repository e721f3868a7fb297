//! The tier in the process: moka as a map bounded by weight and nothing more; what is in it says itself whether it is good.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ahash::RandomState;
use moka::notification::RemovalCause;

use super::gate::Gate;
use super::kind::{Cached, Slot};

/// Bytes that an entry occupies besides its value: the `Arc`s, the key, and moka's own (485 measured with 200,000 entries).
const OVERHEAD: u64 = 512;
/// An entry over this part of the capacity is not kept.
const LARGEST: u64 = 8;
/// How far memory may be over the capacity: a twentieth, or this many bytes if that is more.
const SLACK: u64 = 1 << 20;

/// An answer as it was found, and what it is good under.
pub struct Held {
    pub gate: Gate,
    /// In ticks, as are the next two: when it was loaded, when it wants to be loaded anew, when it is over.
    pub made: i64,
    pub soft: i64,
    pub hard: i64,
    /// Microseconds that the load took.
    pub cost: u32,
    pub weight: usize,
    /// `None`: it was not there.
    pub value: Option<Arc<dyn Any + Send + Sync>>,
}

impl Held {
    /// The value, if it is what the key says and for whom: the last look before it is shown.
    ///
    /// # Errors
    /// When it isn't.
    pub fn value<T: Cached>(&self, slot: &Slot) -> Result<Option<Arc<T>>, Misplaced> {
        let Some(value) = &self.value else { return Ok(None) };
        let value = Arc::clone(value).downcast::<T>().map_err(|_| Misplaced)?;
        if value.is_for(slot.viewer()) { Ok(Some(value)) } else { Err(Misplaced) }
    }
}

/// A value under a key that it can't belong to.
#[derive(Debug)]
pub struct Misplaced;

/// Bytes in the process, entries, and what had to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Occupancy {
    pub entries: u64,
    /// By weight: what the map holds and what it has not freed yet.
    pub bytes: u64,
    pub capacity: u64,
    /// Entries that had to go for others since the start.
    pub evictions: u64,
}

pub struct Local {
    map: moka::sync::Cache<Slot, Arc<Kept>, RandomState>,
    capacity: u64,
    occupied: Arc<AtomicU64>,
    evictions: Arc<AtomicU64>,
}

/// An answer in the map. It counts as occupied until its memory is free, which moka may put off after it has left the map.
struct Kept {
    held: Arc<Held>,
    bytes: u64,
    occupied: Arc<AtomicU64>,
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.occupied.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

impl Local {
    /// For `capacity` bytes, by weight.
    #[must_use]
    pub fn new(capacity: u64) -> Self {
        let evictions = Arc::new(AtomicU64::new(0));
        let evicted = Arc::clone(&evictions);
        let map = moka::sync::Cache::builder()
            .max_capacity(capacity)
            .weigher(|_, kept: &Arc<Kept>| u32::try_from(kept.bytes).unwrap_or(u32::MAX))
            .eviction_listener(move |_, _, cause| {
                if cause == RemovalCause::Size {
                    evicted.fetch_add(1, Ordering::Relaxed);
                }
            })
            .build_with_hasher(RandomState::new());
        Self { map, capacity, occupied: Arc::default(), evictions }
    }

    #[must_use]
    pub fn get(&self, slot: &Slot) -> Option<Arc<Held>> {
        self.map.get(slot).map(|kept| Arc::clone(&kept.held))
    }

    /// Keeps the answer, unless it is too large, or memory is over the capacity and can't be freed at once. moka makes
    /// room some time after an insert, and frees memory only when no other thread may still read it.
    pub fn put(&self, slot: Slot, held: Arc<Held>) {
        let bytes = held.weight as u64 + OVERHEAD;
        if bytes > self.capacity / LARGEST {
            return self.map.invalidate(&slot);
        }
        let kept = Kept::new(held, bytes, &self.occupied);
        if self.is_over(0) {
            self.map.run_pending_tasks();
        }
        if !self.is_over(self.slack()) {
            self.map.insert(slot, Arc::new(kept));
        }
    }

    pub fn remove(&self, slot: &Slot) {
        self.map.invalidate(slot);
    }

    pub fn clear(&self) {
        self.map.invalidate_all();
    }

    /// Once moka has done what it put off.
    #[must_use]
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

impl Kept {
    fn new(held: Arc<Held>, bytes: u64, occupied: &Arc<AtomicU64>) -> Self {
        occupied.fetch_add(bytes, Ordering::Relaxed);
        Self { held, bytes, occupied: Arc::clone(occupied) }
    }
}

#[cfg(test)]
mod tests;
