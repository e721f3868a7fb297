//! Taking back what an import has brought in.

use uuid::Uuid;

use super::batch::State;
use super::store::imports::{self, Advance};
use super::touched;
use crate::cache::Scope;
use crate::error::{Error, Result};
use crate::identity::Viewer;
use crate::resources::Resources;
use crate::resources::bulk;
use crate::resources::bulk::store::entries;

/// Entries that one transaction deletes.
const STEP: i64 = 100;

impl Resources {
    /// Begins to take back what an import has brought in so far, and the tags that it gave to other entries. What was changed
    /// since stays. [`Resources::run_undo`] carries it out.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::WrongState`] when it is not committed, or older than [`super::batch::KEPT_FOR`].
    pub async fn begin_undo_of_import(&self, viewer: &Viewer, id: Uuid) -> Result<()> {
        let import = self.find_import(viewer, id).await?;
        let advance = Advance { from: import.state, to: State::Undoing, now: self.context.now() };
        let mut tx = self.cache.begin().await?;
        let may_undo = import.state.can_be_undone() && import.is_open;
        if !may_undo || !imports::advance(&mut tx, id, advance).await? {
            return Err(Error::WrongState(
                "Only an import of the last 30 days can be undone, and only once.",
            ));
        }
        Ok(tx.commit([Scope::User(viewer.signed_in()?.id)]).await?)
    }

    /// Carries out what is left of an undo.
    pub async fn run_undo(&self, id: Uuid) -> Result<()> {
        let row = imports::find(&self.db, id).await?.filter(|row| row.state == State::Undoing);
        let Some(row) = row else { return Ok(()) };
        while self.undo_some(id, row.owner_id).await? {}
        bulk::store::set_state(&self.db, id, bulk::State::Undoing, self.context.now()).await?;
        self.run_bulk(id).await?;
        let mut tx = self.cache.begin().await?;
        let advance = Advance { from: State::Undoing, to: State::Undone, now: self.context.now() };
        imports::advance(&mut tx, id, advance).await?;
        tx.commit([Scope::User(row.owner_id)]).await?;
        Ok(imports::drop_file(&self.db, id).await?)
    }

    /// Whether there was something to delete.
    async fn undo_some(&self, id: Uuid, owner: Uuid) -> Result<bool> {
        let mut tx = self.cache.begin_bulk().await?;
        if !imports::is_undoing(&mut tx, id, self.context.now()).await? {
            return Ok(false);
        }
        let ids = imports::unchanged(&mut tx, id, STEP).await?;
        if ids.is_empty() {
            return Ok(false);
        }
        let tags = entries::clear_tags(&mut tx, &ids).await?;
        entries::delete(&mut tx, &ids).await?;
        entries::sweep_tags(&mut tx, &tags).await?;
        tx.commit(touched(owner, &ids)).await?;
        Ok(true)
    }
}
