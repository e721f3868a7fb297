//! The verbs that look and change nothing: answered from the cache where it knows.

use std::sync::Arc;

use uuid::Uuid;

use super::listing::{Asked, Listing};
use super::{Resource, Resources, TagCount, cached, store, visibility};
use crate::cache::{Scope, Scopes};
use crate::error::{Error, Result};
use crate::web::viewer::Viewer;

impl Resources {
    /// A page of what the viewer may see, filtered, searched and sorted.
    ///
    /// # Errors
    /// [`Error::BadQuery`], [`Error::BadCursor`].
    pub async fn list(&self, viewer: &Viewer, asked: &Asked) -> Result<Arc<Listing>> {
        let key = (viewer, cached::list_id(asked));
        let load = |viewer| {
            let (this, asked) = (self.clone(), asked.clone());
            async move {
                let search = asked.search(&this.cursors)?;
                let page = store::list::page(&this.db, &viewer, &search).await?;
                Ok(Some(Listing::new(page, &search, &this.cursors)))
            }
        };
        let listing = self.cache.read(&cached::LISTING, key, cached::shelves(viewer), load).await?;
        Ok(listing.unwrap_or_default())
    }

    /// Whether there is anything at all that the viewer may see.
    pub async fn any(&self, viewer: &Viewer) -> Result<bool> {
        let load = |viewer: Viewer| {
            let db = self.db.clone();
            async move {
                let any = store::list::any(&db, &viewer).await?;
                Ok(Some(cached::Any { by: viewer.id(), any }))
            }
        };
        let found = self.cache.read(&cached::ANY, (viewer, [0; 16]), cached::shelves(viewer), load).await?;
        Ok(found.is_some_and(|found| found.any))
    }

    /// # Errors
    /// [`Error::NotFound`] when it is not there or not for this viewer.
    pub async fn find(&self, viewer: &Viewer, id: Uuid) -> Result<Arc<Resource>> {
        let load = |viewer| {
            let db = self.db.clone();
            async move {
                let resource = store::find(&db, id).await?;
                Ok(resource.filter(|resource| visibility::may_see(&viewer, resource)))
            }
        };
        let (key, scopes) = ((viewer, id.into_bytes()), Scopes::one(Scope::Resource(id)));
        let resource = self.cache.read(&cached::RESOURCE, key, scopes, load).await?;
        resource.filter(|resource| visibility::may_see(viewer, resource)).ok_or(Error::NotFound)
    }

    /// The tags of what the viewer may see, with counts, in the order of their names.
    pub async fn tags(&self, viewer: &Viewer) -> Result<Vec<TagCount>> {
        let load = |viewer: Viewer| {
            let db = self.db.clone();
            async move {
                let tags = store::list::tags(&db, &viewer).await?;
                Ok(Some(cached::Tagged { by: viewer.id(), tags }))
            }
        };
        let found = self.cache.read(&cached::TAGS, (viewer, [0; 16]), cached::shelves(viewer), load).await?;
        Ok(found.map(|found| found.tags.clone()).unwrap_or_default())
    }
}
