//! Splits a query at spaces, quotes and colons. It refuses nothing.

use super::filter;

/// One piece of a query and its position in characters.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Lexeme {
    pub position: usize,
    pub negated: bool,
    pub is_quoted: bool,
    pub item: Item,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Item {
    /// `open_ended` while it may be the start of a word.
    Or {
        open_ended: bool,
    },
    /// A bare word or a phrase; `open_ended` while its author is still typing it.
    Words {
        text: String,
        open_ended: bool,
    },
    Filter {
        name: String,
        value: String,
    },
}

pub(super) fn split(text: &str) -> Vec<Lexeme> {
    let chars: Vec<char> = text.chars().collect();
    let mut lexemes = Vec::new();
    let mut at = 0;
    while let Some(c) = chars.get(at) {
        if c.is_whitespace() {
            at += 1;
            continue;
        }
        let found = lexeme(&chars, at);
        lexemes.push(found.value);
        at = found.next;
    }
    lexemes
}

/// What was read, and where the next piece may begin.
struct Found<T> {
    value: T,
    next: usize,
}

fn lexeme(chars: &[char], position: usize) -> Found<Lexeme> {
    let next_is =
        |offset: usize, test: fn(char) -> bool| chars.get(position + offset).copied().is_some_and(test);
    // "--release" is a word with dashes, "-" alone is punctuation.
    let negated = next_is(0, |c| c == '-') && next_is(1, |c| !c.is_whitespace() && c != '-');
    let begin = position + usize::from(negated);
    let is_quoted = chars.get(begin).copied().is_some_and(is_quote);
    let Found { value: item, next } = if is_quoted {
        let Found { value: text, next } = quoted(chars, begin);
        Found { value: Item::Words { text, open_ended: false }, next }
    } else {
        bare(chars, begin, negated)
    };
    Found { value: Lexeme { position, negated, is_quoted, item }, next }
}

fn bare(chars: &[char], begin: usize, negated: bool) -> Found<Item> {
    let word = until(chars, begin, |c| c.is_whitespace() || is_quote(c));
    let is_filter = |(name, value): &(&str, &str)| {
        filter::is_name(name) && !(value.is_empty() && is_prose(&chars[begin + word.chars().count()..]))
    };
    if let Some((name, _)) = word.split_once(':').filter(is_filter) {
        let value_at = begin + name.chars().count() + 1;
        let Found { value, next } = if chars.get(value_at).copied().is_some_and(is_quote) {
            quoted(chars, value_at)
        } else {
            let value = until(chars, value_at, char::is_whitespace);
            let next = value_at + value.chars().count();
            Found { value, next }
        };
        return Found { value: Item::Filter { name: name.to_owned(), value }, next };
    }
    let next = begin + word.chars().count();
    let item = if !negated && word.eq_ignore_ascii_case("or") {
        Item::Or { open_ended: next == chars.len() }
    } else {
        Item::Words { text: word, open_ended: next == chars.len() }
    };
    Found { value: item, next }
}

/// What follows a colon in a sentence ("Mind: the gap"): a space, and more words.
fn is_prose(after: &[char]) -> bool {
    after.first().is_some_and(|c| c.is_whitespace()) && after.iter().any(|c| !c.is_whitespace())
}

/// Up to the closing quote, or to the end where it is missing.
fn quoted(chars: &[char], open: usize) -> Found<String> {
    let text = until(chars, open + 1, is_quote);
    let close = open + 1 + text.chars().count();
    Found { value: text, next: (close + 1).min(chars.len()) }
}

fn until(chars: &[char], begin: usize, end: fn(char) -> bool) -> String {
    chars.iter().skip(begin).copied().take_while(|c| !end(*c)).collect()
}

/// Phones and word processors write the curly ones.
pub(super) fn is_quote(c: char) -> bool {
    matches!(c, '"' | '“' | '”' | '„' | '«' | '»')
}
