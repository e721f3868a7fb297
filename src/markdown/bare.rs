//! Addresses that stand in a text without any marks, as people paste them: written out as links before Markdown is read,
//! so that nothing in them counts as a mark (GitHub Flavored Markdown § 6.9).

use std::borrow::Cow;
use std::ops::Range;

use pulldown_cmark::{Event, Parser, Tag, TagEnd};

/// The text with its bare addresses as links.
pub(super) fn linked(text: Cow<'_, str>, parser: fn(&str) -> Parser<'_>) -> Cow<'_, str> {
    let is_start = |text: &str| text.contains("://") || text.contains('@') || text.contains('.');
    if !is_start(&text) {
        return text;
    }
    let mut written = String::new();
    let mut done = 0;
    for span in spans(parser(&text)) {
        let mut at = span.text.start.max(done);
        while let Some(found) = next(&text, at..span.text.end, span.end) {
            written.push_str(&text[done..found.at.start]);
            found.write(&text, &mut written);
            (done, at) = (found.at.end, found.at.end);
        }
    }
    if done == 0 { text } else { Cow::Owned(written + &text[done..]) }
}

/// Where an address may begin, and where it must have ended.
struct Span {
    text: Range<usize>,
    end: usize,
}

fn spans(parser: Parser<'_>) -> Vec<Span> {
    let (mut spans, mut closed, mut end) = (Vec::new(), 0_usize, usize::MAX);
    for (event, range) in parser.into_offset_iter() {
        match event {
            Event::Start(Tag::Link { .. } | Tag::Image { .. } | Tag::CodeBlock(_)) => closed += 1,
            Event::End(TagEnd::Link | TagEnd::Image | TagEnd::CodeBlock) => closed -= 1,
            Event::Start(Tag::TableCell) => end = range.end,
            Event::End(TagEnd::TableCell) => end = usize::MAX,
            Event::Text(_) if closed == 0 => spans.push(Span { text: range, end }),
            _ => {}
        }
    }
    spans
}

enum Kind {
    Web,
    /// Without a scheme.
    Www,
    Mail,
}

struct Found {
    kind: Kind,
    at: Range<usize>,
}

impl Found {
    fn write(&self, text: &str, to: &mut String) {
        let address = &text[self.at.clone()];
        let scheme = match self.kind {
            Kind::Web if !address.contains('>') => return to.extend(["<", address, ">"]),
            Kind::Web => "",
            Kind::Www => "http://",
            Kind::Mail if address.to_ascii_lowercase().starts_with(MAILTO) => "",
            Kind::Mail => MAILTO,
        };
        to.extend(["[", &escaped(address), "](<", scheme, &escaped(address), ">)"]);
    }
}

const MAILTO: &str = "mailto:";

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() * 2);
    for c in text.chars() {
        escaped.extend(c.is_ascii_punctuation().then_some('\\'));
        escaped.push(c);
    }
    escaped
}

/// The first address that begins within the range; it may go on up to `end`.
fn next(text: &str, within: Range<usize>, end: usize) -> Option<Found> {
    let all = &text[..end.min(text.len())];
    let mut starts =
        all.get(within.clone())?.char_indices().filter(|(_, c)| matches!(c, 'h' | 'H' | 'w' | 'W' | '@'));
    // Whether one may begin is asked first: where it ends can be far away.
    starts.find_map(|(offset, c)| {
        let at = within.start + offset;
        let before = all[..at].chars().next_back();
        match c {
            '@' => mail(all, at, within.start)
                .filter(|found| may_begin(all[..found.at.start].chars().next_back(), &Kind::Mail)),
            'h' | 'H' if may_begin(before, &Kind::Web) => {
                web(&all[at..]).map(|length| Found { kind: Kind::Web, at: at..at + length })
            }
            'w' | 'W' if may_begin(before, &Kind::Www) => {
                www(&all[at..]).map(|length| Found { kind: Kind::Www, at: at..at + length })
            }
            _ => None,
        }
    })
}

/// Not within a word, and not where what is written around it would be read as something else.
fn may_begin(before: Option<char>, kind: &Kind) -> bool {
    before.is_none_or(|c| match kind {
        Kind::Web => !c.is_ascii_alphanumeric() && c != '\\',
        Kind::Www => {
            !c.is_ascii_alphanumeric() && !matches!(c, '\\' | '/' | '.' | '-' | '@' | ':' | '!' | ']')
        }
        Kind::Mail => !matches!(c, '\\' | '/' | '!' | ']'),
    })
}

fn begins(text: &str, with: &str) -> bool {
    text.get(..with.len()).is_some_and(|head| head.eq_ignore_ascii_case(with))
}

/// Bytes of the address that a text begins with.
fn web(text: &str) -> Option<usize> {
    let scheme = ["https://", "http://"].into_iter().find(|scheme| begins(text, scheme))?.len();
    text[scheme..].starts_with(|c: char| c.is_alphanumeric() || c == '[').then(|| length(text))
}

fn www(text: &str) -> Option<usize> {
    let host = text.get("www.".len()..).filter(|_| begins(text, "www."))?;
    host.starts_with(char::is_alphanumeric).then(|| length(text))
}

/// Up to white space, `<` or CJK punctuation, without the punctuation of the sentence around it.
fn length(text: &str) -> usize {
    let ends =
        |c: char| c.is_whitespace() || c.is_control() || c == '<' || is_cjk_punctuation(c) || is_hidden(c);
    let mut address = &text[..text.find(ends).unwrap_or(text.len())];
    let mut unopened = address.matches(')').count().saturating_sub(address.matches('(').count());
    while let Some(last) = address.chars().next_back() {
        match last {
            ')' if unopened > 0 => unopened -= 1,
            ';' => address = without_entity(address),
            '?' | '!' | '.' | ',' | ':' | '*' | '_' | '~' | '\'' | '"' | '’' | '”' | '»' => {}
            _ => break,
        }
        address = &address[..address.len() - last.len_utf8()];
    }
    address.len()
}

/// Without the `&copy` of a `&copy;` at the end; the semicolon stays.
fn without_entity(address: &str) -> &str {
    let name = address[..address.len() - 1].rfind(|c: char| !c.is_ascii_alphanumeric());
    match name.filter(|at| address[*at..].starts_with('&') && *at + 2 < address.len()) {
        Some(at) => &address[..=at],
        None => address,
    }
}

fn is_cjk_punctuation(c: char) -> bool {
    matches!(c, '\u{3001}'..='\u{3003}' | '\u{3008}'..='\u{3011}' | '\u{3014}'..='\u{301F}' | '\u{FF01}'..='\u{FF0F}'
        | '\u{FF1A}'..='\u{FF20}' | '\u{FF3B}'..='\u{FF3D}' | '\u{FF5B}'..='\u{FF65}' | '“' | '”' | '‘' | '…')
}

/// Stands for a `<` that begins no tag ([`super::source`]).
fn is_hidden(c: char) -> bool {
    matches!(c, '\u{FDD0}'..='\u{FDEF}')
}

/// The mail address around an `@`, with `mailto:` before it; it begins no earlier than `from`.
fn mail(text: &str, at: usize, from: usize) -> Option<Found> {
    let is_local = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '+');
    let local = text[from..at].chars().rev().take_while(|c| is_local(*c)).count();
    let is_domain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let domain: String = text[at + 1..].chars().take_while(is_domain).collect();
    let domain = domain.trim_end_matches('.');
    let valid = local > 0
        && domain.split('.').count() > 1
        && domain.split('.').all(|label| !label.is_empty())
        && !domain.ends_with(['-', '_']);
    let begin = at - local;
    let before = begin.checked_sub(MAILTO.len()).filter(|scheme| *scheme >= from);
    let has_scheme =
        before.and_then(|scheme| text.get(scheme..begin)).is_some_and(|text| begins(text, MAILTO));
    let scheme = if has_scheme { MAILTO.len() } else { 0 };
    valid.then(|| Found { kind: Kind::Mail, at: begin - scheme..at + 1 + domain.len() })
}
