//! Every saved version of a resource.

use uuid::Uuid;

use super::{PastRevision, Precondition, Resource, Resources, Revisions, Via, store};
use crate::error::{Error, Result};
use crate::identity::Viewer;

impl Resources {
    /// Every saved version, latest first. Only for the owner.
    pub async fn revisions(&self, viewer: &Viewer, id: Uuid) -> Result<Revisions> {
        let resource = self.find_own(viewer, id).await?;
        let revisions = store::revisions(&self.db, id).await?;
        Ok(Revisions { resource, revisions })
    }

    pub async fn revision(&self, viewer: &Viewer, id: Uuid, version: i64) -> Result<PastRevision> {
        let resource = self.find_own(viewer, id).await?;
        let revision = store::revision(&self.db, id, version).await?.ok_or(Error::NotFound)?;
        Ok(PastRevision { resource, revision })
    }

    /// Saves an old version's text and tags as a new version.
    pub async fn restore_revision(
        &self,
        viewer: &Viewer,
        id: Uuid,
        version: i64,
        expected: &Precondition,
    ) -> Result<Resource> {
        let PastRevision { revision, .. } = self.revision(viewer, id, version).await?;
        self.update(viewer, id, expected, revision.into(), Via::Restore).await
    }
}
