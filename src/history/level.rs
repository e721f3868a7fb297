//! Spans of one length, and stretches of many spans added up, so that long ranges are quick.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::Source;
use super::sample::Sample;

/// The instances' samples of the same time.
pub type Samples = BTreeMap<Source, Arc<Sample>>;

#[derive(Debug)]
pub struct Level {
    /// In seconds.
    pub step: i64,
    /// Many spans, in seconds.
    stretch: i64,
    /// In seconds.
    kept: i64,
    spans: BTreeMap<i64, Samples>,
    /// Added up on demand: adding up all spans of a day would take longer than the rest of the page.
    stretches: BTreeMap<i64, Samples>,
}

impl Level {
    pub const fn new(step: i64, stretch: i64, kept: i64) -> Self {
        Self { step, stretch, kept, spans: BTreeMap::new(), stretches: BTreeMap::new() }
    }

    pub fn put(&mut self, at: i64, source: Source, sample: Arc<Sample>) {
        self.spans.entry(at).or_default().insert(source, sample);
        self.stretches.remove(&(at.div_euclid(self.stretch) * self.stretch));
    }

    pub fn get(&self, at: i64) -> Option<&Samples> {
        self.spans.get(&at)
    }

    pub fn range(&self, range: Range<i64>) -> impl Iterator<Item = &Samples> {
        self.spans.range(range).map(|(_, samples)| samples)
    }

    /// The latest last.
    pub fn all(&self) -> impl Iterator<Item = &Samples> {
        self.spans.values()
    }

    /// The end of the latest span, in seconds since 1970.
    pub fn until(&self) -> Option<i64> {
        self.spans.last_key_value().map(|(at, _)| at + self.step)
    }

    pub fn forget(&mut self, at: i64) {
        self.spans = self.spans.split_off(&(at - self.kept));
        self.stretches = self.stretches.split_off(&(at - self.kept));
    }

    /// The samples of this range in order, as few as there are.
    pub fn parts(&mut self, range: Range<i64>, wanted: impl Fn(&Source) -> bool) -> Vec<Arc<Sample>> {
        let mut parts = Vec::new();
        let mut at = range.start;
        while at < range.end {
            let is_whole = at.rem_euclid(self.stretch) == 0 && at + self.stretch <= range.end;
            let samples = if is_whole { Some(self.stretch(at)) } else { self.spans.get(&at) };
            let there = samples.into_iter().flatten().filter(|(source, _)| wanted(source));
            parts.extend(there.map(|(_, sample)| sample.clone()));
            at += if is_whole { self.stretch } else { self.step };
        }
        parts
    }

    fn stretch(&mut self, at: i64) -> &Samples {
        let spans = self.spans.range(at..at + self.stretch).map(|(_, samples)| samples);
        self.stretches.entry(at).or_insert_with(|| added_up(spans))
    }
}

fn added_up<'a>(spans: impl Iterator<Item = &'a Samples>) -> Samples {
    let mut found = BTreeMap::<&Source, Vec<&Sample>>::new();
    for (source, sample) in spans.flatten() {
        found.entry(source).or_default().push(sample);
    }
    let one = |samples: Vec<&Sample>| Arc::new(Sample::merged(samples.into_iter(), false));
    found.into_iter().map(|(source, samples)| (source.clone(), one(samples))).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STEP: i64 = 10;

    /// Spans at these times, of one instance or the other, with one value each.
    fn level(there: &[(i64, bool)]) -> Level {
        let mut level = Level::new(STEP, 12 * STEP, 10_000);
        for (place, other) in there {
            put(&mut level, *place, *other);
        }
        level
    }

    fn put(level: &mut Level, place: i64, other: bool) {
        let source = Source { instance: if other { "other" } else { "one" }.into(), started: 0 };
        let sample = Sample { timings: vec![("n".into(), vec![(1, 1)].into())], ..Sample::default() };
        level.put(place * STEP, source, Arc::new(sample));
    }

    fn count(parts: &[Arc<Sample>]) -> usize {
        parts.iter().map(|sample| usize::try_from(sample.timing_of_all("n").count()).unwrap()).sum()
    }

    proptest! {
        #[test]
        fn nothing_is_left_out_or_counted_twice(
            there in prop::collection::btree_set((0_i64..100, any::<bool>()), 0..200),
            late in 0_i64..100,
            (from, length) in (0_i64..60, 1_i64..40),
        ) {
            let mut there: Vec<_> = there.into_iter().collect();
            let mut level = level(&there);
            let range = from * STEP..(from + length) * STEP;
            let within = |(place, _): &&(i64, bool)| (from..from + length).contains(place);
            prop_assert_eq!(count(&level.parts(range.clone(), |_| true)), there.iter().filter(within).count());
            let others = there.iter().filter(within).filter(|(_, other)| *other).count();
            prop_assert_eq!(count(&level.parts(range.clone(), |source| &*source.instance == "other")), others);

            // A late sample of another instance is added to its stretch.
            put(&mut level, late, true);
            there.push((late, true));
            there.sort_unstable();
            there.dedup();
            prop_assert_eq!(count(&level.parts(range, |_| true)), there.iter().filter(within).count());
        }
    }

    #[test]
    fn long_ranges_have_few_parts() {
        let there: Vec<_> = (0..100).map(|place| (place, false)).collect();
        // From the sixth to the last: six spans, seven stretches, two spans.
        assert_eq!(level(&there).parts(60..980, |_| true).len(), 6 + 7 + 2);
    }
}
