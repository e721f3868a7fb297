//! Labels that are closed sets, as they are wherever they can be, and their counters.

use std::marker::PhantomData;

use metrics::Counter;

use super::recorder::{Labels, Recorder};

/// Declares the closed set of a label's values, and the label's name.
macro_rules! label {
    ($(#[$meta:meta])* $enum:ident = $label:literal { $($values:tt)+ }) => {
        $crate::named::named! { $(#[$meta])* pub enum $enum { $($values)+ } }

        impl $crate::telemetry::metrics::family::Label for $enum {
            const VALUES: &'static [Self] = &Self::ALL;

            fn pair(self) -> (&'static str, &'static str) {
                ($label, self.as_str())
            }

            fn index(self) -> usize {
                self as usize
            }
        }
    };
}
pub(crate) use label;

pub trait Label: Copy + 'static {
    const VALUES: &'static [Self];

    fn pair(self) -> (&'static str, &'static str);

    fn index(self) -> usize;
}

/// One counter for each value of a closed label, all of them at 0 from the start.
#[derive(Clone, Debug)]
pub struct Counters<L> {
    counters: Vec<Counter>,
    label: PhantomData<L>,
}

impl<L: Label> Counters<L> {
    /// `labels` are those besides `L`.
    pub fn new(recorder: &Recorder, name: &'static str, help: &'static str, labels: Labels) -> Self {
        let counter = |label: &L| recorder.counter(name, help, &[labels, &[label.pair()]].concat());
        Self { counters: L::VALUES.iter().map(counter).collect(), label: PhantomData }
    }

    pub fn count(&self, label: L) {
        self.counters[label.index()].increment(1);
    }

    pub fn get(&self, label: L) -> &Counter {
        &self.counters[label.index()]
    }
}

/// As gauges take it.
#[expect(clippy::cast_precision_loss, reason = "bytes and counts are far below 2⁵³")]
pub fn real(count: impl Into<i128>) -> f64 {
    count.into() as f64
}
