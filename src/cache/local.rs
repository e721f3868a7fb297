//! The tier in the process: a map bounded by weight and nothing more; what is in it says itself whether it is good.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ahash::RandomState;
use moka::notification::RemovalCause;

use super::gate::Gate;
use super::kind::{Cached, Slot};

/// What an entry occupies besides its value: both `Arc`s, the key, the map's own.
const OVERHEAD: usize = 320;

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

pub struct Local {
    map: moka::sync::Cache<Slot, Arc<Held>, RandomState>,
    capacity: u64,
    evictions: Arc<AtomicU64>,
}

impl Local {
    #[must_use]
    pub fn new(capacity: u64) -> Self {
        let evictions: Arc<AtomicU64> = Arc::default();
        let counted = evictions.clone();
        let map = moka::sync::Cache::builder()
            .max_capacity(capacity)
            .weigher(|_: &Slot, held: &Arc<Held>| u32::try_from(held.weight + OVERHEAD).unwrap_or(u32::MAX))
            .eviction_listener(move |_, _, cause| {
                if cause == RemovalCause::Size {
                    counted.fetch_add(1, Ordering::Relaxed);
                }
            })
            .build_with_hasher(RandomState::new());
        Self { map, capacity, evictions }
    }

    #[must_use]
    pub fn get(&self, slot: &Slot) -> Option<Arc<Held>> {
        self.map.get(slot)
    }

    pub fn put(&self, slot: Slot, held: Arc<Held>) {
        self.map.insert(slot, held);
    }

    pub fn remove(&self, slot: &Slot) {
        self.map.invalidate(slot);
    }

    pub fn clear(&self) {
        self.map.invalidate_all();
    }

    #[must_use]
    pub fn entries(&self) -> u64 {
        self.map.entry_count()
    }

    /// Bytes, as weighed.
    #[must_use]
    pub fn weight(&self) -> u64 {
        self.map.weighted_size()
    }

    #[must_use]
    pub const fn capacity(&self) -> u64 {
        self.capacity
    }

    #[must_use]
    pub fn evictions(&self) -> u64 {
        self.evictions.load(Ordering::Relaxed)
    }
}
