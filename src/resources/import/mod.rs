//! Files of links and notes: every one in them is new, already kept, or refused with its line and the reason.

pub mod api;
pub mod batch;
mod batch_store;
mod formats;
mod known;
mod labels;
pub mod netscape;
pub mod pages;
mod prepare;
mod report;
pub(super) mod store;
#[cfg(test)]
mod tests;
mod thrown_away;

use std::collections::{HashMap, HashSet};

use encoding_rs::Encoding;
use uuid::Uuid;

use self::batch::State;
use self::known::{Known, Merging};
use self::netscape::FileError;
use self::prepare::{Preparation, Prepared};
pub use self::report::Report;
use self::store::{Holding, NewImport};
use super::bulk::{self, BulkChange};
use super::draft::{Checked, url_key};
use super::{Resources, Visibility, cached, tag};
use crate::cache::{Scope, Write};
use crate::error::{Error, Result};
use crate::identity::Viewer;
use crate::timestamp::Timestamp;

/// Links in one file; a larger one would hold up other people's writes for too long.
pub const MOST: usize = 50_000;
/// Rows that one statement writes.
pub(super) const BATCH: usize = 500;
/// Changed resources that a commit names one by one.
const NAMED: usize = 200;

/// A bookmarks file as it was sent.
pub struct File<'a> {
    pub name: &'a str,
    pub bytes: Vec<u8>,
    /// The most that others may see of what comes in; what the file marks as private stays private.
    pub visibility: Visibility,
    /// In which encoding to read it; `None` for what the file says.
    pub charset: Option<&'static Encoding>,
}

/// A link that keeps every rule.
pub(super) struct Ready {
    pub line: u64,
    pub id: Uuid,
    pub created: Timestamp,
    pub updated: Timestamp,
    pub checked: Checked,
}

/// What is about to come in.
struct Incoming {
    id: Uuid,
    owner: Uuid,
    now: Timestamp,
    prepared: Prepared,
    report: Report,
}

impl Incoming {
    fn row(&self, state: State) -> NewImport<'_> {
        NewImport { id: self.id, owner: self.owner, file_name: &self.report.file_name, state, now: self.now }
    }
}

impl Resources {
    /// Brings a bookmarks file into the viewer's library, whole or not at all. `progress` hears how many
    /// links of how many are written.
    ///
    /// # Errors
    /// [`Error::Invalid`] at `file` when it is no bookmarks file or holds more than [`MOST`] links, at `charset`
    /// when it has to be told how to read it.
    pub async fn import(
        &self,
        viewer: &Viewer,
        file: File<'_>,
        mut progress: impl FnMut(usize, usize),
    ) -> Result<(Uuid, Report)> {
        let owner = viewer.signed_in()?.id;
        let mut incoming = self.incoming(owner, self.context.new_id(), file).await?;
        let total = incoming.prepared.ready.len();
        let mut tx = self.cache.begin_bulk().await?;
        store::begin(&mut tx, &incoming.row(State::Committed)).await?;
        let touched = self.bring_in(&mut tx, &mut incoming, &mut progress).await?;
        store::finish(&mut tx, incoming.id, &incoming.report).await?;
        tx.commit(touched).await?;
        progress(total, total);
        Ok((incoming.id, incoming.report))
    }

    async fn incoming(&self, owner: Uuid, id: Uuid, file: File<'_>) -> Result<Incoming> {
        let name: String = file.name.chars().filter(|c| !c.is_control()).take(200).collect();
        let mut report = Report { file_name: name, ..Report::default() };
        let prepared = self.read(file, &mut report).await?;
        Ok(Incoming { id, owner, now: self.context.now(), prepared, report })
    }

    /// Writes everything, and completes the report. Returns what the cache has to forget.
    async fn bring_in(
        &self,
        tx: &mut Write,
        incoming: &mut Incoming,
        mut progress: impl FnMut(usize, usize),
    ) -> Result<Vec<Scope>> {
        let Incoming { id: import_id, owner, now, prepared, report } = incoming;
        let (import_id, owner, now) = (*import_id, *owner, *now);
        let mut prepared = std::mem::take(prepared);
        // What it gives to entries that are there already is a change of many entries, whose undo takes it back.
        let merges = BulkChange::AddTags(Vec::new());
        bulk::store::begin_done(tx, import_id, owner, &merges, now).await?;
        let thrown_away = prepared.without_thrown_away(tx, owner).await?;
        let total = prepared.ready.len();
        let mut outcome = Outcome::default();
        for batch in prepared.ready.chunks(BATCH) {
            let mut import = Batch { tx, import_id, owner, now };
            import.write(self, batch, &mut outcome).await?;
            store::refresh_statistics(tx).await?;
            progress(outcome.written.len() + outcome.known.duplicates.len(), total);
        }
        store::add_revisions(tx, import_id, owner, now).await?;
        report.new = outcome.written.len();
        let changed = std::mem::take(&mut outcome.known.changed);
        outcome.tell(prepared, report);
        report.list_thrown_away(thrown_away);
        Ok(touched(owner, &changed))
    }

    /// Parses and checks away from the async workers: a large file takes a while.
    async fn read(&self, file: File<'_>, report: &mut Report) -> Result<Prepared> {
        let (bytes, charset, visibility) = (file.bytes, file.charset, file.visibility);
        let bookmarks = tokio::task::spawn_blocking(move || formats::parse(&bytes, charset))
            .await
            .map_err(|e| Error::Internal(format!("reading a bookmarks file: {e}")))?
            .map_err(|e| Error::field(field_of(e), e.to_string()))?;
        let links = bookmarks.entries.len();
        if links > MOST {
            let message = format!(
                "This file has {links} links; at most {MOST} can be imported at once. Split it into smaller files."
            );
            return Err(Error::field("file", message));
        }
        report.unreadable = bookmarks.unreadable;
        report.charset = (bookmarks.unreadable > 0).then(|| bookmarks.charset.to_owned());
        let (context, now) = (self.context.clone(), self.context.now());
        tokio::task::spawn_blocking(move || {
            Preparation { context: &context, now, visibility }.prepare(&bookmarks)
        })
        .await
        .map_err(|e| Error::Internal(format!("reading a bookmarks file: {e}")))
    }
}

/// What became of the links so far.
#[derive(Default)]
struct Outcome {
    written: HashSet<Uuid>,
    known: Known,
    /// Links that are known, and the resources that hold them.
    held_by: HashMap<Uuid, Option<Uuid>>,
}

impl Outcome {
    fn take(&mut self, batch: &[&Ready], known: Known) {
        let holders = known.duplicates.iter().map(|duplicate| duplicate.existing);
        self.held_by.extend(batch.iter().map(|ready| ready.id).zip(holders));
        self.known.duplicates.extend(known.duplicates);
        self.known.shortenings.extend(known.shortenings);
        self.known.changed.extend(known.changed);
    }

    fn tell(self, prepared: Prepared, report: &mut Report) {
        let mut duplicates = self.known.duplicates;
        duplicates.extend(prepared.duplicates.into_iter().map(|mut twin| {
            if let Some(holder) = twin.existing.and_then(|first| self.held_by.get(&first)) {
                twin.existing = *holder;
                // Its tags came to the holder with those of the first.
                twin.added.clear();
            }
            twin
        }));
        let mut shortenings = prepared.shortenings;
        shortenings.extend(self.known.shortenings);
        report.list(duplicates, shortenings, prepared.refusals);
    }
}

/// One batch's part of the transaction.
struct Batch<'a> {
    tx: &'a mut Write,
    import_id: Uuid,
    owner: Uuid,
    now: Timestamp,
}

impl Batch<'_> {
    /// Writes what is new, and gives what is known the tags that are new.
    async fn write(&mut self, resources: &Resources, batch: &[Ready], outcome: &mut Outcome) -> Result<()> {
        let (mut same, mut notes, mut others) = (Vec::new(), Vec::new(), Vec::new());
        for ready in batch {
            let note = match &ready.checked.url {
                Some(_) => None,
                None => store::same_note(self.tx, self.owner, &ready.checked).await?,
            };
            match note {
                Some(id) => {
                    same.push(id);
                    notes.push(ready);
                }
                None => others.push(ready),
            }
        }
        let written: HashSet<Uuid> =
            store::insert(self.tx, self.import_id, self.owner, &others).await?.into_iter().collect();
        let (new, links): (Vec<&Ready>, Vec<&Ready>) =
            others.into_iter().partition(|ready| written.contains(&ready.id));
        let taggings: Vec<_> = new.into_iter().map(Into::into).collect();
        store::tag(self.tx, self.owner, &taggings, || resources.context.new_id()).await?;
        outcome.written.extend(written);
        let keys: Vec<Vec<u8>> =
            links.iter().filter_map(|ready| ready.checked.url.as_ref()).map(url_key).collect();
        for (known, holding) in [(links, Holding::Addresses(&keys)), (notes, Holding::Notes(&same))] {
            if !known.is_empty() {
                let Self { tx, import_id, owner, now } = self;
                let mut merging = Merging { tx, import_id: *import_id, owner: *owner, now: *now };
                let merged = merging.merge(&known, holding, || resources.context.new_id()).await?;
                outcome.take(&known, merged);
            }
        }
        Ok(())
    }
}

fn touched(owner: Uuid, changed: &[Uuid]) -> Vec<Scope> {
    let mut scopes = vec![Scope::User(owner), Scope::Shared];
    if changed.len() > NAMED {
        scopes.push(Scope::All);
    } else {
        scopes.extend(changed.iter().map(|id| cached::scope(*id)));
    }
    scopes
}

const fn field_of(error: FileError) -> &'static str {
    if matches!(error, FileError::Charset { .. }) { "charset" } else { "file" }
}

/// A sentence on the tags for which there is no room.
fn tag_count(left_out: &[String]) -> String {
    format!("An entry can have at most {} tags. Left out: {}.", tag::MAX_TAGS, left_out.join(", "))
}
