//! An import as one batch: looked at first, brought in, and taken back as a whole.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::body::Bytes;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::choices::Choices;
use super::plan::Plan;
use super::reading::{Reading, Task};
use super::store::imports::{self, Advance, ImportRow, NewImport};
use super::store::{self, Earlier};
use super::{File, Report};
use crate::cache::Scope;
use crate::error::{Error, Result};
use crate::identity::Viewer;
use crate::named::named;
use crate::resources::Resources;
use crate::resources::bulk::{self, BulkChange};
use crate::resources::tag;

/// For this long an import can be committed or undone.
pub const KEPT_FOR: Duration = Duration::from_hours(30 * 24);
/// Entries that an undone import names because it left them alone.
pub const NAMED: i64 = 500;
const NAMED_TAGS: usize = 500;

named! {
    #[derive(Serialize, ToSchema)]
    #[serde(rename_all = "lowercase")]
    #[schema(as = ImportState)]
    pub enum State {
        /// Nothing has come in yet.
        Previewed = "previewed",
        /// Some of it is in; the rest follows.
        Importing = "importing",
        Committed = "committed",
        Undoing = "undoing",
        Undone = "undone",
    }
}

impl State {
    /// Whether work on it goes on.
    pub const fn is_running(self) -> bool {
        matches!(self, Self::Importing | Self::Undoing)
    }

    pub const fn can_be_undone(self) -> bool {
        matches!(self, Self::Importing | Self::Committed)
    }
}

#[derive(Clone, Debug)]
pub struct Import {
    pub id: Uuid,
    pub state: State,
    /// What came in, or will.
    pub report: Report,
    pub choices: Choices,
    /// Entries of the file.
    pub total: i64,
    /// Those of them that are dealt with.
    pub done: i64,
    /// Entries that the undo left alone because they were changed since.
    pub kept: Vec<KeptEntry>,
    /// Whether it can still be committed, or undone.
    pub is_open: bool,
}

#[derive(Clone, Debug, Serialize, ToSchema, sqlx::FromRow)]
pub struct KeptEntry {
    pub id: Uuid,
    pub title: String,
}

impl Resources {
    /// What a file would bring in. Nothing comes in before [`Resources::begin_import`].
    ///
    /// # Errors
    /// [`Error::Invalid`] at `file`, `charset` or `columns`, as the file is none that coffer reads, has too many links, or has
    /// no such columns.
    pub async fn preview_import(&self, viewer: &Viewer, file: File<'_>) -> Result<Uuid> {
        let owner = viewer.signed_in()?.id;
        let bytes = file.bytes;
        let report = Report::of_file(file.name);
        let (report, total) = self.plan_import(owner, &bytes, &file.choices, report).await?;
        self.keep_import(owner, &bytes, NewFile { choices: &file.choices, report: &report, total }).await
    }

    /// Previews the same file with other choices.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::WrongState`] when it is committed already; those of [`Resources::preview_import`].
    pub async fn choose_for_import(&self, viewer: &Viewer, id: Uuid, choices: &Choices) -> Result<()> {
        let owner = viewer.signed_in()?.id;
        let import = self.find_import(viewer, id).await?;
        if import.state != State::Previewed {
            return Err(Error::WrongState("This import is committed already."));
        }
        let bytes = Bytes::from(imports::kept_file(&self.db, id).await?);
        let report = Report::of_file(&import.report.file_name);
        let (report, _) = self.plan_import(owner, &bytes, choices, report).await?;
        let mut tx = self.cache.begin().await?;
        let [choices, report] =
            [serde_json::to_string(choices), serde_json::to_string(&report)].map(Result::unwrap_or_default);
        if !imports::choose(&mut tx, id, &choices, &report).await? {
            return Err(Error::WrongState("This import is committed already."));
        }
        Ok(tx.commit([Scope::User(owner)]).await?)
    }

    /// Begins to bring in what was previewed; [`Resources::run_import`] carries it out, as the library stands then.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::WrongState`] when it is committed already, or older than [`KEPT_FOR`].
    pub async fn begin_import(&self, viewer: &Viewer, id: Uuid) -> Result<()> {
        let import = self.find_import(viewer, id).await?;
        if import.state != State::Previewed {
            return Err(Error::WrongState("This import is committed already."));
        }
        if !import.is_open {
            return Err(Error::WrongState(
                "This preview is older than 30 days. Preview the file again to commit it.",
            ));
        }
        let (owner, now) = (viewer.signed_in()?.id, self.context.now());
        let mut tx = self.cache.begin().await?;
        let advance = Advance { from: State::Previewed, to: State::Importing, now };
        if !imports::advance(&mut tx, id, advance).await? {
            return Err(Error::WrongState("This import is committed already."));
        }
        imports::set_beginning(&mut tx, id, now).await?;
        // What it gives to entries that are there already is a change of many entries, whose undo takes it back.
        let merges = BulkChange::AddTags(Vec::new());
        bulk::store::begin_done(&mut tx, id, owner, &merges, now).await?;
        imports::set_report(&mut tx, id, &import.report.emptied()).await?;
        Ok(tx.commit([Scope::User(owner)]).await?)
    }

    /// # Errors
    /// [`Error::NotFound`] when it is not the viewer's.
    pub async fn find_import(&self, viewer: &Viewer, id: Uuid) -> Result<Import> {
        let owner = viewer.signed_in()?.id;
        let row = imports::find(&self.db, id).await?;
        let row = row.filter(|row| row.owner_id == owner).ok_or(Error::NotFound)?;
        let (report, choices) = (row.report()?, row.choices()?);
        let ImportRow { state, total, done, created_at, .. } = row;
        let kept = match state {
            State::Undone => imports::kept_entries(&self.db, id, NAMED).await?,
            _ => Vec::new(),
        };
        let is_open = created_at.plus(KEPT_FOR) > self.context.now();
        Ok(Import { id, state, report, choices, total, done, kept, is_open })
    }

    /// Forgets previews that were not committed for [`KEPT_FOR`], and files of imports that are done.
    pub async fn forget_previews(&self) -> Result<()> {
        Ok(imports::forget(&self.db, self.context.now().minus(KEPT_FOR)).await?)
    }

    /// Keeps a file until its import is committed. Returns the import's id.
    pub(super) async fn keep_import(&self, owner: Uuid, bytes: &[u8], file: NewFile<'_>) -> Result<Uuid> {
        let NewFile { choices, report, total } = file;
        let (id, now) = (self.context.new_id(), self.context.now());
        let row = NewImport {
            id,
            owner,
            file_name: &report.file_name,
            state: State::Previewed,
            choices,
            total,
            now,
        };
        let mut tx = self.cache.begin().await?;
        imports::begin(&mut tx, &row).await?;
        imports::set_report(&mut tx, id, report).await?;
        tx.commit([Scope::User(owner)]).await?;
        imports::keep_file(&self.db, id, bytes).await?;
        Ok(id)
    }

    /// What the file would do to the library as it stands now, and how many entries it has.
    async fn plan_import(
        &self,
        owner: Uuid,
        bytes: &Bytes,
        choices: &Choices,
        mut report: Report,
    ) -> Result<(Report, usize)> {
        let preparation = self.preparation(self.context.now(), choices.clone());
        let mut reading = Reading::start(Task { bytes: bytes.clone(), preparation, skip: 0 }).await?;
        report.describe(&reading.overview);
        let mut tags = BTreeMap::new();
        while let Some(mut slice) = reading.next().await {
            report.take_slice(&mut slice);
            // Nothing is written; dropped, it rolls back.
            let mut trial = self.cache.begin_bulk().await?;
            let earlier = Earlier { owner, import: Uuid::nil() };
            let plan = Plan::new(&mut trial, earlier, slice.ready.iter().collect()).await?;
            drop(trial);
            for tag in plan.tags() {
                tags.entry(tag.folded.clone()).or_insert_with(|| tag.name.clone());
            }
            report.take(&plan);
        }
        for name in self.own_tag_names(owner).await? {
            tags.remove(&tag::fold(&name));
        }
        report.new_tag_count = tags.len();
        report.new_tags = tags.into_values().take(NAMED_TAGS).collect();
        report.sort();
        Ok((report, reading.overview.total))
    }

    async fn own_tag_names(&self, owner: Uuid) -> Result<Vec<String>> {
        Ok(store::tag_names_of(&self.db, owner).await?)
    }
}

/// A file that is kept for its commit.
pub(super) struct NewFile<'a> {
    pub choices: &'a Choices,
    pub report: &'a Report,
    pub total: usize,
}

impl ImportRow {
    pub fn report(&self) -> Result<Report> {
        serde_json::from_str(&self.report).map_err(|error| Error::Internal(format!("import report: {error}")))
    }

    pub fn choices(&self) -> Result<Choices> {
        serde_json::from_str(&self.choices)
            .map_err(|error| Error::Internal(format!("import choices: {error}")))
    }
}
