//! The outline of a bookmark file: folders, links and their texts, out of a stream of tags.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use html5ever::tokenizer::{Tag, TagKind, Token, TokenSink, TokenSinkResult};

use crate::Bookmark;
use crate::description::Description;
use crate::html::content_of;
use crate::link::{self, bookmark, flag, value};
use crate::traits::Traits;

/// Folders nested deeper are flattened into this level.
const MAX_DEPTH: usize = 64;

#[derive(Default)]
pub(crate) struct Sink {
    outline: RefCell<Outline>,
    completed: Cell<bool>,
    in_raw_text: Cell<bool>,
}

impl Sink {
    /// Whether a tag or comment ended since the last call; within raw text there are none to wait for.
    pub fn has_completed(&self) -> bool {
        self.completed.take() || self.in_raw_text.get()
    }

    /// Whether a text is being read in which most of what looks like a tag is none.
    pub fn reading(&self) -> Reading {
        self.outline.borrow().reading
    }

    /// How far the next tag stands from the beginning of its line.
    pub fn set_indent(&self, indent: usize) {
        self.outline.borrow_mut().indent = indent;
    }

    /// The next bookmark that nothing in the rest of the file can change.
    pub fn take_complete(&self) -> Option<Bookmark> {
        let mut outline = self.outline.borrow_mut();
        if outline.entries.len() > 1 { outline.entries.pop_front() } else { None }
    }

    /// Ends the file. Returns what was left to take, and what the file is like.
    pub fn finish(self) -> (VecDeque<Bookmark>, Traits) {
        let mut outline = self.outline.into_inner();
        outline.end_text();
        (outline.entries, outline.traits)
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
            Token::DoctypeToken(doctype) => outline.traits.note_doctype(&doctype),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

#[derive(Default)]
struct Outline {
    entries: VecDeque<Bookmark>,
    /// One for every open list; `None` for a list without a name of its own.
    folders: Vec<Option<String>>,
    /// Open lists beyond [`MAX_DEPTH`].
    deeper: usize,
    /// The folder whose list has yet to open.
    heading: Option<Heading>,
    reading: Reading,
    text: String,
    description: Description,
    indent: usize,
    traits: Traits,
    has_begun: bool,
}

struct Heading {
    name: String,
    /// A page's `h1` or `h2`: over a `DL` it is the title of the file, over other lists their name.
    of_page: bool,
}

/// What the text being read belongs to.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    #[default]
    Nothing,
    /// The title of the whole file.
    FileTitle,
    Heading,
    PageHeading,
    RootHeading,
    Title,
    /// After a link, where its description may follow.
    AfterLink,
    Description,
    /// The description of a folder, which has no place here.
    FolderDescription,
}

impl Outline {
    fn start(&mut self, tag: &Tag, line: u64) {
        if self.reading == Reading::Description {
            match &*tag.name {
                "dt" | "dl" | "dd" => {}
                name => return self.description.start(name, value(tag, "href").unwrap_or_default()),
            }
        }
        match &*tag.name {
            "a" => self.start_link(tag, line),
            "h3" => self.start_heading(if is_root(tag) { Reading::RootHeading } else { Reading::Heading }),
            "h1" | "h2" => self.start_heading(Reading::PageHeading),
            "dl" | "ul" | "ol" => self.open_list(&tag.name),
            "dd" => self.start_description(),
            "dt" | "li" | "hr" => self.end_text(),
            "br" | "p" | "div" => self.take_text("\n"),
            "meta" => self.traits.is_own |= !self.has_begun && is_own_mark(tag),
            "html" => self.traits.note_page(),
            "title" if !self.has_begun => {
                self.end_text();
                self.reading = Reading::FileTitle;
            }
            _ => {}
        }
    }

    fn end(&mut self, name: &str) {
        if self.reading == Reading::Description && !matches!(name, "dl" | "dd" | "dt") {
            return self.description.end(name);
        }
        match name {
            "a" if self.reading == Reading::Title => {
                self.end_text();
                self.reading = Reading::AfterLink;
            }
            "title" if self.reading == Reading::FileTitle => self.end_text(),
            "h1" | "h2" if self.reading == Reading::PageHeading => self.end_text(),
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
        match self.reading {
            Reading::Nothing | Reading::AfterLink | Reading::FolderDescription => {}
            Reading::Description => self.description.take(text),
            _ => self.text.push_str(text),
        }
    }

    fn start_link(&mut self, tag: &Tag, line: u64) {
        let in_folder_text = self.reading == Reading::FolderDescription;
        self.end_text();
        if !in_folder_text {
            self.heading = None;
        }
        let mut bookmark = bookmark(tag, line, &self.folders);
        self.traits.note(tag, &bookmark);
        if self.traits.is_own {
            link::date_as_own(tag, &mut bookmark);
        }
        if self.traits.is_by_state {
            link::take_state(&mut bookmark);
        }
        self.has_begun = true;
        self.entries.push_back(bookmark);
        self.reading = Reading::Title;
    }

    fn start_heading(&mut self, reading: Reading) {
        self.end_text();
        self.reading = reading;
    }

    fn open_list(&mut self, name: &str) {
        self.end_text();
        self.traits.has_lists |= name == "dl";
        let heading = self.heading.take().filter(|heading| !heading.of_page || name != "dl");
        let folder = heading.map(|heading| heading.name).filter(|name| !name.is_empty());
        if self.folders.len() < MAX_DEPTH {
            self.folders.push(folder);
        } else {
            self.deeper += 1;
        }
    }

    fn start_description(&mut self) {
        let of_link = matches!(self.reading, Reading::Title | Reading::AfterLink);
        self.end_text();
        self.description = Description::indented(self.indent);
        self.reading = if of_link { Reading::Description } else { Reading::FolderDescription };
    }

    fn end_text(&mut self) {
        let text = std::mem::take(&mut self.text);
        match std::mem::take(&mut self.reading) {
            Reading::Nothing | Reading::AfterLink | Reading::FolderDescription => {}
            Reading::FileTitle => self.traits.note_title(&one_line(&text)),
            Reading::Heading => self.heading = Some(Heading { name: one_line(&text), of_page: false }),
            Reading::PageHeading => self.heading = Some(Heading { name: one_line(&text), of_page: true }),
            Reading::RootHeading => self.heading = None,
            Reading::Title => self.last(|bookmark| bookmark.title = one_line(&text)),
            Reading::Description => {
                let texts = std::mem::take(&mut self.description).finish(self.traits.is_own);
                self.last(|bookmark| (bookmark.description, bookmark.notes) = (texts.plain, texts.markdown));
            }
        }
    }

    fn last(&mut self, change: impl FnOnce(&mut Bookmark)) {
        if let Some(bookmark) = self.entries.back_mut() {
            change(bookmark);
        }
    }
}

impl Reading {
    /// Whether people wrote the text, so that most of what looks like a tag in it is none.
    pub const fn is_prose(self) -> bool {
        !matches!(self, Self::Nothing | Self::FileTitle | Self::AfterLink)
    }
}

/// The browser's own folders: the toolbar and the place for everything else.
fn is_root(tag: &Tag) -> bool {
    let set = |name| value(tag, name).is_some_and(|text| flag(text) != Some(false));
    set("personal_toolbar_folder") || set("unfiled_bookmarks_folder")
}

/// `<META NAME="generator" CONTENT="coffer">`: the file is an export of coffer's own.
fn is_own_mark(tag: &Tag) -> bool {
    let is = |name, text: &str| value(tag, name).is_some_and(|value| value.eq_ignore_ascii_case(text));
    is("name", "generator") && is("content", "coffer")
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
