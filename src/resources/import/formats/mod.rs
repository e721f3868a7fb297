//! The formats of files, told apart by what is in them and not by their names.

mod addresses;
mod archive;
mod front_matter;
mod json;
mod record;
mod refusal;
mod sniff;
mod table;
#[cfg(test)]
mod tests;

use std::ops::ControlFlow;

use netscape_bookmarks::{Document, decode};

pub use self::refusal::FileError;
pub use self::table::{Column, Role};
use super::choices::Choices;
use super::entry::Entry;

/// A file that can be read, as often as needed.
pub enum Source<'a> {
    /// Read link by link, as these files are the largest.
    Netscape(Document<'a>),
    Other(Found),
}

/// What a file that is no HTML holds.
#[derive(Debug, Default)]
pub struct Found {
    /// As a sentence names the format.
    pub format: &'static str,
    pub entries: Vec<Entry>,
    /// Whether coffer wrote it.
    pub is_own: bool,
    /// Of a table.
    pub columns: Vec<Column>,
    /// The name of the encoding.
    pub charset: &'static str,
    /// Characters that the encoding could not read.
    pub unreadable: usize,
}

impl<'a> Source<'a> {
    /// # Errors
    /// What the file seems to be, if it is none that coffer reads.
    pub fn open(bytes: &'a [u8], choices: &Choices) -> Result<Self, FileError> {
        if archive::is_zip(bytes) {
            return archive::parse(bytes).map(Self::Other);
        }
        if let Some(error) = sniff::binary(bytes) {
            return Err(error);
        }
        let charset = choices.encoding();
        let decoded = decode(bytes, charset);
        let text = decoded.text.trim_start_matches('\u{FEFF}');
        let found = json::parse(text)
            .or_else(|| table::parse(text, &choices.columns))
            .or_else(|| addresses::parse(text));
        let Some(found) = found else {
            if let Some(error) = sniff::other_format(text) {
                return Err(error);
            }
            return Document::read(bytes, charset)
                .map(Self::Netscape)
                .map_err(|error| sniff::html(error, text));
        };
        let charset = decoded.charset.name();
        if decoded.is_guess {
            return Err(FileError::Charset { guess: charset });
        }
        Ok(Self::Other(Found { charset, unreadable: decoded.unreadable, ..found }))
    }

    /// Calls `take` with each link and note in the file's order, until it breaks off.
    pub fn each(&self, mut take: impl FnMut(Entry) -> ControlFlow<()>) {
        match self {
            Self::Netscape(document) => document.each(|bookmark| take(bookmark.into())),
            Self::Other(found) => {
                let _ = found.entries.iter().cloned().try_for_each(take);
            }
        }
    }

    pub const fn format(&self) -> &'static str {
        match self {
            Self::Netscape(document) if document.is_own() => "coffer’s bookmarks (HTML)",
            Self::Netscape(_) => "bookmarks (HTML)",
            Self::Other(found) => found.format,
        }
    }

    pub const fn charset(&self) -> &'static str {
        match self {
            Self::Netscape(document) => document.charset(),
            Self::Other(found) => found.charset,
        }
    }

    pub const fn unreadable(&self) -> usize {
        match self {
            Self::Netscape(document) => document.unreadable(),
            Self::Other(found) => found.unreadable,
        }
    }

    /// Whether coffer wrote it.
    pub const fn is_own(&self) -> bool {
        match self {
            Self::Netscape(document) => document.is_own(),
            Self::Other(found) => found.is_own,
        }
    }

    /// Whether links to addresses of its own site are notes, as of Shaarli.
    pub const fn has_local_notes(&self) -> bool {
        matches!(self, Self::Netscape(document) if document.has_lists())
    }

    /// The columns of a table.
    pub fn columns(&self) -> &[Column] {
        match self {
            Self::Netscape(_) => &[],
            Self::Other(found) => &found.columns,
        }
    }
}
