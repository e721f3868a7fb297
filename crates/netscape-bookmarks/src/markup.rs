//! Which `<` in a title, a name or a description begins a tag: programs forget to escape what people write.

/// Tags that shape the outline.
const STRUCTURE: [&str; 12] = ["a", "dt", "dd", "dl", "h1", "h2", "h3", "ul", "ol", "li", "hr", "p"];

/// Tags that format a text; their names are no words of it.
const FORMAT: [&str; 42] = [
    "abbr", "b", "big", "blockquote", "body", "br", "center", "cite", "code", "del", "div", "em", "font",
    "h4", "h5", "h6", "html", "i", "ins", "kbd", "mark", "nobr", "pre", "q", "s", "samp", "section", "small",
    "span", "strike", "strong", "sub", "sup", "table", "tbody", "td", "th", "thead", "tr", "tt", "u", "wbr",
];

/// Whether a piece of the file that begins with `<` and ends before the next one begins with a tag. Everything
/// else is text: `<script>`, `<!--`, `<?php`, `Vec<String>`, `a <b`.
pub(crate) fn is_tag(piece: &str) -> bool {
    let Some(rest) = piece.strip_prefix('<') else { return false };
    let rest = rest.strip_prefix('/').unwrap_or(rest);
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
    let (name, after) = rest.split_at(end);
    if !after.starts_with(|c: char| c.is_ascii_whitespace() || matches!(c, '/' | '>')) {
        return false;
    }
    let name = name.to_ascii_lowercase();
    let ends = after.contains('>');
    // A `<` may stand in an attribute of a link.
    STRUCTURE.contains(&name.as_str()) && (ends || after.contains('='))
        || FORMAT.contains(&name.as_str()) && ends
}

/// The heading of a page, which no title holds.
pub(crate) fn is_page_heading(piece: &str) -> bool {
    let name = piece.trim_start_matches(['<', '/']).get(..2).unwrap_or_default();
    name.eq_ignore_ascii_case("h1") || name.eq_ignore_ascii_case("h2")
}
