//! This process' memory of clients: a set-associative table of fixed size, 16 bytes for each client.
//!
//! A full set forgets the client that has all its units back first.

use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::{Mutex, MutexGuard};

use super::gcra::Micros;

const WAYS: usize = 8;
const SET_BYTES: usize = WAYS * size_of::<Cell>();
const SHARDS: usize = 128;

/// Tag and state; zeros when free.
type Cell = [u64; 2];

/// Both halves come from a keyed hash, so no client can choose its set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CellKey {
    pub set: u64,
    pub tag: u64,
}

#[derive(Debug)]
pub struct Table {
    /// Zeroed pages take up memory only once they are written.
    shards: Box<[Mutex<Vec<Cell>>]>,
    sets_per_shard: usize,
    used: AtomicU64,
    evicted: AtomicU64,
}

impl Table {
    /// Takes at most `bytes`, but has at least one set.
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

    /// 0 for an unknown client.
    pub fn state(&self, key: CellKey) -> Micros {
        let (shard, first) = self.set(key);
        find(&shard[first..first + WAYS], key.tag).map_or(0, |at| shard[first + at][1])
    }

    /// Changes a client's state under a lock; 0 forgets the client.
    pub fn update<T>(&self, key: CellKey, change: impl FnOnce(Micros) -> (Micros, T)) -> T {
        let (mut shard, first) = self.set(key);
        let set = &mut shard[first..first + WAYS];
        let found = find(set, key.tag);
        let (state, result) = change(found.map_or(0, |at| set[at][1]));
        if state != 0 {
            let at = found.unwrap_or_else(|| self.room(set));
            set[at] = [key.tag, state];
        } else if let Some(at) = found {
            set[at] = [0; 2];
            self.used.fetch_sub(1, Ordering::Relaxed);
        }
        result
    }

    /// How many clients are stored, including some that have all their units back.
    pub fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    /// How many clients were evicted.
    pub fn evicted(&self) -> u64 {
        self.evicted.load(Ordering::Relaxed)
    }

    fn room(&self, set: &[Cell]) -> usize {
        let at = nearest_to_forgiveness(set);
        let count = if set[at][1] == 0 { &self.used } else { &self.evicted };
        count.fetch_add(1, Ordering::Relaxed);
        at
    }

    fn set(&self, key: CellKey) -> (MutexGuard<'_, Vec<Cell>>, usize) {
        let shard = reduce(key.set >> 32, self.shards.len());
        let set = reduce(key.set & 0xffff_ffff, self.sets_per_shard);
        (self.shards[shard].lock(), set * WAYS)
    }
}

/// Maps 32 random bits to a number below `len` without a division (Lemire 2016).
const fn reduce(random: u64, len: usize) -> usize {
    ((random * len as u64) >> 32) as usize
}

fn find(set: &[Cell], tag: u64) -> Option<usize> {
    set.iter().position(|slot| slot[0] == tag && slot[1] != 0)
}

fn nearest_to_forgiveness(set: &[Cell]) -> usize {
    set.iter().enumerate().min_by_key(|(_, slot)| slot[1]).map_or(0, |(at, _)| at)
}
