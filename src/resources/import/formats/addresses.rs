//! A list of addresses, one a line, each with a title behind it or without; `#` begins a remark.

use super::{Entries, Found};
use crate::resources::import::entry::Entry;

/// `None` for a text whose first line is no address.
pub fn parse<'a>(text: &str) -> Option<Found<'a>> {
    let first = entries(text).next()?.href;
    let is_address = first.starts_with("https://") || first.starts_with("http://");
    is_address.then(|| Found::new("a list of addresses", Entries::Addresses))
}

pub fn entries(text: &str) -> impl Iterator<Item = Entry> {
    let lines = (1..).zip(text.lines().map(str::trim));
    let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    lines.map(|(line, text)| {
        let (href, title) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        Entry { line, href: href.to_owned(), title: title.trim().to_owned(), ..Entry::default() }
    })
}
