//! Markdown as safe HTML for pages and as plain text for the search index.

mod bare;
mod plain;
mod raw;
mod safe;
mod shape;

pub use plain::to_text;

use std::sync::{Arc, OnceLock};

use pulldown_cmark::{Options, Parser, TextMergeStream, html};

/// A text's HTML, made when it is first shown and kept beside the text, which must not change.
#[derive(Clone, Debug, Default)]
pub struct Shown(OnceLock<Arc<str>>);

impl Shown {
    #[must_use]
    pub fn html(&self, markdown: &str) -> Arc<str> {
        self.0.get_or_init(|| render(markdown).into()).clone()
    }
}

/// It follows from the text.
impl PartialEq for Shown {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Shown {}

/// Renders `CommonMark` with tables, strikethrough, task lists and footnotes, then sanitises it: links
/// lead to http, https and mailto only, bare addresses are links too, headings begin at `h2`, and images become links to them.
#[must_use]
pub fn render(markdown: &str) -> String {
    let mut unsafe_html = String::with_capacity(markdown.len() * 3 / 2);
    html::push_html(&mut unsafe_html, shape::Shaper::shape(TextMergeStream::new(parser(markdown))));
    safe::clean(&unsafe_html)
}

fn parser(markdown: &str) -> Parser<'_> {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_FOOTNOTES;
    Parser::new_ext(markdown, options)
}

#[cfg(test)]
mod tests;
