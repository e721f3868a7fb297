//! The trash: into it, out of it, and deleted for ever.

use uuid::Uuid;

use super::{Draft, Precondition, Resource, Resources, TRASH_LIFE, cached, store};
use crate::error::{Error, Result};
use crate::identity::Viewer;

impl Resources {
    /// Moves it to the trash, where it stays [`TRASH_LIFE`].
    ///
    /// # Errors
    /// [`Error::VersionConflict`] when another version is current.
    pub async fn trash(&self, viewer: &Viewer, id: Uuid, expected: &Precondition) -> Result<()> {
        let resource = self.find_expected(viewer, id, expected).await?;
        if self.set_trashed(&resource, Some(self.context.now()), expected).await?.is_none() {
            self.find_expected(viewer, id, expected).await?;
        }
        Ok(())
    }

    /// Takes it back from the trash, unchanged.
    ///
    /// # Errors
    /// [`Error::DuplicateUrl`] when its address was saved again since, [`Error::VersionConflict`] when another version is
    /// current.
    pub async fn restore(&self, viewer: &Viewer, id: Uuid, expected: &Precondition) -> Result<Resource> {
        let resource = self.find_expected(viewer, id, expected).await?;
        match self.set_trashed(&resource, None, expected).await {
            Ok(Some(restored)) => Ok(restored),
            Ok(None) => self.find_expected(viewer, id, expected).await,
            Err(error) => Err(self
                .duplicate(error, resource.owner_id, &Draft::from(&resource).check_keeping(&resource.tags.0)?)
                .await),
        }
    }

    /// Deletes it for ever, all versions included. Only what is in the trash can be deleted.
    pub async fn delete(&self, viewer: &Viewer, id: Uuid, expected: &Precondition) -> Result<()> {
        let resource = self.find_expected(viewer, id, expected).await?;
        if resource.trashed_at.is_none() {
            return Err(Error::Forbidden("Move this to trash before deleting it permanently."));
        }
        let mut tx = self.cache.begin().await?;
        if store::write::delete(&mut tx, id).await? {
            // Only its owner could see it in the trash.
            tx.commit(cached::touched(id, resource.owner_id, &[])).await?;
        }
        Ok(())
    }

    /// The viewer's trash, latest first.
    pub async fn trashed(&self, viewer: &Viewer) -> Result<Vec<Resource>> {
        Ok(store::trashed(&self.db, viewer.signed_in()?.id).await?)
    }

    /// Deletes for ever what has been in anyone's trash for [`TRASH_LIFE`]. Returns how many.
    pub async fn empty_old_trash(&self) -> Result<u64> {
        let mut tx = self.cache.begin_bulk().await?;
        let gone = store::write::delete_trashed_before(&mut tx, self.context.now().minus(TRASH_LIFE)).await?;
        if gone.is_empty() {
            return Ok(0);
        }
        tx.commit(gone.iter().flat_map(|gone| cached::touched(gone.id, gone.owner_id, &[]))).await?;
        Ok(gone.len() as u64)
    }
}
