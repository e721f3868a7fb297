//! Tag names: cleaned for display, folded for comparison, and nested by slashes.

use unicode_normalization::UnicodeNormalization;

/// The longest name, in characters.
pub const MAX_LENGTH: usize = 60;
/// How many tags one resource may carry.
pub const MAX_TAGS: usize = 50;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagName {
    /// As its author wrote it, cleaned: `Work/Rust`.
    pub name: String,
    /// As it is compared and looked up: `work/rust`.
    pub folded: String,
}

/// Why a tag is refused, as a sentence for the form field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TagError {
    #[error("Enter a tag, for example “recipes” or “work/rust”.")]
    Empty,
    #[error("The tag “{0}…” is longer than 60 characters; shorten it.")]
    TooLong(String),
    #[error("A tag can't contain a comma; enter one tag at a time.")]
    Comma,
    #[error("A tag contains an invisible control character; delete it and type the tag again.")]
    Control,
    #[error("One entry can have at most 50 tags; remove some.")]
    TooMany,
}

/// Tags from text separated by commas, in their order, each once.
pub fn parse_list(text: &str) -> Result<Vec<TagName>, TagError> {
    let mut tags: Vec<TagName> = Vec::new();
    for item in text.split(is_comma) {
        match parse_one(item) {
            Ok(tag) if tags.iter().any(|known| known.folded == tag.folded) => {}
            Ok(_) if tags.len() == MAX_TAGS => return Err(TagError::TooMany),
            Ok(tag) => tags.push(tag),
            Err(TagError::Empty) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(tags)
}

/// One tag; a leading `#` and empty levels (`/a//b/`) are dropped.
pub fn parse_one(text: &str) -> Result<TagName, TagError> {
    if text.contains(is_comma) {
        return Err(TagError::Comma);
    }
    if text.chars().any(is_forbidden) {
        return Err(TagError::Control);
    }
    let composed: String = text.nfc().collect();
    let name =
        clean_levels(composed.trim_start_matches(|c: char| c == '#' || is_slash(c) || c.is_whitespace()));
    let folded = fold(&name);
    if name.is_empty() || folded.is_empty() {
        return Err(TagError::Empty);
    }
    if name.chars().count() > MAX_LENGTH {
        return Err(TagError::TooLong(name.chars().take(20).collect()));
    }
    Ok(TagName { name, folded })
}

/// NFKC and lower case; one spelling of white space and of the final sigma.
#[must_use]
pub fn fold(name: &str) -> String {
    let lower: String =
        name.nfkc().flat_map(char::to_lowercase).map(|c| if c == 'ς' { 'σ' } else { c }).collect();
    // Lower-casing can leave a base and a mark that compose, hence the second pass.
    clean_levels(&lower.nfkc().collect::<String>())
}

/// The folded names below a tag, as bounds in byte order: from the first (inclusive) up to the
/// second (exclusive). `0` is the character after `/`.
#[must_use]
pub fn range_of(folded: &str) -> (String, String) {
    (format!("{folded}/"), format!("{folded}0"))
}

fn clean_levels(text: &str) -> String {
    text.split(is_slash)
        .map(|level| level.split_whitespace().collect::<Vec<_>>().join(" "))
        .filter(|level| !level.is_empty())
        .collect::<Vec<_>>()
        .join("/")
}

/// The comma and its compatibility forms, which an East Asian keyboard types.
fn is_comma(c: char) -> bool {
    matches!(c, ',' | '\u{FF0C}' | '\u{FE50}' | '\u{FE10}')
}

fn is_slash(c: char) -> bool {
    matches!(c, '/' | '\u{FF0F}')
}

/// Control characters apart from white space, and the bidirectional controls that make a name lie.
fn is_forbidden(c: char) -> bool {
    (c.is_control() && !c.is_whitespace())
        || matches!(c, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
}

#[cfg(test)]
mod tests;
