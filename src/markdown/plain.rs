//! Markdown without its marks, for the search index and excerpts.

use pulldown_cmark::{Event, Tag, TagEnd};

use super::raw::{self, Piece};
use super::source::Source;

/// The words of a text in their order: one line a block, images by their alternative text.
pub fn to_text(markdown: &str) -> String {
    let mut text = String::with_capacity(markdown.len());
    let mut raw = String::new();
    let source = Source::new(markdown);
    for event in source.events() {
        match event {
            Event::Html(html) => raw.push_str(&html),
            Event::End(TagEnd::HtmlBlock) => {
                push_raw(&std::mem::take(&mut raw), &mut text);
                text.push('\n');
            }
            Event::InlineHtml(html) if raw::pieces(&html).is_empty() => text.push_str(&html),
            Event::InlineHtml(html) => push_raw(&html, &mut text),
            Event::Text(part) | Event::Code(part) => text.push_str(&part),
            Event::SoftBreak | Event::End(TagEnd::TableCell) => text.push(' '),
            Event::HardBreak | Event::Rule => text.push('\n'),
            Event::Start(tag) if begins_block(&tag) => text.push('\n'),
            Event::End(tag) if ends_block(tag) => text.push('\n'),
            _ => {}
        }
    }
    lines(&source.restored(text, "<"))
}

fn push_raw(html: &str, text: &mut String) {
    for piece in raw::pieces(html) {
        match piece {
            Piece::Text(part) | Piece::Image { alt: part, .. } => text.push_str(&part),
            Piece::Break | Piece::Rule => text.push('\n'),
            _ => {}
        }
    }
}

/// Needed where a block follows the loose text of a list item.
fn begins_block(tag: &Tag<'_>) -> bool {
    matches!(tag, Tag::List(_) | Tag::Item | Tag::CodeBlock(_) | Tag::BlockQuote(_) | Tag::Table(_))
}

fn ends_block(tag: TagEnd) -> bool {
    matches!(
        tag,
        TagEnd::Paragraph
            | TagEnd::Heading(_)
            | TagEnd::CodeBlock
            | TagEnd::Item
            | TagEnd::TableHead
            | TagEnd::TableRow
    )
}

/// Trimmed lines without the empty ones.
fn lines(text: &str) -> String {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}
