//! What HTML may reach a page: a second line of defence behind `shape` and `raw`, decided once.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::LazyLock;

use ammonia::{Builder, UrlRelative};

use super::target;

const TAGS: [&str; 40] = [
    "a",
    "abbr",
    "b",
    "blockquote",
    "br",
    "caption",
    "cite",
    "code",
    "dd",
    "del",
    "details",
    "dfn",
    "div",
    "dl",
    "dt",
    "em",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "ins",
    "kbd",
    "li",
    "mark",
    "ol",
    "p",
    "pre",
    "q",
    "s",
    "samp",
    "small",
    "span",
    "strong",
    "sub",
    "summary",
    "sup",
    "ul",
];
const TABLE_TAGS: [&str; 7] = ["table", "tbody", "td", "tfoot", "th", "thead", "tr"];

static PAGE: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut builder = Builder::empty();
    builder
        .generic_attributes(HashSet::new())
        .add_tags(TAGS)
        .add_tags(TABLE_TAGS)
        .add_clean_content_tags(["script", "style"])
        .add_tag_attributes("a", ["href", "title"])
        .add_tag_attributes("abbr", ["title"])
        .add_tag_attributes("code", ["class"])
        .add_tag_attributes("div", ["id"])
        .add_tag_attributes("h2", ["id"])
        .add_tag_attributes("h3", ["id"])
        .add_tag_attributes("h4", ["id"])
        .add_tag_attributes("h5", ["id"])
        .add_tag_attributes("h6", ["id"])
        .add_tag_attributes("ol", ["start"])
        .add_tag_attributes("td", ["align"])
        .add_tag_attributes("th", ["align"])
        .url_schemes(HashSet::from(["http", "https", "mailto"]))
        .url_relative(UrlRelative::Custom(Box::new(within_page)))
        .attribute_filter(attribute)
        // What is wider than the page is scrolled by keyboard too.
        .set_tag_attribute_value("pre", "tabindex", "0")
        .set_tag_attribute_value("table", "tabindex", "0")
        .link_rel(Some("nofollow noopener ugc"));
    builder
});

pub(super) fn clean(html: &str) -> String {
    PAGE.clean(html).to_string()
}

/// Footnotes and headings are linked within their page, and the library's own pages by their paths; every other address
/// without a scheme is dropped.
fn within_page(url: &str) -> Option<Cow<'_, str>> {
    if target::is_own_path(url) {
        return Some(Cow::Borrowed(url));
    }
    url.strip_prefix('#').map(|name| Cow::Owned(format!("#user-{name}")))
}

/// Ids from a text can't meet ids of the page, and classes can't borrow its looks.
fn attribute<'a>(element: &str, attribute: &str, value: &'a str) -> Option<Cow<'a, str>> {
    match (element, attribute) {
        (_, "id") => Some(Cow::Owned(format!("user-{value}"))),
        ("code", "class") => value.split_whitespace().find(|class| is_language(class)).map(Cow::Borrowed),
        _ => Some(Cow::Borrowed(value)),
    }
}

fn is_language(class: &str) -> bool {
    class.strip_prefix("language-").is_some_and(|name| {
        (1..=32).contains(&name.len())
            && name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'+' | b'#' | b'.'))
    })
}
