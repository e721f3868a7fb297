//! Markdown as safe HTML for pages and as plain text for the search index.

mod bare;
mod plain;
mod raw;
mod safe;
mod shape;

pub use plain::to_text;

use pulldown_cmark::{Options, Parser, TextMergeStream, html};

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
