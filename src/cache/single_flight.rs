//! Single-flight loads: a thousand readers of one key at the same time cause one load.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use tokio::sync::watch;

use super::kind::EntryKey;
use super::local::CachedEntry;
use super::local_generation::LocalGeneration;
use crate::error::{Error, Result};

/// Microseconds after which readers join a load no more: this node may not have heard of writes made since it started.
const JOINABLE: i64 = 1_000_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    Redis,
    Database,
}

#[derive(Clone)]
pub struct Loaded {
    pub entry: Arc<CachedEntry>,
    pub source: Source,
}

pub type Outcome = Result<Loaded>;

#[derive(Default)]
pub struct SingleFlight {
    /// The latest load of each key. An older one, of another generation, goes on for its own readers.
    running: Mutex<HashMap<EntryKey, RunningLoad>>,
    started: AtomicU64,
}

struct RunningLoad {
    number: u64,
    generation: LocalGeneration,
    since: i64,
    outcome: watch::Receiver<Option<Outcome>>,
}

/// Takes the load off the list when it ends, also by a panic.
pub struct LoadGuard {
    loads: Arc<SingleFlight>,
    key: EntryKey,
    number: u64,
    sender: watch::Sender<Option<Outcome>>,
}

pub enum Joined {
    /// Another reader leads the load: wait for it.
    Follower(LoadHandle),
    /// You lead: start the load, and give it the guard.
    Leader(LoadHandle, LoadGuard),
}

pub struct LoadHandle(watch::Receiver<Option<Outcome>>);

impl SingleFlight {
    /// Joins the key's running load if no write has touched its scopes since it started, else leads a new one.
    pub fn join(self: &Arc<Self>, key: EntryKey, generation: LocalGeneration, now: i64) -> Joined {
        let mut running = self.running.lock();
        if let Some(load) = running.get(&key)
            && load.generation == generation
            && now < load.since.saturating_add(JOINABLE)
        {
            return Joined::Follower(LoadHandle(load.outcome.clone()));
        }
        let (sender, outcome) = watch::channel(None);
        let number = self.started.fetch_add(1, Ordering::Relaxed);
        running.insert(key, RunningLoad { number, generation, since: now, outcome: outcome.clone() });
        Joined::Leader(LoadHandle(outcome), LoadGuard { loads: self.clone(), key, number, sender })
    }
}

impl LoadGuard {
    pub fn finish(&self, outcome: Outcome) {
        self.sender.send_replace(Some(outcome));
    }
}

impl Drop for LoadGuard {
    fn drop(&mut self) {
        let mut running = self.loads.running.lock();
        if running.get(&self.key).is_some_and(|load| load.number == self.number) {
            running.remove(&self.key);
        }
    }
}

impl LoadHandle {
    pub async fn outcome(mut self) -> Outcome {
        match self.0.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(outcome)) => outcome.clone(),
            // The sender is gone: the load panicked.
            _ => Err(Error::Internal("a load for the cache ended without an answer".to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::super::local_generation::LocalGenerations;
    use super::super::scope::{Scope, Scopes};
    use super::*;

    fn key() -> EntryKey {
        EntryKey { kind: "resource", audience: Uuid::nil(), id: [0; 16] }
    }

    #[tokio::test]
    async fn a_load_is_joined_under_its_own_generation_only_and_only_for_a_second() {
        let (loads, generations) = (Arc::new(SingleFlight::default()), LocalGenerations::default());
        let generation = generations.current(&Scopes::one(Scope::Shared));
        let Joined::Leader(_, guard) = loads.join(key(), generation, 0) else { panic!("the first leads") };
        assert!(matches!(loads.join(key(), generation, JOINABLE - 1), Joined::Follower(_)));
        generations.bump(&[Scope::Shared]);
        let newer = generations.current(&Scopes::one(Scope::Shared));
        let Joined::Leader(_, second) = loads.join(key(), newer, 5) else { panic!("a write between") };
        drop(guard);
        assert!(matches!(loads.join(key(), newer, 5), Joined::Follower(_)), "the newer stays listed");
        assert!(matches!(loads.join(key(), newer, JOINABLE + 5), Joined::Leader(..)), "too old to join");
        drop(second);
    }

    #[tokio::test]
    async fn readers_are_released_when_the_load_dies() {
        let loads = Arc::new(SingleFlight::default());
        let generation = LocalGenerations::default().current(&Scopes::one(Scope::Shared));
        let Joined::Leader(handle, guard) = loads.join(key(), generation, 0) else {
            panic!("the first leads")
        };
        drop(guard);
        assert!(matches!(handle.outcome().await, Err(Error::Internal(_))));
        assert!(matches!(loads.join(key(), generation, 0), Joined::Leader(..)));
    }
}
