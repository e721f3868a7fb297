//! Tag names: cleaned for display, folded for comparison, and nested by slashes.

use std::ops::Range;

use netscape_bookmarks::is_comma;
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};
use utoipa::ToSchema;

/// The longest stored name, in characters: an import makes one name of a whole folder path.
pub const MAX_LENGTH: usize = 200;
/// The longest name that a person may type, in characters.
pub const MAX_TYPED: usize = 60;
/// Bytes of a folded name. Folding can lengthen a name, and an index entry holds 2,700 bytes.
const MAX_FOLDED: usize = 2_000;
/// How many tags one resource may carry.
pub const MAX_TAGS: usize = 50;

/// A tag, and how many visible resources have it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema, sqlx::FromRow)]
pub struct TagCount {
    pub name: String,
    pub count: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct TagName {
    /// As typed, but cleaned: `Work/Rust`.
    pub name: String,
    /// For comparison and lookup: `work/rust`.
    pub folded: String,
}

/// Why a tag is refused, as a sentence for the form field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TagError {
    #[error("Enter a tag, for example “recipes” or “work/rust”.")]
    Empty,
    #[error("The tag “{start}…” is longer than {limit} characters. Shorten it.")]
    TooLong { start: String, limit: usize },
    #[error("A tag can’t contain a comma. Enter one tag at a time.")]
    Comma,
    #[error("A tag contains an invisible control character. Delete it and enter the tag again.")]
    Control,
    #[error("An entry can have at most 50 tags. Remove some.")]
    TooMany,
}

/// Parses tags between commas, keeps their order and drops repeated ones. Only those in `kept` may be longer than
/// [`MAX_TYPED`].
pub fn parse_list(text: &str, kept: &[String]) -> Result<Vec<TagName>, TagError> {
    let mut tags: Vec<TagName> = Vec::new();
    for item in text.split(is_comma) {
        match parse_one(item) {
            Ok(tag) if tag.is_longer_than(MAX_TYPED) && !kept.iter().any(|name| fold(name) == tag.folded) => {
                return Err(too_long(&tag.name, MAX_TYPED));
            }
            Ok(tag) if tags.iter().any(|known| known.folded == tag.folded) => {}
            Ok(_) if tags.len() == MAX_TAGS => return Err(TagError::TooMany),
            Ok(tag) => tags.push(tag),
            Err(TagError::Empty) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(tags)
}

pub fn split_tags(joined: &str) -> Vec<String> {
    joined.split(',').map(str::trim).filter(|tag| !tag.is_empty()).map(str::to_owned).collect()
}

/// Parses one tag. It drops a leading `#`, empty levels (`/a//b/`) and invisible characters.
pub fn parse_one(text: &str) -> Result<TagName, TagError> {
    if text.contains(is_comma) {
        return Err(TagError::Comma);
    }
    if text.chars().any(|c| c.is_control() && !c.is_whitespace()) {
        return Err(TagError::Control);
    }
    let composed: String = text.chars().filter(|c| !is_invisible(*c)).nfc().collect();
    let name =
        clean_levels(composed.trim_start_matches(|c: char| c == '#' || is_slash(c) || c.is_whitespace()));
    let folded = fold(&name);
    if name.is_empty() || folded.is_empty() {
        return Err(TagError::Empty);
    }
    let tag = TagName { name, folded };
    if tag.is_longer_than(MAX_LENGTH) || tag.folded.len() > MAX_FOLDED {
        return Err(too_long(&tag.name, MAX_LENGTH));
    }
    Ok(tag)
}

/// Parses one tag of a request. Its length counts as it was sent.
pub fn parse_sent(text: &str) -> Result<TagName, TagError> {
    if text.chars().count() > MAX_LENGTH {
        return Err(too_long(text.trim_start(), MAX_LENGTH));
    }
    parse_one(text)
}

impl TagName {
    fn is_longer_than(&self, characters: usize) -> bool {
        self.name.chars().count() > characters
    }
}

fn too_long(name: &str, limit: usize) -> TagError {
    TagError::TooLong { start: name.chars().take(20).collect(), limit }
}

/// NFKC and lower case; one spelling of white space and of the final sigma.
pub fn fold(name: &str) -> String {
    if name.is_ascii() {
        return clean_levels(&name.to_ascii_lowercase());
    }
    let lower: String =
        name.nfkc().flat_map(char::to_lowercase).map(|c| if c == 'ς' { 'σ' } else { c }).collect();
    // Lower-casing can leave a base and a mark that compose, hence the second pass.
    clean_levels(&lower.nfkc().collect::<String>())
}

/// The range of the folded names below a tag, in byte order. `0` is the character after `/`.
pub fn range_of(folded: &str) -> Range<String> {
    format!("{folded}/")..format!("{folded}0")
}

fn clean_levels(text: &str) -> String {
    text.split(is_slash)
        .map(|level| level.split_whitespace().collect::<Vec<_>>().join(" "))
        .filter(|level| level.chars().any(|c| !is_joiner(c)))
        .collect::<Vec<_>>()
        .join("/")
}

fn is_slash(c: char) -> bool {
    matches!(c, '/' | '\u{FF0F}')
}

/// Format characters: directions, the soft hyphen, the zero-width space. The joiners are part of the spelling.
fn is_invisible(c: char) -> bool {
    !c.is_ascii() && c.general_category() == GeneralCategory::Format && !is_joiner(c)
}

fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200C}' | '\u{200D}')
}

#[cfg(test)]
mod tests;
