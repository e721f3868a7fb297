//! Plain text as Markdown that reads the same.

use std::collections::BTreeSet;

use pulldown_cmark::{Event, Tag};

use super::source::parser;

/// Plain text as Markdown: nothing in it formats or disappears. Lists stay lists, and fenced or indented code
/// stays code, as people write these in plain text too.
pub fn from_plain(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let fenced = fenced_lines(&lines);
    let code = code_lines(&escape_lines(&lines, &fenced));
    if fenced.is_subset(&code) {
        return escape_lines(&lines, &code);
    }
    // Fences that are none, in the middle of a paragraph for example.
    let code = code_lines(&escape_lines(&lines, &BTreeSet::new()));
    escape_lines(&lines, &code)
}

fn escape_lines(lines: &[&str], verbatim: &BTreeSet<usize>) -> String {
    let mut markdown = String::new();
    for (number, line) in lines.iter().enumerate() {
        if number > 0 {
            markdown.push('\n');
        }
        if verbatim.contains(&number) {
            markdown.push_str(line);
        } else {
            escape_line(line, &mut markdown);
        }
    }
    markdown
}

/// The lines of fenced code, the fences included; a fence that is never closed is none.
fn fenced_lines(lines: &[&str]) -> BTreeSet<usize> {
    let mut fenced = BTreeSet::new();
    let mut number = 0;
    while number < lines.len() {
        let close = fence(lines[number]).and_then(|open| {
            let rest = lines.iter().enumerate().skip(number + 1);
            rest.take(MAX_CODE).find(|(_, line)| closes(line, open)).map(|(at, _)| at)
        });
        if let Some(close) = close {
            fenced.extend(number..=close);
            number = close;
        }
        number += 1;
    }
    fenced
}

/// Lines in which the end of a fence is looked for.
const MAX_CODE: usize = 1_000;

#[derive(Clone, Copy)]
struct Fence {
    sign: char,
    length: usize,
}

fn fence(line: &str) -> Option<Fence> {
    let line = line.trim_start();
    let sign = line.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let length = line.chars().take_while(|c| *c == sign).count();
    (length >= 3 && !line[length..].contains('`')).then_some(Fence { sign, length })
}

fn closes(line: &str, open: Fence) -> bool {
    let line = line.trim();
    line.len() >= open.length && line.chars().all(|c| c == open.sign)
}

/// The lines that Markdown takes for code blocks.
fn code_lines(markdown: &str) -> BTreeSet<usize> {
    let mut lines = BTreeSet::new();
    let (mut number, mut counted) = (0, 0);
    for (event, range) in parser(markdown).into_offset_iter() {
        if matches!(event, Event::Start(Tag::CodeBlock(_))) {
            number += breaks(&markdown[counted..range.start]);
            counted = range.start;
            lines.extend(number..=number + breaks(markdown[range].trim_end_matches('\n')));
        }
    }
    lines
}

fn breaks(text: &str) -> usize {
    text.matches('\n').count()
}

fn escape_line(line: &str, out: &mut String) {
    let content = line.trim_start();
    out.push_str(&line[..line.len() - content.len()]);
    if is_rule(content) {
        out.push('\\');
        return out.push_str(content);
    }
    if let Some(length) = marker(content) {
        let (marker, rest) = content.split_at(length);
        out.push_str(marker);
        return escape_line(rest, out);
    }
    if content.starts_with(['#', '>', '|']) {
        out.push('\\');
    }
    escape_words(content, out);
}

/// A thematic break, the underline of a heading, or the second line of a table.
fn is_rule(content: &str) -> bool {
    let mut signs = content.chars().filter(|c| !c.is_whitespace());
    let Some(first) = signs.next() else { return false };
    let alike = signs.all(|c| c == first);
    (alike && matches!(first, '-' | '=' | '*' | '_' | '+'))
        || (content.contains('-') && content.chars().all(|c| matches!(c, '|' | '-' | ':' | ' ' | '\t')))
}

/// The length of a list's marker with the space behind it.
fn marker(content: &str) -> Option<usize> {
    let digits = content.len() - content.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let sign = content[digits..].chars().next()?;
    let is_marker = match sign {
        '-' | '+' | '*' => digits == 0,
        '.' | ')' => (1..=9).contains(&digits),
        _ => false,
    };
    (is_marker && content[digits + 1..].starts_with(' ')).then_some(digits + 2)
}

fn escape_words(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some(begin) = rest.find("http") {
        let (before, from) = rest.split_at(begin);
        escape(before, out);
        let length = address_length(from);
        let (address, after) = from.split_at(length.max("http".len()));
        let mut escaped = String::new();
        escape(address, &mut escaped);
        // Inside of angle brackets nothing is escaped.
        if length > 0 && escaped != address {
            out.extend(["<", address, ">"]);
        } else {
            out.push_str(&escaped);
        }
        rest = after;
    }
    escape(rest, out);
}

/// Bytes of the web address that a text begins with, without the punctuation of the sentence around it.
fn address_length(text: &str) -> usize {
    if !text.starts_with("http://") && !text.starts_with("https://") {
        return 0;
    }
    let end = text
        .find(|c: char| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>'))
        .unwrap_or(text.len());
    let address =
        text[..end].trim_end_matches(['.', ',', ';', ':', '!', '?', ')', ']', '\'', '"', '*', '_', '~']);
    if address.len() > "https://".len() && !address.contains('\\') { address.len() } else { 0 }
}

fn escape(text: &str, out: &mut String) {
    let mut before = ' ';
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        let after = chars.clone().next().map_or(' ', |(_, next)| next);
        match (needs_escape(Neighbours { before, after }, &text[at..], c), c) {
            // What renders a text looks for tags before it looks for backslashes.
            (true, '<') => out.push_str("&lt;"),
            (true, _) => out.extend(['\\', c]),
            (false, _) => out.push(c),
        }
        before = c;
    }
}

#[derive(Clone, Copy)]
struct Neighbours {
    before: char,
    after: char,
}

/// Whether Markdown could mean something by the sign where it stands; `rest` begins with it.
fn needs_escape(Neighbours { before, after }: Neighbours, rest: &str, sign: char) -> bool {
    let is_alone = before.is_whitespace() && after.is_whitespace() && rest.len() > 1;
    match sign {
        '`' | '[' => true,
        '\\' => after.is_ascii_punctuation() || rest.len() == 1,
        '*' => !is_alone,
        '_' => !(is_alone || before.is_alphanumeric() && after.is_alphanumeric()),
        '~' => !(is_alone || before == '/' && after.is_alphanumeric()),
        '<' => after.is_ascii_alphabetic() || matches!(after, '/' | '!' | '?'),
        '&' => is_reference(rest),
        _ => false,
    }
}

/// `&amp;`, `&#38;`: a name or number of reasonable length, and a semicolon.
fn is_reference(rest: &str) -> bool {
    let name = rest[1..].strip_prefix('#').unwrap_or(&rest[1..]);
    let length = name.len() - name.trim_start_matches(|c: char| c.is_ascii_alphanumeric()).len();
    (1..=32).contains(&length) && name[length..].starts_with(';')
}

#[cfg(test)]
mod tests;
