//! What the nodes, the loads, the writers and Redis know.

use crate::Rules;

pub const NODES: usize = 2;
pub const SCOPES: usize = 2;

/// For each scope, whether its write is in the value, or must be.
pub type Versions = [bool; 2];
pub type Generations = [Option<u8>; 2];

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Redis {
    pub generations: Generations,
    pub entry: Option<(Generations, Versions)>,
}

/// `current`: its local generation is still the node's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CachedEntry {
    pub current: bool,
    pub value: Versions,
}

#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Node {
    pub cached: Option<CachedEntry>,
    pub lease: bool,
    pub has_polled: bool,
    /// By row of the outbox, as the next.
    pub seen: Versions,
    pub unpublished: Versions,
    /// Messages on their way to this node.
    pub coming: Versions,
    pub subscribed: bool,
    pub reaches_redis: bool,
    /// What a read that begins now must see.
    pub owed: Versions,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    Begun,
    /// With the generations under which it may fill Redis.
    Missed(Option<Generations>),
    Loaded(Option<Generations>, Versions),
    /// The readers have their answer; the fill may take any time.
    PendingFill(Generations, Versions),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Load {
    pub node: usize,
    pub current: bool,
    /// Readers may still join.
    pub young: bool,
    /// What its readers must see.
    pub owed: Versions,
    pub step: Step,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Writer {
    Idle,
    Committed,
    /// Redis was told, or could not be; the local generations have not risen yet.
    Published,
    /// The local generations have risen; Redis is told next.
    Bumped,
    Returned,
    Dead,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    pub database: Versions,
    pub redis: Redis,
    pub snapshot: Option<Redis>,
    /// The highest generation that exists.
    pub fresh: u8,
    pub published: Versions,
    pub nodes: [Node; NODES],
    pub running: [Option<Load>; 2],
    pub writers: [Writer; SCOPES],
    pub loads: u8,
    pub faults: u8,
    pub stale: bool,
}

pub fn holds(value: Versions, owed: Versions) -> bool {
    (0..SCOPES).all(|scope| value[scope] || !owed[scope])
}

impl State {
    pub fn bump_local_generations(&mut self, node: usize) {
        if let Some(cached) = &mut self.nodes[node].cached {
            cached.current = false;
        }
        for load in self.running.iter_mut().flatten().filter(|load| load.node == node) {
            load.current = false;
        }
    }

    pub fn next(&mut self, rules: Rules, before: Option<u8>) -> u8 {
        if rules.random {
            // A new one: `canonical` has numbered those that exist.
            self.fresh += 1;
            self.fresh
        } else {
            before.map_or(0, |count| count + 1)
        }
    }

    /// Gives these scopes new generations, and sends the messages.
    pub fn publish(&mut self, rules: Rules, from: usize, scopes: Versions) {
        for scope in (0..SCOPES).filter(|scope| scopes[*scope]) {
            if rules.generations {
                let before = self.redis.generations[scope];
                self.redis.generations[scope] = Some(self.next(rules, before));
            } else {
                self.redis.entry = None;
            }
            self.published[scope] = true;
            let others = self.nodes.iter_mut().enumerate().filter(|(node, _)| *node != from);
            others.filter(|(_, node)| node.subscribed).for_each(|(_, node)| node.coming[scope] = true);
            self.nodes[from].seen[scope] = true;
            self.nodes[from].unpublished[scope] = false;
        }
    }

    pub fn poll(&mut self, node: usize) {
        for scope in 0..SCOPES {
            if self.database[scope] && !self.nodes[node].seen[scope] {
                self.nodes[node].seen[scope] = true;
                self.nodes[node].unpublished[scope] = true;
                self.bump_local_generations(node);
            }
        }
        let over = self.writers.map(|writer| matches!(writer, Writer::Returned | Writer::Dead));
        let polling = &mut self.nodes[node];
        polling.has_polled = true;
        polling.lease = true;
        (0..SCOPES).for_each(|scope| polling.owed[scope] |= over[scope]);
    }

    pub fn answer(&mut self, value: Versions, owed: Versions) {
        self.stale |= !holds(value, owed);
    }

    /// Makes equal states equal: numbers generations in the order in which they occur, as they are only compared, and
    /// sorts the loads.
    pub fn canonical(mut self, rules: Rules) -> Self {
        self.running.sort();
        if !rules.random {
            return self;
        }
        let mut names: Vec<u8> = Vec::new();
        let mut rename = |generation: &mut u8| {
            let at = names.iter().position(|known| known == generation).unwrap_or_else(|| {
                names.push(*generation);
                names.len() - 1
            });
            *generation = u8::try_from(at + 1).expect("few generations");
        };
        let snapshot = self.snapshot.iter_mut();
        for redis in snapshot.chain([&mut self.redis]) {
            redis.generations.iter_mut().flatten().for_each(&mut rename);
            redis.entry.iter_mut().flat_map(|(made_from, _)| made_from).flatten().for_each(&mut rename);
        }
        for load in self.running.iter_mut().flatten() {
            match &mut load.step {
                Step::Missed(Some(generations))
                | Step::Loaded(Some(generations), _)
                | Step::PendingFill(generations, _) => generations.iter_mut().flatten().for_each(&mut rename),
                _ => {}
            }
        }
        self.fresh = u8::try_from(names.len()).expect("few generations");
        self
    }

    pub fn restart_node(&mut self, node: usize) {
        let reaches_redis = self.nodes[node].reaches_redis;
        self.nodes[node] = Node { subscribed: true, reaches_redis, ..Node::default() };
        for load in &mut self.running {
            if load.is_some_and(|load| load.node == node) {
                *load = None;
            }
        }
    }
}
