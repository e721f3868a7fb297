//! The search syntax: words, `"phrases"`, `-not`, `or` and filters such as `tag:recipes`.

mod compile;
mod filter;
mod lex;

pub use compile::{Fts, to_fts5, to_postgres};
pub use filter::{Criterion, Filter};

use super::fold::{self, Needle};
use lex::{Item, Lexeme};

/// The longest query, in characters.
pub const MAX_LENGTH: usize = 1_000;
/// How many words, phrases and filters a query may hold together.
pub const MAX_TERMS: usize = 32;

/// What to look for: every group and every filter must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    pub text: Vec<Group>,
    pub filters: Vec<Filter>,
}

/// Terms joined by `or`; never empty. A negated term stands alone in its group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    pub terms: Vec<Term>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// Words as [`fold::fold`] leaves them, at least one; several are a phrase.
    pub words: Vec<String>,
    pub negated: bool,
    /// Whether the last word may go on, as the word still being typed does.
    pub prefix: bool,
}

/// Why a query can't be run, as a sentence, and where, in characters from its beginning.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct QueryError {
    pub position: usize,
    pub message: String,
}

impl QueryError {
    fn at(position: usize, message: impl Into<String>) -> Self {
        Self { position, message: message.into() }
    }
}

impl Query {
    /// Whether it says what to look for, not only what to leave out: then results have a rank.
    #[must_use]
    pub fn is_ranked(&self) -> bool {
        self.text.iter().flat_map(|group| &group.terms).any(|term| !term.negated)
    }

    /// Its text with no word that may go on, if there is one.
    #[must_use]
    pub fn in_whole_words(&self) -> Option<Vec<Group>> {
        let mut text = self.text.clone();
        let open_ended = text.iter_mut().flat_map(|group| &mut group.terms).find(|term| term.prefix)?;
        open_ended.prefix = false;
        Some(text)
    }

    /// What to mark in the results.
    #[must_use]
    pub fn needles(&self) -> Vec<Needle> {
        let terms = self.text.iter().flat_map(|group| &group.terms).filter(|term| !term.negated);
        terms.map(|term| Needle { word: term.words.join(" "), prefix: term.prefix }).collect()
    }
}

/// Reads a query as typed; the last word also finds longer ones until a space or quote ends it.
pub fn parse(text: &str) -> Result<Query, QueryError> {
    if text.chars().count() > MAX_LENGTH {
        return Err(QueryError::at(MAX_LENGTH, "This search is longer than 1,000 characters; shorten it."));
    }
    let lexemes = lex::split(text);
    let terms = lexemes.iter().filter(|lexeme| lexeme.item != Item::Or);
    if let Some(extra) = terms.clone().nth(MAX_TERMS) {
        return Err(QueryError::at(
            extra.position,
            "This search has more than 32 words and filters; remove some.",
        ));
    }
    check_or(&lexemes)?;
    read(&lexemes)
}

fn read(lexemes: &[Lexeme]) -> Result<Query, QueryError> {
    let mut query = Query::default();
    let mut joined = false;
    let mut open: Option<Group> = None;
    for lexeme in lexemes {
        match &lexeme.item {
            Item::Or => joined = true,
            Item::Filter { name, value } => {
                query.filters.push(filter::read(name, value, lexeme)?);
            }
            Item::Words { text, open_ended } => {
                if !joined {
                    query.text.extend(open.take());
                }
                joined = false;
                if let Some(term) = term_of(text, lexeme.negated, *open_ended) {
                    open.get_or_insert_with(|| Group { terms: Vec::new() }).terms.push(term);
                }
            }
        }
    }
    query.text.extend(open);
    Ok(query)
}

/// `None` for what holds no letter and no digit, such as `++`.
fn term_of(text: &str, negated: bool, open_ended: bool) -> Option<Term> {
    let words: Vec<String> = fold::fold(text).split_whitespace().map(str::to_owned).collect();
    // One letter begins so many words that it would find nearly everything.
    let long_enough = words.last()?.chars().nth(1).is_some();
    Some(Term { words, negated, prefix: open_ended && !negated && long_enough })
}

fn check_or(lexemes: &[Lexeme]) -> Result<(), QueryError> {
    for (index, or) in lexemes.iter().enumerate().filter(|(_, lexeme)| lexeme.item == Item::Or) {
        let before = index.checked_sub(1).and_then(|before| lexemes.get(before));
        for side in [before, lexemes.get(index + 1)] {
            check_side(or, side)?;
        }
    }
    Ok(())
}

fn check_side(or: &Lexeme, side: Option<&Lexeme>) -> Result<(), QueryError> {
    match side {
        Some(Lexeme { item: Item::Words { .. }, negated: false, .. }) => Ok(()),
        Some(Lexeme { item: Item::Filter { .. }, position, .. }) => {
            Err(QueryError::at(*position, "“or” joins words and phrases; filters can't be joined by it."))
        }
        Some(Lexeme { item: Item::Words { .. }, position, .. }) => Err(QueryError::at(
            *position,
            "“or” can't be joined with a word that starts with “-”; search for the two separately.",
        )),
        _ => Err(QueryError::at(
            or.position,
            "“or” needs a word on both sides; to search for the word itself, put it in quotes.",
        )),
    }
}

#[cfg(test)]
mod tests;
