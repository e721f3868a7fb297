//! What the attributes of a link say.

use html5ever::tokenizer::Tag;

use crate::Bookmark;
use crate::dates::seconds;

/// The tag by which linkding marks what it has archived.
const LINKDING_ARCHIVED: &str = "linkding:bookmarks.archived";

pub(crate) fn bookmark(tag: &Tag, line: u64, folders: &[Option<String>]) -> Bookmark {
    let tags = value(tag, "tags").or_else(|| value(tag, "labels")).unwrap_or_default();
    Bookmark {
        line,
        href: value(tag, "href").unwrap_or_default().trim().to_owned(),
        tags: tags.split(is_comma).map(str::trim).filter(|tag| !tag.is_empty()).map(one_tag).collect(),
        folders: folders.iter().flatten().cloned().collect(),
        added: value(tag, "add_date").or_else(|| value(tag, "time_added")).and_then(seconds),
        modified: value(tag, "last_modified").and_then(seconds),
        // What is not clearly shared stays private.
        private: value(tag, "private").map(|text| flag(text) != Some(false)),
        visibility: value(tag, "data-visibility").map(str::to_owned),
        toread: value(tag, "toread").and_then(flag),
        ..Bookmark::default()
    }
}

fn one_tag(name: &str) -> String {
    if name == LINKDING_ARCHIVED { "archived" } else { name }.to_owned()
}

pub(crate) fn value<'a>(tag: &'a Tag, name: &str) -> Option<&'a str> {
    tag.attrs.iter().find(|attribute| &*attribute.name.local == name).map(|attribute| &*attribute.value)
}

/// What a flag says; `None` for a word that is neither.
pub fn flag(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" => Some(true),
        "0" | "false" | "no" => Some(false),
        _ => None,
    }
}

/// Tags that a file separates by spaces.
pub(crate) fn split_at_spaces(bookmark: &mut Bookmark) {
    if let [words] = bookmark.tags.as_slice() {
        bookmark.tags = words.split_whitespace().map(str::to_owned).collect();
    }
}

/// The comma, its compatibility forms, and what East Asian and Arabic keyboards type for one: between two tags.
pub fn is_comma(c: char) -> bool {
    matches!(
        c,
        ',' | '\u{060C}'
            | '\u{3001}'
            | '\u{FE10}'
            | '\u{FE11}'
            | '\u{FE50}'
            | '\u{FE51}'
            | '\u{FF0C}'
            | '\u{FF64}'
    )
}
