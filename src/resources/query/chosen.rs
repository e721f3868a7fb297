//! The tags that a query asks for: shown as chips, taken away and added one by one.

use super::lex::{self, Item};
use crate::resources::tag;

/// A tag that a query asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChosenTag {
    pub name: String,
    /// The query without it.
    pub rest: String,
}

#[must_use]
pub fn chosen_tags(text: &str) -> Vec<ChosenTag> {
    let chars: Vec<char> = text.chars().collect();
    let lexemes = lex::split(text);
    let ends = lexemes.iter().skip(1).map(|next| next.position).chain([chars.len()]);
    let chosen = lexemes.iter().zip(ends).filter_map(|(lexeme, end)| match &lexeme.item {
        Item::Filter { name, value } if name.eq_ignore_ascii_case("tag") && !lexeme.negated => {
            let rest: String = chars[..lexeme.position].iter().chain(&chars[end..]).collect();
            Some(ChosenTag { name: tag::parse_one(value).ok()?.name, rest: rest.trim().to_owned() })
        }
        _ => None,
    });
    chosen.collect()
}

/// The query with one more tag, which comes first: the last word may still be a prefix.
#[must_use]
pub fn with_tag(text: &str, name: &str) -> String {
    let is_one_word = !name.contains(|c: char| c.is_whitespace() || lex::is_quote(c));
    let filter = if is_one_word { format!("tag:{name}") } else { format!("tag:\"{name}\"") };
    if text.trim().is_empty() { filter } else { format!("{filter} {text}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chosen_tag_can_be_taken_away() {
        let rest =
            |text: &str| chosen_tags(text).into_iter().map(|tag| (tag.name, tag.rest)).collect::<Vec<_>>();
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
    fn a_tag_is_added_before_the_words() {
        assert_eq!(with_tag("", "sea"), "tag:sea");
        assert_eq!(with_tag("tid", "deep sea"), "tag:\"deep sea\" tid");
        for name in ["sea", "deep sea", "work/rust", "c++"] {
            assert_eq!(
                chosen_tags(&with_tag("tid", name))[0],
                ChosenTag { name: name.to_owned(), rest: "tid".to_owned() }
            );
        }
    }
}
