//! The cache's protocol as a model, every order of events tried: no rule may be left out, and none is missing.
//!
//! Two nodes, two scopes, one answer that depends on both, a writer for each scope, loads that can be overtaken at
//! every step. An answer is stale when it is older than a write that had returned on the same node before it was
//! asked for, or older than what the node's last proof (a look into the outbox, a beat) vouched for.

use stateright::{Checker, HasDiscoveries, Model, Property};

const NODES: usize = 2;
const SCOPES: usize = 2;

/// The protocol's rules, each of which a variant can leave out.
#[expect(clippy::struct_excessive_bools, reason = "each rule is kept or left out")]
#[derive(Clone, Copy)]
struct Rules {
    /// What is in memory is good under the gate of its load only.
    gate: bool,
    /// Entries in Redis carry the generations of their scopes, and are filled only if these stand. Without: a write
    /// deletes the entry, and a load sets it.
    generations: bool,
    /// Generations are random. Without: counted up from zero.
    random: bool,
    /// A flight takes only those whose gate is its own.
    join_own_gate: bool,
    /// Nobody joins a flight that has been under way for long.
    join_young: bool,
    /// Scopes of which Redis was not told are not read from it.
    bypass: bool,
    /// A subscriber that broke puts everything in memory in doubt.
    flush_after_break: bool,
    /// Redis is told before the gates are bumped.
    redis_first: bool,
    /// A restarted Redis begins a fresh name space.
    name_space: bool,
    /// Memory is served only under a lease.
    lease: bool,
}

const PROTOCOL: Rules = Rules {
    gate: true,
    generations: true,
    random: true,
    join_own_gate: true,
    join_young: true,
    bypass: true,
    flush_after_break: true,
    redis_first: true,
    name_space: true,
    lease: true,
};

struct Cache {
    rules: Rules,
    /// How many loads are begun.
    loads: u8,
    /// How many of the two writers write.
    writers: usize,
    /// How many faults happen, and which can.
    faults: u8,
    worlds: &'static [World],
}

/// What can go wrong. Each alone makes a small model that is searched whole; together they make a large one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum World {
    /// Redis forgets: everything, or one generation.
    Forgets,
    /// A subscriber's connection breaks, unnoticed at first.
    Breaks,
    /// A node can't reach Redis.
    Severs,
    /// A node is killed between its commit and its word.
    Kills,
    /// Redis restarts from an old copy of itself.
    Restarts,
}

const EVERYTHING: &[World] = &[World::Forgets, World::Breaks, World::Severs, World::Kills, World::Restarts];
const SMALL: &[World] = &[World::Forgets, World::Severs, World::Kills];
const LARGE: &[World] = &[World::Breaks, World::Restarts];

/// By scope, whether the write is in it: the value itself, and what it must hold at least.
type Versions = [bool; 2];
type Generations = [Option<u8>; 2];

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Redis {
    generations: Generations,
    entry: Option<(Generations, Versions)>,
}

/// An answer in memory; `current`: its gate is still the node's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Held {
    current: bool,
    value: Versions,
}

#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Node {
    held: Option<Held>,
    lease: bool,
    has_looked: bool,
    /// Rows of the outbox that were taken notice of, and of those the ones that Redis was not told.
    seen: Versions,
    untold: Versions,
    /// Messages on their way here.
    coming: Versions,
    subscribed: bool,
    reaches_redis: bool,
    /// What an answer that is asked for now must hold.
    owed: Versions,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Step {
    Begun,
    /// Redis had nothing; with what may be filled.
    Missed(Option<Generations>),
    Loaded(Option<Generations>, Versions),
    /// Answered; a fill is on its way, for however long.
    Filling(Generations, Versions),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Flight {
    node: usize,
    current: bool,
    /// Others may still join: it has not been under way for long.
    young: bool,
    /// What those who wait are owed.
    owed: Versions,
    step: Step,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Writer {
    Idle,
    Committed,
    /// Redis was told, or could not be; the gates still stand.
    Told,
    /// The gates were bumped; Redis is still to be told.
    Bumped,
    Returned,
    Dead,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    database: Versions,
    redis: Redis,
    snapshot: Option<Redis>,
    /// The highest generation that stands anywhere.
    fresh: u8,
    published: Versions,
    nodes: [Node; NODES],
    flights: [Option<Flight>; 2],
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
    Look(usize),
    Tell(usize),
    Deliver(usize, usize),
    Beat(usize),
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
    fn bump_gate(&mut self, node: usize) {
        if let Some(held) = &mut self.nodes[node].held {
            held.current = false;
        }
        for flight in self.flights.iter_mut().flatten().filter(|flight| flight.node == node) {
            flight.current = false;
        }
    }

    /// A generation that is new, or counted up.
    fn next(&mut self, rules: Rules, before: Option<u8>) -> u8 {
        if rules.random {
            // One that stands nowhere: `simplest` has numbered those that do.
            self.fresh += 1;
            self.fresh
        } else {
            before.map_or(0, |count| count + 1)
        }
    }

    /// New generations for these scopes, and word of it to the others.
    fn tell(&mut self, rules: Rules, from: usize, scopes: Versions) {
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
            self.nodes[from].untold[scope] = false;
        }
    }

    fn look(&mut self, node: usize) {
        for scope in 0..SCOPES {
            if self.database[scope] && !self.nodes[node].seen[scope] {
                self.nodes[node].seen[scope] = true;
                self.nodes[node].untold[scope] = true;
                self.bump_gate(node);
            }
        }
        let over = self.writers.map(|writer| matches!(writer, Writer::Returned | Writer::Dead));
        let looking = &mut self.nodes[node];
        looking.has_looked = true;
        looking.lease = true;
        (0..SCOPES).for_each(|scope| looking.owed[scope] |= over[scope]);
    }

    fn answer(&mut self, value: Versions, owed: Versions) {
        self.stale |= !holds(value, owed);
    }

    /// The same state under the simplest names: generations, which are only compared, by the order in which they
    /// are met; flights in theirs.
    fn simplest(mut self, rules: Rules) -> Self {
        self.flights.sort();
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
        for flight in self.flights.iter_mut().flatten() {
            match &mut flight.step {
                Step::Missed(Some(generations))
                | Step::Loaded(Some(generations), _)
                | Step::Filling(generations, _) => generations.iter_mut().flatten().for_each(&mut rename),
                _ => {}
            }
        }
        self.fresh = u8::try_from(names.len()).expect("few generations");
        self
    }

    fn restart_node(&mut self, node: usize) {
        let reaches_redis = self.nodes[node].reaches_redis;
        self.nodes[node] = Node { subscribed: true, reaches_redis, ..Node::default() };
        for flight in &mut self.flights {
            if flight.is_some_and(|flight| flight.node == node) {
                *flight = None;
            }
        }
    }
}

impl Cache {
    fn advance_writer(&self, state: &mut State, writer: usize) {
        let (rules, node) = (self.rules, writer % NODES);
        let mut one = [false; SCOPES];
        one[writer] = true;
        let tell = |state: &mut State| {
            if state.nodes[node].reaches_redis {
                state.tell(rules, node, one);
            } else {
                state.nodes[node].seen[writer] = true;
                state.nodes[node].untold[writer] = true;
            }
        };
        state.writers[writer] = match state.writers[writer] {
            Writer::Idle => {
                state.database[writer] = true;
                Writer::Committed
            }
            Writer::Committed if rules.redis_first => {
                tell(state);
                Writer::Told
            }
            Writer::Committed => {
                state.bump_gate(node);
                Writer::Bumped
            }
            Writer::Told | Writer::Bumped => {
                if rules.redis_first {
                    state.bump_gate(node);
                } else {
                    tell(state);
                }
                state.nodes[node].owed[writer] = true;
                Writer::Returned
            }
            done => done,
        };
    }

    fn advance_flight(&self, state: &mut State, index: usize) -> Option<()> {
        let rules = self.rules;
        let flight = state.flights[index]?;
        let node = state.nodes[flight.node];
        let land = |state: &mut State, value| {
            state.nodes[flight.node].held = Some(Held { current: flight.current, value });
            state.answer(value, flight.owed);
        };
        let next = match flight.step {
            Step::Begun => {
                let dirty = rules.bypass && node.untold.contains(&true);
                let asks = node.reaches_redis && !dirty && node.has_looked;
                if !asks {
                    Some(Step::Missed(None))
                } else if let Some((made_from, value)) = state.redis.entry
                    && (!rules.generations
                        || (made_from == state.redis.generations && made_from.iter().all(Option::is_some)))
                {
                    land(state, value);
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
                land(state, value);
                generations.map(|generations| Step::Filling(generations, value))
            }
            Step::Filling(generations, value) => {
                if !node.reaches_redis {
                    return None;
                }
                if !rules.generations || state.redis.generations == generations {
                    state.redis.entry = Some((generations, value));
                }
                None
            }
        };
        state.flights[index] = next.map(|step| Flight { step, ..flight });
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
                state.redis = if self.rules.name_space { Redis::default() } else { old };
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
            Node { subscribed: true, reaches_redis: true, has_looked: true, lease: true, ..Node::default() };
        vec![State {
            database: [false; SCOPES],
            redis: Redis::default(),
            snapshot: None,
            fresh: 0,
            published: [false; SCOPES],
            nodes: [node; NODES],
            flights: [None; 2],
            writers: [Writer::Idle; SCOPES],
            loads: self.loads,
            faults: self.faults,
            stale: false,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        let unfinished = |writer: &usize| !matches!(state.writers[*writer], Writer::Returned | Writer::Dead);
        actions.extend((0..self.writers).filter(unfinished).map(Action::Write));
        for (index, flight) in state.flights.iter().enumerate() {
            match flight {
                None if state.loads > 0
                    && index + 1 == state.flights.iter().filter(|flight| flight.is_none()).count() =>
                {
                    actions.extend((0..NODES).map(|node| Action::Begin(index, node)));
                }
                None => {}
                Some(flight) => {
                    actions.push(Action::Advance(index));
                    actions.push(if matches!(flight.step, Step::Filling(..)) {
                        Action::GiveUpFill(index)
                    } else {
                        Action::Join(index)
                    });
                }
            }
        }
        let can = |world| self.worlds.contains(&world);
        for (index, node) in state.nodes.iter().enumerate() {
            actions.extend([Action::Serve(index), Action::Look(index)]);
            actions
                .extend((0..SCOPES).filter(|scope| node.coming[*scope]).map(|s| Action::Deliver(index, s)));
            if can(World::Breaks) {
                actions.extend([Action::Lapse(index), Action::Beat(index)]);
            }
            if !node.reaches_redis {
                actions.push(Action::Reach(index));
            } else if node.untold.contains(&true) {
                actions.push(Action::Tell(index));
            }
            if !node.subscribed {
                actions.push(Action::Resubscribe(index));
            }
        }
        if can(World::Restarts) && state.snapshot.is_none() && !self.rules.name_space {
            actions.push(Action::Save);
        }
        if state.faults == 0 {
            return;
        }
        if can(World::Forgets) {
            actions.push(Action::Flush);
            actions.extend((0..self.writers).map(Action::Evict));
        }
        if can(World::Breaks) {
            actions.extend((0..NODES).map(Action::Cut));
        }
        if can(World::Severs) {
            actions.extend((0..NODES).map(Action::Sever));
        }
        if can(World::Kills) {
            let between =
                |writer: &usize| matches!(state.writers[*writer], Writer::Committed | Writer::Bumped);
            actions.extend((0..self.writers).filter(between).map(Action::Kill));
        }
        if can(World::Restarts) {
            actions.push(Action::Restart);
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        let rules = self.rules;
        match action {
            Action::Write(writer) => self.advance_writer(&mut state, writer),
            Action::Serve(node) => {
                let Node { held, lease, owed, .. } = state.nodes[node];
                let held = held.filter(|held| (held.current || !rules.gate) && (lease || !rules.lease))?;
                state.answer(held.value, owed);
            }
            Action::Begin(index, node) => {
                state.loads -= 1;
                let owed = state.nodes[node].owed;
                state.flights[index] =
                    Some(Flight { node, current: true, young: true, owed, step: Step::Begun });
            }
            Action::Join(index) => {
                let flight = state.flights[index].as_mut()?;
                if (rules.join_own_gate && !flight.current) || (rules.join_young && !flight.young) {
                    return None;
                }
                flight.owed = last.nodes[flight.node].owed;
            }
            Action::Advance(index) => self.advance_flight(&mut state, index)?,
            Action::GiveUpFill(index) => state.flights[index] = None,
            Action::Look(node) => state.look(node),
            Action::Tell(node) => {
                let untold = state.nodes[node].untold;
                state.tell(rules, node, untold);
            }
            Action::Deliver(node, scope) => {
                if rules.gate {
                    state.bump_gate(node);
                } else {
                    state.nodes[node].held = None;
                }
                let node = &mut state.nodes[node];
                (node.coming[scope], node.seen[scope], node.untold[scope]) = (false, true, false);
            }
            Action::Beat(node) => {
                let vouched = |scope: usize| {
                    state.published[scope]
                        && (scope % NODES != node || state.writers[scope] == Writer::Returned)
                };
                let vouched = [vouched(0), vouched(1)];
                let node = &mut state.nodes[node];
                if !node.subscribed || node.coming.contains(&true) {
                    return None;
                }
                node.lease = true;
                (0..SCOPES).for_each(|scope| node.owed[scope] |= vouched[scope]);
            }
            // Time has passed since the last proof: what Redis was told before is owed whatever was heard.
            Action::Lapse(node) => {
                let over = |scope: usize| {
                    state.published[scope] && matches!(state.writers[scope], Writer::Returned | Writer::Dead)
                };
                let over = [over(0), over(1)];
                for flight in state.flights.iter_mut().flatten().filter(|flight| flight.node == node) {
                    flight.young = false;
                }
                let node = &mut state.nodes[node];
                node.lease = false;
                (0..SCOPES).for_each(|scope| node.owed[scope] |= over[scope]);
            }
            Action::Resubscribe(node) => {
                state.nodes[node].subscribed = true;
                if rules.flush_after_break {
                    state.bump_gate(node);
                }
            }
            Action::Reach(node) => state.nodes[node].reaches_redis = true,
            Action::Save => state.snapshot = Some(state.redis),
            fault => self.fault(&mut state, fault),
        }
        let state = state.simplest(rules);
        (state != *last).then_some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::always("no answer is stale", |_, state: &State| !state.stale)]
    }
}

/// Loads and writers, and how many faults of which worlds.
type Bounds = ((u8, usize), (u8, &'static [World]));

fn explore(
    rules: Rules,
    (loads, writers): (u8, usize),
    (faults, worlds): (u8, &'static [World]),
) -> Option<String> {
    let model = Cache { rules, loads, writers, faults, worlds };
    let checker = model.checker().threads(2).finish_when(HasDiscoveries::Any).spawn_bfs().join();
    println!(
        "{loads} loads, {writers} writers, {faults} of {worlds:?}: {} states",
        checker.unique_state_count()
    );
    checker.discovery("no answer is stale").map(|path| format!("{:?}", path.into_actions()))
}

/// Every order of everything that can happen within these bounds; `bin/test --long` goes further.
#[test]
fn the_protocol_never_answers_stale() {
    let mut bounds: Vec<Bounds> = vec![((2, 1), (0, &[])), ((1, 2), (0, &[]))];
    bounds.extend(SMALL.chunks(1).map(|world| ((2, 1), (1, world))));
    bounds.extend(LARGE.chunks(1).map(|world| ((1, 1), (1, world))));
    if std::env::var_os("COFFER_TEST_LONG").is_some() {
        bounds.extend([((2, 2), (0, &[][..])), ((2, 1), (1, EVERYTHING)), ((1, 2), (1, EVERYTHING))]);
        bounds.extend(EVERYTHING.chunks(1).flat_map(|world| [((2, 1), (1, world)), ((1, 2), (2, world))]));
    }
    for (size, faults) in bounds {
        assert_eq!(explore(PROTOCOL, size, faults), None);
    }
}

/// A protocol that leaves a rule out: the checker finds what goes wrong without it.
macro_rules! finds_the_fault {
    ($($name:ident: $rules:expr, $size:expr, $faults:expr;)*) => {
        $(
            #[test]
            fn $name() {
                println!("{}", explore($rules, $size, $faults).expect("the checker finds a stale answer"));
            }
        )*
    };
}

finds_the_fault! {
    delete_and_publish_is_stale:
        Rules { gate: false, generations: false, ..PROTOCOL }, (1, 1), (0, &[]);
    delete_and_publish_with_a_gate_is_stale:
        Rules { generations: false, ..PROTOCOL }, (2, 1), (0, &[]);
    versions_without_a_gate_are_stale:
        Rules { random: false, gate: false, ..PROTOCOL }, (1, 1), (0, &[]);
    versions_that_are_counted_are_stale_after_a_flush:
        Rules { random: false, ..PROTOCOL }, (2, 1), (1, &[World::Forgets]);
    no_bypass_is_stale_when_redis_was_away_at_the_write:
        Rules { bypass: false, ..PROTOCOL }, (2, 1), (1, &[World::Severs]);
    joining_any_load_in_flight_is_stale:
        Rules { join_own_gate: false, ..PROTOCOL }, (1, 1), (0, &[]);
    joining_an_old_flight_is_stale:
        Rules { join_young: false, ..PROTOCOL }, (1, 1), (1, &[World::Breaks]);
    a_lost_message_without_a_flush_is_stale:
        Rules { flush_after_break: false, ..PROTOCOL }, (1, 1), (1, &[World::Breaks]);
    gates_before_redis_are_stale:
        Rules { redis_first: false, ..PROTOCOL }, (2, 1), (0, &[]);
    one_name_space_for_ever_is_stale_after_a_restart:
        Rules { name_space: false, ..PROTOCOL }, (2, 1), (1, &[World::Restarts]);
    memory_without_a_lease_is_stale:
        Rules { lease: false, ..PROTOCOL }, (1, 1), (1, &[World::Breaks]);
}
