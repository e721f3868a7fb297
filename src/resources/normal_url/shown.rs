//! Addresses as people read them: international names and percent-encoded letters are decoded where that is safe.
//! Links lead to the stored address; this is their text.

use idna::AsciiDenyList;
use idna::uts46::{Hyphens, Uts46};
use percent_encoding::percent_decode_str;
use unicode_normalization::char::is_combining_mark;
use unicode_security::{RestrictionLevel, RestrictionLevelDetection as _, skeleton};

use super::super::fold::is_symbol;

/// A stored address, decoded where no letter can pass for another.
pub fn shown(url: &str) -> String {
    decoded(url, is_honest, is_plain)
}

/// The same for searching: every letter is decoded.
pub fn readable(url: &str) -> String {
    decoded(url, |_| true, |c| !c.is_control() && c != '%')
}

/// A host as the address bar of a careful browser shows it.
pub fn host_shown(host: &str) -> String {
    host_decoded(host, is_honest)
}

fn decoded(url: &str, label: fn(&str) -> bool, letter: fn(char) -> bool) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let (host, port) = authority.split_at(authority.rfind(':').unwrap_or(authority.len()));
    format!("{scheme}://{}{port}{}", host_decoded(host, label), path_decoded(path, letter))
}

fn host_decoded(host: &str, is_shown: fn(&str) -> bool) -> String {
    if !host.contains("xn--") {
        return host.to_owned();
    }
    let label = |label: &[char], _: &[char], _: bool| is_shown(&label.iter().collect::<String>());
    let (shown, read) =
        Uts46::new().to_user_interface(host.as_bytes(), AsciiDenyList::URL, Hyphens::Allow, label);
    if read.is_ok() { shown.into_owned() } else { host.to_owned() }
}

/// Whether a name can't be mistaken for another: its letters are of one script (or of those that Chinese, Japanese and
/// Korean mix, UTS #39 § 5.2), not all look like ASCII, and none runs from right to left, which would reorder them.
fn is_honest(label: &str) -> bool {
    label.check_restriction_level(RestrictionLevel::HighlyRestrictive)
        && !skeleton(label).all(|c| c.is_ascii())
        && !label.chars().any(is_right_to_left)
}

fn is_right_to_left(c: char) -> bool {
    matches!(c, '\u{0590}'..='\u{08FF}' | '\u{FB1D}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFF}' | '\u{10800}'..='\u{10FFF}' | '\u{1E800}'..='\u{1EFFF}')
}

/// Letters, digits, their marks and pictures: no separator, no space, nothing invisible.
fn is_plain(c: char) -> bool {
    // Fillers of Hangul are letters without a shape.
    let blank = matches!(c, '\u{115F}' | '\u{1160}' | '\u{3164}' | '\u{FFA0}' | '\u{FFFC}' | '\u{FFFD}');
    // After a stray `%` a digit would make another escape.
    let blank = blank || c.is_ascii_hexdigit();
    let sign = !c.is_ascii() && (is_combining_mark(c) && !is_ignorable(c) || is_symbol(c) && !is_slash(c));
    !blank && (c.is_alphanumeric() || sign || matches!(c, '-' | '.' | '_' | '~'))
}

/// Marks that show nothing by themselves: variation selectors, joiners.
fn is_ignorable(c: char) -> bool {
    matches!(c, '\u{034F}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}' | '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}')
}

/// Symbols that look like the slash, the question mark or the colon of an address.
fn is_slash(c: char) -> bool {
    matches!(
        c,
        '\u{2044}' | '\u{2215}' | '\u{2236}' | '\u{2571}' | '\u{29F8}' | '\u{27CB}' | '\u{2AFB}' | '\u{2AFD}'
    )
}

fn path_decoded(path: &str, is_shown: fn(char) -> bool) -> String {
    let mut shown = String::with_capacity(path.len());
    let mut rest = path;
    while let Some(at) = rest.find('%') {
        shown.push_str(&rest[..at]);
        rest = &rest[at..];
        let (escaped, after) = rest.split_at(escapes(rest));
        match escaped {
            "%" => shown.push('%'),
            escaped => push_decoded(escaped, is_shown, &mut shown),
        }
        rest = after;
    }
    shown + rest
}

/// Bytes of the `%41%C3…` that a text begins with, at least its first `%`.
fn escapes(text: &str) -> usize {
    let is_escape = |three: &&[u8]| three[0] == b'%' && three[1..].iter().all(u8::is_ascii_hexdigit);
    let count = text.as_bytes().chunks_exact(3).take_while(is_escape).count();
    (count * 3).max(1)
}

fn push_decoded(escaped: &str, is_shown: fn(char) -> bool, shown: &mut String) {
    let bytes: Vec<u8> = percent_decode_str(escaped).collect();
    let mut at = 0;
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            // A mark needs the letter that it stands on.
            let alone = is_combining_mark(c)
                && !shown.ends_with(char::is_alphanumeric)
                && !shown.ends_with(is_combining_mark);
            let escape = &escaped[at..(at + c.len_utf8() * 3).min(escaped.len())];
            at += escape.len();
            if is_shown(c) && !alone { shown.push(c) } else { shown.push_str(escape) }
        }
        let end = (at + chunk.invalid().len() * 3).min(escaped.len());
        shown.push_str(&escaped[at..end]);
        at = end;
    }
}
