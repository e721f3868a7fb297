//! The next step of a write and of a load, and the faults.

use crate::cache::{Action, Cache};
use crate::state::{CachedEntry, Load, NODES, Redis, SCOPES, State, Step, Writer};

impl Cache {
    pub fn advance_writer(&self, state: &mut State, writer: usize) {
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

    pub fn advance_load(&self, state: &mut State, index: usize) -> Option<()> {
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

    pub fn fault(&self, state: &mut State, action: Action) {
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
