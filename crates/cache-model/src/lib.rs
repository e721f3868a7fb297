//! A model of the cache's protocol: the checker tries every order of events, with all rules and with each left out.
//!
//! It has two nodes, two scopes with a writer each, and one answer that depends on both scopes. A write can overtake
//! a load at every step. An answer is stale when it misses a write that had returned on its node before the read, or
//! a write that was known when the node last proved that it had missed none (by a poll of the outbox or a heartbeat).

mod cache;
mod state;
mod steps;

use stateright::{Checker as _, HasDiscoveries, Model as _};

use self::cache::Cache;

/// The rules of the protocol. A test can leave each of them out.
#[expect(clippy::struct_excessive_bools, reason = "each rule is kept or left out")]
#[derive(Clone, Copy)]
pub struct Rules {
    /// A cached entry is good only while its local generation is current.
    pub local_generation: bool,
    /// Redis' entries carry the generations of their scopes, and are filled only if these are current. Without the
    /// rule a write deletes the entry, and a load sets it.
    pub generations: bool,
    /// Generations are random. Without the rule they are counted up from zero.
    pub random: bool,
    /// Readers join a load only under the local generation that it began with.
    pub join_same_generation: bool,
    /// Readers join only loads that began a short time ago.
    pub join_young: bool,
    /// Scopes with unpublished writes are not read from Redis.
    pub bypass: bool,
    /// A broken subscription invalidates all of memory.
    pub flush_after_break: bool,
    /// Redis is told before the local generations rise.
    pub redis_first: bool,
    /// A restarted Redis begins a fresh keyspace.
    pub keyspace: bool,
    /// Memory is served only under a lease.
    pub lease: bool,
}

pub const PROTOCOL: Rules = Rules {
    local_generation: true,
    generations: true,
    random: true,
    join_same_generation: true,
    join_young: true,
    bypass: true,
    flush_after_break: true,
    redis_first: true,
    keyspace: true,
    lease: true,
};

/// How many loads begin, how many of the writers write, and how many faults of which kinds happen.
#[derive(Clone, Copy)]
pub struct Bounds {
    pub loads: u8,
    pub writers: usize,
    pub faults: u8,
    pub kinds: &'static [Fault],
}

pub const fn bounds(loads: u8, writers: usize, faults: u8, kinds: &'static [Fault]) -> Bounds {
    Bounds { loads, writers, faults, kinds }
}

/// With one kind the model is small enough to be searched whole; with all of them it is large.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Redis forgets everything, or one generation.
    Forgets,
    /// A subscription breaks, unnoticed at first.
    Breaks,
    /// A node can't reach Redis.
    Severs,
    /// A node is killed between its commit and its message.
    Kills,
    /// Redis restarts from an old copy of itself.
    Restarts,
}

/// Searches all orders of events within the bounds. Gives the events that lead to the first stale answer it meets.
pub fn explore(rules: Rules, bounds: Bounds) -> Option<String> {
    let model = Cache { rules, bounds };
    let checker = model.checker().threads(2).finish_when(HasDiscoveries::Any).spawn_bfs().join();
    println!(
        "{} loads, {} writers, {} of {:?}: {} states",
        bounds.loads,
        bounds.writers,
        bounds.faults,
        bounds.kinds,
        checker.unique_state_count()
    );
    checker.discovery("no answer is stale").map(|path| format!("{:?}", path.into_actions()))
}
