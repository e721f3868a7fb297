//! The library as one document: bookmarks in HTML, everything in JSON.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::io::{self, Write};

use askama::Template;
use serde::Serialize;
use uuid::Uuid;

use super::{ExportedResource, Library};
use crate::resources::resource::RevisionItem;
use crate::resources::{Resource, Visibility};

/// The generator tells coffer's import that descriptions are Markdown and that commas separate tags.
pub const HTML_HEAD: &str = "<!DOCTYPE NETSCAPE-Bookmark-file-1>
<META HTTP-EQUIV=\"Content-Type\" CONTENT=\"text/html; charset=UTF-8\">
<META NAME=\"generator\" CONTENT=\"coffer\">
<TITLE>Bookmarks</TITLE>
<H1>Bookmarks</H1>
<DL><p>
";

pub const HTML_END: &[u8] = b"</DL><p>\n";

#[derive(Template)]
#[template(path = "export/bookmarks.html")]
struct Bookmarks<'a> {
    links: Vec<Link<'a>>,
}

pub struct Link<'a> {
    url: Escaped<'a>,
    title: Escaped<'a>,
    body: Escaped<'a>,
    tags: Escaped<'a>,
    visibility: Visibility,
    unread: bool,
    added: i64,
    modified: i64,
}

impl<'a> Link<'a> {
    /// `None` for a note.
    pub fn new(resource: &'a Resource) -> Option<Self> {
        Some(Self {
            url: Escaped(resource.url.as_deref()?.into()),
            title: Escaped((&resource.title).into()),
            body: Escaped((&resource.body).into()),
            tags: Escaped(resource.tags.0.join(",").into()),
            visibility: resource.visibility,
            unread: resource.unread,
            added: resource.created_at.micros().div_euclid(1_000_000),
            modified: resource.updated_at.micros().div_euclid(1_000_000),
        })
    }
}

/// Escapes HTML with the five entities that every importer decodes; Chromium's decodes no others.
pub struct Escaped<'a>(pub Cow<'a, str>);

impl Escaped<'_> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = &*self.0;
        while let Some(at) = rest.find(['&', '<', '>', '"', '\'']) {
            f.write_str(&rest[..at])?;
            f.write_str(match rest.as_bytes()[at] {
                b'&' => "&amp;",
                b'<' => "&lt;",
                b'>' => "&gt;",
                b'"' => "&quot;",
                _ => "&#39;",
            })?;
            rest = &rest[at + 1..];
        }
        f.write_str(rest)
    }
}

/// Netscape bookmarks: the links that are not in the trash.
pub fn html(library: &Library, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(HTML_HEAD.as_bytes())?;
    library.each_batch(|batch| {
        let links = batch.iter().filter(|resource| resource.trashed_at.is_none()).filter_map(Link::new);
        write_links(links.collect(), out)
    })?;
    out.write_all(HTML_END)
}

pub fn write_links(links: Vec<Link<'_>>, out: &mut dyn Write) -> io::Result<()> {
    let rows = Bookmarks { links }.render().map_err(io::Error::other)?;
    out.write_all(rows.as_bytes())
}

/// Everything, one entry a line: `{"exported_at": …, "resources": […]}`.
pub fn json(library: &Library, out: &mut dyn Write) -> io::Result<()> {
    write_json(library, out, |_| Ok(None))
}

/// The same with all versions of each entry.
pub fn json_with_versions(library: &Library, out: &mut dyn Write) -> io::Result<()> {
    write_json(library, out, |batch| {
        let mut versions: HashMap<Uuid, Vec<RevisionItem>> = HashMap::new();
        for past in library.revisions(batch)? {
            versions.entry(past.resource_id).or_default().push(past.revision.into());
        }
        Ok(Some(versions))
    })
}

fn write_json(
    library: &Library,
    out: &mut dyn Write,
    versions_of: impl Fn(&[Resource]) -> io::Result<Option<HashMap<Uuid, Vec<RevisionItem>>>>,
) -> io::Result<()> {
    write!(out, "{{\"exported_at\": \"{}\", \"resources\": [", library.now())?;
    let mut list = List::new(out);
    library.each_batch(|batch| {
        let mut versions = versions_of(&batch)?;
        batch.iter().try_for_each(|resource| {
            let revisions = versions.as_mut().and_then(|versions| versions.remove(&resource.id));
            list.push(&ExportedResource { resource: resource.into(), revisions })
        })
    })?;
    out.write_all(b"\n]}\n")
}

/// The items of a JSON array, one a line.
struct List<'a> {
    out: &'a mut dyn Write,
    first: bool,
}

impl<'a> List<'a> {
    fn new(out: &'a mut dyn Write) -> Self {
        Self { out, first: true }
    }

    fn push(&mut self, item: &impl Serialize) -> io::Result<()> {
        self.out.write_all(if self.first { b"\n" } else { b",\n" })?;
        self.first = false;
        serde_json::to_writer(&mut *self.out, item).map_err(io::Error::other)
    }
}
