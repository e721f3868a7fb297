//! What coffer depends on: whether it is there, and the circuit breaker in front of it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use prometheus::{IntCounter, IntCounterVec, IntGauge, IntGaugeVec};

use super::family::{Family, Label as _, label};
use crate::telemetry::sketch::Sketch;
use crate::telemetry::timing::Sketches;

label! {
    /// A breaker's state; while it is open nothing is sent.
    Breaker { Closed = "closed", Open = "open", HalfOpen = "half_open" }
}

#[derive(Debug)]
pub struct Dependencies {
    up: IntGaugeVec,
    memory: IntGaugeVec,
    state: IntGaugeVec,
    transitions: IntCounterVec,
    rejections: IntCounterVec,
    sketches: Sketches,
    known: Mutex<Vec<DependencyMeter>>,
}

/// One dependency; cheap to clone.
#[derive(Clone, Debug)]
pub struct DependencyMeter {
    pub name: &'static str,
    up: IntGauge,
    memory: IntGaugeVec,
    states: Vec<IntGauge>,
    state: Arc<AtomicUsize>,
    transitions: IntCounter,
    rejections: IntCounter,
    answers: Arc<Sketch>,
}

impl Dependencies {
    pub(super) fn new(family: Family) -> Self {
        Self {
            up: family.gauges(
                "coffer_dependency_up",
                "Whether the dependency answered when last asked.",
                &["dependency"],
            ),
            memory: family.gauges(
                "coffer_dependency_memory_bytes",
                "Memory that the dependency says it uses, where it tells.",
                &["dependency"],
            ),
            state: family.gauges(
                "coffer_circuit_breaker_state",
                "1 for the state that the circuit breaker is in.",
                &["dependency", "state"],
            ),
            transitions: family.counters(
                "coffer_circuit_breaker_transitions_total",
                "Changes of the circuit breaker's state.",
                &["dependency"],
            ),
            rejections: family.counters(
                "coffer_circuit_breaker_rejections_total",
                "Commands that were not sent because the circuit breaker was open.",
                &["dependency"],
            ),
            sketches: family.sketches.clone(),
            known: Mutex::default(),
        }
    }

    /// `redis`, `postgres` or `sqlite`: up, with its breaker closed, until told otherwise.
    #[must_use]
    pub fn of(&self, name: &'static str) -> DependencyMeter {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known.iter().find(|meter| meter.name == name) {
            return found.clone();
        }
        let states = Breaker::ALL.iter().map(|state| self.state.with_label_values(&[name, state.as_str()]));
        let meter = DependencyMeter {
            name,
            up: self.up.with_label_values(&[name]),
            memory: self.memory.clone(),
            states: states.collect(),
            state: Arc::default(),
            transitions: self.transitions.with_label_values(&[name]),
            rejections: self.rejections.with_label_values(&[name]),
            answers: self.sketches.of("dependency", name),
        };
        meter.up(true);
        meter.states[Breaker::Closed.index()].set(1);
        known.push(meter.clone());
        meter
    }

    #[must_use]
    pub fn all(&self) -> Vec<DependencyMeter> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl DependencyMeter {
    pub fn up(&self, up: bool) {
        self.up.set(i64::from(up));
    }

    pub fn memory(&self, bytes: i64) {
        self.memory.with_label_values(&[self.name]).set(bytes);
    }

    #[must_use]
    pub fn is_up(&self) -> bool {
        self.up.get() == 1
    }

    /// An answer took so long.
    pub fn answered(&self, duration: Duration) {
        self.answers.record(duration);
    }

    /// The breaker is in this state now; a change counts as a transition.
    pub fn breaker(&self, state: Breaker) {
        let before = self.state.swap(state.index(), Ordering::Relaxed);
        if before != state.index() {
            self.states[before].set(0);
            self.states[state.index()].set(1);
            self.transitions.inc();
        }
    }

    /// A command was not sent because the breaker is open.
    pub fn rejected(&self) {
        self.rejections.inc();
    }

    #[must_use]
    pub fn state(&self) -> Breaker {
        Breaker::ALL[self.state.load(Ordering::Relaxed)]
    }

    #[must_use]
    pub fn transitions(&self) -> u64 {
        self.transitions.get()
    }

    #[must_use]
    pub fn rejections(&self) -> u64 {
        self.rejections.get()
    }
}
