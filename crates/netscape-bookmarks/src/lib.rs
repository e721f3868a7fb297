//! Bookmark files in the Netscape format, as browsers and bookmark services really write them.
//!
//! The format was never specified: its tags are rarely closed, its attributes differ from program to program, and people's
//! texts are often not escaped. This crate reads what every browser and Delicious, Instapaper, linkding, Pinboard, Pocket,
//! Raindrop and Shaarli export.
//!
//! ```
//! let file = br#"<!DOCTYPE NETSCAPE-Bookmark-file-1>
//! <DL><p>
//! <DT><H3>Sea</H3>
//! <DL><p>
//! <DT><A HREF="https://tides.example/" ADD_DATE="1700000000" TAGS="moon,tables">Tide tables</A>
//! <DD>High and low water
//! </DL><p>
//! </DL><p>"#;
//! let bookmarks = netscape_bookmarks::parse(file, None)?.entries;
//! assert_eq!(bookmarks[0].title, "Tide tables");
//! assert_eq!(bookmarks[0].folders, ["Sea"]);
//! assert_eq!(bookmarks[0].tags, ["moon", "tables"]);
//! assert_eq!(bookmarks[0].added, Some(1_700_000_000));
//! # Ok::<(), netscape_bookmarks::Error>(())
//! ```
//!
//! A large file is read bookmark by bookmark, so that it need not be in memory twice:
//!
//! ```
//! use std::ops::ControlFlow;
//!
//! let file = b"<DL><DT><A HREF=https://a.example/>A</A><DT><A HREF=https://b.example/>B</A></DL>";
//! let document = netscape_bookmarks::Document::read(file, None)?;
//! let mut addresses = Vec::new();
//! document.each(|bookmark| {
//!     addresses.push(bookmark.href);
//!     ControlFlow::Continue(())
//! });
//! assert_eq!(addresses, ["https://a.example/", "https://b.example/"]);
//! # Ok::<(), netscape_bookmarks::Error>(())
//! ```
//!
//! A file that does not say how it is encoded, and is not UTF-8, is not guessed at:
//!
//! ```
//! use netscape_bookmarks::{Error, parse};
//!
//! let (file, _, _) = encoding_rs::GBK.encode("<DL><DT><A HREF=https://a.example/>中华人民共和国新闻</A></DL>");
//! assert_eq!(parse(&file, None).unwrap_err(), Error::Charset { guess: "GBK" });
//! assert_eq!(parse(&file, Some(encoding_rs::GBK))?.entries[0].title, "中华人民共和国新闻");
//! # Ok::<(), Error>(())
//! ```
//!
//! It reads the HTML tokenizer's output: the tree that a browser would build out of unclosed and misplaced tags says
//! nothing about folders. Every `<a>` becomes a bookmark, whatever it holds. Time and memory grow with the file's length
//! only.

mod attributes;
mod dates;
mod decode;
mod description;
pub mod html;
mod link;
mod markup;
mod outline;
mod traits;

use std::borrow::Cow;
use std::ops::ControlFlow;

use encoding_rs::Encoding;
use html5ever::TokenizerResult;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{BufferQueue, Tokenizer, TokenizerOpts};

pub use self::dates::seconds;
pub use self::decode::{Decoded, declared, decode};
pub use self::link::{flag, is_comma};
use self::outline::{Reading, Sink};
use self::traits::Traits;

/// Titles by which people see whether a guess is right, and characters of each.
const SAMPLES: usize = 3;
const SAMPLE: usize = 40;

/// All bookmarks of a file.
#[derive(Debug, Default)]
pub struct Bookmarks {
    pub entries: Vec<Bookmark>,
    /// Whether it has `DL` lists, and so comes from a program that keeps bookmarks.
    pub has_lists: bool,
    /// Whether coffer wrote it (`<META NAME="generator" CONTENT="coffer">`): its descriptions are Markdown, to the letter.
    pub is_own: bool,
    /// The name of the encoding, such as `UTF-8`.
    pub charset: &'static str,
    /// Characters that the encoding could not read.
    pub unreadable: usize,
}

/// One link of a file, with lengths and address unchecked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bookmark {
    /// The line on which the tag ends, from 1.
    pub line: u64,
    /// Empty where the tag has none.
    pub href: String,
    pub title: String,
    /// Plain text, with its lines and their indentation.
    pub description: String,
    /// Markdown: linkding's notes, and the descriptions of coffer's own files.
    pub notes: String,
    pub tags: Vec<String>,
    /// From the outermost inwards, without the browser's own root folders.
    pub folders: Vec<String>,
    /// Seconds since 1970, negative before.
    pub added: Option<i64>,
    /// Seconds since 1970, negative before.
    pub modified: Option<i64>,
    /// `Some(true)` for every value of `PRIVATE` that does not clearly say no.
    pub private: Option<bool>,
    /// What coffer's own exports say beyond `private`.
    pub visibility: Option<String>,
    pub toread: Option<bool>,
    /// Whether it is a favourite: `DATA-IMPORTANT` of Raindrop, Instapaper's list of starred links.
    pub important: Option<bool>,
}

/// Why a file is refused as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("the file is empty")]
    Empty,
    #[error("the file holds no bookmarks")]
    NotBookmarks,
    /// One more than 200, which would keep the tokenizer busy for hours.
    #[error("a tag in the file has hundreds of attributes")]
    TooManyAttributes,
    #[error("the file does not say how it is encoded; it looks like {guess}")]
    Charset { guess: &'static str },
}

/// A file that is one of bookmarks.
#[derive(Debug)]
pub struct Document<'a> {
    text: Cow<'a, str>,
    charset: &'static str,
    unreadable: usize,
    traits: Traits,
}

/// All bookmarks of a file in their order; an empty tree of folders is no error.
///
/// # Errors
/// As [`Document::read`].
pub fn parse(bytes: &[u8], charset: Option<&'static Encoding>) -> Result<Bookmarks, Error> {
    let document = Document::read(bytes, charset)?;
    let mut entries = Vec::new();
    document.each(|bookmark| {
        entries.push(bookmark);
        ControlFlow::Continue(())
    });
    let Document { charset, unreadable, traits: Traits { has_lists, is_own, .. }, .. } = document;
    Ok(Bookmarks { entries, has_lists, is_own, charset, unreadable })
}

/// How a file that says nothing of its encoding would be read: the guess, and the beginning of the first titles.
pub fn guess(bytes: &[u8]) -> Option<(&'static Encoding, Vec<String>)> {
    let decoded = Some(decode(bytes, None)).filter(|decoded| decoded.is_guess)?;
    let mut titles = Vec::new();
    let read = outline_of(&decoded.text, |bookmark| {
        titles.extend(
            Some(bookmark.title.chars().take(SAMPLE).collect()).filter(|title: &String| !title.is_ascii()),
        );
        if titles.len() < SAMPLES { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    read.ok().map(|_| (decoded.charset, titles))
}

impl<'a> Document<'a> {
    /// Without a `charset` the file must say how it is encoded, or be UTF-8.
    ///
    /// # Errors
    /// [`Error::NotBookmarks`] for a file that merely has links; the others as they say.
    pub fn read(bytes: &'a [u8], charset: Option<&'static Encoding>) -> Result<Self, Error> {
        let decoded = decode(bytes, charset);
        if decoded.text.trim().is_empty() {
            return Err(Error::Empty);
        }
        let text = match decoded.text {
            text if text.contains('\0') => Cow::Owned(text.replace('\0', "\u{FFFD}")),
            text => text,
        };
        let traits = outline_of(&text, |_| ControlFlow::Continue(()))?;
        let is_markup = traits.has_lists || text.trim_start().starts_with('<');
        if !is_markup || !traits.is_of_bookmarks() {
            return Err(Error::NotBookmarks);
        }
        let charset = decoded.charset.name();
        if decoded.is_guess {
            return Err(Error::Charset { guess: charset });
        }
        Ok(Self { text, charset, unreadable: decoded.unreadable, traits })
    }

    /// Calls `take` with each bookmark in the file's order, until it breaks off.
    pub fn each(&self, mut take: impl FnMut(Bookmark) -> ControlFlow<()>) {
        let at_spaces = self.traits.splits_tags_at_spaces();
        // It was read before, without an error.
        let _ = outline_of(&self.text, |mut bookmark| {
            if at_spaces {
                link::split_at_spaces(&mut bookmark);
            }
            take(bookmark)
        });
    }

    /// The name of the encoding, such as `UTF-8`.
    pub const fn charset(&self) -> &'static str {
        self.charset
    }

    /// Characters that the encoding could not read.
    pub const fn unreadable(&self) -> usize {
        self.unreadable
    }

    /// As [`Bookmarks::has_lists`].
    pub const fn has_lists(&self) -> bool {
        self.traits.has_lists
    }

    /// As [`Bookmarks::is_own`].
    pub const fn is_own(&self) -> bool {
        self.traits.is_own
    }
}

fn outline_of(text: &str, mut take: impl FnMut(Bookmark) -> ControlFlow<()>) -> Result<Traits, Error> {
    let tokenizer = Tokenizer::new(Sink::default(), TokenizerOpts::default());
    let input = BufferQueue::default();
    let mut attributes = attributes::Count::default();
    let mut before = "";
    for piece in pieces(text) {
        tokenizer.sink.set_indent(indent_after(before));
        before = piece;
        let is_text = attributes.in_text() && is_text(piece, tokenizer.sink.reading());
        for part in if is_text { ["&lt;", &piece[1..]] } else { ["", piece] } {
            if !attributes.take(part) {
                return Err(Error::TooManyAttributes);
            }
            input.push_back(StrTendril::from_slice(part));
        }
        while !matches!(tokenizer.feed(&input), TokenizerResult::Done) {}
        if tokenizer.sink.has_completed() {
            attributes.restart();
        }
        while let Some(bookmark) = tokenizer.sink.take_complete() {
            if take(bookmark).is_break() {
                return Ok(Traits::default());
            }
        }
    }
    tokenizer.end();
    let (rest, traits) = tokenizer.sink.finish();
    let _ = rest.into_iter().try_for_each(take);
    Ok(traits)
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
