//! The trash: what is thrown away stays there for a while, can be taken back, and is deleted for ever.

use std::time::Duration;

use uuid::Uuid;

use super::{Precondition, Resource, Resources, cached, store};
use crate::db::Timestamp;
use crate::error::{Error, Result};
use crate::web::viewer::Viewer;

/// How long the trash keeps what is thrown into it.
pub const TRASH_LIFE: Duration = Duration::from_hours(30 * 24);

impl Resources {
    /// Moves it to the trash, where it stays [`TRASH_LIFE`].
    ///
    /// # Errors
    /// [`Error::VersionConflict`] when something else stands than was expected.
    pub async fn trash(&self, viewer: &Viewer, id: Uuid, expected: &Precondition) -> Result<()> {
        let resource = self.find_expected(viewer, id, expected).await?;
        if self.set_trashed(&resource, Some(self.context.now()), expected).await?.is_none() {
            self.find_expected(viewer, id, expected).await?;
        }
        Ok(())
    }

    /// Takes it back from the trash, as it was thrown away.
    ///
    /// # Errors
    /// [`Error::DuplicateUrl`] when its address was saved again meanwhile, [`Error::VersionConflict`] when something
    /// else stands than was expected.
    pub async fn restore(&self, viewer: &Viewer, id: Uuid, expected: &Precondition) -> Result<Resource> {
        let resource = self.find_expected(viewer, id, expected).await?;
        match self.set_trashed(&resource, None, expected).await {
            Ok(Some(restored)) => Ok(restored),
            Ok(None) => self.find_expected(viewer, id, expected).await,
            Err(error) => Err(self
                .none_twice(error, resource.owner_id, &resource.change().check_keeping(&resource.tags.0)?)
                .await),
        }
    }

    /// Deletes it for ever, all versions included. Only what is in the trash can be deleted.
    pub async fn delete(&self, viewer: &Viewer, id: Uuid) -> Result<()> {
        let resource = self.find_own(viewer, id).await?;
        if resource.trashed_at.is_none() {
            return Err(Error::Forbidden("Move this to the trash before deleting it for ever."));
        }
        let mut tx = self.cache.begin().await?;
        if store::write::delete(&mut tx, id).await? {
            // Nobody but its owner has seen it since it was thrown away.
            tx.commit(cached::touched(id, resource.owner_id, &[])).await?;
        }
        Ok(())
    }

    /// The viewer's trash, latest first.
    pub async fn trashed(&self, viewer: &Viewer) -> Result<Vec<Resource>> {
        Ok(store::trashed(&self.db, viewer.signed_in()?.id).await?)
    }

    /// Deletes for ever, on every shelf, what the trash has kept long enough.
    pub async fn empty_old_trash(&self) -> Result<u64> {
        let mut tx = self.cache.begin_bulk().await?;
        let gone = store::write::delete_trashed_before(&mut tx, self.context.now().minus(TRASH_LIFE)).await?;
        if gone.is_empty() {
            return Ok(0);
        }
        tx.commit(gone.iter().flat_map(|(id, owner)| cached::touched(*id, *owner, &[]))).await?;
        Ok(gone.len() as u64)
    }

    /// As it stands once it was moved. `None`: it was there already, or is not as it was expected any more.
    async fn set_trashed(
        &self,
        resource: &Resource,
        at: Option<Timestamp>,
        expected: &Precondition,
    ) -> sqlx::Result<Option<Resource>> {
        let mut tx = self.cache.begin().await?;
        let version = expected.version(resource);
        // As it stands in this transaction, not as it was read before.
        let Some(seen) = store::write::set_trashed(&mut tx, resource.id, at, version).await? else {
            return Ok(None);
        };
        let saved = store::find_within(&mut tx, resource.id).await?;
        tx.commit(cached::touched(resource.id, resource.owner_id, &[seen])).await?;
        Ok(saved)
    }
}
