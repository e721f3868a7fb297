//! What the attributes of a link say.

use html5ever::tokenizer::Tag;

use super::Entry;
use super::dates::seconds;
use crate::resources::{Visibility, tag};

/// The tag by which linkding marks what it has archived.
const LINKDING_ARCHIVED: &str = "linkding:bookmarks.archived";

pub(super) fn entry(tag: &Tag, line: u64, folders: &[Option<String>]) -> Entry {
    let tags = value(tag, "tags").or_else(|| value(tag, "labels")).unwrap_or_default();
    Entry {
        line,
        href: value(tag, "href").unwrap_or_default().trim().to_owned(),
        tags: tags.split(tag::is_comma).map(str::trim).filter(|tag| !tag.is_empty()).map(one_tag).collect(),
        folders: folders.iter().flatten().cloned().collect(),
        added: value(tag, "add_date").or_else(|| value(tag, "time_added")).and_then(seconds),
        modified: value(tag, "last_modified").and_then(seconds),
        // What is not clearly shared stays private.
        private: value(tag, "private").map(|text| flag(text) != Some(false)),
        visibility: value(tag, "data-visibility").and_then(Visibility::parse),
        toread: value(tag, "toread").and_then(flag),
        ..Entry::default()
    }
}

fn one_tag(name: &str) -> String {
    if name == LINKDING_ARCHIVED { "archived" } else { name }.to_owned()
}

pub(super) fn value<'a>(tag: &'a Tag, name: &str) -> Option<&'a str> {
    tag.attrs.iter().find(|attribute| &*attribute.name.local == name).map(|attribute| &*attribute.value)
}

pub(in crate::resources) fn flag(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" => Some(true),
        "0" | "false" | "no" => Some(false),
        _ => None,
    }
}

/// Tags that a file separates by spaces. A file in which one link has several tags with a space inside
/// separates them by commas, and so does coffer.
pub(super) fn split_at_spaces(entries: &mut [Entry]) {
    let spaced = |tag: &String| tag.contains(char::is_whitespace);
    if entries.iter().any(|entry| entry.tags.len() > 1 && entry.tags.iter().any(spaced)) {
        return;
    }
    for entry in entries {
        if let [words] = entry.tags.as_slice() {
            entry.tags = words.split_whitespace().map(str::to_owned).collect();
        }
    }
}
