//! Which events can happen when, and what they do.

use stateright::{Model, Property};

use crate::state::{Load, NODES, Node, Redis, SCOPES, State, Step, Writer};
use crate::{Bounds, Fault, Rules};

pub struct Cache {
    pub rules: Rules,
    pub bounds: Bounds,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
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
