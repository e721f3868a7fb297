//! Highlights searched words in a text, and cuts the excerpt of a long text that contains them.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::tokens::{self, Token};

/// Matches are looked for only this far into a text, since every row of a result page has an excerpt.
const SCANNED_BYTES: usize = 128 * 1024;

/// Characters before the first match in an excerpt: two lines on a phone have room for it and the match.
const LEAD: usize = 60;

/// What to highlight: a sequence of folded words with single spaces between them, as [`super::fold`] writes them.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub struct Highlight {
    pub word: String,
    /// Whether the last word is a prefix: `tab` finds `tables`.
    pub prefix: bool,
}

/// The text escaped for HTML, with `<mark>` around every match.
pub fn highlight(text: &str, highlights: &[Highlight]) -> String {
    let mut html = String::with_capacity(text.len() + 32);
    let mut done = 0;
    for range in joined(matches(text, highlights).collect()) {
        escape(&text[done..range.start], &mut html);
        html.push_str("<mark>");
        escape(&text[range.clone()], &mut html);
        html.push_str("</mark>");
        done = range.end;
    }
    escape(&text[done..], &mut html);
    html
}

/// At most `max_chars` of the text around the first match, or from its beginning, on one line,
/// escaped for HTML and highlighted, with `…` for each part that was cut.
pub fn excerpt(body_text: &str, highlights: &[Highlight], max_chars: usize) -> String {
    let scanned = &body_text[..body_text.floor_char_boundary(SCANNED_BYTES)];
    let first = matches(scanned, highlights).next().unwrap_or(0..0);
    let start = start_of(body_text, first.start, LEAD.min(max_chars / 3));
    let end = end_of(body_text, start, first.end, max_chars);
    let piece = body_text[start..end].split_whitespace().collect::<Vec<_>>().join(" ");
    let before = if body_text[..start].trim().is_empty() { "" } else { "…" };
    let after = if body_text[end..].trim().is_empty() { "" } else { "…" };
    format!("{before}{}{after}", highlight(&piece, highlights))
}

/// Where highlights match, in the order of their last words.
fn matches<'a>(text: &'a str, highlights: &'a [Highlight]) -> impl Iterator<Item = Range<usize>> + 'a {
    let patterns: Vec<Pattern<'_>> = highlights.iter().map(Pattern::new).collect();
    let longest = patterns.iter().map(|pattern| pattern.words.len()).max().unwrap_or(0);
    let mut recent: std::collections::VecDeque<Token> =
        std::collections::VecDeque::with_capacity(longest + 1);
    let searched = if longest == 0 { "" } else { text };
    tokens::split(searched).filter_map(move |token| {
        recent.push_back(token);
        if recent.len() > longest {
            recent.pop_front();
        }
        let recent = recent.make_contiguous();
        let start = patterns.iter().filter_map(|pattern| pattern.start_of_match(recent)).min()?;
        Some(start..recent.last()?.at.end)
    })
}

/// A highlight, split into words.
struct Pattern<'a> {
    words: Vec<&'a str>,
    prefix: bool,
}

impl<'a> Pattern<'a> {
    fn new(highlight: &'a Highlight) -> Self {
        let words = highlight.word.split(' ').filter(|word| !word.is_empty()).collect();
        Self { words, prefix: highlight.prefix }
    }

    /// Where a match that ends with the last token starts.
    fn start_of_match(&self, recent: &[Token]) -> Option<usize> {
        let (last, before) = self.words.split_last()?;
        let tail = recent.get(recent.len().checked_sub(self.words.len())?..)?;
        let (last_token, tokens) = tail.split_last()?;
        let ends = if self.prefix { last_token.folded.starts_with(last) } else { last_token.folded == *last };
        let agrees = ends && tokens.iter().map(|token| token.folded.as_str()).eq(before.iter().copied());
        agrees.then(|| tail.first().map_or(last_token.at.start, |token| token.at.start))
    }
}

/// Overlapping and touching ranges as one, in order.
fn joined(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_by_key(|range| range.start);
    let mut joined: Vec<Range<usize>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match joined.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => joined.push(range),
        }
    }
    joined
}

/// Up to `lead` characters before a match, at the beginning of a word where there is one.
fn start_of(text: &str, matched: usize, lead: usize) -> usize {
    let before = &text[..matched];
    let Some((at, cut)) = before.char_indices().rev().nth(lead) else { return 0 };
    let after_space = before[at..].split_once(char::is_whitespace).map(|(_, after)| after.trim_start());
    match after_space {
        Some(words) => matched - words.len(),
        None => next_cluster(text, at + cut.len_utf8()),
    }
}

/// `max_chars` further on, at the end of a word where there is one behind the match.
fn end_of(text: &str, start: usize, match_end: usize, max_chars: usize) -> usize {
    let Some((length, next)) = text[start..].char_indices().nth(max_chars) else { return text.len() };
    let limit = start + length;
    if next.is_whitespace() {
        return limit;
    }
    let from = match_end.clamp(start, limit);
    match text[from..limit].rfind(char::is_whitespace) {
        Some(space) => from + space,
        None => previous_cluster(text, start, limit),
    }
}

fn next_cluster(text: &str, at: usize) -> usize {
    text[at..]
        .char_indices()
        .find(|(_, c)| !tokens::continues(*c))
        .map_or(text.len(), |(offset, _)| at + offset)
}

fn previous_cluster(text: &str, start: usize, limit: usize) -> usize {
    if !text[limit..].starts_with(tokens::continues) {
        return limit;
    }
    let base = text[start..limit].rfind(|c| !tokens::continues(c));
    base.filter(|offset| *offset > 0).map_or(limit, |offset| start + offset)
}

fn escape(text: &str, html: &mut String) {
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            _ => html.push(c),
        }
    }
}
