//! The filters that a query contains: shown as chips, taken away and added one by one.

use std::fmt;

use super::lex::{self, Item};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChosenFilter {
    pub name: String,
    pub value: String,
    pub negated: bool,
    /// The query without it.
    pub rest: String,
}

impl ChosenFilter {
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        self.name == name && !self.negated
    }
}

impl fmt::Display for ChosenFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}:{}", if self.negated { "-" } else { "" }, self.name, self.value)
    }
}

#[must_use]
pub fn chosen_filters(text: &str) -> Vec<ChosenFilter> {
    let chars: Vec<char> = text.chars().collect();
    let lexemes = lex::split(text);
    let ends = lexemes.iter().skip(1).map(|next| next.position).chain([chars.len()]);
    let chosen = lexemes.iter().zip(ends).filter_map(|(lexeme, end)| match &lexeme.item {
        Item::Filter { name, value } => {
            let rest: String = chars[..lexeme.position].iter().chain(&chars[end..]).collect();
            Some(ChosenFilter {
                name: name.to_ascii_lowercase(),
                value: value.trim().to_owned(),
                negated: lexeme.negated,
                rest: rest.trim().to_owned(),
            })
        }
        _ => None,
    });
    chosen.collect()
}

/// The query with one more filter, which comes first: the last word may still be a prefix.
#[must_use]
pub fn with_filter(text: &str, name: &str, value: &str) -> String {
    let is_one_word = !value.contains(|c: char| c.is_whitespace() || lex::is_quote(c));
    let filter = if is_one_word { format!("{name}:{value}") } else { format!("{name}:\"{value}\"") };
    if text.trim().is_empty() { filter } else { format!("{filter} {text}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chosen_filter_can_be_taken_away() {
        let rest = |text: &str| {
            let chosen = chosen_filters(text).into_iter().filter(|filter| filter.is("tag"));
            chosen.map(|tag| (tag.value, tag.rest)).collect::<Vec<_>>()
        };
        assert_eq!(rest("tide -tag:moon tags:x"), []);
        assert_eq!(rest("tag:sea tid"), [("sea".to_owned(), "tid".to_owned())]);
        assert_eq!(
            rest("a tag:\"deep sea\" b TAG:x/y"),
            [
                ("deep sea".to_owned(), "a b TAG:x/y".to_owned()),
                ("x/y".to_owned(), "a tag:\"deep sea\" b".to_owned())
            ]
        );
    }

    #[test]
    fn a_filter_is_added_before_the_words() {
        assert_eq!(with_filter("", "tag", "sea"), "tag:sea");
        assert_eq!(with_filter("tid", "tag", "deep sea"), "tag:\"deep sea\" tid");
        for value in ["sea", "deep sea", "work/rust", "c++"] {
            let chosen = chosen_filters(&with_filter("tid", "tag", value));
            assert_eq!(
                (chosen[0].name.as_str(), chosen[0].value.as_str(), chosen[0].rest.as_str()),
                ("tag", value, "tid")
            );
        }
    }
}
