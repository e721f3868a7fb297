//! The search syntax: words, `"phrases"`, `-not`, `or` and filters such as `tag:recipes`.

mod chosen;
mod compile;
mod filter;
mod lex;
mod near;
mod parts;
mod terms;
mod unknown;

pub use chosen::{ChosenFilter, chosen_filters, with_filter};
pub use compile::{Fts, PgGroup, like, to_fts5, to_postgres};
pub use filter::{Criterion, Filter};
pub use near::near_misses;
pub use unknown::UnknownFilter;

use super::fold::Highlight;
use lex::{Item, Lexeme};
use terms::{excluded, group_of};

use crate::error::Error;

/// The longest query, in characters.
pub const MAX_LENGTH: usize = 1_000;
/// How many words, phrases and filters a query may hold together.
pub const MAX_TERMS: usize = 32;

/// A parsed search: every group and every filter must match.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    pub text: Vec<Group>,
    pub filters: Vec<Filter>,
    /// The search consists of punctuation alone, so it finds nothing.
    pub says_nothing: bool,
    /// What looks like a filter but is searched for as words.
    pub unknown_filter: Option<UnknownFilter>,
}

/// Terms of which one must match; never empty. A negated term is alone in its group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Group {
    pub terms: Vec<Term>,
    /// A resource with all these index terms contains the text exactly as typed (`c++`, an address) and comes first.
    pub literal: Vec<String>,
}

/// Words or index terms.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Term {
    /// Words as [`fold::fold`] leaves them; several are a phrase.
    pub words: Vec<String>,
    /// Terms of the index ([`index_terms`]); all must match.
    pub index_terms: Vec<String>,
    pub negated: bool,
    /// Whether the last word is a prefix, as the word still being typed is.
    pub prefix: bool,
    /// Whether it stands here because it contains the word still being typed.
    pub is_part: bool,
}

/// Why a query can't run, as a sentence, and the position in characters from its start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct QueryError {
    pub position: usize,
    pub message: String,
}

impl From<QueryError> for Error {
    fn from(QueryError { message, position }: QueryError) -> Self {
        Self::BadQuery { message, position }
    }
}

impl QueryError {
    fn at(position: usize, message: impl Into<String>) -> Self {
        Self { position, message: message.into() }
    }
}

impl Query {
    /// Whether it contains anything to find, not only to exclude: then results have a rank.
    pub fn is_ranked(&self) -> bool {
        self.text.iter().flat_map(|group| &group.terms).any(|term| !term.negated)
    }

    /// Whether it asks for pins or for what is read later: both are their owner's affair.
    pub fn is_of_own(&self) -> bool {
        let is_own = |filter: &Filter| {
            !filter.negated && matches!(filter.criterion, Criterion::Pinned | Criterion::Unread)
        };
        self.filters.iter().any(is_own)
    }

    /// Its text with prefixes as whole words; `None` if it has no prefix.
    pub fn in_whole_words(&self) -> Option<Vec<Group>> {
        let mut text = self.as_typed();
        let mut found = false;
        for term in text.iter_mut().flat_map(|group| &mut group.terms) {
            found |= std::mem::take(&mut term.prefix);
        }
        found.then_some(text)
    }

    /// Its text exactly as typed; `None` if folding removed nothing from it.
    pub fn literally(&self) -> Option<Vec<Group>> {
        let literal = |group: &Group| match group.literal.as_slice() {
            [] => group.clone(),
            index_terms => Group::new(Term { index_terms: index_terms.to_vec(), ..Term::default() }),
        };
        let differs = self.text.iter().any(|group| !group.literal.is_empty());
        differs.then(|| self.as_typed().iter().map(literal).collect())
    }

    /// A group that excludes what [`Query::literally`] finds.
    pub fn but_literally(&self) -> Option<Group> {
        let index_terms = self.text.iter().flat_map(|group| group.literal.clone()).collect::<Vec<_>>();
        (!index_terms.is_empty()).then(|| Group::new(Term { index_terms, negated: true, ..Term::default() }))
    }

    pub fn highlights(&self) -> Vec<Highlight> {
        let terms = self.text.iter().flat_map(|group| &group.terms);
        let terms = terms.filter(|term| !term.negated && !term.words.is_empty());
        terms.map(|term| Highlight { word: term.words.join(" "), prefix: term.prefix }).collect()
    }
}

/// Parses a query. The last word is a prefix until a space or quote ends it.
pub fn parse(text: &str) -> Result<Query, QueryError> {
    if text.chars().count() > MAX_LENGTH {
        return Err(QueryError::at(MAX_LENGTH, "This search is longer than 1,000 characters. Shorten it."));
    }
    let mut lexemes = lex::split(text);
    let terms = lexemes.iter().filter(|lexeme| !matches!(lexeme.item, Item::Or { .. }));
    if let Some(extra) = terms.clone().nth(MAX_TERMS) {
        return Err(QueryError::at(
            extra.position,
            "This search has more than 32 words and filters. Remove some.",
        ));
    }
    resolve_or(&mut lexemes);
    check_or(&lexemes)?;
    Ok(Query { unknown_filter: unknown::unknown_in(&lexemes), ..parse_lexemes(&lexemes)? })
}

fn parse_lexemes(lexemes: &[Lexeme]) -> Result<Query, QueryError> {
    let mut query = Query::default();
    let mut joined = false;
    let mut open: Option<Group> = None;
    let mut titles = Vec::new();
    for lexeme in lexemes {
        match &lexeme.item {
            Item::Or { .. } => joined = true,
            Item::Filter { name, value } => {
                let filter = filter::parse(name, value, lexeme)?;
                titles.extend(words_of_title(&filter));
                query.filters.push(filter);
            }
            Item::Words { text, open_ended } if lexeme.negated => {
                query.text.extend(open.take());
                query.text.extend(excluded(text, *open_ended));
                joined = false;
            }
            Item::Words { text, open_ended } => {
                if !joined {
                    query.text.extend(open.take());
                }
                joined = false;
                open = either(open, group_of(text, *open_ended));
            }
        }
    }
    query.text.extend(open);
    query.text.extend(titles);
    query.says_nothing = !lexemes.is_empty() && query.text.is_empty() && query.filters.is_empty();
    Ok(query)
}

/// The index finds where the words of a title are; the filter leaves out where they are in other places.
fn words_of_title(filter: &Filter) -> Option<Group> {
    let Criterion::Title(term) = &filter.criterion else { return None };
    (!filter.negated).then(|| Group::new(term.clone()))
}

impl Group {
    fn new(term: Term) -> Self {
        Self { terms: vec![term], literal: Vec::new() }
    }
}

/// Joins two groups by “or”. Their literal forms are lost, as neither stands for both.
fn either(one: Option<Group>, other: Option<Group>) -> Option<Group> {
    match (one, other) {
        (Some(one), Some(other)) => {
            Some(Group { terms: [one.terms, other.terms].concat(), literal: Vec::new() })
        }
        (one, other) => one.or(other),
    }
}

/// Turns an `or` without two sides into a word: its author may still be typing.
fn resolve_or(lexemes: &mut [Lexeme]) {
    for index in 0..lexemes.len() {
        let Item::Or { open_ended } = lexemes[index].item else { continue };
        let is_operand =
            |lexeme: Option<&Lexeme>| lexeme.is_some_and(|lexeme| !matches!(lexeme.item, Item::Or { .. }));
        let before = index.checked_sub(1).and_then(|before| lexemes.get(before));
        if !is_operand(before) || !is_operand(lexemes.get(index + 1)) {
            lexemes[index].item = Item::Words { text: "or".to_owned(), open_ended };
        }
    }
}

fn check_or(lexemes: &[Lexeme]) -> Result<(), QueryError> {
    for sides in lexemes.windows(3).filter(|three| matches!(three[1].item, Item::Or { .. })) {
        check_side(&sides[0])?;
        check_side(&sides[2])?;
    }
    Ok(())
}

fn check_side(side: &Lexeme) -> Result<(), QueryError> {
    match side {
        Lexeme { item: Item::Filter { .. }, position, .. } => {
            Err(QueryError::at(*position, "“or” works between words and phrases, not between filters."))
        }
        Lexeme { item: Item::Words { .. }, negated: true, position, .. } => Err(QueryError::at(
            *position,
            "“or” doesn’t work with words that start with “-”. Search for the two separately.",
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
