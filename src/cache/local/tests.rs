//! The bound on memory.

use std::sync::atomic::AtomicBool;
use std::thread;

use uuid::Uuid;

use super::*;
use crate::cache::local_generation::LocalGenerations;
use crate::cache::scope::{Scope, Scopes};

const CAPACITY: u64 = 4 << 20;
const WRITERS: u64 = 8;
const PUTS: u64 = 30_000;

fn key(id: u64) -> EntryKey {
    EntryKey { kind: "page", audience: Uuid::nil(), id: u128::from(id).to_le_bytes() }
}

struct Counted(u64, Arc<AtomicU64>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.1.fetch_sub(self.0, Ordering::SeqCst);
    }
}

fn cached(bytes: u64, alive: &Arc<AtomicU64>) -> Arc<CachedEntry> {
    alive.fetch_add(bytes, Ordering::SeqCst);
    Arc::new(CachedEntry {
        generation: LocalGenerations::default().current(&Scopes::one(Scope::Shared)),
        loaded_at: 0,
        soft_expiry: 0,
        hard_expiry: 0,
        load_us: 0,
        weight: usize::try_from(bytes).unwrap(),
        value: Some(Arc::new(Counted(bytes, Arc::clone(alive)))),
    })
}

/// Writes `PUTS` entries of all sizes, half of them under 50 keys that repeat.
fn write(local: &Local, alive: &Arc<AtomicU64>, seed: u64) {
    for round in 0..PUTS {
        let chance = (round * WRITERS + seed).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 16;
        let keys = if round % 2 == 0 { 50 } else { 1 << 40 };
        local.put(key(chance % keys), cached(chance % (CAPACITY / LARGEST_SHARE), alive));
    }
}

#[test]
fn memory_is_bounded_at_every_moment_with_eight_writers() {
    let (local, alive) = (Local::new(CAPACITY), Arc::new(AtomicU64::new(0)));
    let (most, is_over) = (AtomicU64::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|seed| {
                scope.spawn({
                    let (local, alive) = (&local, &alive);
                    move || write(local, alive, seed)
                })
            })
            .collect();
        scope.spawn(|| {
            while !is_over.load(Ordering::SeqCst) {
                most.fetch_max(alive.load(Ordering::SeqCst), Ordering::SeqCst);
                thread::yield_now();
            }
        });
        for writer in writers {
            writer.join().expect("it writes");
        }
        is_over.store(true, Ordering::SeqCst);
    });
    let in_hand = WRITERS * CAPACITY / LARGEST_SHARE;
    let most = most.into_inner();
    assert!(most <= CAPACITY + local.slack() + in_hand, "{most} bytes alive");
    let occupancy = local.occupancy();
    assert!(occupancy.bytes >= alive.load(Ordering::SeqCst), "{occupancy:?} counts all that is alive");
    assert!(occupancy.entries > 0 && occupancy.evictions > 0, "{occupancy:?}");
}

#[test]
fn an_entry_over_an_eighth_is_not_kept_and_its_predecessor_goes() {
    let (local, alive) = (Local::new(CAPACITY), Arc::default());
    local.put(key(1), cached(100, &alive));
    assert!(local.get(&key(1)).is_some());
    local.put(key(1), cached(CAPACITY / LARGEST_SHARE - OVERHEAD, &alive));
    assert_eq!(local.get(&key(1)).map(|cached| cached.weight), Some(524_288 - 512), "an eighth fits");
    local.put(key(1), cached(CAPACITY / LARGEST_SHARE - OVERHEAD + 1, &alive));
    assert!(local.get(&key(1)).is_none());
}

#[test]
fn what_is_cleared_is_gone_and_occupies_nothing() {
    let (local, alive) = (Local::new(CAPACITY), Arc::default());
    (0..100).for_each(|id| local.put(key(id), cached(1000, &alive)));
    assert_eq!(local.occupancy().entries, 100);
    assert!(local.occupancy().bytes >= 100 * (1000 + OVERHEAD));
    local.clear();
    assert!((0..100).all(|id| local.get(&key(id)).is_none()));
    assert_eq!(local.occupancy().entries, 0);
}
