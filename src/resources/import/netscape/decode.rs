//! The bytes of a bookmark file as text.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// How far into a file its encoding may be declared (WHATWG HTML §13.2.3.2).
const DECLARED_WITHIN: usize = 1024;

/// Never fails: a byte order mark decides, then whether the bytes are UTF-8, then what the file says
/// of itself, then what is lost least.
pub(super) fn decode(bytes: &[u8]) -> Cow<'_, str> {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return encoding.decode_without_bom_handling(&bytes[mark..]).0;
    }
    if let Some(encoding) = unmarked_utf16(bytes) {
        return encoding.decode_without_bom_handling(bytes).0;
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let encoding = declared(bytes).unwrap_or_else(|| likelier(bytes));
    encoding.decode_without_bom_handling(bytes).0
}

fn unmarked_utf16(bytes: &[u8]) -> Option<&'static Encoding> {
    match bytes {
        [b'<', 0, ..] => Some(UTF_16LE),
        [0, b'<', ..] => Some(UTF_16BE),
        _ => None,
    }
}

/// The file's `<META … charset=…>`, unless it claims a Unicode encoding that the bytes disprove.
fn declared(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(DECLARED_WITHIN)]).to_ascii_lowercase();
    let (_, after) = head.split_once("<meta")?.1.split_once("charset")?;
    let label = after.trim_start().strip_prefix('=')?.trim_start_matches([' ', '"', '\'']);
    let label = label.split([' ', '"', '\'', '>', ';', '/']).next()?;
    Encoding::for_label(label.as_bytes()).filter(|encoding| encoding.output_encoding() != UTF_8)
}

/// A UTF-8 file with a few broken titles (programs cut them in the middle of a character) keeps the
/// others; a file in the old Western encoding has hardly any valid UTF-8 beyond ASCII.
fn likelier(bytes: &[u8]) -> &'static Encoding {
    let text = String::from_utf8_lossy(bytes);
    let broken = text.chars().filter(|c| *c == char::REPLACEMENT_CHARACTER).count();
    let sound = text.chars().filter(|c| !c.is_ascii()).count() - broken;
    if sound > broken { UTF_8 } else { WINDOWS_1252 }
}
