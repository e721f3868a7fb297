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
        important: value(tag, "data-important").and_then(flag),
        ..Bookmark::default()
    }
}

/// coffer writes whole seconds, also those of 1970 and before.
pub(crate) fn date_as_own(tag: &Tag, bookmark: &mut Bookmark) {
    let date = |name| value(tag, name).and_then(|text| text.trim().parse().ok());
    (bookmark.added, bookmark.modified) = (date("add_date"), date("last_modified"));
}

/// Pocket and Instapaper list links by their states, under names that are no folders of a person.
pub(crate) fn take_state(bookmark: &mut Bookmark) {
    let [name] = bookmark.folders.as_slice() else { return };
    match name.to_lowercase().as_str() {
        "unread" => bookmark.toread = Some(true),
        "archive" | "read archive" => bookmark.tags.push("archived".to_owned()),
        "starred" | "liked" => bookmark.important = Some(true),
        _ => return,
    }
    bookmark.folders.clear();
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
