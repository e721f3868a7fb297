//! A ZIP of Markdown files: coffer's own export, or the notes of a program such as Obsidian. Omnivore's is read as JSON.
//!
//! The names of the files are read and never used as paths, and what the archive unpacks to is bounded.

use std::io::{Cursor, Read as _};
use std::ops::ControlFlow;

use netscape_bookmarks::{Decoded, decode};
use serde_json::Value;
use zip::ZipArchive;
use zip::read::ZipFile;

use super::field_names::is_address;
use super::record::Record;
use super::{Entries, File, FileError, Found, front_matter, json, omnivore};
use crate::resources::import::entry::Entry;

/// What one file may unpack to; the longest note is shorter.
pub const MOST_OF_ONE: u64 = 1 << 20;
/// The whole library with its older versions, in coffer’s archive of an account.
const LIBRARY: &str = "library.json";
/// With a longer one, the entries come from their own files.
pub const MOST_OF_LIBRARY: u64 = 32 << 20;
/// What all may unpack to.
const MOST_OF_ALL: u64 = 128 << 20;
const MOST_FILES: usize = 200_000;
/// Files by which an archive is known to be something else.
const OFFICE: [&str; 3] = ["[Content_Types].xml", "mimetype", "META-INF/MANIFEST.MF"];

pub fn is_zip(bytes: &[u8]) -> bool {
    matches!(bytes, [b'P', b'K', 3 | 5, 4 | 6, ..])
}

/// The Markdown files of an archive.
#[derive(Debug)]
pub struct Pages<'a> {
    bytes: &'a [u8],
    /// The places of those that hold an entry.
    numbers: Vec<usize>,
}

pub type Archive<'a> = ZipArchive<Cursor<&'a [u8]>>;

/// # Errors
/// What the archive is, when there are no Markdown files in it, and why it can't be unpacked.
pub fn parse(bytes: &[u8]) -> Result<File<'_>, FileError> {
    let mut archive = ZipArchive::new(Cursor::new(bytes))
        .map_err(|_| FileError::Archive("it is damaged. Download it again"))?;
    if archive.len() > MOST_FILES {
        return Err(FileError::Archive("it has more than 200,000 files. Split it into smaller archives"));
    }
    if archive.file_names().flatten().any(|name| OFFICE.contains(&&*name)) {
        return Err(super::sniff::document());
    }
    if let Some(file) = library(&mut archive) {
        return Ok(file);
    }
    if let Some(text) = omnivore::parse(&mut archive)? {
        let found = json::parse(&text).ok_or_else(super::sniff::archive)?;
        return Ok(file(Found { format: "Omnivore’s export (ZIP)", ..found }, text));
    }
    let (mut numbers, mut own, mut left) = (Vec::new(), 0, MOST_OF_ALL);
    for number in 0..archive.len() {
        let Some(page) = page(&mut archive, number, left)? else { continue };
        left = left.saturating_sub(page.text.len() as u64);
        if page.entry().is_some() {
            numbers.push(number);
            own += usize::from(page.is_own());
        }
    }
    if numbers.is_empty() {
        return Err(super::sniff::archive());
    }
    let is_own = own == numbers.len();
    let pages = Entries::Archive(Pages { bytes, numbers });
    Ok(file(Found { is_own, ..Found::new("a ZIP of Markdown files", pages) }, String::new()))
}

fn file(found: Found<'_>, text: String) -> File<'_> {
    File { found, text: text.into(), charset: "UTF-8", unreadable: 0 }
}

fn library<'a>(archive: &mut Archive<'_>) -> Option<File<'a>> {
    let text = unpack(archive.by_name(LIBRARY).ok()?, MOST_OF_LIBRARY).ok()?;
    let found = json::parse(&text).filter(|found| found.is_own)?;
    Some(file(Found { format: "coffer’s archive of an account", ..found }, text))
}

impl Pages<'_> {
    pub fn each(&self, take: &mut impl FnMut(Entry) -> ControlFlow<()>) -> ControlFlow<()> {
        let Ok(mut archive) = ZipArchive::new(Cursor::new(self.bytes)) else {
            return ControlFlow::Continue(());
        };
        let read = |number: &usize| page(&mut archive, *number, MOST_OF_ONE).ok().flatten()?.entry();
        self.numbers.iter().filter_map(read).try_for_each(take)
    }
}

/// `None` for what is no Markdown file.
fn page(archive: &mut Archive<'_>, number: usize, limit: u64) -> Result<Option<Page>, FileError> {
    let file = archive.by_index(number);
    let file = file.map_err(|_| FileError::Archive("a file in it is encrypted or damaged"))?;
    let Some(name) = Name::parse(&file) else { return Ok(None) };
    let text = unpack(file, MOST_OF_ONE.min(limit))?;
    Ok(Some(Page { number: number as u64 + 1, text, name }))
}

pub fn unpack(file: ZipFile<'_, Cursor<&[u8]>>, limit: u64) -> Result<String, FileError> {
    let mut bytes = Vec::new();
    file.take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(|_| FileError::Archive("a file in it is damaged. Download it again"))?;
    if bytes.len() as u64 > limit {
        return Err(FileError::Archive(
            "it unpacks to more than 128 MiB, or a file in it to more than 1 MiB",
        ));
    }
    let Decoded { text, .. } = decode(&bytes, None);
    Ok(text.into_owned())
}

/// Where a Markdown file is in an archive.
struct Name {
    folders: Vec<String>,
    /// Without its ending.
    title: String,
}

impl Name {
    /// `None` for what is no Markdown file, or belongs to a program.
    fn parse(file: &ZipFile<'_, Cursor<&[u8]>>) -> Option<Self> {
        let name = file.name().ok()?.replace('\\', "/");
        let parts: Vec<&str> = name.split('/').filter(|part| !part.is_empty() && *part != "..").collect();
        let (last, folders) = parts.split_last()?;
        let is_hidden = parts.iter().any(|part| part.starts_with('.') || *part == "__MACOSX");
        let (title, ending) = last.rsplit_once('.')?;
        let is_markdown = ["md", "markdown"].iter().any(|known| ending.eq_ignore_ascii_case(known));
        let folders = folders.iter().map(|part| (*part).to_owned()).collect();
        (file.is_file() && is_markdown && !is_hidden).then(|| Self { folders, title: title.to_owned() })
    }
}

struct Page {
    number: u64,
    name: Name,
    text: String,
}

impl Page {
    /// Whether coffer wrote it.
    fn is_own(&self) -> bool {
        let (fields, _) = front_matter::split(&self.text);
        let has = |name| fields.iter().any(|field| field.name == name);
        ["id", "title", "tags", "visibility", "pinned", "created", "updated"].into_iter().all(has)
    }

    fn entry(&self) -> Option<Entry> {
        let is_own = self.is_own();
        let (fields, body) = front_matter::split(&self.text);
        let has = |name: &str| fields.iter().any(|field| field.name == name);
        let (has_title, has_address) = (has("title"), fields.iter().any(|field| is_address(&field.name)));
        let title = (!has_title).then(|| ("title".to_owned(), Value::String(self.name.title.clone())));
        let fields = fields.into_iter().map(|field| {
            // Where Obsidian's Web Clipper keeps the address.
            let name = if field.name == "source" && !has_address { "url".to_owned() } else { field.name };
            (name, field.value)
        });
        let body = if is_own { body.strip_suffix('\n').unwrap_or(body) } else { body.trim() };
        let body_field = ("body".to_owned(), Value::String(body.to_owned()));
        let record = Record::new(fields.chain(title).chain([body_field])).of_coffer(is_own);
        let mut entry = record.entry(self.number)?;
        entry.is_note = entry.href.is_empty();
        if is_own {
            entry.is_trashed = self.name.folders.last().is_some_and(|folder| folder == "trash");
            return Some(entry);
        }
        entry.folders.clone_from(&self.name.folders);
        Some(entry)
    }
}
