//! Bookmark files in the Netscape format, as browsers and bookmark services really write them.
//!
//! They are read from the HTML tokenizer: the tree that a browser would build out of their unclosed and
//! misplaced tags says nothing about folders. Every `<a>` becomes an entry, whatever it holds.

pub(in crate::resources) mod attributes;
pub(in crate::resources) mod dates;
pub(in crate::resources) mod decode;
mod description;
mod link;
mod markup;
pub(in crate::resources) mod outline;
mod sniff;

use encoding_rs::Encoding;
use html5ever::TokenizerResult;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{BufferQueue, Tokenizer, TokenizerOpts};

pub(in crate::resources) use self::link::flag;
use self::outline::Reading;
use crate::resources::Visibility;

/// Titles by which people see whether a guess is right, and characters of each.
const SAMPLES: usize = 3;
const SAMPLE: usize = 40;

/// A bookmark file that was read.
#[derive(Debug, Default)]
pub struct Bookmarks {
    pub entries: Vec<Entry>,
    /// Whether it has `DL` lists, and so comes from a program that keeps bookmarks.
    pub has_lists: bool,
    /// Whether coffer wrote it.
    pub is_own: bool,
    /// The name of the encoding, such as `UTF-8`.
    pub charset: &'static str,
    /// Characters that the encoding could not read.
    pub unreadable: usize,
}

/// One link of the file, with lengths and address unchecked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry {
    /// The line on which the tag ends, from 1; in JSON the number of the link.
    pub line: u64,
    /// Empty where the tag has none.
    pub href: String,
    pub title: String,
    /// Plain text, with its lines and their indentation.
    pub description: String,
    /// Markdown.
    pub notes: String,
    pub tags: Vec<String>,
    /// From the outermost inwards, without the browser's own root folders.
    pub folders: Vec<String>,
    /// Seconds since 1970.
    pub added: Option<i64>,
    /// Seconds since 1970.
    pub modified: Option<i64>,
    pub private: Option<bool>,
    /// What coffer's own exports say beyond `private`.
    pub visibility: Option<Visibility>,
    pub toread: Option<bool>,
    pub pinned: bool,
    /// Whether it is a note, which has no address.
    pub is_note: bool,
    /// Whether it was in the trash where it comes from.
    pub is_trashed: bool,
}

/// Why a file is refused as a whole, as a sentence for the form field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    #[error("This file is empty. Export your bookmarks again and choose the new file.")]
    Empty,
    #[error("This isn't a text file. Choose a file that your browser or another program exported.")]
    Binary,
    #[error("This file contains no bookmarks. Choose a file that your browser or another program exported.")]
    NotBookmarks,
    #[error("This file contains no bookmarks that coffer can read. It seems to be {what}. {advice}")]
    Other { what: &'static str, advice: &'static str },
    #[error(
        "This file is damaged: a tag in it has hundreds of attributes. Export your bookmarks again and choose the new file."
    )]
    Damaged,
    #[error(
        "This file doesn't say which encoding it uses. It looks like {guess}. Choose the encoding, then choose the file again."
    )]
    Charset { guess: &'static str },
}

/// All links of a bookmark file in their order; an empty folder tree is no error. Without a `charset` the file
/// must say which it is written in, or be UTF-8.
pub fn parse(bytes: &[u8], charset: Option<&'static Encoding>) -> Result<Bookmarks, FileError> {
    if let Some(error) = sniff::binary(bytes) {
        return Err(error);
    }
    let decoded = decode::decode(bytes, charset);
    if decoded.text.trim().is_empty() {
        return Err(FileError::Empty);
    }
    if let Some(error) = sniff::other_format(&decoded.text) {
        return Err(error);
    }
    let text = decoded.text.replace('\0', "\u{FFFD}");
    let bookmarks = outline_of(&text)?
        .filter(|found| found.has_lists || text.trim_start().starts_with('<'))
        .ok_or(FileError::NotBookmarks)?;
    let charset = decoded.charset.name();
    if decoded.is_guess {
        return Err(FileError::Charset { guess: charset });
    }
    Ok(Bookmarks { charset, unreadable: decoded.unreadable, ..bookmarks })
}

/// How a file that says nothing of its encoding would be read: the guess, and the beginning of the first titles.
pub fn guess(bytes: &[u8]) -> Option<(&'static Encoding, Vec<String>)> {
    let decoded = decode::decode(bytes, None);
    let bookmarks = outline_of(&decoded.text).ok().flatten().filter(|_| decoded.is_guess)?;
    let titles = bookmarks.entries.iter().map(|entry| entry.title.chars().take(SAMPLE).collect::<String>());
    let not_ascii = titles.filter(|title| !title.is_ascii());
    Some((decoded.charset, not_ascii.take(SAMPLES).collect()))
}

fn outline_of(text: &str) -> Result<Option<Bookmarks>, FileError> {
    let tokenizer = Tokenizer::new(outline::Sink::default(), TokenizerOpts::default());
    let input = BufferQueue::default();
    let mut attributes = attributes::Count::default();
    let mut before = "";
    for piece in pieces(text) {
        tokenizer.sink.set_indent(indent_after(before));
        before = piece;
        let is_text = attributes.in_text() && is_text(piece, tokenizer.sink.reading());
        for part in if is_text { ["&lt;", &piece[1..]] } else { ["", piece] } {
            if !attributes.take(part) {
                return Err(FileError::Damaged);
            }
            input.push_back(StrTendril::from_slice(part));
        }
        while !matches!(tokenizer.feed(&input), TokenizerResult::Done) {}
        if tokenizer.sink.has_completed() {
            attributes.restart();
        }
    }
    tokenizer.end();
    Ok(tokenizer.sink.finish())
}

/// Whether the `<` that a piece begins with is text.
fn is_text(piece: &str, reading: Reading) -> bool {
    let in_title = matches!(reading, Reading::Title | Reading::Heading | Reading::RootHeading);
    piece.starts_with('<')
        && reading.is_prose()
        && (!markup::is_tag(piece) || in_title && markup::is_page_heading(piece))
}

/// How far a tag behind this text stands from the beginning of its line; 0 behind other words.
fn indent_after(before: &str) -> usize {
    before.rsplit_once('\n').map_or(0, |(_, line)| if line.trim().is_empty() { line.len() } else { 0 })
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
