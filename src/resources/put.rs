//! New resources whose id the client has chosen, so that sending one twice makes one.

use uuid::Uuid;

use super::{Draft, Resource, Resources, Via};
use crate::error::{Error, Result};
use crate::identity::Viewer;

impl Resources {
    /// Saves it under the client's id.
    ///
    /// # Errors
    /// [`Error::IdInUse`] with what has the id already, [`Error::Invalid`] when it is no UUIDv7, and those of
    /// [`Resources::create`].
    pub async fn put_new(&self, viewer: &Viewer, id: Uuid, draft: &Draft) -> Result<Resource> {
        viewer.signed_in()?;
        if id.get_version_num() != 7 {
            return Err(Error::field("id", "The id must be a UUIDv7 (RFC 9562)."));
        }
        match self.create_with_id(viewer, id, draft, Via::Api).await {
            // The id, or the address that came with it the first time.
            Err(error @ (Error::DuplicateUrl(_) | Error::Internal(_))) => {
                Err(self.taken(viewer, id, error).await)
            }
            other => other,
        }
    }

    /// The same under an id that is reserved for this request: it may have been carried out before.
    pub async fn create_reserved(&self, viewer: &Viewer, id: Uuid, draft: &Draft) -> Result<Resource> {
        match self.put_new(viewer, id, draft).await {
            Err(Error::IdInUse { .. }) => self.latest(viewer, id).await,
            other => other,
        }
    }

    async fn taken(&self, viewer: &Viewer, id: Uuid, otherwise: Error) -> Error {
        match super::store::find(&self.db, id).await {
            Ok(Some(current)) if current.is_mine(viewer) => current.id_in_use(),
            // The response does not tell that another user has it.
            Ok(Some(_)) => Error::NotFound,
            Ok(None) => otherwise,
            Err(error) => error.into(),
        }
    }
}
