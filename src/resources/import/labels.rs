//! The tags of an imported link: its folders as one path, then its own, each within the limits.

use std::collections::HashSet;

use super::entry::Entry;
use crate::resources::tag::{self, TagError};

#[derive(Default)]
pub(super) struct Labels {
    pub tags: Vec<String>,
    /// A sentence for each that is not whole.
    pub shortened: Vec<String>,
}

impl Labels {
    pub fn new(entry: &Entry, with_folders: bool) -> Self {
        let mut labels = Self::default();
        let mut seen = HashSet::new();
        let folders = std::iter::once(&entry.folders).chain(&entry.other_folders).filter(|_| with_folders);
        for name in folders.map(|folders| path(folders)).chain(entry.tags.iter().cloned()) {
            labels.add(&name, &mut seen);
        }
        labels.limit();
        labels
    }

    fn add(&mut self, name: &str, seen: &mut HashSet<String>) {
        let name: String = name.chars().filter(|c| !c.is_control() || c.is_whitespace()).collect();
        let (tag, is_whole) = match tag::parse_one(&name) {
            Err(TagError::TooLong { .. }) => (shorten(&name), false),
            parsed => (parsed.ok(), true),
        };
        let Some(tag) = tag.filter(|tag| seen.insert(tag.folded.clone())) else { return };
        if !is_whole {
            self.shortened.push(format!(
                "Its tag is longer than {} characters: “{}”.",
                tag::MAX_LENGTH,
                tag.name
            ));
        }
        self.tags.push(tag.name);
    }

    /// Drops what an entry can't carry.
    fn limit(&mut self) {
        if self.tags.len() > tag::MAX_TAGS {
            let rest = self.tags.split_off(tag::MAX_TAGS);
            self.shortened.push(super::tag_count(&rest));
        }
    }
}

/// Folders as a path, from the outermost inwards.
fn path(folders: &[String]) -> String {
    let level = |name: &String| name.replace(|c| c == '/' || netscape_bookmarks::is_comma(c), " ");
    folders.iter().map(level).collect::<Vec<_>>().join("/")
}

/// The beginning of a name: of a path, the outermost levels.
fn shorten(name: &str) -> Option<tag::TagName> {
    let mut length = tag::MAX_LENGTH - 1;
    while length > 0 {
        let start: String = name.chars().take(length).collect();
        if let Ok(tag) = tag::parse_one(&format!("{}…", start.trim_end())) {
            return Some(tag);
        }
        length /= 2;
    }
    None
}
