//! One link or note of a file, whatever its format, with lengths and address unchecked.

use netscape_bookmarks::Bookmark;
use serde::Deserialize;

use crate::resources::{Draft, Via, Visibility};
use crate::timestamp::Timestamp;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry {
    /// The line on which it is, from 1; in JSON and in a ZIP its number.
    pub line: u64,
    /// Empty where the file has none.
    pub href: String,
    pub title: String,
    /// Plain text, with its lines and their indentation.
    pub description: String,
    /// Markdown.
    pub notes: String,
    pub tags: Vec<String>,
    /// From the outermost inwards, without the browser's own root folders.
    pub folders: Vec<String>,
    /// The paths of other folders that it is in as well.
    pub other_folders: Vec<Vec<String>>,
    pub added: Option<Timestamp>,
    pub modified: Option<Timestamp>,
    pub private: Option<bool>,
    /// What coffer's own exports say beyond `private`.
    pub visibility: Option<Visibility>,
    /// Whether it is pinned and unread, which come in as they are.
    pub flags: Draft,
    /// Whether it is a note, which has no address.
    pub is_note: bool,
    /// Whether it was in the trash where it comes from.
    pub is_trashed: bool,
    /// Older versions, the oldest first; in coffer's own exports alone.
    pub versions: Vec<PastVersion>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct PastVersion {
    pub version: i64,
    pub title: String,
    pub url: Option<String>,
    pub body: String,
    pub tags: Vec<String>,
    pub visibility: Visibility,
    pub via: Via,
    pub saved_at: Timestamp,
}

impl From<Bookmark> for Entry {
    fn from(bookmark: Bookmark) -> Self {
        Self {
            line: bookmark.line,
            href: bookmark.href,
            title: bookmark.title,
            description: bookmark.description,
            notes: bookmark.notes,
            tags: bookmark.tags,
            folders: bookmark.folders,
            added: bookmark.added.and_then(Timestamp::from_seconds),
            modified: bookmark.modified.and_then(Timestamp::from_seconds),
            private: bookmark.private,
            visibility: bookmark.visibility.as_deref().and_then(Visibility::parse),
            flags: Draft {
                unread: bookmark.toread == Some(true),
                pinned: bookmark.important == Some(true),
                ..Draft::default()
            },
            ..Self::default()
        }
    }
}
