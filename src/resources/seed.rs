//! Made-up resources, for trying coffer and for measuring it. The same count makes the same library.

use std::collections::HashSet;
use std::time::Duration;

use uuid::Uuid;

use super::import::batch::State;
use super::import::choices::Choices;
use super::import::store::imports::{self, NewImport};
use super::import::{BATCH, Ready, store};
use super::{Draft, Resources, Visibility};
use crate::cache::Scope;
use crate::error::Result;
use crate::identity::Viewer;

const ADJECTIVES: [&str; 20] = [
    "quiet", "amber", "narrow", "tidal", "northern", "wooden", "early", "folded", "copper", "gentle",
    "hollow", "modern", "patient", "plain", "round", "silver", "slow", "steep", "warm", "wide",
];
const NOUNS: [&str; 24] = [
    "harbour", "lantern", "atlas", "orchard", "compiler", "recipe", "glacier", "engine", "library", "meadow",
    "signal", "bridge", "garden", "notebook", "river", "kernel", "sail", "station", "telescope", "valley",
    "window", "workshop", "archive", "compass",
];
const PLACES: [&str; 12] = [
    "oslo", "kyoto", "lisbon", "quito", "tartu", "leeds", "dakar", "perth", "turin", "malmo", "cusco",
    "galway",
];

/// A small generator (SplitMix64, Steele et al. 2014), so that every seed has its own library.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn pick<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[usize::try_from(self.next() % words.len() as u64).unwrap_or(0)]
    }

    /// One of 4,096 words, as rare and common as in a language: each doubling of the rank is equally likely.
    fn word(&mut self) -> String {
        let octave = 4 + self.next() % 9;
        let rank = self.next() % (1 << octave);
        let syllable = |number: u64| {
            let letter = |letters: &str, at: u64| letters.chars().nth(usize::try_from(at).unwrap_or(0));
            [letter("bdfghjklmnprstvz", number / 4 % 16), letter("aeio", number % 4)].into_iter().flatten()
        };
        syllable(rank).chain(syllable(rank / 64)).collect()
    }
}

impl Resources {
    /// Adds made-up resources to the viewer's library, up to `count`: those whose address is there already are left out.
    /// `progress` gets the number tried so far. Returns how many were added.
    pub async fn seed(&self, viewer: &Viewer, count: u64, mut progress: impl FnMut(u64)) -> Result<usize> {
        let owner = viewer.signed_in()?.id;
        let start = self.context.now();
        let mut numbers = Numbers(count);
        let (mut made, mut added) = (0, 0);
        while made < count {
            let size = (count - made).min(BATCH as u64);
            let mut batch = Vec::with_capacity(BATCH);
            for number in made..made + size {
                let at = start.minus(Duration::from_mins(10) * u32::try_from(number).unwrap_or(u32::MAX));
                batch.push(Ready {
                    line: number,
                    id: self.context.new_id(),
                    created: at,
                    updated: at,
                    checked: draft(number, &mut numbers).check()?,
                    twins: Vec::new(),
                    is_trashed: false,
                    equal_before: 0,
                    past: Vec::new(),
                });
            }
            let import = self.context.new_id();
            let mut tx = self.cache.begin_bulk().await?;
            let row = NewImport {
                id: import,
                owner,
                file_name: "made-up resources",
                state: State::Committed,
                choices: &Choices::default(),
                total: batch.len(),
                now: start,
            };
            imports::begin(&mut tx, &row).await?;
            let entries: Vec<&Ready> = batch.iter().collect();
            let written =
                store::insert(&mut tx, &store::Batch { import, owner, entries: &entries, now: start })
                    .await?;
            let written: HashSet<Uuid> = written.into_iter().collect();
            let taggings: Vec<_> =
                batch.iter().filter(|ready| written.contains(&ready.id)).map(Into::into).collect();
            store::tag(&mut tx, owner, &taggings, || self.context.new_id()).await?;
            store::add_revisions(&mut tx, import, owner, start).await?;
            imports::set_report(&mut tx, import, &super::import::Report::default()).await?;
            tx.commit([Scope::User(owner), Scope::Shared]).await?;
            made += size;
            added += written.len();
            progress(made);
        }
        self.refresh_statistics().await?;
        Ok(added)
    }
}

fn draft(number: u64, numbers: &mut Numbers) -> Draft {
    let (adjective, noun, place) = (numbers.pick(&ADJECTIVES), numbers.pick(&NOUNS), numbers.pick(&PLACES));
    let words: Vec<&str> =
        (0..18).map(|i| if i % 3 == 0 { numbers.pick(&ADJECTIVES) } else { numbers.pick(&NOUNS) }).collect();
    let rarer: Vec<String> = (0..8).map(|_| numbers.word()).collect();
    let is_note = number.is_multiple_of(10);
    Draft {
        title: format!("The {adjective} {noun} of {place}, part {number}"),
        url: (!is_note).then(|| format!("https://{place}.example.org/{noun}/{number}")),
        body: format!(
            "On the **{adjective} {noun}**: {}, {}.\n\nReference {:x}.",
            words.join(" "),
            rarer.join(" "),
            numbers.next()
        ),
        tags: vec![(*place).to_owned(), format!("{noun}/{adjective}")],
        visibility: match number % 20 {
            0 => Visibility::Public,
            1..=4 => Visibility::Members,
            _ => Visibility::Private,
        },
        pinned: number.is_multiple_of(500),
        unread: number.is_multiple_of(50),
        ..Draft::default()
    }
}
