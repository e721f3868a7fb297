//! The tier in the process: a map bounded by weight and nothing more; what is in it says itself whether it is good.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ahash::RandomState;
use quick_cache::{Lifecycle, OptionsBuilder, Weighter};

use super::gate::Gate;
use super::kind::{Cached, Slot};

/// What an entry occupies besides its value: both `Arc`s, the key, the map's own.
const OVERHEAD: u64 = 320;
/// Parts of the map with a lock and a share of the memory each: what weighs more than a share is not kept.
const PARTS: usize = 8;
/// Bytes that an entry is guessed to weigh: the map remembers that many of the keys that had to go, to know who comes back.
const GUESS: u64 = 4096;

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
    map: quick_cache::sync::Cache<Slot, Arc<Held>, Weight, RandomState, Evictions>,
    capacity: u64,
    evictions: Evictions,
}

#[derive(Clone)]
struct Weight;

impl Weighter<Slot, Arc<Held>> for Weight {
    fn weight(&self, _: &Slot, held: &Arc<Held>) -> u64 {
        held.weight as u64 + OVERHEAD
    }
}

/// How many had to go for others.
#[derive(Clone, Default)]
struct Evictions(Arc<AtomicU64>);

impl Lifecycle<Slot, Arc<Held>> for Evictions {
    type RequestState = ();

    fn on_evict(&self, (): &mut (), _: Slot, _: Arc<Held>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Local {
    /// Of so many bytes, by weight.
    #[must_use]
    pub fn new(capacity: u64) -> Self {
        let options = OptionsBuilder::new()
            .shards(PARTS)
            .weight_capacity(capacity)
            .estimated_items_capacity(usize::try_from(capacity / GUESS).unwrap_or(usize::MAX))
            .build()
            .expect("both capacities are given");
        let evictions = Evictions::default();
        let map =
            quick_cache::sync::Cache::with_options(options, Weight, RandomState::new(), evictions.clone());
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
        self.map.remove(slot);
    }

    pub fn clear(&self) {
        self.map.clear();
    }

    #[must_use]
    pub fn entries(&self) -> u64 {
        self.map.len() as u64
    }

    /// Bytes, as weighed.
    #[must_use]
    pub fn weight(&self) -> u64 {
        self.map.weight()
    }

    #[must_use]
    pub const fn capacity(&self) -> u64 {
        self.capacity
    }

    #[must_use]
    pub fn evictions(&self) -> u64 {
        self.evictions.0.load(Ordering::Relaxed)
    }
}
