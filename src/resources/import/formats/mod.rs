//! The formats of files, told apart by what is in them and not by their names.

mod addresses;
mod archive;
mod field_names;
mod front_matter;
mod json;
mod omnivore;
mod record;
mod refusal;
mod sniff;
mod table;
mod tag_list;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::ops::ControlFlow;

use netscape_bookmarks::{Document, decode};

pub use self::refusal::{CHOOSE_ENCODING, FileError};
pub use self::table::{Column, Role};
use super::choices::Choices;
use super::entry::Entry;

/// A file whose entries are read one by one, as often as needed, so that a large file needs little memory.
pub enum Source<'a> {
    Netscape(Document<'a>),
    Other(File<'a>),
}

/// A file that is no HTML.
#[derive(Debug)]
pub struct File<'a> {
    found: Found<'a>,
    text: Cow<'a, str>,
    /// The name of the encoding.
    charset: &'static str,
    /// Characters that the encoding could not read.
    unreadable: usize,
}

/// What a text holds.
#[derive(Debug)]
pub struct Found<'a> {
    /// As a sentence names the format.
    format: &'static str,
    entries: Entries<'a>,
    /// Whether coffer wrote it.
    is_own: bool,
    columns: Vec<Column>,
}

/// How the entries of a text are read.
#[derive(Debug)]
enum Entries<'a> {
    Json(json::Items),
    Table(table::Rows),
    Addresses,
    /// Whose files are not in the text.
    Archive(archive::Pages<'a>),
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
        let text = without_mark(&decoded.text);
        let found = json::parse(text)
            .or_else(|| table::parse(text, &choices.columns))
            .or_else(|| addresses::parse(text));
        let Some(found) = found else {
            if let Some(error) = sniff::other_format(text) {
                return Err(error);
            }
            return Document::read(bytes, charset)
                .map(Self::Netscape)
                .map_err(|error| sniff::text(error, text));
        };
        table::check(&choices.columns, found.columns.len())?;
        let charset = decoded.charset.name();
        if decoded.is_guess {
            return Err(FileError::Charset { guess: charset });
        }
        Ok(Self::Other(File { found, charset, unreadable: decoded.unreadable, text: decoded.text }))
    }

    /// Calls `take` with each link and note in the file's order, until it breaks off.
    pub fn each(&self, mut take: impl FnMut(Entry) -> ControlFlow<()>) {
        match self {
            Self::Netscape(document) => document.each(|bookmark| take(bookmark.into())),
            Self::Other(file) => {
                let _ = file.each(take);
            }
        }
    }

    pub const fn format(&self) -> &'static str {
        match self {
            Self::Netscape(document) if document.is_own() => "coffer’s bookmarks (HTML)",
            Self::Netscape(_) => "bookmarks (HTML)",
            Self::Other(file) => file.found.format,
        }
    }

    pub const fn charset(&self) -> &'static str {
        match self {
            Self::Netscape(document) => document.charset(),
            Self::Other(file) => file.charset,
        }
    }

    pub const fn unreadable(&self) -> usize {
        match self {
            Self::Netscape(document) => document.unreadable(),
            Self::Other(file) => file.unreadable,
        }
    }

    /// Whether coffer wrote it.
    pub const fn is_own(&self) -> bool {
        match self {
            Self::Netscape(document) => document.is_own(),
            Self::Other(file) => file.found.is_own,
        }
    }

    /// Whether links to addresses of its own site are notes, as of Shaarli.
    pub const fn has_local_notes(&self) -> bool {
        matches!(self, Self::Netscape(document) if document.has_lists())
    }

    pub fn columns(&self) -> &[Column] {
        match self {
            Self::Netscape(_) => &[],
            Self::Other(file) => &file.found.columns,
        }
    }
}

impl File<'_> {
    fn each(&self, mut take: impl FnMut(Entry) -> ControlFlow<()>) -> ControlFlow<()> {
        let text = without_mark(&self.text);
        match &self.found.entries {
            Entries::Json(items) => items.each(text, &mut take),
            Entries::Table(rows) => rows.each(text, &mut take),
            Entries::Addresses => addresses::entries(text).try_for_each(take),
            Entries::Archive(pages) => pages.each(&mut take),
        }
    }
}

impl<'a> Found<'a> {
    const fn new(format: &'static str, entries: Entries<'a>) -> Self {
        Self { format, entries, is_own: false, columns: Vec::new() }
    }
}

fn without_mark(text: &str) -> &str {
    text.trim_start_matches('\u{FEFF}')
}
