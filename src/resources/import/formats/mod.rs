//! The formats of files, told apart by what is in them and not by their names.

mod json;
mod record;
mod table;
#[cfg(test)]
mod tests;

use encoding_rs::Encoding;

use super::netscape::decode::decode;
use super::netscape::{self, Bookmarks, Entry, FileError};

/// What a file that is no HTML holds.
#[derive(Debug)]
pub struct Found {
    pub entries: Vec<Entry>,
    /// Whether coffer wrote it.
    pub is_own: bool,
}

/// All links of a file in their order, whatever its format.
pub fn parse(bytes: &[u8], charset: Option<&'static Encoding>) -> Result<Bookmarks, FileError> {
    let decoded = decode(bytes, charset);
    let found =
        json::read(&decoded.text).or_else(|| table::read(&decoded.text)).or_else(|| addresses(&decoded.text));
    let Some(found) = found else { return netscape::parse(bytes, charset) };
    let Found { entries, is_own } = found;
    let charset = decoded.charset.name();
    if decoded.is_guess {
        return Err(FileError::Charset { guess: charset });
    }
    Ok(Bookmarks { entries, is_own, charset, unreadable: decoded.unreadable, ..Bookmarks::default() })
}

/// A list of addresses, one a line, each with a title behind it or without; `#` begins a remark.
fn addresses(text: &str) -> Option<Found> {
    let lines = (1..).zip(text.trim_start_matches('\u{FEFF}').lines().map(str::trim));
    let mut lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')).peekable();
    let (_, first) = lines.peek()?;
    if !first.starts_with("https://") && !first.starts_with("http://") {
        return None;
    }
    let entries = lines.map(|(line, text)| {
        let (href, title) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        Entry { line, href: href.to_owned(), title: title.trim().to_owned(), ..Entry::default() }
    });
    Some(Found { entries: entries.collect(), is_own: false })
}
