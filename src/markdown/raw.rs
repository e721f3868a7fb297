//! Raw HTML inside Markdown, read tag by tag: only known tags come out, and hardly any attribute.

use std::cell::RefCell;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer};

use super::allowed::{ATTRIBUTES, ELEMENTS, HEADINGS};

/// The tokenizer compares every attribute with those before it, so a longer piece is shown as text.
const MAX_BYTES: usize = 24 * 1024;

/// Whether a text may hold the tag; its name is in lower case.
pub(super) fn is_known(name: &str) -> bool {
    matches!(name, "a" | "br" | "hr" | "img")
        || ELEMENTS.contains(&name)
        || HEADINGS.iter().any(|(heading, _)| *heading == name)
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Text(String),
    Open { name: &'static str, attribute: Option<(&'static str, String)> },
    Close(&'static str),
    Link { href: String, title: String },
    Image { src: String, alt: String },
    Break,
    Rule,
}

pub(super) fn pieces(html: &str) -> Vec<Piece> {
    if html.len() > MAX_BYTES {
        return vec![Piece::Text(html.to_owned())];
    }
    let tokenizer = Tokenizer::new(Pieces::default(), html5ever::tokenizer::TokenizerOpts::default());
    let input = BufferQueue::default();
    input.push_back(StrTendril::from_slice(html));
    while !matches!(tokenizer.feed(&input), html5ever::TokenizerResult::Done) {}
    tokenizer.end();
    tokenizer.sink.state.into_inner().pieces
}

#[derive(Default)]
struct Pieces {
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    pieces: Vec<Piece>,
    hidden: bool,
}

impl TokenSink for Pieces {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut state = self.state.borrow_mut();
        match token {
            Token::CharacterTokens(text) if !state.hidden => state.pieces.push(Piece::Text(text.to_string())),
            Token::TagToken(tag) => {
                state.hidden = tag.kind == TagKind::StartTag && matches!(&*tag.name, "script" | "style");
                if state.hidden {
                    return TokenSinkResult::RawData(RawKind::Rawtext);
                }
                state.pieces.extend(piece(&tag));
            }
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

fn piece(tag: &Tag) -> Option<Piece> {
    let name = &*tag.name;
    let opens = tag.kind == TagKind::StartTag;
    match name {
        "a" if opens => {
            Some(Piece::Link { href: value(tag, "href")?, title: value(tag, "title").unwrap_or_default() })
        }
        "a" => Some(Piece::Close("a")),
        "img" if opens => {
            Some(Piece::Image { src: value(tag, "src")?, alt: value(tag, "alt").unwrap_or_default() })
        }
        "br" => Some(Piece::Break),
        "hr" if opens => Some(Piece::Rule),
        _ => {
            let heading = HEADINGS.iter().find(|(from, _)| *from == name).map(|(_, to)| *to);
            let name = heading.or_else(|| ELEMENTS.iter().copied().find(|known| *known == name))?;
            Some(if opens {
                Piece::Open { name, attribute: attribute(tag, name) }
            } else {
                Piece::Close(name)
            })
        }
    }
}

fn attribute(tag: &Tag, element: &str) -> Option<(&'static str, String)> {
    let (_, name) = ATTRIBUTES.iter().find(|(of, _)| *of == element)?;
    Some((name, value(tag, name)?))
}

fn value(tag: &Tag, name: &str) -> Option<String> {
    tag.attrs
        .iter()
        .find(|attribute| &*attribute.name.local == name)
        .map(|attribute| attribute.value.to_string())
}
