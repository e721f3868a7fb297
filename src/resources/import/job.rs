//! The steps of an import, and of its undo. Each is a transaction of its own, so that other writers need not wait, and what
//! a stopped node leaves goes on here or on another node, with each entry exactly once.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use tokio::time::timeout;
use uuid::Uuid;

use super::batch::{NewFile, State};
use super::choices::Choices;
use super::prepare::{Preparation, Slice};
use super::reading::{Reading, Task};
use super::step::Step;
use super::store::imports::{self, Advance, Claim};
use super::{File, Report, store, touched};
use crate::cache::Scope;
use crate::db::Db;
use crate::error::{Error, Result};
use crate::identity::Viewer;
use crate::resources::Resources;
use crate::resources::changes::store as changes;
use crate::resources::jobs::ABANDONED;
use crate::timestamp::Timestamp;

/// The answer waits so long for an import; a longer one goes on behind the page with its progress.
const WAITED_FOR: Duration = Duration::from_millis(1_500);

/// An import that is being carried out.
struct Job {
    id: Uuid,
    owner: Uuid,
    report: Report,
    done: usize,
}

impl Resources {
    /// Brings a file into the viewer's library. `progress` hears how many entries of how many are done.
    ///
    /// # Errors
    /// Those of [`Resources::preview_import`].
    pub async fn import(
        &self,
        viewer: &Viewer,
        file: File<'_>,
        progress: impl FnMut(usize, usize),
    ) -> Result<(Uuid, Report)> {
        let id = self.begin_import_of(viewer, file).await?;
        self.run_import(id, progress).await?;
        self.merge_index().await;
        Ok((id, self.find_import(viewer, id).await?.report))
    }

    /// Begins an import that was not previewed; [`Resources::run_import`] carries it out.
    ///
    /// # Errors
    /// Those of [`Resources::preview_import`].
    pub async fn begin_import_of(&self, viewer: &Viewer, file: File<'_>) -> Result<Uuid> {
        let (owner, choices) = (viewer.signed_in()?.id, file.choices);
        let bytes = file.bytes;
        let preparation = self.preparation(self.context.now(), choices.clone());
        let reading = Reading::start(Task { bytes: bytes.clone(), preparation, skip: 0 }).await?;
        let (mut report, total) = (Report::of_file(file.name), reading.overview.total);
        report.describe(&reading.overview);
        drop(reading);
        let id =
            self.keep_import(owner, &bytes, NewFile { choices: &choices, report: &report, total }).await?;
        self.begin_import(viewer, id).await?;
        Ok(id)
    }

    /// Carries out what is left of an import.
    pub async fn run_import(&self, id: Uuid, mut progress: impl FnMut(usize, usize)) -> Result<()> {
        let row = imports::find(&self.db, id).await?.filter(|row| row.state == State::Importing);
        let Some(row) = row else { return Ok(()) };
        let [total, done] = [row.total, row.done].map(|count| usize::try_from(count).unwrap_or_default());
        let (owner, began_at) = (row.owner_id, row.began_at);
        let mut job = Job { id, owner, report: row.report()?, done };
        let preparation = self.preparation(began_at, row.choices()?);
        let bytes = Bytes::from(imports::kept_file(&self.db, id).await?);
        let mut reading = Reading::start(Task { bytes, preparation, skip: done }).await?;
        progress(done, total);
        while let Some(slice) = reading.next().await {
            if !self.import_slice(&mut job, slice).await? {
                return Ok(());
            }
            progress(job.done, total);
        }
        if job.done != total {
            return Err(Error::Internal("a file that is imported could not be read to its end".to_owned()));
        }
        self.finish_import(job).await
    }

    pub(super) fn preparation(&self, began_at: Timestamp, choices: Choices) -> Preparation {
        // SQLite has one writer at a time: the others wait until a slice is written.
        let slice = if matches!(self.db, Db::Sqlite { .. }) { 100 } else { 200 };
        Preparation { context: self.context.clone(), began_at, choices, slice }
    }

    /// `false` when another node carries it out, or it is undone.
    async fn import_slice(&self, job: &mut Job, mut slice: Slice) -> Result<bool> {
        let now = self.context.now();
        let mut tx = self.cache.begin_bulk().await?;
        if !imports::claim(&mut tx, job.id, Claim { from: job.done, to: slice.end, now }).await? {
            return Ok(false);
        }
        job.report.take_slice(&mut slice);
        let mut step = Step { resources: self, tx: &mut tx, import_id: job.id, owner: job.owner, now };
        let saved = step.write(&slice, &mut job.report).await?;
        store::refresh_statistics(&mut tx, slice.end).await?;
        imports::set_report(&mut tx, job.id, &job.report).await?;
        for ids in [&saved.new, &saved.changed] {
            changes::note(&mut tx, job.owner, ids).await?;
        }
        tx.commit(touched(job.owner, &saved.changed)).await?;
        job.done = slice.end;
        Ok(true)
    }

    async fn finish_import(&self, Job { id, owner, mut report, .. }: Job) -> Result<()> {
        report.sort();
        let mut tx = self.cache.begin().await?;
        let advance = Advance { from: State::Importing, to: State::Committed, now: self.context.now() };
        if !imports::advance(&mut tx, id, advance).await? {
            return Ok(());
        }
        imports::set_report(&mut tx, id, &report).await?;
        tx.commit([Scope::User(owner)]).await?;
        Ok(imports::drop_file(&self.db, id).await?)
    }

    /// Goes on with imports and undos that stopped in the middle.
    pub async fn resume_imports(&self) -> Result<()> {
        for id in imports::abandoned(&self.db, self.context.now().minus(ABANDONED)).await? {
            self.run_import(id, |_, _| ()).await?;
            self.run_undo(id).await?;
        }
        Ok(())
    }
}

/// Carries out an import or its undo. What takes longer goes on after this returns.
pub(super) async fn carry_out(resources: &Arc<Resources>, id: Uuid) {
    let runner = resources.clone();
    let running = tokio::spawn(async move {
        let done = async {
            runner.run_import(id, |_, _| ()).await?;
            runner.run_undo(id).await
        };
        if let Err(error) = done.await {
            tracing::warn!(?error, "an import stopped; it goes on within half a minute");
        }
        // The answer does not wait for it.
        tokio::spawn(async move { runner.merge_index().await });
    });
    let _ = timeout(WAITED_FOR, running).await;
}
