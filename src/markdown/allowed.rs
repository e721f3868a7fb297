//! What HTML a text may hold and where it may lead, said once: for what is read and for what reaches a page.

/// Elements that may be written as tags, apart from links, images, breaks, rules and headings.
pub(super) const ELEMENTS: [&str; 39] = [
    "abbr", "b", "blockquote", "caption", "cite", "code", "dd", "del", "details", "dfn", "div", "dl", "dt",
    "em", "i", "ins", "kbd", "li", "mark", "ol", "p", "pre", "q", "s", "samp", "small", "span", "strong",
    "sub", "summary", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul",
];
/// A heading's element, and the one that it becomes on a page, where `h1` is the title's.
pub(super) const HEADINGS: [(&str, &str); 6] =
    [("h1", "h2"), ("h2", "h3"), ("h3", "h4"), ("h4", "h5"), ("h5", "h6"), ("h6", "h6")];
/// What of an element's attributes may be written, apart from those of links and images.
pub(super) const ATTRIBUTES: [(&str, &str); 5] =
    [("abbr", "title"), ("code", "class"), ("ol", "start"), ("td", "align"), ("th", "align")];
pub(super) const SCHEMES: [&str; 3] = ["http", "https", "mailto"];

/// Whether an address names one of the schemes, and a host where it needs one.
pub(super) fn has_scheme(address: &str) -> bool {
    address.split_once(':').is_some_and(|(scheme, rest)| {
        let known = SCHEMES.into_iter().find(|known| known.eq_ignore_ascii_case(scheme));
        known.is_some_and(|known| known == "mailto" || rest.starts_with("//"))
    })
}
