//! Whether a file is one of bookmarks, and in which of the ways that programs write them.

use html5ever::tokenizer::{Doctype, Tag};

use crate::Bookmark;
use crate::link::value;

/// Attributes of links that only bookmark files have.
const MARKS: [&str; 6] = ["add_date", "last_visit", "last_modified", "time_added", "tags", "toread"];

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
    /// Whether a link has attributes that only bookmarks have.
    has_marks: bool,
    /// Links that have an address.
    links: usize,
    /// Those of them that begin an item of a list.
    items: usize,
    /// Whether one link has several tags with a space inside.
    has_spaced_tags: bool,
}

impl Traits {
    /// Whether it is a file of bookmarks, and not merely a text or a page with links.
    pub const fn is_of_bookmarks(self) -> bool {
        let is_list = self.links > 0 && self.items == self.links;
        self.is_declared || self.has_marks || is_list || self.has_lists && !self.is_page
    }

    /// Whether spaces separate tags where there is no comma.
    pub const fn splits_tags_at_spaces(self) -> bool {
        !self.is_own && !self.has_spaced_tags
    }

    pub fn note_doctype(&mut self, doctype: &Doctype) {
        let name = doctype.name.as_deref().unwrap_or_default().to_ascii_lowercase();
        self.is_declared |= name.starts_with("netscape-bookmark");
    }

    pub const fn note_page(&mut self) {
        self.is_page = true;
    }

    /// Takes a link into account, which may begin an item of a list.
    pub fn note(&mut self, tag: &Tag, bookmark: &Bookmark, begins_item: bool) {
        self.has_marks |= MARKS.iter().any(|name| value(tag, name).is_some());
        if !bookmark.href.is_empty() {
            self.links += 1;
            self.items += usize::from(begins_item);
        }
        let spaced = |tag: &String| tag.contains(char::is_whitespace);
        self.has_spaced_tags |= bookmark.tags.len() > 1 && bookmark.tags.iter().any(spaced);
    }
}
