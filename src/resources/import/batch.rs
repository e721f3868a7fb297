//! An import as one batch: looked at first, brought in, and taken back as a whole.

use std::time::Duration;

use encoding_rs::Encoding;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::batch_store::{self, KeptFile};
use super::{File, Report, store};
use crate::cache::Scope;
use crate::error::{Error, Result};
use crate::identity::Viewer;
use crate::named::named;
use crate::resources::bulk;
use crate::resources::{Resources, Visibility};

/// For this long an import can be committed or undone.
pub const KEPT_FOR: Duration = Duration::from_hours(30 * 24);
/// Entries that an undone import names because it left them alone.
pub const NAMED: i64 = 500;

named! {
    #[derive(Serialize, ToSchema)]
    #[serde(rename_all = "lowercase")]
    #[schema(as = ImportState)]
    pub enum State {
        /// Nothing has come in yet.
        Previewed = "previewed",
        Committed = "committed",
        Undone = "undone",
    }
}

/// One of the viewer's imports.
#[derive(Clone, Debug)]
pub struct Import {
    pub id: Uuid,
    pub state: State,
    /// What came in, or will.
    pub report: Report,
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
    /// What a file would bring in. Nothing comes in before [`Resources::commit_import`].
    ///
    /// # Errors
    /// Those of [`Resources::import`].
    pub async fn preview_import(&self, viewer: &Viewer, file: File<'_>) -> Result<Uuid> {
        let owner = viewer.signed_in()?.id;
        let kept = KeptFile::from(&file);
        let mut incoming = self.incoming(owner, self.context.new_id(), file).await?;
        // Carried out and rolled back, so that the preview says exactly what the import will do.
        let mut trial = self.cache.begin_bulk().await?;
        store::begin(&mut trial, &incoming.row(State::Committed)).await?;
        self.bring_in(&mut trial, &mut incoming, |_, _| ()).await?;
        drop(trial);
        let mut tx = self.cache.begin_bulk().await?;
        store::begin(&mut tx, &incoming.row(State::Previewed)).await?;
        store::finish(&mut tx, incoming.id, &incoming.report).await?;
        batch_store::keep_file(&mut tx, incoming.id, &kept).await?;
        tx.commit([Scope::User(owner)]).await?;
        Ok(incoming.id)
    }

    /// Brings in what was previewed, as the library stands now.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::WrongState`] when it is committed already.
    pub async fn commit_import(&self, viewer: &Viewer, id: Uuid) -> Result<()> {
        let import = self.find_import(viewer, id).await?;
        if import.state != State::Previewed || !import.is_open {
            return Err(Error::WrongState(
                "Only an import that was previewed within 30 days can be committed.",
            ));
        }
        let kept = batch_store::kept_file(&self.db, id).await?.ok_or(Error::NotFound)?;
        let file = File {
            name: &import.report.file_name,
            visibility: Visibility::parse(&kept.visibility).unwrap_or_default(),
            charset: Encoding::for_label(kept.charset.as_bytes()),
            bytes: kept.bytes,
        };
        let owner = viewer.signed_in()?.id;
        let mut incoming = self.incoming(owner, id, file).await?;
        let mut tx = self.cache.begin_bulk().await?;
        if !batch_store::advance(&mut tx, id, State::Previewed, State::Committed).await? {
            return Err(Error::WrongState("This import is committed already."));
        }
        batch_store::drop_file(&mut tx, id).await?;
        let touched = self.bring_in(&mut tx, &mut incoming, |_, _| ()).await?;
        store::finish(&mut tx, id, &incoming.report).await?;
        Ok(tx.commit(touched).await?)
    }

    /// Takes back what an import has brought in, and the tags that it gave to other entries. What was changed since
    /// stays.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::WrongState`] when it is not committed, or older than [`KEPT_FOR`].
    pub async fn undo_import(&self, viewer: &Viewer, id: Uuid) -> Result<()> {
        let import = self.find_import(viewer, id).await?;
        let mut tx = self.cache.begin_bulk().await?;
        let may_undo = import.state == State::Committed && import.is_open;
        if !may_undo || !batch_store::advance(&mut tx, id, State::Committed, State::Undone).await? {
            return Err(Error::WrongState(
                "Only an import of the last 30 days can be undone, and only once.",
            ));
        }
        batch_store::delete_unchanged(&mut tx, id, viewer.signed_in()?.id).await?;
        bulk::store::set_state_in(&mut tx, id, bulk::State::Undoing, self.context.now()).await?;
        tx.commit([Scope::All]).await?;
        self.run_bulk(id).await
    }

    /// # Errors
    /// [`Error::NotFound`] when it is not the viewer's.
    pub async fn find_import(&self, viewer: &Viewer, id: Uuid) -> Result<Import> {
        let row = batch_store::find(&self.db, viewer.signed_in()?.id, id).await?.ok_or(Error::NotFound)?;
        let report = serde_json::from_str(&row.report)
            .map_err(|error| Error::Internal(format!("import report: {error}")))?;
        let state = State::parse(&row.state).ok_or_else(|| Error::Internal("import state".to_owned()))?;
        let kept = match state {
            State::Undone => batch_store::kept_entries(&self.db, id, NAMED).await?,
            State::Previewed | State::Committed => Vec::new(),
        };
        let is_open = row.created_at.plus(KEPT_FOR) > self.context.now();
        Ok(Import { id, state, report, kept, is_open })
    }

    /// Forgets previews that were not committed for [`KEPT_FOR`].
    pub async fn forget_previews(&self) -> Result<()> {
        Ok(batch_store::forget_previews(&self.db, self.context.now().minus(KEPT_FOR)).await?)
    }
}
