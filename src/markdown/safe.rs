//! What HTML may reach a page: a second line of defence behind `shape` and `raw`, decided once.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::LazyLock;

use ammonia::{Builder, UrlRelative};

use super::allowed::{ATTRIBUTES, ELEMENTS, HEADINGS, SCHEMES};
use super::target;

static PAGE: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut builder = Builder::empty();
    builder
        .generic_attributes(HashSet::new())
        .add_tags(ELEMENTS)
        .add_tags(HEADINGS.map(|(_, shown)| shown))
        .add_tags(["a", "br", "hr"])
        .add_clean_content_tags(["script", "style"])
        .add_tag_attributes("a", ["href", "title"])
        .add_tag_attributes("div", ["id"])
        .url_schemes(HashSet::from(SCHEMES))
        .url_relative(UrlRelative::Custom(Box::new(within_page)))
        .attribute_filter(attribute)
        // What is wider than the page is scrolled by keyboard too.
        .set_tag_attribute_value("pre", "tabindex", "0")
        .set_tag_attribute_value("table", "tabindex", "0")
        .link_rel(Some("nofollow noopener ugc"));
    for (element, attribute) in ATTRIBUTES.into_iter().chain(HEADINGS.map(|(_, shown)| (shown, "id"))) {
        builder.add_tag_attributes(element, [attribute]);
    }
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
