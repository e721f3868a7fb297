//! Markdown as safe HTML for pages and as plain text for the search index.

mod allowed;
mod bare;
mod escape;
mod headings;
mod plain;
mod raw;
mod safe;
mod shape;
mod source;
mod target;

pub use escape::from_plain;
pub use plain::to_text;

use pulldown_cmark::{Event, html};

/// Renders `CommonMark` with tables, strikethrough, task lists and footnotes, then sanitises it: a line ends where it was
/// ended, links lead to http, https, mailto and the library, bare addresses are links too, headings begin at `h2` and have
/// names, images become links to them, and tags that no text may hold are shown as they were typed.
pub fn render(markdown: &str) -> String {
    let source = source::Source::new(markdown);
    let mut events: Vec<Event<'_>> = source.events().collect();
    headings::raise(&mut events);
    let names = headings::names(&events);
    let mut unsafe_html = String::with_capacity(markdown.len() * 3 / 2);
    html::push_html(&mut unsafe_html, shape::Shaper::shape(events.into_iter(), names));
    safe::clean(&source.restored(unsafe_html, "&lt;"))
}

#[cfg(test)]
mod tests;
