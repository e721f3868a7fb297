//! Whether a file is one of bookmarks, and in which of the ways that programs write them.

use html5ever::tokenizer::{Doctype, Tag};

use crate::Bookmark;
use crate::link::value;

/// Attributes of links that only bookmark files have.
const MARKS: [&str; 6] = ["add_date", "last_visit", "last_modified", "time_added", "tags", "toread"];

/// The titles of pages in which programs export their links as plain lists, one for each state of a link.
const LISTED_BY_STATE: [&str; 2] = ["Pocket Export", "Instapaper: Export"];

/// What a file is like as a whole.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is one thing that a file shows")]
pub(crate) struct Traits {
    /// Whether it has `DL` lists.
    pub has_lists: bool,
    /// Whether coffer wrote it.
    pub is_own: bool,
    /// Whether it says that it is of the format.
    is_declared: bool,
    /// Whether it says that it is a web page.
    is_page: bool,
    /// Whether its lists are the states of their links, as Pocket and Instapaper write them.
    pub is_by_state: bool,
    /// Links that have an address.
    links: usize,
    /// Those of them that have attributes that only bookmarks have.
    marked: usize,
    /// Whether one link has several tags with a space inside.
    has_spaced_tags: bool,
}

impl Traits {
    /// Whether it is a file of bookmarks, and not merely a text or a page with links.
    pub const fn is_of_bookmarks(self) -> bool {
        let is_marked = self.links > 0 && self.marked * 2 >= self.links;
        self.is_declared || self.is_by_state || is_marked || self.has_lists && !self.is_page
    }

    /// Whether spaces separate tags where there is no comma.
    pub const fn splits_tags_at_spaces(self) -> bool {
        !self.is_own && !self.is_by_state && !self.has_spaced_tags
    }

    pub fn note_doctype(&mut self, doctype: &Doctype) {
        let name = doctype.name.as_deref().unwrap_or_default().to_ascii_lowercase();
        self.is_declared |= name.starts_with("netscape-bookmark");
        self.is_page |= name == "html";
    }

    pub const fn note_page(&mut self) {
        self.is_page = true;
    }

    pub fn note_title(&mut self, title: &str) {
        self.is_by_state |= LISTED_BY_STATE.iter().any(|known| title.eq_ignore_ascii_case(known));
    }

    pub fn note(&mut self, tag: &Tag, bookmark: &Bookmark) {
        if !bookmark.href.is_empty() {
            self.links += 1;
            self.marked += usize::from(MARKS.iter().any(|name| value(tag, name).is_some()));
        }
        let spaced = |tag: &String| tag.contains(char::is_whitespace);
        self.has_spaced_tags |= bookmark.tags.len() > 1 && bookmark.tags.iter().any(spaced);
    }
}
