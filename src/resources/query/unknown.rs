//! Words with a colon that look like filters and are none: they are searched for as words, and named.

use super::QueryError;
use super::filter::NAMES;
use super::lex::{Item, Lexeme};

/// Too many other words are one letter away from them.
const NOT_MISSPELLED: [&str; 2] = ["url", "has"];

/// What looks like a filter and is none, so that it is searched for as words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownFilter {
    pub name: String,
    /// In characters from the start of the query.
    pub position: usize,
    /// The filter that it misspells.
    pub nearest: Option<&'static str>,
    is_negated: bool,
}

impl UnknownFilter {
    /// The query with the filter that it misspells in its place, as far as that can run.
    #[must_use]
    pub fn corrected(&self, text: &str) -> Option<String> {
        let known = self.nearest?;
        let begin = self.position + usize::from(self.is_negated);
        let before = text.chars().take(begin);
        let after = text.chars().skip(begin + self.name.chars().count());
        let corrected: String = before.chain(known.chars()).chain(after).collect();
        super::parse(&corrected).is_ok().then_some(corrected)
    }
}

impl From<UnknownFilter> for QueryError {
    fn from(UnknownFilter { name, position, nearest, .. }: UnknownFilter) -> Self {
        let message = match nearest {
            Some(known) => format!(
                "There is no filter “{name}:”. Use “{known}:”, or put the words in quotes to search for them."
            ),
            None => no_such_filter(&name),
        };
        Self { position, message }
    }
}

/// The first bare word that looks like a filter and is none.
pub(super) fn unknown_in(lexemes: &[Lexeme]) -> Option<UnknownFilter> {
    let nexts = lexemes.iter().skip(1).map(Some).chain([None]);
    lexemes.iter().zip(nexts).find_map(|(lexeme, next)| {
        let Item::Words { text, .. } = &lexeme.item else { return None };
        let (name, value) = text.split_once(':').filter(|_| !lexeme.is_quoted)?;
        let end = lexeme.position + usize::from(lexeme.negated) + text.chars().count();
        let has_value = match value.chars().next() {
            // Not the colons of `std::fs`, of an address and of a path.
            Some(c) => !matches!(c, ':' | '/' | '\\'),
            None => next.is_some_and(|next| next.is_quoted && next.position == end),
        };
        let is_word = name.len() > 1 && name.bytes().all(|b| b.is_ascii_alphabetic());
        (is_word && has_value).then(|| UnknownFilter {
            name: name.to_owned(),
            position: lexeme.position,
            nearest: nearest(&name.to_ascii_lowercase()),
            is_negated: lexeme.negated,
        })
    })
}

pub(super) fn no_such_filter(name: &str) -> String {
    let known = NAMES.map(|name| format!("{name}:")).join(", ");
    format!(
        "There is no filter “{name}:”. The filters are {known}. Put words with a colon in quotes to search for them."
    )
}

/// The filter that `name` misspells: one letter too many, one missing, or two swapped. A replaced letter does not count,
/// since it makes other words (find, mind, side). Two-letter names are too close to too many words.
fn nearest(name: &str) -> Option<&'static str> {
    let letters = |name: &str| {
        let mut letters = name.as_bytes().to_vec();
        letters.sort_unstable();
        letters
    };
    let is_misspelling = |known: &str| known.len() != name.len() || letters(known) == letters(name);
    let near =
        |known: &&&str| known.len() > 2 && strsim::osa_distance(name, known) == 1 && is_misspelling(known);
    let names = NAMES.iter().filter(|known| !NOT_MISSPELLED.contains(known));
    (name.len() > 2 && name.bytes().all(|b| b.is_ascii_alphabetic()))
        .then(|| names.clone().find(near).copied())
        .flatten()
}
