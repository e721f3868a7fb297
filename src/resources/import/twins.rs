//! Addresses that are in a file more than once: the first of each brings what the others add. Notes that say the same are one too,
//! but in coffer's own files each is an entry.

use std::collections::hash_map::Entry as Slot;
use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use sha2::{Digest as _, Sha256};

use super::choices::Choices;
use super::drafts::{draft_of, is_note};
use super::entry::Entry;
use super::formats::Source;
use crate::resources::normal_url;

#[derive(Default)]
pub(super) struct Twins {
    /// By the place of the first.
    of: HashMap<usize, Vec<Entry>>,
    places: HashSet<usize>,
    /// Equal notes before a note of coffer's own, by its place.
    equal: HashMap<usize, u32>,
    /// Entries of the file.
    pub total: usize,
}

impl Twins {
    pub fn find(source: &Source<'_>, choices: &Choices) -> Self {
        let (mut twins, mut firsts, mut counts) = (Self::default(), HashMap::new(), HashMap::new());
        source.each(|entry| {
            let place = twins.total;
            twins.total += 1;
            if let Some(identity) = identity(&entry, source, choices) {
                match firsts.entry(identity) {
                    Slot::Vacant(slot) => drop(slot.insert(place)),
                    Slot::Occupied(first) if source.is_own() && is_note(&entry, source) => {
                        let count = counts.entry(*first.get()).or_insert(0);
                        *count += 1;
                        twins.equal.insert(place, *count);
                    }
                    Slot::Occupied(first) => {
                        twins.places.insert(place);
                        twins.of.entry(*first.get()).or_default().push(entry);
                    }
                }
            }
            ControlFlow::Continue(())
        });
        twins
    }

    /// Whether an earlier entry has the same address.
    pub fn is_one(&self, place: usize) -> bool {
        self.places.contains(&place)
    }

    pub fn equal_before(&self, place: usize) -> u32 {
        self.equal.get(&place).copied().unwrap_or_default()
    }

    pub fn take(&mut self, place: usize) -> Vec<Entry> {
        self.of.remove(&place).unwrap_or_default()
    }
}

/// What makes two entries of a file one: the address, and of a note its words. `None` for what is refused by itself.
fn identity(entry: &Entry, source: &Source<'_>, choices: &Choices) -> Option<[u8; 16]> {
    if entry.is_trashed {
        return None;
    }
    let name = if is_note(entry, source) {
        let (draft, _) = draft_of(entry, source, choices);
        let note = draft.check_keeping(&draft.tags).ok()?;
        format!("note {}\n{}", note.title, note.body)
    } else {
        normal_url::parse(&entry.href).ok()?.key
    };
    // Half of it tells two hundred thousand addresses apart, and needs half of the memory.
    Sha256::digest(name.as_bytes()).first_chunk().copied()
}
