//! Markdown events reshaped for a page: nesting bounded, raw HTML balanced, images turned into links.

use std::collections::VecDeque;

use pulldown_cmark::{Alignment, CowStr, Event, HeadingLevel, LinkType, Tag, TagEnd};

use super::raw::{self, Piece};
use super::target;

/// Deeper levels are flattened into this one: no reader needs them, and browsers and parsers slow down.
pub(super) const MAX_DEPTH: usize = 32;

/// Writes events whose elements are balanced and at most [`MAX_DEPTH`] deep, whatever comes in.
#[derive(Default)]
pub(super) struct Shaper<'a> {
    ready: VecDeque<Event<'a>>,
    open: Vec<Open>,
    depth: usize,
    in_link: bool,
    /// An image's address until its alternative text turns out not to be empty.
    untitled: Option<CowStr<'a>>,
    columns: Vec<Alignment>,
    column: usize,
    in_head: bool,
    html: String,
    /// Of the headings that are still to come.
    names: VecDeque<String>,
    /// Where the link that is being opened may not lead.
    refused: Option<String>,
}

enum Open {
    /// By Markdown; `None` for what was left out.
    Markdown(Option<TagEnd>),
    /// A link that leads nowhere; its target is shown behind its text.
    Refused(String),
    Raw(&'static str),
}

impl<'a> Shaper<'a> {
    pub fn shape(
        events: impl Iterator<Item = Event<'a>>,
        names: VecDeque<String>,
    ) -> impl Iterator<Item = Event<'a>> {
        let (mut shaper, mut events) = (Self { names, ..Self::default() }, events.fuse());
        std::iter::from_fn(move || {
            while shaper.ready.is_empty() {
                let Some(event) = events.next() else {
                    shaper.close_raw(0);
                    break;
                };
                shaper.take(event);
            }
            shaper.ready.pop_front()
        })
    }

    fn take(&mut self, event: Event<'a>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Html(part) => self.html.push_str(&part),
            Event::InlineHtml(html) => self.take_raw(&html),
            Event::SoftBreak => self.put(Event::HardBreak),
            // A checkbox would need a label, and forms are stripped.
            Event::TaskListMarker(done) => self.put(Event::Text(if done { "☑ " } else { "☐ " }.into())),
            event => self.put(event),
        }
    }

    fn put(&mut self, event: Event<'a>) {
        self.untitled = None;
        self.ready.push_back(event);
    }

    fn start(&mut self, tag: Tag<'a>) {
        let name = matches!(tag, Tag::Heading { .. }).then(|| self.names.pop_front()).flatten();
        let tag = named(tag, name);
        let shaped = if self.depth < MAX_DEPTH { self.shaped(tag) } else { None };
        let end = shaped.as_ref().map(Tag::to_end);
        match shaped {
            Some(Tag::TableCell) => {
                let cell = self.cell();
                self.put(cell);
            }
            Some(tag) => self.ready.push_back(Event::Start(tag)),
            None => {}
        }
        self.depth += usize::from(end.is_some());
        self.open.push(self.refused.take().map_or(Open::Markdown(end), Open::Refused));
    }

    fn shaped(&mut self, tag: Tag<'a>) -> Option<Tag<'a>> {
        match &tag {
            Tag::Table(columns) => self.columns.clone_from(columns),
            Tag::TableHead | Tag::TableRow => {
                self.in_head = tag == Tag::TableHead;
                self.column = 0;
            }
            _ => {}
        }
        Some(match tag {
            Tag::Heading { level, id, .. } => {
                Tag::Heading { level: demoted(level), id, classes: Vec::new(), attrs: Vec::new() }
            }
            Tag::Image { dest_url, title, .. } => {
                let link = self.link(dest_url.clone(), title)?;
                self.untitled = Some(dest_url);
                link
            }
            Tag::Link { link_type: LinkType::Email, dest_url, title, .. } => {
                self.link(format!("mailto:{dest_url}").into(), title)?
            }
            Tag::Link { dest_url, title, .. } => self.link(dest_url, title)?,
            tag => tag,
        })
    }

    /// A link within a link, as an image within a link becomes, is left out.
    fn link(&mut self, dest_url: CowStr<'a>, title: CowStr<'a>) -> Option<Tag<'a>> {
        if !self.in_link && !target::is_allowed(&dest_url) {
            self.refused = Some(target::refused(&dest_url));
            return None;
        }
        if std::mem::replace(&mut self.in_link, true) {
            return None;
        }
        Some(Tag::Link { link_type: LinkType::Inline, dest_url, title, id: "".into() })
    }

    /// The writer aligns by inline styles, which the page's policy forbids.
    fn cell(&mut self) -> Event<'a> {
        let align = match self.columns.get(self.column).copied().unwrap_or(Alignment::None) {
            Alignment::None => "",
            Alignment::Left => " align=\"left\"",
            Alignment::Center => " align=\"center\"",
            Alignment::Right => " align=\"right\"",
        };
        self.column += 1;
        Event::Html(format!("<{}{align}>", self.cell_name()).into())
    }

    fn cell_name(&self) -> &'static str {
        if self.in_head { "th" } else { "td" }
    }

    fn end(&mut self, tag: TagEnd) {
        if tag == TagEnd::HtmlBlock {
            // The block's own tags may stay open: <details> ends in another block.
            if let Some(block) = self.open.iter().rposition(Open::is_markdown) {
                self.depth -= usize::from(matches!(self.open.remove(block), Open::Markdown(Some(_))));
            }
            let html = std::mem::take(&mut self.html);
            return self.take_raw(&html);
        }
        let block = self.open.iter().rposition(Open::is_markdown);
        self.close_raw(block.map_or(0, |block| block + 1));
        let end = match self.open.pop() {
            Some(Open::Markdown(Some(end))) => end,
            Some(Open::Refused(target)) => return self.put(Event::Text(target.into())),
            _ => return,
        };
        self.depth -= 1;
        if let Some(url) = self.untitled.take() {
            self.ready.push_back(Event::Text(url));
        }
        self.in_link &= end != TagEnd::Link;
        match end {
            TagEnd::TableCell => self.put(Event::Html(format!("</{}>", self.cell_name()).into())),
            end => self.put(Event::End(end)),
        }
    }

    /// Closes the raw elements above `level`.
    fn close_raw(&mut self, level: usize) {
        while self.open.len() > level {
            if let Some(Open::Raw(name)) = self.open.pop() {
                self.depth -= 1;
                self.in_link &= name != "a";
                self.put(Event::InlineHtml(format!("</{name}>").into()));
            }
        }
    }

    fn take_raw(&mut self, html: &str) {
        let pieces = raw::pieces(html);
        if pieces.is_empty() {
            // A tag without what makes it one, such as <a>.
            self.put(Event::Text(html.to_owned().into()));
        }
        for piece in pieces {
            match piece {
                Piece::Text(text) => self.put(Event::Text(text.into())),
                Piece::Break => self.put(Event::HardBreak),
                Piece::Rule => self.put(Event::Rule),
                Piece::Open { name, attribute } => self.open_raw(name, attribute),
                Piece::Close(name) => self.close(name),
                Piece::Link { href, .. } if !target::is_allowed(&href) => {
                    self.put(Event::Text(format!("<a href=\"{href}\">").into()));
                }
                Piece::Link { href, title } if !self.in_link && self.depth < MAX_DEPTH => {
                    self.start(Tag::Link {
                        link_type: LinkType::Inline,
                        dest_url: href.into(),
                        title: title.into(),
                        id: "".into(),
                    });
                    self.open.pop();
                    self.open.push(Open::Raw("a"));
                }
                Piece::Link { .. } => {}
                Piece::Image { src, alt } => self.image(src, alt),
            }
        }
    }

    fn image(&mut self, src: String, alt: String) {
        self.start(Tag::Image {
            link_type: LinkType::Inline,
            dest_url: src.into(),
            title: "".into(),
            id: "".into(),
        });
        if !alt.is_empty() {
            self.put(Event::Text(alt.into()));
        }
        self.end(TagEnd::Image);
    }

    fn open_raw(&mut self, name: &'static str, attribute: Option<(&'static str, String)>) {
        if self.depth >= MAX_DEPTH {
            return;
        }
        let attribute =
            attribute.map(|(name, value)| format!(" {name}=\"{}\"", escaped(&value))).unwrap_or_default();
        self.put(Event::InlineHtml(format!("<{name}{attribute}>").into()));
        self.open.push(Open::Raw(name));
        self.depth += 1;
    }

    /// An end tag closes what was opened by a tag in the same piece of Markdown, and nothing else.
    fn close(&mut self, name: &str) {
        let own = self.open.iter().rposition(Open::is_markdown).map_or(0, |block| block + 1);
        let opened = self.open[own..].iter().rposition(|open| matches!(open, Open::Raw(raw) if *raw == name));
        if let Some(offset) = opened {
            self.close_raw(own + offset);
        }
    }
}

impl Open {
    fn is_markdown(&self) -> bool {
        !matches!(self, Self::Raw(_))
    }
}

fn named(tag: Tag<'_>, name: Option<String>) -> Tag<'_> {
    match tag {
        Tag::Heading { level, classes, attrs, .. } => {
            let id = name.filter(|name| !name.is_empty()).map(CowStr::from);
            Tag::Heading { level, id, classes, attrs }
        }
        tag => tag,
    }
}

/// The page's title is its `h1`.
fn demoted(level: HeadingLevel) -> HeadingLevel {
    match level {
        HeadingLevel::H1 => HeadingLevel::H2,
        HeadingLevel::H2 => HeadingLevel::H3,
        HeadingLevel::H3 => HeadingLevel::H4,
        HeadingLevel::H4 => HeadingLevel::H5,
        HeadingLevel::H5 | HeadingLevel::H6 => HeadingLevel::H6,
    }
}

fn escaped(value: &str) -> String {
    value.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;")
}
