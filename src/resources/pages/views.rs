//! What the library's templates print: plain, owned data.

use serde::Deserialize;

use super::names::{Known, distinct};
use crate::db::Timestamp;
use crate::error::FieldErrors;
use crate::resources::draft::split_tags;
use crate::resources::fold::{self, Needle};
use crate::resources::listing::{Hit, Listing};
use crate::resources::{Change, Draft, Kind, Resource, Visibility, markdown, normal_url};
use crate::web::forms::encode;
use crate::web::viewer::Viewer;

/// Characters of a text that a row shows around what was searched for.
const EXCERPT: usize = 280;

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

/// A moment for machines and for people.
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

/// A resource in a list.
pub struct Row {
    pub id: String,
    pub href: String,
    pub title: String,
    /// What its links are called: no two on a page alike.
    pub name: String,
    /// Escaped already; matches inside `<mark>`.
    pub title_html: String,
    /// Escaped already; empty for none.
    pub excerpt_html: String,
    pub url: Option<String>,
    pub host: Option<String>,
    pub tags: Vec<TagLink>,
    pub visibility: &'static str,
    pub pinned: bool,
    pub at: At,
    /// The owner's name when it is somebody else's.
    pub by: Option<String>,
    pub mine: bool,
}

impl Row {
    fn of_hit(hit: &Hit, viewer: &Viewer, needles: &[Needle]) -> Self {
        let body = &hit.resource.body;
        let excerpt_html = if needles.is_empty() || body.is_empty() {
            fold::highlight(&hit.summary, &[])
        } else {
            fold::excerpt(&markdown::to_text(body), needles, EXCERPT)
        };
        Self::new(&hit.resource, viewer, needles, excerpt_html)
    }

    /// The rows of one page.
    pub fn all(listing: &Listing, viewer: &Viewer) -> Vec<Self> {
        let hits = listing.hits.iter();
        let mut rows: Vec<Self> = hits.map(|hit| Self::of_hit(hit, viewer, &listing.needles)).collect();
        let known =
            rows.iter().map(|row| Known { title: &row.title, host: row.host.as_deref(), day: &row.at.text });
        let names = distinct(&known.collect::<Vec<_>>());
        rows.iter_mut().zip(names).for_each(|(row, name)| row.name = name);
        rows
    }

    pub fn of(resource: &Resource, viewer: &Viewer) -> Self {
        let excerpt_html = fold::excerpt(&markdown::to_text(&resource.body), &[], EXCERPT);
        Self::new(resource, viewer, &[], excerpt_html)
    }

    fn new(resource: &Resource, viewer: &Viewer, needles: &[Needle], excerpt_html: String) -> Self {
        let mine = resource.is_mine(viewer);
        Self {
            id: resource.id.to_string(),
            href: format!("/resources/{}", resource.id),
            title: resource.title.clone(),
            name: format!("“{}”", resource.title),
            title_html: fold::highlight(&resource.title, needles),
            excerpt_html,
            host: resource.url.as_deref().map(host),
            url: resource.url.clone(),
            tags: TagLink::all(&resource.tags.0),
            visibility: resource.visibility.as_str(),
            pinned: resource.pinned,
            at: resource.created_at.into(),
            by: (!mine).then(|| resource.owner_name.clone()),
            mine,
        }
    }
}

/// The host of a stored address, as a person would say it.
pub fn host(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let (name, port) = host.split_at(host.rfind(':').unwrap_or(host.len()));
    normal_url::host_shown(name.strip_prefix("www.").unwrap_or(name)) + port
}

/// A resource's form as the browser sends it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct EntryForm {
    pub kind: String,
    pub title: String,
    pub url: String,
    pub body: String,
    pub tags: String,
    pub visibility: String,
    pub version: String,
}

impl EntryForm {
    pub fn read_version(&self) -> Option<i64> {
        self.version.parse().ok()
    }

    pub fn draft(&self) -> Result<Draft, FieldErrors> {
        let kind = if self.kind == "note" || (self.kind.is_empty() && self.url.trim().is_empty()) {
            Kind::Note
        } else {
            Kind::Link
        };
        Ok(Draft {
            kind: Some(kind),
            title: self.title.clone(),
            url: (kind == Kind::Link).then(|| self.url.clone()),
            body: self.body.clone(),
            tags: split_tags(&self.tags),
            visibility: self.visibility()?,
            pinned: false,
        })
    }

    pub fn change(&self, kind: Kind) -> Result<Change, FieldErrors> {
        Ok(Change {
            title: Some(self.title.clone()),
            url: (kind == Kind::Link).then(|| self.url.clone()),
            body: Some(self.body.clone()),
            tags: Some(split_tags(&self.tags)),
            visibility: Some(self.visibility()?),
            pinned: None,
        })
    }

    /// Only what a row's own form holds.
    pub fn details(&self) -> Result<Change, FieldErrors> {
        Ok(Change { url: None, body: None, ..self.change(Kind::Note)? })
    }

    fn visibility(&self) -> Result<Visibility, FieldErrors> {
        let read = if self.visibility.is_empty() {
            Some(Visibility::default())
        } else {
            Visibility::read(&self.visibility)
        };
        read.ok_or_else(|| {
            let mut errors = FieldErrors::default();
            errors.add("visibility", "Choose who may see it: private, members or public.");
            errors
        })
    }
}

/// A resource's form as the page shows it.
#[derive(Clone, Debug)]
pub struct Fields {
    pub kind: String,
    pub title: String,
    pub url: String,
    pub body: String,
    pub tags: String,
    pub visibility: String,
    /// `None` for a new resource.
    pub version: Option<i64>,
}

impl From<EntryForm> for Fields {
    fn from(form: EntryForm) -> Self {
        let version = form.read_version();
        let kind = if form.kind.is_empty() { "link".to_owned() } else { form.kind };
        let visibility = if form.visibility.is_empty() { "private".to_owned() } else { form.visibility };
        Self { kind, title: form.title, url: form.url, body: form.body, tags: form.tags, visibility, version }
    }
}

impl From<&Resource> for Fields {
    fn from(resource: &Resource) -> Self {
        Self {
            kind: resource.kind.as_str().to_owned(),
            title: resource.title.clone(),
            url: resource.url.clone().unwrap_or_default(),
            body: resource.body.clone(),
            tags: resource.tags.0.join(", "),
            visibility: resource.visibility.as_str().to_owned(),
            version: Some(resource.version),
        }
    }
}

/// A line of a comparison.
#[derive(Clone, Debug)]
pub struct DiffLine {
    /// `same`, or the names of the two sides.
    pub kind: &'static str,
    pub text: String,
}

/// Line by line, what only the first and only the second text holds; empty when they are the same.
pub fn diff(first: (&'static str, &str), second: (&'static str, &str)) -> Vec<DiffLine> {
    if first.1 == second.1 {
        return Vec::new();
    }
    similar::TextDiff::from_lines(first.1, second.1)
        .iter_all_changes()
        .map(|change| DiffLine {
            kind: match change.tag() {
                similar::ChangeTag::Equal => "same",
                similar::ChangeTag::Delete => first.0,
                similar::ChangeTag::Insert => second.0,
            },
            text: change.value().trim_end_matches('\n').to_owned(),
        })
        .collect()
}
