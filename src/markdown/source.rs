//! Markdown made ready to be read: what is no tag that a text may hold is no tag at all, and bare addresses are links.

use std::borrow::Cow;

use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TextMergeStream};

use super::{allowed, bare, raw};

/// A text in which every `<` that begins no known tag and no address is hidden behind a character that means nothing to
/// Markdown. So `Vec<String>`, `<script>` and `<!--` are text like any other, wherever they stand, code included.
pub(super) struct Source<'a> {
    text: Cow<'a, str>,
    hidden: Option<char>,
}

impl<'a> Source<'a> {
    pub fn new(markdown: &'a str) -> Self {
        // Characters that are none (Unicode § 23.7); a text that holds all of them is left as it is.
        let hidden = markdown
            .contains('<')
            .then(|| ('\u{FDD0}'..='\u{FDEF}').find(|c| !markdown.contains(*c)))
            .flatten();
        let text = hidden.map_or(Cow::Borrowed(markdown), |with| hide(markdown, with));
        Self { text: bare::linked(text, parser), hidden }
    }

    /// Every `<` is back, but for raw HTML, in which [`Source::restored`] puts it back.
    pub fn events(&self) -> impl Iterator<Item = Event<'_>> {
        TextMergeStream::new(parser(&self.text)).map(|event| match event {
            Event::Text(text) => Event::Text(self.shown(text)),
            Event::Code(text) => Event::Code(self.shown(text)),
            Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
                let (dest_url, title) = (self.shown(dest_url), self.shown(title));
                Event::Start(Tag::Link { link_type, dest_url, title, id })
            }
            Event::Start(Tag::Image { link_type, dest_url, title, id }) => {
                let (dest_url, title) = (self.shown(dest_url), self.shown(title));
                Event::Start(Tag::Image { link_type, dest_url, title, id })
            }
            event => event,
        })
    }

    fn shown<'e>(&self, text: CowStr<'e>) -> CowStr<'e> {
        match self.hidden {
            Some(hidden) if text.contains(hidden) => text.replace(hidden, "<").into(),
            _ => text,
        }
    }

    /// The finished text or HTML, with `with` for what is still hidden.
    pub fn restored(&self, finished: String, with: &str) -> String {
        match self.hidden {
            Some(hidden) if finished.contains(hidden) => finished.replace(hidden, with),
            _ => finished,
        }
    }
}

pub(super) fn parser(markdown: &str) -> Parser<'_> {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_FOOTNOTES;
    Parser::new_ext(markdown, options)
}

fn hide(markdown: &str, with: char) -> Cow<'_, str> {
    let mut written = String::new();
    let mut done = 0;
    for (at, _) in markdown.match_indices('<') {
        if begins_unknown(&markdown[..at], &markdown[at + 1..]) {
            written.push_str(&markdown[done..at]);
            written.push(with);
            done = at + 1;
        }
    }
    if done == 0 { Cow::Borrowed(markdown) } else { Cow::Owned(written + &markdown[done..]) }
}

/// Whether a `<` with this after it begins a tag, comment or instruction that no text may hold.
fn begins_unknown(before: &str, after: &str) -> bool {
    // An escaped one is text for Markdown too, which takes the backslash away.
    if (before.len() - before.trim_end_matches('\\').len()) % 2 == 1 {
        return false;
    }
    if after.starts_with(['!', '?']) {
        return true;
    }
    let name = after.strip_prefix('/').unwrap_or(after);
    let length = name.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'-').count();
    let ends = name[length..].starts_with(|c: char| c.is_ascii_whitespace() || matches!(c, '/' | '>'));
    let is_known = ends && length <= 16 && raw::is_known(&name[..length].to_ascii_lowercase());
    let is_target = before.ends_with("](") || before.trim_end_matches(' ').ends_with("]:");
    after.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && !is_known
        && !is_target
        && !begins_address(after)
}

/// `<https://…>`, `<mailto:…>`, `<me@x.example>`.
fn begins_address(after: &str) -> bool {
    const LONGEST: usize = 4_000;
    let end = after.bytes().take(LONGEST).position(|b| b.is_ascii_whitespace() || matches!(b, b'<' | b'>'));
    end.is_some_and(|end| {
        let address = &after[..end];
        after[end..].starts_with('>')
            && (allowed::has_scheme(address) || (address.contains('@') && !address.contains(':')))
    })
}
