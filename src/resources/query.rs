//! The search syntax: words, `"phrases"`, `-not`, `or` and filters such as `tag:recipes`.

mod compile;
mod filter;
mod lex;

pub use compile::{Fts, PgGroup, to_fts5, to_postgres};
pub use filter::{Criterion, Filter};

use super::fold::{self, Needle};
use super::{marks, normal_url};
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
    /// All that was typed is punctuation, which nothing is known by: nothing is found.
    pub says_nothing: bool,
}

/// Terms of which one must hold; never empty. A negated term stands alone in its group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Group {
    pub terms: Vec<Term>,
    /// What has all these marks holds it just as it was typed (`c++`, an address) and comes first.
    pub literal: Vec<String>,
}

/// Words or marks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Term {
    /// Words as [`fold::fold`] leaves them; several are a phrase.
    pub words: Vec<String>,
    /// Marks of the index ([`marks`]), which must all be there.
    pub marks: Vec<String>,
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
        let mut found = false;
        for term in text.iter_mut().flat_map(|group| &mut group.terms) {
            found |= std::mem::take(&mut term.prefix);
        }
        found.then_some(text)
    }

    /// Its text just as it was typed, where folding leaves something out of it.
    #[must_use]
    pub fn literally(&self) -> Option<Vec<Group>> {
        let literal = |group: &Group| match group.literal.as_slice() {
            [] => group.clone(),
            marks => Group::of(Term { marks: marks.to_vec(), ..Term::default() }),
        };
        let differs = self.text.iter().any(|group| !group.literal.is_empty());
        differs.then(|| self.text.iter().map(literal).collect())
    }

    /// What [`Query::literally`] finds, as something to leave out.
    #[must_use]
    pub fn but_literally(&self) -> Option<Group> {
        let marks = self.text.iter().flat_map(|group| group.literal.clone()).collect::<Vec<_>>();
        (!marks.is_empty()).then(|| Group::of(Term { marks, negated: true, ..Term::default() }))
    }

    /// What to mark in the results.
    #[must_use]
    pub fn needles(&self) -> Vec<Needle> {
        let terms = self.text.iter().flat_map(|group| &group.terms);
        let terms = terms.filter(|term| !term.negated && !term.words.is_empty());
        terms.map(|term| Needle { word: term.words.join(" "), prefix: term.prefix }).collect()
    }
}

/// Reads a query as typed; the last word also finds longer ones until a space or quote ends it.
pub fn parse(text: &str) -> Result<Query, QueryError> {
    if text.chars().count() > MAX_LENGTH {
        return Err(QueryError::at(MAX_LENGTH, "This search is longer than 1,000 characters; shorten it."));
    }
    let mut lexemes = lex::split(text);
    let terms = lexemes.iter().filter(|lexeme| !matches!(lexeme.item, Item::Or { .. }));
    if let Some(extra) = terms.clone().nth(MAX_TERMS) {
        return Err(QueryError::at(
            extra.position,
            "This search has more than 32 words and filters; remove some.",
        ));
    }
    settle_or(&mut lexemes);
    check_or(&lexemes)?;
    read(&lexemes)
}

fn read(lexemes: &[Lexeme]) -> Result<Query, QueryError> {
    let mut query = Query::default();
    let mut joined = false;
    let mut open: Option<Group> = None;
    for lexeme in lexemes {
        match &lexeme.item {
            Item::Or { .. } => joined = true,
            Item::Filter { name, value } => {
                query.filters.push(filter::read(name, value, lexeme)?);
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
    query.says_nothing = !lexemes.is_empty() && query.text.is_empty() && query.filters.is_empty();
    Ok(query)
}

impl Group {
    fn of(term: Term) -> Self {
        Self { terms: vec![term], literal: Vec::new() }
    }
}

/// Either of two; then nothing is typed that all of it could hold.
fn either(one: Option<Group>, other: Option<Group>) -> Option<Group> {
    match (one, other) {
        (Some(one), Some(other)) => {
            Some(Group { terms: [one.terms, other.terms].concat(), literal: Vec::new() })
        }
        (one, other) => one.or(other),
    }
}

/// What a word or phrase looks for; `None` for what holds no letter, no digit and no symbol, such as `++`.
fn group_of(text: &str, open_ended: bool) -> Option<Group> {
    if let Some((typed, key)) = address(text) {
        return Some(addressed(typed, &key, open_ended));
    }
    let signs: Vec<String> = fold::signs(text).iter().map(|sign| marks::sign(sign)).collect();
    match words_of(text, open_ended) {
        Some(words) => Some(Group { terms: vec![words], literal: signs }),
        None if signs.is_empty() => None,
        None => Some(Group::of(Term { marks: signs, ..Term::default() })),
    }
}

/// What is left out, each in a group of its own. Where signs tell a word from others (`-c++`), only what has them is.
fn excluded(text: &str, open_ended: bool) -> Vec<Group> {
    let Some(Group { terms, literal }) = group_of(text, open_ended) else { return Vec::new() };
    let terms = if literal.is_empty() || address(text).is_some() {
        terms
    } else {
        vec![Term { marks: literal, ..Term::default() }]
    };
    terms.into_iter().map(|term| Group::of(Term { negated: true, prefix: false, ..term })).collect()
}

fn words_of(text: &str, open_ended: bool) -> Option<Term> {
    let words: Vec<String> = fold::fold(text).split_whitespace().map(str::to_owned).collect();
    // One letter begins so many words that it would find nearly everything.
    let long_enough = words.last()?.chars().nth(1).is_some();
    Some(Term { words, prefix: open_ended && long_enough, ..Term::default() })
}

/// The words of a pasted address without its scheme and `www.`, and its normal form.
fn address(text: &str) -> Option<(&str, String)> {
    let after = |text: &str, begin: &str| {
        text.get(..begin.len()).is_some_and(|head| head.eq_ignore_ascii_case(begin)).then_some(begin.len())
    };
    let scheme = after(text, "https://").or(after(text, "http://")).unwrap_or(0);
    let www = after(&text[scheme..], "www.").unwrap_or(0);
    let host_and_path = text.split_once('/').is_some_and(|(host, _)| host.contains('.'));
    let is_address = (scheme + www > 0 || host_and_path)
        && !text[scheme + www..].is_empty()
        && !text.contains(char::is_whitespace);
    let key = is_address.then(|| normal_url::parse(text).ok())??.key;
    Some((&text[scheme + www..], key))
}

/// The link itself, and whatever names its address: as it was typed or in its normal form.
fn addressed(typed: &str, key: &str, open_ended: bool) -> Group {
    let mark = marks::address(key);
    let mut terms: Vec<Term> = words_of(typed, open_ended).into_iter().collect();
    let normal = key.strip_prefix("https://").unwrap_or(key);
    terms.extend(words_of(normal, open_ended).filter(|normal| !terms.contains(normal)));
    terms.push(Term { marks: vec![mark.clone()], ..Term::default() });
    Group { terms, literal: vec![mark] }
}

/// An `or` that does not stand between two things is a word, as in the middle of typing.
fn settle_or(lexemes: &mut [Lexeme]) {
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
            Err(QueryError::at(*position, "“or” joins words and phrases; filters can't be joined by it."))
        }
        Lexeme { item: Item::Words { .. }, negated: true, position, .. } => Err(QueryError::at(
            *position,
            "“or” can't be joined with a word that starts with “-”; search for the two separately.",
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
