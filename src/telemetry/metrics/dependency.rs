//! What coffer depends on: whether it is there, and the circuit breaker in front of it.

use std::time::Duration;

use metrics::{Counter, Gauge, Histogram};
use parking_lot::Mutex;

use super::family::{Label as _, label, real};
use super::recorder::{Durations, Recorder};

label! {
    Breaker = "state" { Closed = "closed", Open = "open", HalfOpen = "half_open" }
}

/// How long answers take, for the page alone.
pub(super) const ANSWERS: Durations =
    Durations { name: "dependency", help: "", buckets: &[], kind: "dependency", by: &["dependency"] };

#[derive(Debug)]
pub struct Dependencies {
    recorder: Recorder,
    known: Mutex<Vec<DependencyMeter>>,
}

#[derive(Clone, Debug)]
pub struct DependencyMeter {
    name: &'static str,
    recorder: Recorder,
    up: Gauge,
    states: Vec<Gauge>,
    transitions: Counter,
    rejections: Counter,
    answers: Histogram,
}

impl Dependencies {
    pub(super) fn new(recorder: &Recorder) -> Self {
        Self { recorder: recorder.clone(), known: Mutex::default() }
    }

    /// `redis`, `postgres` or `sqlite`. It counts as up, with its breaker closed, until the first report.
    pub fn meter(&self, name: &'static str) -> DependencyMeter {
        let mut known = self.known.lock();
        if let Some(found) = known.iter().find(|meter| meter.name == name) {
            return found.clone();
        }
        let meter = DependencyMeter::new(&self.recorder, name);
        known.push(meter.clone());
        meter
    }
}

impl DependencyMeter {
    fn new(recorder: &Recorder, name: &'static str) -> Self {
        let labels = &[("dependency", name)];
        let states = Breaker::ALL.iter().map(|state| {
            let help = "1 for the state that the circuit breaker is in.";
            recorder.gauge("coffer_circuit_breaker_state", help, &[labels[0], state.pair()])
        });
        let meter = Self {
            name,
            recorder: recorder.clone(),
            up: recorder.gauge(
                "coffer_dependency_up",
                "Whether the dependency answered when last asked.",
                labels,
            ),
            states: states.collect(),
            transitions: recorder.counter(
                "coffer_circuit_breaker_transitions_total",
                "Changes of the circuit breaker's state.",
                labels,
            ),
            rejections: recorder.counter(
                "coffer_circuit_breaker_rejections_total",
                "Commands that were not sent because the circuit breaker was open.",
                labels,
            ),
            answers: recorder.durations(&ANSWERS, labels),
        };
        meter.up(true);
        meter.states[Breaker::Closed.index()].set(1.0);
        meter
    }

    pub fn up(&self, up: bool) {
        self.up.set(u8::from(up));
    }

    /// The memory that it reports. The series begins with the first call.
    pub fn memory(&self, bytes: i64) {
        let help = "Memory that the dependency says it uses, where it tells.";
        self.recorder
            .gauge("coffer_dependency_memory_bytes", help, &[("dependency", self.name)])
            .set(real(bytes));
    }

    pub fn answered(&self, duration: Duration) {
        self.answers.record(duration);
    }

    pub fn breaker(&self, state: Breaker) {
        for (index, gauge) in self.states.iter().enumerate() {
            gauge.set(u8::from(index == state.index()));
        }
        self.transitions.increment(1);
    }

    /// A command was not sent because the breaker is open.
    pub fn rejected(&self) {
        self.rejections.increment(1);
    }
}
