//! The links of a file as entries that keep every rule, each address once, a few at a time.

use std::ops::ControlFlow;
use std::time::Duration;

use super::choices::Choices;
use super::drafts::{Merged, draft_of, long_notes, merge};
use super::entry::{Entry, PastVersion};
use super::formats::Source;
use super::report::{Refusal, Shortening};
use super::twins::Twins;
use super::{Past, Ready, Twin, tag_count};
use crate::error::{Error, Result};
use crate::resources::{Draft, Kind};
use crate::system::System;
use crate::timestamp::Timestamp;

/// A part of a file.
#[derive(Default)]
pub(super) struct Slice {
    pub ready: Vec<Ready>,
    pub shortenings: Vec<Shortening>,
    pub refusals: Vec<Refusal>,
    /// Entries of the file up to the end of this slice.
    pub end: usize,
}

pub(super) struct Preparation {
    pub context: System,
    /// When the import began: links without a date get it.
    pub began_at: Timestamp,
    pub choices: Choices,
    pub slice: usize,
}

impl Preparation {
    /// Calls `send` with the slices of the file after its first `skip` entries, until it breaks off.
    pub fn slices(
        &self,
        source: &Source<'_>,
        mut twins: Twins,
        skip: usize,
        mut send: impl FnMut(Slice) -> ControlFlow<()>,
    ) {
        let (mut slice, mut end) = (Slice::default(), 0);
        source.each(|entry| {
            let place = end;
            end += 1;
            if place >= skip && !twins.is_one(place) {
                let equal_before = twins.equal_before(place);
                self.take(
                    &mut slice,
                    source,
                    Placed { entry, place, twins: twins.take(place), equal_before },
                );
            }
            if place < skip || slice.ready.len() + slice.refusals.len() < self.slice {
                return ControlFlow::Continue(());
            }
            send(Slice { end, ..std::mem::take(&mut slice) })
        });
        if end > skip {
            let _ = send(Slice { end, ..slice });
        }
    }

    fn take(&self, slice: &mut Slice, source: &Source<'_>, placed: Placed) {
        let Placed { entry, place, twins, equal_before } = placed;
        let (mut draft, shortened) = draft_of(&entry, source, &self.choices);
        let checked = match draft.check_keeping(&draft.tags) {
            Ok(checked) => checked,
            Err(error) => {
                let reason = reason(&error);
                slice.refusals.extend([entry].iter().chain(&twins).map(|entry| refusal(entry, &reason)));
                return;
            }
        };
        let shortening = |line, what| Shortening { line, title: checked.title.clone(), what };
        slice.shortenings.extend(shortened.into_iter().map(|what| shortening(entry.line, what)));
        let mut past = Vec::with_capacity(entry.versions.len());
        for version in &entry.versions {
            match past_of(version, checked.kind, self.began_at) {
                Ok(version) => past.push(version),
                Err(error) => {
                    let what = format!("Version {} was left out: {}", version.version, reason(&error));
                    slice.shortenings.push(shortening(entry.line, what));
                }
            }
        }
        let mut repeated = Vec::with_capacity(twins.len());
        for twin in &twins {
            let (other, lost) = draft_of(twin, source, &self.choices);
            let (twin, more_lost) = merge_twin(&mut draft, twin.line, other);
            let lost = lost.into_iter().chain(more_lost);
            slice.shortenings.extend(lost.map(|what| shortening(twin.line, what)));
            repeated.push(twin);
        }
        // Both parts have kept the rules.
        let again = if twins.is_empty() { None } else { draft.check_keeping(&draft.tags).ok() };
        slice.ready.push(Ready {
            line: entry.line,
            id: self.context.new_id(),
            created: self.created(&entry, place),
            // When it changed here, so that clients that ask for changes find it.
            updated: self.context.now(),
            checked: again.unwrap_or(checked),
            twins: repeated,
            is_trashed: entry.is_trashed,
            equal_before,
            past,
        });
    }

    /// The file's own date unless it lies ahead; links without one keep the file's order, the first being newest.
    fn created(&self, entry: &Entry, place: usize) -> Timestamp {
        let past = |at: Option<Timestamp>| at.filter(|at| *at <= self.began_at);
        let undated = || self.began_at.minus(Duration::from_micros(place as u64));
        past(entry.added).or_else(|| past(entry.modified)).unwrap_or_else(undated)
    }
}

/// An entry, where it is in its file, and what the file holds of the same address.
struct Placed {
    entry: Entry,
    place: usize,
    twins: Vec<Entry>,
    equal_before: u32,
}

/// Adds what a repetition brings. Also returns a sentence for each part of it that is lost.
fn merge_twin(first: &mut Draft, line: u64, mut twin: Draft) -> (Twin, Vec<String>) {
    let mut lost = Vec::new();
    if twin.body.contains('\0') {
        lost.push("Its notes were left out: they contain a null character, which can’t be saved.".to_owned());
        twin.body.clear();
    }
    let title = twin.check_keeping(&twin.tags).map_or_else(|_| twin.title.clone(), |checked| checked.title);
    let Merged { added, left_out, is_cut } = merge(first, twin);
    if !left_out.is_empty() {
        lost.push(tag_count(&left_out));
    }
    if is_cut {
        lost.push(long_notes());
    }
    (Twin { line, title, added }, lost)
}

fn past_of(version: &PastVersion, kind: Kind, began_at: Timestamp) -> Result<Past> {
    let draft = Draft {
        kind: Some(kind),
        title: version.title.clone(),
        url: version.url.clone(),
        body: version.body.clone(),
        tags: version.tags.clone(),
        visibility: version.visibility,
        ..Draft::default()
    };
    let checked = draft.check_keeping(&draft.tags)?;
    Ok(Past { checked, via: version.via, saved_at: version.saved_at.min(began_at) })
}

fn reason(error: &Error) -> String {
    match error {
        Error::Invalid(errors) => errors.iter().map(|(_, message)| message).collect::<Vec<_>>().join(" "),
        error => error.message().into_owned(),
    }
}

fn refusal(entry: &Entry, reason: &str) -> Refusal {
    let text = if entry.title.trim().is_empty() { &entry.href } else { &entry.title };
    let cut = |text: &str, most| text.chars().take(most).collect();
    let (text, address) = (cut(text, 200), cut(&entry.href, 500));
    Refusal { line: entry.line, reason: reason.to_owned(), text, address }
}
