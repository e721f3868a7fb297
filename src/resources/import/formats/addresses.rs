//! A list of addresses, one a line, each with a title behind it or without; `#` begins a remark.

use super::Found;
use crate::resources::import::entry::Entry;

/// `None` for a text whose first line is no address.
pub fn parse(text: &str) -> Option<Found> {
    let lines = (1..).zip(text.lines().map(str::trim));
    let mut lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')).peekable();
    let (_, first) = lines.peek()?;
    if !first.starts_with("https://") && !first.starts_with("http://") {
        return None;
    }
    let entries = lines.map(|(line, text)| {
        let (href, title) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        Entry { line, href: href.to_owned(), title: title.trim().to_owned(), ..Entry::default() }
    });
    Some(Found { format: "a list of addresses", entries: entries.collect(), ..Found::default() })
}
