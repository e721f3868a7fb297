//! Splits a text into folded words with their positions.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::{canonical_combining_class, is_combining_mark};

/// `PostgreSQL` refuses query words over 2,046 bytes; the end of such a word is not needed to find it.
const MAX_TOKEN_CHARS: usize = 100;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    /// Where the word stands in the text, in bytes.
    pub at: Range<usize>,
    pub folded: String,
}

pub(super) fn split(text: &str) -> impl Iterator<Item = Token> {
    Tokens { text, at: 0, ready: Vec::new(), word: None }
}

/// Whether a character continues the one before it, so that no cut may fall between them.
pub(super) fn continues(c: char) -> bool {
    !c.is_ascii() && (is_combining_mark(c) || is_joiner(c) || is_trailing_jamo(c) || is_half_width_voice(c))
}

struct Tokens<'a> {
    text: &'a str,
    at: usize,
    /// Complete words, the next one last.
    ready: Vec<Token>,
    word: Option<Token>,
}

impl Iterator for Tokens<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        while self.ready.is_empty() {
            let rest = &self.text[self.at..];
            if rest.is_empty() {
                return self.word.take();
            }
            let cluster = &rest[..cluster_length(rest)];
            self.take(cluster);
            self.at += cluster.len();
            self.ready.reverse();
        }
        self.ready.pop()
    }
}

impl Tokens<'_> {
    fn take(&mut self, cluster: &str) {
        let at = self.at..self.at + cluster.len();
        if let [byte] = cluster.as_bytes() {
            return self.take_char(&at, char::from(byte.to_ascii_lowercase()));
        }
        // A compatibility form can be several characters: ㋀ is a digit and an ideograph.
        let composed: String = cluster.nfkc().filter(|c| !is_diacritic(*c)).collect();
        let mut rest = composed.as_str();
        while !rest.is_empty() {
            let (part, after) = rest.split_at(cluster_length(rest));
            if part.starts_with(is_unspaced) {
                self.take_single(&at, part);
            } else {
                self.take_letter(&at, part);
            }
            rest = after;
        }
    }

    fn take_letter(&mut self, at: &Range<usize>, part: &str) {
        for c in part.nfkd().filter(|c| !is_diacritic(*c) && !is_joiner(*c)) {
            for lower in c.to_lowercase() {
                match expansion(lower) {
                    Some(letters) => letters.chars().for_each(|letter| self.take_char(at, letter)),
                    None => self.take_char(at, lower),
                }
            }
        }
    }

    fn take_char(&mut self, at: &Range<usize>, c: char) {
        // Lower-casing can bring out a mark: İ becomes i and a dot above.
        if is_diacritic(c) {
            return;
        }
        if !c.is_alphanumeric() && !is_combining_mark(c) {
            return self.ready.extend(self.word.take());
        }
        let word = self.word.get_or_insert_with(|| Token { at: at.clone(), folded: String::new() });
        word.at.end = at.end;
        // The byte length is a cheap first test: counting starts only in very long words.
        if word.folded.len() < MAX_TOKEN_CHARS || word.folded.chars().count() < MAX_TOKEN_CHARS {
            push(&mut word.folded, c);
        }
    }

    /// The character is a word of its own, with the marks that belong to it.
    fn take_single(&mut self, at: &Range<usize>, part: &str) {
        self.ready.extend(self.word.take());
        let kept = |c: &char| (c.is_alphanumeric() || is_combining_mark(*c)) && !is_diacritic(*c);
        let mut folded = String::new();
        part.chars().filter(kept).take(MAX_TOKEN_CHARS).for_each(|c| push(&mut folded, c));
        if !folded.is_empty() {
            self.ready.push(Token { at: at.clone(), folded });
        }
    }
}

/// Marks stand in canonical order (UAX #15), also when what stood between them is gone.
fn push(word: &mut String, c: char) {
    let class = if c.is_ascii() { 0 } else { canonical_combining_class(c) };
    let later = |(_, before): &(usize, char)| class > 0 && canonical_combining_class(*before) > class;
    let at = word.char_indices().rev().take_while(later).last().map_or(word.len(), |(at, _)| at);
    word.insert(at, c);
}

/// The first character and what continues it, in bytes.
fn cluster_length(rest: &str) -> usize {
    let mut chars = rest.char_indices();
    let mut base = chars.next().map_or(' ', |(_, c)| c);
    for (at, c) in chars {
        if !continues(c) || !takes(base, c) {
            return at;
        }
        if !is_joiner(c) {
            base = c;
        }
    }
    rest.len()
}

/// Without a letter before it a mark is a cluster of its own; a vowel or final composes with Hangul only.
fn takes(base: char, c: char) -> bool {
    if is_trailing_jamo(c) { is_hangul(base) } else { base.is_alphanumeric() || is_combining_mark(base) }
}

/// Marks that vary a letter (accents, Hebrew points, Arabic vowels, variation selectors). Marks that
/// are letters in their own right, as in Indic scripts, stay.
fn is_diacritic(c: char) -> bool {
    matches!(c,
        '\u{0300}'..='\u{036F}' | '\u{0483}'..='\u{0489}' | '\u{0591}'..='\u{05BD}' | '\u{05BF}'
        | '\u{05C1}' | '\u{05C2}' | '\u{05C4}' | '\u{05C5}' | '\u{05C7}' | '\u{0610}'..='\u{061A}'
        | '\u{064B}'..='\u{065F}' | '\u{0670}' | '\u{06D6}'..='\u{06DC}' | '\u{06DF}'..='\u{06E4}'
        | '\u{06E7}' | '\u{06E8}' | '\u{06EA}'..='\u{06ED}' | '\u{1AB0}'..='\u{1AFF}'
        | '\u{1DC0}'..='\u{1DFF}' | '\u{20D0}'..='\u{20FF}' | '\u{302A}'..='\u{302D}'
        | '\u{FE00}'..='\u{FE0F}' | '\u{FE20}'..='\u{FE2F}' | '\u{E0100}'..='\u{E01EF}')
}

/// Invisible characters inside a word: soft hyphen, joiners, byte order mark.
fn is_joiner(c: char) -> bool {
    matches!(c, '\u{00AD}' | '\u{034F}' | '\u{200C}' | '\u{200D}' | '\u{2060}' | '\u{FEFF}')
}

/// Vowels and finals of conjoining Hangul.
fn is_trailing_jamo(c: char) -> bool {
    matches!(c, '\u{1160}'..='\u{11FF}' | '\u{D7B0}'..='\u{D7FF}')
}

fn is_hangul(c: char) -> bool {
    matches!(c, '\u{1100}'..='\u{11FF}' | '\u{A960}'..='\u{A97F}' | '\u{AC00}'..='\u{D7FF}')
}

/// The voice marks of half-width kana, which compose with the character before them.
fn is_half_width_voice(c: char) -> bool {
    matches!(c, '\u{FF9E}' | '\u{FF9F}')
}

/// Scripts written without spaces between words, and Hangul, whose words carry their particles.
pub(super) fn is_unspaced(c: char) -> bool {
    matches!(c,
        '\u{0E01}'..='\u{0EFF}' | '\u{1000}'..='\u{109F}' | '\u{1100}'..='\u{11FF}' | '\u{1780}'..='\u{17FF}'
        | '\u{2E80}'..='\u{2FDF}' | '\u{3005}'..='\u{3007}' | '\u{3021}'..='\u{3029}' | '\u{3031}'..='\u{303C}'
        | '\u{3041}'..='\u{31FF}' | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{A4CF}' | '\u{A960}'..='\u{A97F}'
        | '\u{AC00}'..='\u{D7FF}' | '\u{F900}'..='\u{FAFF}' | '\u{1B000}'..='\u{1B16F}' | '\u{20000}'..='\u{3FFFF}')
}

/// Letters without a decomposition that people type as others.
fn expansion(lower: char) -> Option<&'static str> {
    Some(match lower {
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'ø' => "o",
        'đ' | 'ð' => "d",
        'ħ' => "h",
        'ı' => "i",
        'ł' => "l",
        'ŧ' => "t",
        'þ' => "th",
        'ς' => "σ",
        _ => return None,
    })
}
