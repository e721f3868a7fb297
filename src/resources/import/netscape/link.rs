//! What the attributes of a link say.

use html5ever::tokenizer::Tag;

use super::Entry;

pub(super) fn entry(tag: &Tag, line: u64, folders: &[Option<String>]) -> Entry {
    let tags = value(tag, "tags").or_else(|| value(tag, "labels")).unwrap_or_default();
    Entry {
        line,
        href: value(tag, "href").unwrap_or_default().trim().to_owned(),
        tags: tags.split(',').map(str::trim).filter(|tag| !tag.is_empty()).map(str::to_owned).collect(),
        folders: folders.iter().flatten().cloned().collect(),
        added: value(tag, "add_date").or_else(|| value(tag, "time_added")).and_then(seconds),
        modified: value(tag, "last_modified").and_then(seconds),
        private: value(tag, "private").and_then(flag),
        toread: value(tag, "toread").and_then(flag),
        ..Entry::default()
    }
}

pub(super) fn value<'a>(tag: &'a Tag, name: &str) -> Option<&'a str> {
    tag.attrs.iter().find(|attribute| &*attribute.name.local == name).map(|attribute| &*attribute.value)
}

pub(super) fn flag(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" => Some(true),
        "0" | "false" | "no" => Some(false),
        _ => None,
    }
}

/// Seconds since 1970 out of seconds, milliseconds, microseconds or `WebKit`'s microseconds since
/// 1601, told apart by magnitude; nothing was bookmarked before 1970 or after 2286.
fn seconds(text: &str) -> Option<i64> {
    const WEBKIT_EPOCH: i64 = 11_644_473_600;
    match text.trim().parse::<i64>().ok()? {
        time @ 1..10_000_000_000 => Some(time),
        time @ 10_000_000_000..10_000_000_000_000 => Some(time / 1_000),
        time @ 10_000_000_000_000..10_000_000_000_000_000 => Some(time / 1_000_000),
        time @ 10_000_000_000_000_000..100_000_000_000_000_000 => {
            Some(time / 1_000_000 - WEBKIT_EPOCH).filter(|time| *time > 0)
        }
        _ => None,
    }
}
