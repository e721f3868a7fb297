//! The bytes of a bookmark file as text.

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

/// How far into a file its encoding may be declared (WHATWG HTML §13.2.3.2).
const DECLARED_WITHIN: usize = 1024;

/// A file as text, and how its encoding was found.
pub struct Decoded<'a> {
    pub text: Cow<'a, str>,
    pub charset: &'static Encoding,
    /// Nothing in the file says so, or what does is wrong.
    pub is_guess: bool,
    /// Characters that could not be read.
    pub unreadable: usize,
}

/// Never fails: the reader's choice decides, then a byte order mark, then whether the bytes are UTF-8, then what
/// the file says of itself, then what its bytes look like.
pub fn decode<'a>(bytes: &'a [u8], chosen: Option<&'static Encoding>) -> Decoded<'a> {
    if let Some(encoding) = chosen {
        return as_encoded(bytes, encoding);
    }
    if let Some((encoding, _)) = Encoding::for_bom(bytes) {
        return as_encoded(bytes, encoding);
    }
    if let Some(encoding) = unmarked_utf16(bytes) {
        return as_encoded(bytes, encoding);
    }
    let utf8 = as_encoded(bytes, UTF_8);
    if utf8.unreadable == 0 {
        return utf8;
    }
    let is_no_unicode = |encoding: &&'static Encoding| encoding.output_encoding() != UTF_8;
    // The bytes have disproved a Unicode encoding.
    if let Some(encoding) = declared(bytes).filter(is_no_unicode) {
        let decoded = as_encoded(bytes, encoding);
        if decoded.unreadable * 20 <= other_than_ascii(&decoded.text) {
            return decoded;
        }
    }
    // Programs cut titles in the middle of a character; in another encoding hardly anything is valid UTF-8.
    if other_than_ascii(&utf8.text) > utf8.unreadable * 2 {
        return utf8;
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(bytes, true);
    Decoded { is_guess: true, ..as_encoded(bytes, detector.guess(None, Utf8Detection::Deny)) }
}

fn as_encoded<'a>(bytes: &'a [u8], charset: &'static Encoding) -> Decoded<'a> {
    let (text, has_errors) = charset.decode_with_bom_removal(bytes);
    let unreadable =
        if has_errors { text.chars().filter(|c| *c == char::REPLACEMENT_CHARACTER).count() } else { 0 };
    Decoded { text, charset, is_guess: false, unreadable }
}

fn other_than_ascii(text: &str) -> usize {
    text.chars().filter(|c| !c.is_ascii()).count()
}

fn unmarked_utf16(bytes: &[u8]) -> Option<&'static Encoding> {
    match bytes {
        [b'<', 0, ..] => Some(UTF_16LE),
        [0, b'<', ..] => Some(UTF_16BE),
        _ => None,
    }
}

/// The file's `<META … charset=…>`.
pub fn declared(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(DECLARED_WITHIN)]).to_ascii_lowercase();
    let (_, after) = head.split_once("<meta")?.1.split_once("charset")?;
    let label = after.trim_start().strip_prefix('=')?.trim_start_matches([' ', '"', '\'']);
    let label = label.split([' ', '"', '\'', '>', ';', '/']).next()?;
    Encoding::for_label(label.as_bytes())
}
