//! Plain data for the templates of the library.

use super::names::{Known, distinct};
use crate::identity::Viewer;
use crate::markdown;
use crate::resources::fold::{self, Highlight};
use crate::resources::listing::{Hit, Listing};
use crate::resources::{Resource, Visibility, normal_url};
use crate::timestamp::Timestamp;
use crate::web::forms::encode;
use crate::web::page_context::PageContext;

/// Characters of the excerpt in a row.
const EXCERPT: usize = 280;
/// Tags in a row; the others are in the entry.
pub const TAGS_SHOWN: usize = 3;

#[derive(Clone, Debug)]
pub struct TagLink {
    pub name: String,
    pub href: String,
}

impl TagLink {
    pub fn all(names: &[String]) -> Vec<Self> {
        names.iter().map(|name| Self { name: name.clone(), href: tag_href(name) }).collect()
    }
}

pub fn tag_href(name: &str) -> String {
    format!("/resources?tag={}", encode(name))
}

/// A time for machines and for people.
#[derive(Clone, Debug)]
pub struct At {
    pub iso: String,
    pub text: String,
}

impl From<Timestamp> for At {
    fn from(at: Timestamp) -> Self {
        Self { iso: at.html(), text: at.day() }
    }
}

impl At {
    /// With the time of day.
    pub fn moment(at: Timestamp) -> Self {
        Self { iso: at.html(), text: at.moment() }
    }
}

/// A resource in a list.
#[expect(clippy::struct_excessive_bools, reason = "the template asks each by itself")]
pub struct Row<'a> {
    pub resource: &'a Resource,
    /// The text of its links, unique on the page.
    pub name: String,
    /// Already escaped; matches are inside `<mark>`.
    pub title_html: String,
    /// Already escaped; empty for none.
    pub excerpt_html: String,
    pub host: Option<String>,
    pub tags: Vec<TagLink>,
    pub at: At,
    /// Where it is not private, as entries are by default.
    pub visibility: Option<Visibility>,
    /// The owner's name if that is not the viewer.
    pub by: Option<&'a str>,
    pub mine: bool,
    /// Whether it is in a list with a bar for several entries.
    pub can_be_picked: bool,
    pub icon: Option<String>,
    pub broken: Option<Broken>,
    /// Whether its owner waits for its title.
    pub is_fetching: bool,
    /// Whether it replaces the row whose title was being fetched.
    pub is_out_of_band: bool,
}

impl<'a> Row<'a> {
    /// The rows of one page.
    pub fn all(listing: &'a Listing, viewer: &Viewer) -> Vec<Self> {
        let hits = listing.hits.iter();
        let mut rows: Vec<Self> = hits.map(|hit| Self::from_hit(hit, viewer, &listing.highlights)).collect();
        let known = rows.iter().map(|row| Known {
            title: &row.resource.title,
            host: row.host.as_deref(),
            day: &row.at.text,
        });
        let names = distinct(&known.collect::<Vec<_>>());
        rows.iter_mut().zip(names).for_each(|(row, name)| row.name = name);
        rows
    }

    fn from_hit(hit: &'a Hit, viewer: &Viewer, highlights: &[Highlight]) -> Self {
        let body = &hit.resource.body;
        let excerpt_html = if highlights.is_empty() || body.is_empty() {
            fold::highlight(&hit.summary, &[])
        } else {
            fold::excerpt(&markdown::to_text(body), highlights, EXCERPT)
        };
        let title_html = fold::highlight(&hit.resource.title, highlights);
        Self::new(&hit.resource, viewer, title_html, excerpt_html)
    }

    pub fn from_resource(resource: &'a Resource, viewer: &Viewer) -> Self {
        let excerpt_html = fold::excerpt(&markdown::to_text(&resource.body), &[], EXCERPT);
        Self::new(resource, viewer, fold::highlight(&resource.title, &[]), excerpt_html)
    }

    fn new(resource: &'a Resource, viewer: &Viewer, title_html: String, excerpt_html: String) -> Self {
        let mine = resource.is_mine(viewer);
        Self {
            resource,
            name: format!("“{}”", resource.title),
            title_html,
            excerpt_html,
            host: resource.url.as_deref().map(host),
            tags: TagLink::all(&resource.tags.0),
            at: resource.created_at.into(),
            visibility: Some(resource.visibility).filter(|shared| *shared != Visibility::default()),
            by: (!mine).then_some(&resource.owner_name),
            mine,
            can_be_picked: false,
            icon: resource.icon(),
            broken: Broken::new(resource),
            is_fetching: mine && resource.is_fetching,
            is_out_of_band: false,
        }
    }
}

impl Row<'_> {
    pub const fn pin_word(&self) -> &'static str {
        if self.resource.pinned { "Unpin" } else { "Pin" }
    }

    pub const fn read_word(&self) -> &'static str {
        if self.resource.unread { "Mark as read" } else { "Read later" }
    }

    /// The end of the address that does so.
    pub const fn read_act(&self) -> &'static str {
        if self.resource.unread { "read" } else { "unread" }
    }

    /// The site that its title opens, if it does.
    pub fn opens(&self, context: &PageContext) -> Option<&str> {
        self.resource.url.as_deref().filter(|_| !context.preferences.title_opens_entry)
    }
}

/// A link that leads nowhere.
pub struct Broken {
    pub since: At,
    /// Where the Wayback Machine shows the page of the day on which the link was saved, or nearest to it.
    pub archive: String,
}

impl Broken {
    pub fn new(resource: &Resource) -> Option<Self> {
        let url = resource.url.as_deref()?;
        let day: String =
            resource.created_at.rfc3339().chars().take(10).filter(char::is_ascii_digit).collect();
        let archive = format!("https://web.archive.org/web/{day}/{url}");
        resource.broken_since.map(|since| Self { since: since.into(), archive })
    }
}

/// The entries of a list whose titles are being fetched, as its script asks for them.
#[derive(Default)]
pub struct Waiting {
    /// With commas between; empty for none.
    pub ids: String,
}

impl Waiting {
    /// In one question.
    pub const MOST: usize = 50;

    pub fn new(rows: &[Row]) -> Self {
        let waiting = rows.iter().filter(|row| row.is_fetching).take(Self::MOST);
        Self { ids: waiting.map(|row| row.resource.id.to_string()).collect::<Vec<_>>().join(",") }
    }
}

/// The host of a stored address, as people read it.
pub fn host(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let (name, port) = host.split_at(host.rfind(':').unwrap_or(host.len()));
    normal_url::host_shown(name.strip_prefix("www.").unwrap_or(name)) + port
}

#[derive(Clone, Debug)]
pub struct DiffLine {
    /// `same`, or the names of the two sides.
    pub kind: &'static str,
    pub text: String,
}

/// A text to compare, and what the page calls it.
pub struct Side<'a> {
    pub name: &'static str,
    pub text: &'a str,
}

/// Compares two texts line by line; empty when they are equal.
pub fn diff(first: &Side, second: &Side) -> Vec<DiffLine> {
    if first.text == second.text {
        return Vec::new();
    }
    let (first_text, second_text) = (format!("{}\n", first.text), format!("{}\n", second.text));
    similar::TextDiff::from_lines(&first_text, &second_text)
        .iter_all_changes()
        .map(|change| DiffLine {
            kind: match change.tag() {
                similar::ChangeTag::Equal => "same",
                similar::ChangeTag::Delete => first.name,
                similar::ChangeTag::Insert => second.name,
            },
            text: change.value().trim_end_matches('\n').to_owned(),
        })
        .collect()
}
