//! What a page says of itself: its title, its description and its icons.

#[cfg(test)]
mod tests;

use std::cell::{Cell, RefCell};

use html5ever::TokenizerResult;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};
use netscape_bookmarks::html::{Count, content_of};

use crate::resources::draft::{TITLE_LIMIT, one_line};

/// Characters of a description.
const DESCRIPTION: usize = 1_000;
const ICONS: usize = 20;
/// The size that suits a list on a screen of high density.
const BEST_ICON: u32 = 32;

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// On one line; empty for none.
    pub title: String,
    /// On one line; empty for none.
    pub description: String,
    /// As the page writes them, the best first.
    pub icons: Vec<String>,
    /// What relative addresses are relative to, if not the page.
    pub base: Option<String>,
}

pub fn parse(page: &str) -> Head {
    let tokenizer = Tokenizer::new(Sink::default(), TokenizerOpts::default());
    let input = BufferQueue::default();
    let mut attributes = Count::default();
    for piece in page.split_inclusive('>') {
        if !attributes.take(piece) {
            break;
        }
        input.push_back(StrTendril::from_slice(piece));
        while !matches!(tokenizer.feed(&input), TokenizerResult::Done) {}
        if tokenizer.sink.has_completed() {
            attributes.restart();
        }
        if tokenizer.sink.found.borrow().is_over {
            break;
        }
    }
    tokenizer.sink.found.into_inner().finish()
}

#[derive(Default)]
struct Sink {
    found: RefCell<Found>,
    completed: Cell<bool>,
    in_raw_text: Cell<bool>,
}

impl Sink {
    /// Whether a tag or comment ended since the last call; within raw text there are none to wait for.
    fn has_completed(&self) -> bool {
        self.completed.take() || self.in_raw_text.get()
    }
}

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token, _: u64) -> TokenSinkResult<()> {
        let mut found = self.found.borrow_mut();
        match token {
            Token::CharacterTokens(text) => found.take_text(&text),
            Token::TagToken(tag) => {
                self.completed.set(true);
                self.in_raw_text.set(false);
                if tag.kind == TagKind::StartTag {
                    found.start(&tag);
                    let content = content_of(&tag);
                    self.in_raw_text.set(content != TokenSinkResult::Continue);
                    return content;
                }
                found.end(&tag);
            }
            Token::CommentToken(_) | Token::DoctypeToken(_) => self.completed.set(true),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

#[derive(Default)]
struct Found {
    title: String,
    in_title: bool,
    has_title: bool,
    /// What the page tells social networks.
    shared_title: String,
    description: String,
    shared_description: String,
    icons: Vec<FoundIcon>,
    base: Option<String>,
    is_over: bool,
}

struct FoundIcon {
    href: String,
    /// How far its size is from [`BEST_ICON`].
    distance: u32,
}

impl Found {
    fn start(&mut self, tag: &Tag) {
        let value = |name: &str| {
            tag.attrs.iter().find(|attribute| &*attribute.name.local == name).map(|found| &*found.value)
        };
        match &*tag.name {
            "title" if !self.has_title => self.in_title = true,
            "base" if self.base.is_none() => self.base = value("href").map(str::to_owned),
            "meta" => {
                let name = value("name").or_else(|| value("property")).unwrap_or_default();
                self.meta(&name.to_ascii_lowercase(), value("content").unwrap_or_default());
            }
            "link" => self.link(
                &value("rel").unwrap_or_default().to_ascii_lowercase(),
                value("href").unwrap_or_default(),
                value("sizes").unwrap_or_default(),
            ),
            // A drawing has titles of its own.
            "body" | "svg" => self.is_over = true,
            _ => {}
        }
    }

    fn end(&mut self, tag: &Tag) {
        match &*tag.name {
            "title" if self.in_title => {
                self.in_title = false;
                self.has_title = true;
            }
            "head" => self.is_over = true,
            _ => {}
        }
    }

    fn take_text(&mut self, text: &str) {
        // White space counts too, so there is room for more than is kept.
        if self.in_title && self.title.len() < TITLE_LIMIT * 16 {
            self.title.push_str(text);
        }
    }

    fn meta(&mut self, name: &str, content: &str) {
        let field = match name {
            "description" => &mut self.description,
            "og:title" => &mut self.shared_title,
            "og:description" | "twitter:description" => &mut self.shared_description,
            _ => return,
        };
        if field.is_empty() {
            *field = shorten(&one_line(content), DESCRIPTION);
        }
    }

    fn link(&mut self, rel: &str, href: &str, sizes: &str) {
        let is_icon = rel.split_ascii_whitespace().any(|rel| matches!(rel, "icon" | "apple-touch-icon"));
        if !is_icon || href.is_empty() || href.starts_with("data:") || self.icons.len() == ICONS {
            return;
        }
        let size = sizes.split(['x', 'X', ' ']).next().and_then(|width| width.parse().ok());
        let usual = if rel.contains("apple") { 180 } else { 16 };
        let distance = u32::abs_diff(size.unwrap_or(usual), BEST_ICON);
        self.icons.push(FoundIcon { href: href.trim().to_owned(), distance });
    }

    fn finish(mut self) -> Head {
        self.icons.sort_by_key(|icon| icon.distance);
        let or = |first: String, second: String| if first.is_empty() { second } else { first };
        let title = or(one_line(&self.title), self.shared_title);
        Head {
            // NUL can't be saved.
            title: shorten(&title.replace('\0', ""), TITLE_LIMIT),
            description: or(self.description, self.shared_description).replace('\0', ""),
            icons: self.icons.into_iter().map(|icon| icon.href).collect(),
            base: self.base,
        }
    }
}

fn shorten(text: &str, most: usize) -> String {
    text.chars().take(most).collect::<String>().trim_end().to_owned()
}
