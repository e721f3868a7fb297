//! Folds text for search: the same way for both database engines, for queries and for highlighting.

mod highlight;
mod signs;
mod tokens;

pub use highlight::{Highlight, excerpt, highlight};
pub use signs::{is_symbol, signs};

/// The searchable words of a text, lower-cased, without diacritics, separated by single spaces.
///
/// Compatibility forms are unified (Unicode NFKD/NFKC, UAX #15), everything that is neither letter
/// nor digit separates words, and in scripts that write no spaces each character is a word.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for token in tokens::split(text) {
        if !folded.is_empty() {
            folded.push(' ');
        }
        folded.push_str(&token.folded);
    }
    folded
}

/// Each searchable word, as it is written and as [`fold`] leaves it.
pub fn words(text: &str) -> impl Iterator<Item = (&str, String)> {
    tokens::split(text).map(|token| (&text[token.at], token.folded))
}

#[cfg(test)]
mod tests;
