//! Bookmark files in the Netscape format, as browsers and bookmark services really write them.
//!
//! They are read from the HTML tokenizer: the tree that a browser would build out of their unclosed and
//! misplaced tags says nothing about folders. Every `<a>` becomes an entry, whatever it holds.

mod attributes;
mod decode;
mod link;
mod outline;

use html5ever::TokenizerResult;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{BufferQueue, Tokenizer, TokenizerOpts};

/// One `<a>` of the file, with lengths and address unchecked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry {
    /// The line on which the tag ends, from 1.
    pub line: u64,
    /// Empty where the tag has none.
    pub href: String,
    pub title: String,
    /// Lines are kept, white space within them is not.
    pub description: String,
    pub tags: Vec<String>,
    /// From the outermost inwards, without the browser's own root folders.
    pub folders: Vec<String>,
    /// Seconds since 1970.
    pub added: Option<i64>,
    /// Seconds since 1970.
    pub modified: Option<i64>,
    pub private: Option<bool>,
    pub toread: Option<bool>,
}

/// Why a file is refused as a whole, as a sentence for the form field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    #[error("This file is empty; export your bookmarks again and choose the new file.")]
    Empty,
    #[error("This file isn't text; choose the HTML file that your browser's “Export bookmarks” wrote.")]
    Binary,
    #[error(
        "This file holds no bookmarks; choose the HTML file that your browser's “Export bookmarks” wrote."
    )]
    NotBookmarks,
    #[error(
        "This file is damaged: a tag in it has hundreds of attributes; export your bookmarks again and choose the new file."
    )]
    Damaged,
}

/// All links of a bookmark file in their order; an empty folder tree is no error.
pub fn parse(bytes: &[u8]) -> Result<Vec<Entry>, FileError> {
    let text = decode::decode(bytes);
    if text.trim().is_empty() {
        return Err(FileError::Empty);
    }
    if text.contains('\0') {
        return Err(FileError::Binary);
    }
    outline_of(&text)?.ok_or(FileError::NotBookmarks)
}

fn outline_of(text: &str) -> Result<Option<Vec<Entry>>, FileError> {
    let tokenizer = Tokenizer::new(outline::Sink::default(), TokenizerOpts::default());
    let input = BufferQueue::default();
    let mut attributes = attributes::Count::default();
    for piece in pieces(text) {
        if !attributes.take(piece) {
            return Err(FileError::Damaged);
        }
        input.push_back(StrTendril::from_slice(piece));
        while !matches!(tokenizer.feed(&input), TokenizerResult::Done) {}
        if tokenizer.sink.has_completed() {
            attributes.restart();
        }
    }
    tokenizer.end();
    Ok(tokenizer.sink.finish())
}

/// Cut before every `<`, so that each piece completes at most one tag.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let next = rest.char_indices().skip(1).find(|(_, c)| *c == '<').map_or(rest.len(), |(at, _)| at);
        let (piece, after) = rest.split_at(next);
        rest = after;
        (!piece.is_empty()).then_some(piece)
    })
}

#[cfg(test)]
mod tests;
