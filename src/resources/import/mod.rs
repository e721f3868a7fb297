//! Bookmarks files: every link in one is new, already kept, or refused with its line and the reason.

pub mod netscape;
pub mod pages;
pub(super) mod store;

use std::collections::HashSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use self::netscape::Entry;
use super::draft::{Checked, TITLE_LIMIT, url_key};
use super::{Draft, Kind, Resources, Visibility, tag};
use crate::cache::Scope;
use crate::db::Timestamp;
use crate::error::{Error, Result};
use crate::web::viewer::Viewer;

/// Links in one file; a larger one would hold up other people's writes for too long.
pub const MOST: usize = 50_000;
/// Rows that one statement writes.
pub(super) const BATCH: usize = 500;
/// Lines that a report keeps of each kind; it counts them all.
const REPORTED: usize = 500;

/// A bookmarks file as it was sent.
pub struct File<'a> {
    pub name: &'a str,
    pub bytes: Vec<u8>,
    pub visibility: Visibility,
}

/// What became of each link of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    pub file_name: String,
    pub new: usize,
    pub duplicate: usize,
    pub refused: usize,
    pub duplicates: Vec<Duplicate>,
    pub refusals: Vec<Refusal>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Duplicate {
    pub line: u64,
    pub title: String,
    /// The resource that holds the address.
    pub existing: Option<Uuid>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    pub line: u64,
    pub reason: String,
    /// The title or the address, as the file has it.
    pub text: String,
}

/// A link that keeps every rule.
pub(super) struct Ready {
    pub line: u64,
    pub id: Uuid,
    pub at: Timestamp,
    pub checked: Checked,
}

impl Resources {
    /// Brings a bookmarks file into the viewer's library, whole or not at all. `progress` hears how many
    /// links of how many are written.
    ///
    /// # Errors
    /// [`Error::Invalid`] at `file` when it is no bookmarks file or holds more than [`MOST`] links.
    pub async fn import(
        &self,
        viewer: &Viewer,
        file: File<'_>,
        mut progress: impl FnMut(usize, usize),
    ) -> Result<(Uuid, Report)> {
        let owner = viewer.signed_in()?.id;
        let name: String = file.name.chars().filter(|c| !c.is_control()).take(200).collect();
        let mut report = Report { file_name: name, ..Report::default() };
        let (ready, refusals) = self.read(file.bytes, file.visibility).await?;
        report.refused = refusals.len();
        report.refusals = refusals.into_iter().take(REPORTED).collect();

        let import_id = self.context.new_id();
        let mut tx = self.cache.begin_bulk().await?;
        store::begin(&mut tx, import_id, owner, &report.file_name, self.context.now()).await?;
        let total = ready.len();
        let mut written = HashSet::with_capacity(total);
        for batch in ready.chunks(BATCH) {
            written.extend(store::insert(&mut tx, import_id, owner, batch).await?);
            let fresh: Vec<&Ready> = batch.iter().filter(|ready| written.contains(&ready.id)).collect();
            store::tag(&mut tx, owner, &fresh, || self.context.new_id()).await?;
            progress(written.len(), total);
        }
        store::add_revisions(&mut tx, import_id, owner, self.context.now()).await?;
        report.new = written.len();
        report.duplicate = total - written.len();
        for ready in ready.iter().filter(|ready| !written.contains(&ready.id)).take(REPORTED) {
            let existing = match &ready.checked.url {
                Some(url) => store::holder(&mut tx, owner, &url_key(url)).await?,
                None => None,
            };
            report.duplicates.push(Duplicate {
                line: ready.line,
                title: ready.checked.title.clone(),
                existing,
            });
        }
        store::finish(&mut tx, import_id, &report).await?;
        tx.commit([Scope::User(owner), Scope::Shared]).await?;
        progress(total, total);
        Ok((import_id, report))
    }

    /// The report of one of the viewer's imports.
    pub async fn import_report(&self, viewer: &Viewer, id: Uuid) -> Result<Report> {
        let json = store::report(&self.db, viewer.signed_in()?.id, id).await?.ok_or(Error::NotFound)?;
        serde_json::from_str(&json).map_err(|e| Error::Internal(format!("import report: {e}")))
    }

    /// Parses and checks away from the async workers: a large file takes a while.
    async fn read(&self, bytes: Vec<u8>, visibility: Visibility) -> Result<(Vec<Ready>, Vec<Refusal>)> {
        let entries = tokio::task::spawn_blocking(move || netscape::parse(&bytes))
            .await
            .map_err(|e| Error::Internal(format!("reading a bookmarks file: {e}")))?
            .map_err(|e| Error::field("file", e.to_string()))?;
        if entries.len() > MOST {
            let message = format!(
                "This file has {} links; at most {MOST} can come in at once. Split it.",
                entries.len()
            );
            return Err(Error::field("file", message));
        }
        let (context, now) = (self.context.clone(), self.context.now());
        tokio::task::spawn_blocking(move || {
            let (mut ready, mut refusals) = (Vec::with_capacity(entries.len()), Vec::new());
            for (place, entry) in entries.into_iter().enumerate() {
                match draft_of(&entry, visibility).check() {
                    Ok(checked) => ready.push(Ready {
                        line: entry.line,
                        id: context.new_id(),
                        at: saved_at(&entry, now, place),
                        checked,
                    }),
                    Err(error) => refusals.push(refusal(&entry, &error)),
                }
            }
            (ready, refusals)
        })
        .await
        .map_err(|e| Error::Internal(format!("reading a bookmarks file: {e}")))
    }
}

fn draft_of(entry: &Entry, visibility: Visibility) -> Draft {
    let long = entry.title.chars().count() > TITLE_LIMIT;
    let title = if long {
        entry.title.chars().take(TITLE_LIMIT - 1).chain(['…']).collect()
    } else {
        entry.title.clone()
    };
    let body =
        if long { format!("{}\n\n{}", entry.title, entry.description) } else { entry.description.clone() };
    Draft {
        kind: Some(Kind::Link),
        title,
        url: Some(entry.href.clone()),
        body,
        tags: tags_of(entry),
        visibility,
        pinned: false,
    }
}

/// The folders as one slash tag, then the entry's own tags; what is no tag is cut to one.
fn tags_of(entry: &Entry) -> Vec<String> {
    let mut folders: Vec<String> = entry.folders.iter().map(|name| name.replace([',', '/'], " ")).collect();
    while folders.len() > 1 && folders.join("/").chars().count() > tag::MAX_LENGTH {
        folders.remove(0);
    }
    let mut seen = HashSet::new();
    std::iter::once(folders.join("/"))
        .chain(entry.tags.iter().cloned())
        .map(|name| name.chars().filter(|c| !c.is_control()).take(tag::MAX_LENGTH).collect::<String>())
        .filter(|name| tag::parse_one(name).is_ok_and(|tag| seen.insert(tag.folded)))
        .take(tag::MAX_TAGS)
        .collect()
}

/// The file's own date unless it lies ahead; links without one keep the file's order, the first being newest.
fn saved_at(entry: &Entry, now: Timestamp, place: usize) -> Timestamp {
    let undated = || now.minus(Duration::from_micros(place as u64));
    entry.added.and_then(Timestamp::from_seconds).filter(|at| *at <= now).unwrap_or_else(undated)
}

fn refusal(entry: &Entry, error: &Error) -> Refusal {
    let reason = match error {
        Error::Invalid(errors) => errors.iter().map(|(_, message)| message).collect::<Vec<_>>().join(" "),
        error => error.message().into_owned(),
    };
    let text = if entry.title.trim().is_empty() { &entry.href } else { &entry.title };
    Refusal { line: entry.line, reason, text: text.chars().take(200).collect() }
}
