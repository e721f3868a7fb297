//! The outline of a bookmark file: folders, links and their texts, out of a stream of tags.

use std::cell::{Cell, RefCell};

use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{Tag, TagKind, Token, TokenSink, TokenSinkResult};

use super::Entry;
use super::link::{entry, flag, value};

/// Folders nested deeper are flattened into this level.
const MAX_DEPTH: usize = 64;

#[derive(Default)]
pub(super) struct Sink {
    outline: RefCell<Outline>,
    completed: Cell<bool>,
    in_raw_text: Cell<bool>,
}

impl Sink {
    /// Whether a tag or comment ended since the last call; within raw text there are none to wait for.
    pub fn has_completed(&self) -> bool {
        self.completed.take() || self.in_raw_text.get()
    }

    /// `None` where nothing in the file looks like bookmarks.
    pub fn finish(self) -> Option<Vec<Entry>> {
        let mut outline = self.outline.into_inner();
        outline.end_text();
        outline.recognised.then_some(outline.entries)
    }
}

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token, line: u64) -> TokenSinkResult<()> {
        let mut outline = self.outline.borrow_mut();
        if matches!(token, Token::TagToken(_) | Token::CommentToken(_) | Token::DoctypeToken(_)) {
            self.completed.set(true);
            self.in_raw_text.set(false);
        }
        match token {
            Token::CharacterTokens(text) => outline.take_text(&text),
            Token::TagToken(tag) if tag.kind == TagKind::StartTag => {
                outline.start(&tag, line);
                let content = content_of(&tag);
                self.in_raw_text.set(content != TokenSinkResult::Continue);
                return content;
            }
            Token::TagToken(tag) => outline.end(&tag.name),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

/// Elements in which a browser sees no tags (WHATWG HTML §13.2.6).
fn content_of(tag: &Tag) -> TokenSinkResult<()> {
    match &*tag.name {
        "title" | "textarea" => TokenSinkResult::RawData(RawKind::Rcdata),
        "style" | "xmp" | "iframe" | "noembed" | "noframes" => TokenSinkResult::RawData(RawKind::Rawtext),
        "script" => TokenSinkResult::RawData(RawKind::ScriptData),
        "plaintext" => TokenSinkResult::Plaintext,
        _ => TokenSinkResult::Continue,
    }
}

#[derive(Default)]
struct Outline {
    entries: Vec<Entry>,
    /// One for every open list; `None` for a list without a name of its own.
    folders: Vec<Option<String>>,
    /// Open lists beyond [`MAX_DEPTH`].
    deeper: usize,
    /// The folder whose list has yet to open.
    heading: Option<String>,
    reading: Reading,
    text: String,
    recognised: bool,
}

/// What the text being read belongs to.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Reading {
    #[default]
    Nothing,
    Heading,
    RootHeading,
    Title,
    /// After a link, where its description may follow.
    AfterLink,
    Description,
}

impl Outline {
    fn start(&mut self, tag: &Tag, line: u64) {
        match &*tag.name {
            "a" => {
                self.end_text();
                self.heading = None;
                self.recognised = true;
                self.entries.push(entry(tag, line, &self.folders));
                self.reading = Reading::Title;
            }
            "h3" => {
                self.end_text();
                self.reading = if is_root(tag) { Reading::RootHeading } else { Reading::Heading };
            }
            "dl" | "ul" | "ol" => self.open_list(&tag.name),
            "dd" => self.start_description(),
            "dt" | "li" | "hr" | "h1" | "h2" => self.end_text(),
            "br" | "p" | "div" => self.take_text("\n"),
            _ => {}
        }
    }

    fn end(&mut self, name: &str) {
        match name {
            "a" if self.reading == Reading::Title => {
                self.end_text();
                self.reading = Reading::AfterLink;
            }
            "h3" if matches!(self.reading, Reading::Heading | Reading::RootHeading) => self.end_text(),
            "dl" | "ul" | "ol" => {
                self.end_text();
                self.heading = None;
                match self.deeper.checked_sub(1) {
                    Some(fewer) => self.deeper = fewer,
                    None => drop(self.folders.pop()),
                }
            }
            "dd" | "li" => self.end_text(),
            "br" | "p" | "div" => self.take_text("\n"),
            _ => {}
        }
    }

    fn take_text(&mut self, text: &str) {
        if !matches!(self.reading, Reading::Nothing | Reading::AfterLink) {
            self.text.push_str(text);
        }
    }

    fn open_list(&mut self, name: &str) {
        self.end_text();
        self.recognised |= name == "dl";
        let folder = self.heading.take().filter(|folder| !folder.is_empty());
        if self.folders.len() < MAX_DEPTH {
            self.folders.push(folder);
        } else {
            self.deeper += 1;
        }
    }

    /// A description may also follow a folder; that one has no place here.
    fn start_description(&mut self) {
        let of_link = matches!(self.reading, Reading::Title | Reading::AfterLink);
        self.end_text();
        self.reading = if of_link { Reading::Description } else { Reading::Nothing };
    }

    fn end_text(&mut self) {
        let text = std::mem::take(&mut self.text);
        match std::mem::take(&mut self.reading) {
            Reading::Nothing | Reading::AfterLink => {}
            Reading::Heading => self.heading = Some(one_line(&text)),
            Reading::RootHeading => self.heading = None,
            Reading::Title => self.last(|entry| entry.title = one_line(&text)),
            Reading::Description => self.last(|entry| entry.description = paragraphs(&text)),
        }
    }

    fn last(&mut self, change: impl FnOnce(&mut Entry)) {
        if let Some(entry) = self.entries.last_mut() {
            change(entry);
        }
    }
}

/// The browser's own folders: the toolbar and the place for everything else.
fn is_root(tag: &Tag) -> bool {
    let set = |name| value(tag, name).is_some_and(|text| flag(text) != Some(false));
    set("personal_toolbar_folder") || set("unfiled_bookmarks_folder")
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn paragraphs(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(one_line).collect();
    let kept = lines
        .iter()
        .enumerate()
        .filter(|(i, line)| !line.is_empty() || lines.get(i + 1).is_some_and(|next| !next.is_empty()));
    kept.map(|(_, line)| line.as_str()).collect::<Vec<_>>().join("\n").trim().to_owned()
}
