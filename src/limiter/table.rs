//! What this process remembers of clients: a table that never grows and needs no sweeping.
//!
//! It is set-associative, 16 bytes a client. A full set forgets the client who is nearest to forgiveness.

use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::{Mutex, MutexGuard};

use super::gcra::Micros;

const WAYS: usize = 8;
const SET_BYTES: usize = WAYS * size_of::<Slot>();
const SHARDS: usize = 128;

/// A client's tag and state; zeros when free.
type Slot = [u64; 2];

/// Where a client stands: both halves come from a keyed hash, so that nobody can aim at a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub set: u64,
    pub tag: u64,
}

#[derive(Debug)]
pub struct Table {
    /// Zeroed pages, which take up memory only once they are written.
    shards: Box<[Mutex<Vec<Slot>>]>,
    sets_per_shard: usize,
    used: AtomicU64,
    evicted: AtomicU64,
}

impl Table {
    /// A table of at most so many bytes, and at least one set.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        let sets = (bytes / SET_BYTES).max(1);
        let shards = SHARDS.min(sets);
        let sets_per_shard = sets / shards;
        let shard = || Mutex::new(vec![[0; 2]; sets_per_shard * WAYS]);
        Self {
            shards: (0..shards).map(|_| shard()).collect(),
            sets_per_shard,
            used: AtomicU64::new(0),
            evicted: AtomicU64::new(0),
        }
    }

    /// What is remembered of a client; 0 is nothing.
    #[must_use]
    pub fn state(&self, place: Place) -> Micros {
        let (shard, first) = self.set(place);
        find(&shard[first..first + WAYS], place.tag).map_or(0, |at| shard[first + at][1])
    }

    /// Remembers what `change` makes of a client's state, while nobody else changes it; 0 forgets.
    pub fn update<T>(&self, place: Place, change: impl FnOnce(Micros) -> (Micros, T)) -> T {
        let (mut shard, first) = self.set(place);
        let set = &mut shard[first..first + WAYS];
        let found = find(set, place.tag);
        let (state, told) = change(found.map_or(0, |at| set[at][1]));
        if state != 0 {
            let at = found.unwrap_or_else(|| self.room(set));
            set[at] = [place.tag, state];
        } else if let Some(at) = found {
            set[at] = [0; 2];
            self.used.fetch_sub(1, Ordering::Relaxed);
        }
        told
    }

    /// Clients that are remembered, some of them longer than needed.
    pub fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    /// How often a full set had to forget a client.
    pub fn evicted(&self) -> u64 {
        self.evicted.load(Ordering::Relaxed)
    }

    fn room(&self, set: &[Slot]) -> usize {
        let at = nearest_to_forgiveness(set);
        let count = if set[at][1] == 0 { &self.used } else { &self.evicted };
        count.fetch_add(1, Ordering::Relaxed);
        at
    }

    fn set(&self, place: Place) -> (MutexGuard<'_, Vec<Slot>>, usize) {
        let shard = reduce(place.set >> 32, self.shards.len());
        let set = reduce(place.set & 0xffff_ffff, self.sets_per_shard);
        (self.shards[shard].lock(), set * WAYS)
    }
}

/// A number below `len` from 32 random bits, without a division (Lemire 2016).
const fn reduce(random: u64, len: usize) -> usize {
    ((random * len as u64) >> 32) as usize
}

fn find(set: &[Slot], tag: u64) -> Option<usize> {
    set.iter().position(|slot| slot[0] == tag && slot[1] != 0)
}

fn nearest_to_forgiveness(set: &[Slot]) -> usize {
    set.iter().enumerate().min_by_key(|(_, slot)| slot[1]).map_or(0, |(at, _)| at)
}
