//! A model of the cache's protocol: the checker tries every order of events, with all rules and with each left out.
//!
//! It has two nodes, two scopes with a writer each, and one answer that depends on both scopes. A write can overtake
//! a load at every step. An answer is stale when it misses a write that had returned on its node before the read, or
//! a write that was known when the node last proved that it had missed none (by a poll of the outbox or a heartbeat).

use stateright::{Checker, HasDiscoveries, Model, Property};

const NODES: usize = 2;
const SCOPES: usize = 2;

/// The rules of the protocol. A test can leave each of them out.
#[expect(clippy::struct_excessive_bools, reason = "each rule is kept or left out")]
#[derive(Clone, Copy)]
struct Rules {
    /// A cached entry is good only while its local generation is current.
    local_generation: bool,
    /// Redis' entries carry the generations of their scopes, and are filled only if these are current. Without the
    /// rule a write deletes the entry, and a load sets it.
    generations: bool,
    /// Generations are random. Without the rule they are counted up from zero.
    random: bool,
    /// Readers join a load only under the local generation that it began with.
    join_same_generation: bool,
    /// Readers join only loads that began a short time ago.
    join_young: bool,
    /// Scopes with unpublished writes are not read from Redis.
    bypass: bool,
    /// A broken subscription invalidates all of memory.
    flush_after_break: bool,
    /// Redis is told before the local generations rise.
    redis_first: bool,
    /// A restarted Redis begins a fresh keyspace.
    keyspace: bool,
    /// Memory is served only under a lease.
    lease: bool,
}

const PROTOCOL: Rules = Rules {
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

struct Cache {
    rules: Rules,
    bounds: Bounds,
}

/// How many loads begin, how many of the writers write, and how many faults of which kinds happen.
#[derive(Clone, Copy)]
struct Bounds {
    loads: u8,
    writers: usize,
    faults: u8,
    kinds: &'static [Fault],
}

const fn bounds(loads: u8, writers: usize, faults: u8, kinds: &'static [Fault]) -> Bounds {
    Bounds { loads, writers, faults, kinds }
}

/// With one kind the model is small enough to be searched whole; with all of them it is large.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
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

const EVERYTHING: &[Fault] = &[Fault::Forgets, Fault::Breaks, Fault::Severs, Fault::Kills, Fault::Restarts];
const SMALL: &[Fault] = &[Fault::Forgets, Fault::Severs, Fault::Kills];
const LARGE: &[Fault] = &[Fault::Breaks, Fault::Restarts];

/// For each scope, whether its write is in the value, or must be.
type Versions = [bool; 2];
type Generations = [Option<u8>; 2];

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Redis {
    generations: Generations,
    entry: Option<(Generations, Versions)>,
}

/// `current`: its local generation is still the node's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct CachedEntry {
    current: bool,
    value: Versions,
}

#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Node {
    cached: Option<CachedEntry>,
    lease: bool,
    has_polled: bool,
    /// By row of the outbox, as the next.
    seen: Versions,
    unpublished: Versions,
    /// Messages on their way to this node.
    coming: Versions,
    subscribed: bool,
    reaches_redis: bool,
    /// What a read that begins now must see.
    owed: Versions,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Step {
    Begun,
    /// With the generations under which it may fill Redis.
    Missed(Option<Generations>),
    Loaded(Option<Generations>, Versions),
    /// The readers have their answer; the fill may take any time.
    PendingFill(Generations, Versions),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Load {
    node: usize,
    current: bool,
    /// Readers may still join.
    young: bool,
    /// What its readers must see.
    owed: Versions,
    step: Step,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Writer {
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
struct State {
    database: Versions,
    redis: Redis,
    snapshot: Option<Redis>,
    /// The highest generation that exists.
    fresh: u8,
    published: Versions,
    nodes: [Node; NODES],
    running: [Option<Load>; 2],
    writers: [Writer; SCOPES],
    loads: u8,
    faults: u8,
    stale: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Action {
    Write(usize),
    Serve(usize),
    Begin(usize, usize),
    Join(usize),
    Advance(usize),
    GiveUpFill(usize),
    Poll(usize),
    Publish(usize),
    Deliver(usize, usize),
    Heartbeat(usize),
    Lapse(usize),
    Resubscribe(usize),
    Reach(usize),
    // Faults.
    Cut(usize),
    Sever(usize),
    Kill(usize),
    Flush,
    Evict(usize),
    Save,
    Restart,
}

fn holds(value: Versions, owed: Versions) -> bool {
    (0..SCOPES).all(|scope| value[scope] || !owed[scope])
}

impl State {
    fn bump_local_generations(&mut self, node: usize) {
        if let Some(cached) = &mut self.nodes[node].cached {
            cached.current = false;
        }
        for load in self.running.iter_mut().flatten().filter(|load| load.node == node) {
            load.current = false;
        }
    }

    fn next(&mut self, rules: Rules, before: Option<u8>) -> u8 {
        if rules.random {
            // A new one: `canonical` has numbered those that exist.
            self.fresh += 1;
            self.fresh
        } else {
            before.map_or(0, |count| count + 1)
        }
    }

    /// Gives these scopes new generations, and sends the messages.
    fn publish(&mut self, rules: Rules, from: usize, scopes: Versions) {
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

    fn poll(&mut self, node: usize) {
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

    fn answer(&mut self, value: Versions, owed: Versions) {
        self.stale |= !holds(value, owed);
    }

    /// Makes equal states equal: numbers generations in the order in which they occur, as they are only compared, and
    /// sorts the loads.
    fn canonical(mut self, rules: Rules) -> Self {
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

    fn restart_node(&mut self, node: usize) {
        let reaches_redis = self.nodes[node].reaches_redis;
        self.nodes[node] = Node { subscribed: true, reaches_redis, ..Node::default() };
        for load in &mut self.running {
            if load.is_some_and(|load| load.node == node) {
                *load = None;
            }
        }
    }
}

impl Cache {
    fn advance_writer(&self, state: &mut State, writer: usize) {
        let (rules, node) = (self.rules, writer % NODES);
        let mut one = [false; SCOPES];
        one[writer] = true;
        let publish = |state: &mut State| {
            if state.nodes[node].reaches_redis {
                state.publish(rules, node, one);
            } else {
                state.nodes[node].seen[writer] = true;
                state.nodes[node].unpublished[writer] = true;
            }
        };
        state.writers[writer] = match state.writers[writer] {
            Writer::Idle => {
                state.database[writer] = true;
                Writer::Committed
            }
            Writer::Committed if rules.redis_first => {
                publish(state);
                Writer::Published
            }
            Writer::Committed => {
                state.bump_local_generations(node);
                Writer::Bumped
            }
            Writer::Published | Writer::Bumped => {
                if rules.redis_first {
                    state.bump_local_generations(node);
                } else {
                    publish(state);
                }
                state.nodes[node].owed[writer] = true;
                Writer::Returned
            }
            done => done,
        };
    }

    fn advance_load(&self, state: &mut State, index: usize) -> Option<()> {
        let rules = self.rules;
        let load = state.running[index]?;
        let node = state.nodes[load.node];
        let finish = |state: &mut State, value| {
            state.nodes[load.node].cached = Some(CachedEntry { current: load.current, value });
            state.answer(value, load.owed);
        };
        let next = match load.step {
            Step::Begun => {
                let dirty = rules.bypass && node.unpublished.contains(&true);
                let asks = node.reaches_redis && !dirty && node.has_polled;
                if !asks {
                    Some(Step::Missed(None))
                } else if let Some((made_from, value)) = state.redis.entry
                    && (!rules.generations
                        || (made_from == state.redis.generations && made_from.iter().all(Option::is_some)))
                {
                    finish(state, value);
                    None
                } else {
                    for scope in 0..SCOPES {
                        if rules.generations && state.redis.generations[scope].is_none() {
                            state.redis.generations[scope] = Some(state.next(rules, None));
                        }
                    }
                    Some(Step::Missed(Some(state.redis.generations)))
                }
            }
            Step::Missed(generations) => Some(Step::Loaded(generations, state.database)),
            Step::Loaded(generations, value) => {
                finish(state, value);
                generations.map(|generations| Step::PendingFill(generations, value))
            }
            Step::PendingFill(generations, value) => {
                if !node.reaches_redis {
                    return None;
                }
                if !rules.generations || state.redis.generations == generations {
                    state.redis.entry = Some((generations, value));
                }
                None
            }
        };
        state.running[index] = next.map(|step| Load { step, ..load });
        Some(())
    }

    fn fault(&self, state: &mut State, action: Action) {
        state.faults -= 1;
        match action {
            Action::Cut(node) => {
                state.nodes[node].subscribed = false;
                state.nodes[node].coming = [false; SCOPES];
            }
            Action::Sever(node) => state.nodes[node].reaches_redis = false,
            Action::Kill(writer) => {
                state.writers[writer] = Writer::Dead;
                state.restart_node(writer % NODES);
            }
            Action::Flush => state.redis = Redis::default(),
            Action::Evict(scope) => state.redis.generations[scope] = None,
            Action::Restart => {
                let old = state.snapshot.unwrap_or_default();
                state.redis = if self.rules.keyspace { Redis::default() } else { old };
                // Its connections break with it.
                for node in &mut state.nodes {
                    node.subscribed = false;
                    node.coming = [false; SCOPES];
                }
            }
            _ => {}
        }
    }
}

impl Model for Cache {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let node =
            Node { subscribed: true, reaches_redis: true, has_polled: true, lease: true, ..Node::default() };
        vec![State {
            database: [false; SCOPES],
            redis: Redis::default(),
            snapshot: None,
            fresh: 0,
            published: [false; SCOPES],
            nodes: [node; NODES],
            running: [None; 2],
            writers: [Writer::Idle; SCOPES],
            loads: self.bounds.loads,
            faults: self.bounds.faults,
            stale: false,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        let unfinished = |writer: &usize| !matches!(state.writers[*writer], Writer::Returned | Writer::Dead);
        actions.extend((0..self.bounds.writers).filter(unfinished).map(Action::Write));
        for (index, load) in state.running.iter().enumerate() {
            match load {
                None if state.loads > 0
                    && index + 1 == state.running.iter().filter(|load| load.is_none()).count() =>
                {
                    actions.extend((0..NODES).map(|node| Action::Begin(index, node)));
                }
                None => {}
                Some(load) => {
                    actions.push(Action::Advance(index));
                    actions.push(if matches!(load.step, Step::PendingFill(..)) {
                        Action::GiveUpFill(index)
                    } else {
                        Action::Join(index)
                    });
                }
            }
        }
        let can = |kind| self.bounds.kinds.contains(&kind);
        for (index, node) in state.nodes.iter().enumerate() {
            actions.extend([Action::Serve(index), Action::Poll(index)]);
            actions
                .extend((0..SCOPES).filter(|scope| node.coming[*scope]).map(|s| Action::Deliver(index, s)));
            if can(Fault::Breaks) {
                actions.extend([Action::Lapse(index), Action::Heartbeat(index)]);
            }
            if !node.reaches_redis {
                actions.push(Action::Reach(index));
            } else if node.unpublished.contains(&true) {
                actions.push(Action::Publish(index));
            }
            if !node.subscribed {
                actions.push(Action::Resubscribe(index));
            }
        }
        if can(Fault::Restarts) && state.snapshot.is_none() && !self.rules.keyspace {
            actions.push(Action::Save);
        }
        if state.faults == 0 {
            return;
        }
        if can(Fault::Forgets) {
            actions.push(Action::Flush);
            actions.extend((0..self.bounds.writers).map(Action::Evict));
        }
        if can(Fault::Breaks) {
            actions.extend((0..NODES).map(Action::Cut));
        }
        if can(Fault::Severs) {
            actions.extend((0..NODES).map(Action::Sever));
        }
        if can(Fault::Kills) {
            let between =
                |writer: &usize| matches!(state.writers[*writer], Writer::Committed | Writer::Bumped);
            actions.extend((0..self.bounds.writers).filter(between).map(Action::Kill));
        }
        if can(Fault::Restarts) {
            actions.push(Action::Restart);
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        let rules = self.rules;
        match action {
            Action::Write(writer) => self.advance_writer(&mut state, writer),
            Action::Serve(node) => {
                let Node { cached, lease, owed, .. } = state.nodes[node];
                let cached = cached.filter(|cached| {
                    (cached.current || !rules.local_generation) && (lease || !rules.lease)
                })?;
                state.answer(cached.value, owed);
            }
            Action::Begin(index, node) => {
                state.loads -= 1;
                let owed = state.nodes[node].owed;
                state.running[index] =
                    Some(Load { node, current: true, young: true, owed, step: Step::Begun });
            }
            Action::Join(index) => {
                let load = state.running[index].as_mut()?;
                if (rules.join_same_generation && !load.current) || (rules.join_young && !load.young) {
                    return None;
                }
                load.owed = last.nodes[load.node].owed;
            }
            Action::Advance(index) => self.advance_load(&mut state, index)?,
            Action::GiveUpFill(index) => state.running[index] = None,
            Action::Poll(node) => state.poll(node),
            Action::Publish(node) => {
                let unpublished = state.nodes[node].unpublished;
                state.publish(rules, node, unpublished);
            }
            Action::Deliver(node, scope) => {
                if rules.local_generation {
                    state.bump_local_generations(node);
                } else {
                    state.nodes[node].cached = None;
                }
                let node = &mut state.nodes[node];
                (node.coming[scope], node.seen[scope], node.unpublished[scope]) = (false, true, false);
            }
            Action::Heartbeat(node) => {
                let proven = |scope: usize| {
                    state.published[scope]
                        && (scope % NODES != node || state.writers[scope] == Writer::Returned)
                };
                let proven = [proven(0), proven(1)];
                let node = &mut state.nodes[node];
                if !node.subscribed || node.coming.contains(&true) {
                    return None;
                }
                node.lease = true;
                (0..SCOPES).for_each(|scope| node.owed[scope] |= proven[scope]);
            }
            // Time passes since the last proof: a node must see what was published before, whether it heard of it
            // or not.
            Action::Lapse(node) => {
                let over = |scope: usize| {
                    state.published[scope] && matches!(state.writers[scope], Writer::Returned | Writer::Dead)
                };
                let over = [over(0), over(1)];
                for load in state.running.iter_mut().flatten().filter(|load| load.node == node) {
                    load.young = false;
                }
                let node = &mut state.nodes[node];
                node.lease = false;
                (0..SCOPES).for_each(|scope| node.owed[scope] |= over[scope]);
            }
            Action::Resubscribe(node) => {
                state.nodes[node].subscribed = true;
                if rules.flush_after_break {
                    state.bump_local_generations(node);
                }
            }
            Action::Reach(node) => state.nodes[node].reaches_redis = true,
            Action::Save => state.snapshot = Some(state.redis),
            fault => self.fault(&mut state, fault),
        }
        let state = state.canonical(rules);
        (state != *last).then_some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::always("no answer is stale", |_, state: &State| !state.stale)]
    }
}

fn explore(rules: Rules, bounds: Bounds) -> Option<String> {
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

/// Searches all orders within these bounds; `bin/test --long` searches larger ones.
#[test]
fn the_protocol_never_answers_stale() {
    let mut searched = vec![bounds(2, 1, 0, &[]), bounds(1, 2, 0, &[])];
    searched.extend(SMALL.chunks(1).map(|kind| bounds(2, 1, 1, kind)));
    searched.extend(LARGE.chunks(1).map(|kind| bounds(1, 1, 1, kind)));
    if std::env::var_os("COFFER_TEST_LONG").is_some() {
        searched.extend([bounds(2, 2, 0, &[]), bounds(2, 1, 1, EVERYTHING), bounds(1, 2, 1, EVERYTHING)]);
        searched.extend(EVERYTHING.chunks(1).flat_map(|kind| [bounds(2, 1, 1, kind), bounds(1, 2, 2, kind)]));
    }
    for bounds in searched {
        assert_eq!(explore(PROTOCOL, bounds), None);
    }
}

/// With a rule left out, the checker finds a stale answer.
macro_rules! finds_the_fault {
    ($($name:ident: $rules:expr, $bounds:expr;)*) => {
        $(
            #[test]
            fn $name() {
                println!("{}", explore($rules, $bounds).expect("the checker finds a stale answer"));
            }
        )*
    };
}

finds_the_fault! {
    delete_and_publish_is_stale:
        Rules { local_generation: false, generations: false, ..PROTOCOL }, bounds(1, 1, 0, &[]);
    delete_and_publish_with_a_local_generation_is_stale:
        Rules { generations: false, ..PROTOCOL }, bounds(2, 1, 0, &[]);
    versions_without_a_local_generation_are_stale:
        Rules { random: false, local_generation: false, ..PROTOCOL }, bounds(1, 1, 0, &[]);
    versions_that_are_counted_are_stale_after_a_flush:
        Rules { random: false, ..PROTOCOL }, bounds(2, 1, 1, &[Fault::Forgets]);
    no_bypass_is_stale_when_redis_was_away_at_the_write:
        Rules { bypass: false, ..PROTOCOL }, bounds(2, 1, 1, &[Fault::Severs]);
    joining_any_running_load_is_stale:
        Rules { join_same_generation: false, ..PROTOCOL }, bounds(1, 1, 0, &[]);
    joining_an_old_load_is_stale:
        Rules { join_young: false, ..PROTOCOL }, bounds(1, 1, 1, &[Fault::Breaks]);
    a_lost_message_without_a_flush_is_stale:
        Rules { flush_after_break: false, ..PROTOCOL }, bounds(1, 1, 1, &[Fault::Breaks]);
    local_generations_before_redis_are_stale:
        Rules { redis_first: false, ..PROTOCOL }, bounds(2, 1, 0, &[]);
    one_keyspace_for_ever_is_stale_after_a_restart:
        Rules { keyspace: false, ..PROTOCOL }, bounds(2, 1, 1, &[Fault::Restarts]);
    memory_without_a_lease_is_stale:
        Rules { lease: false, ..PROTOCOL }, bounds(1, 1, 1, &[Fault::Breaks]);
}
