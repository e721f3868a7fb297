//! What a search that finds nothing may have meant.

use super::listing::ListParams;
use super::{Resources, query, store};
use crate::error::Result;
use crate::identity::Viewer;

impl Resources {
    /// A search that finds something, in the spelling of the viewer's tags and of the titles of their newest entries.
    ///
    /// # Errors
    /// Those of [`Resources::list`].
    pub async fn near_miss(&self, viewer: &Viewer, params: &ListParams) -> Result<Option<ListParams>> {
        if params.q.is_empty() {
            return Ok(None);
        }
        let titles = match viewer.id() {
            Some(owner) => store::newest_titles(&self.db, owner).await?,
            None => Vec::new(),
        };
        for q in query::near_misses(&params.q, &self.tags(viewer).await?, &titles) {
            let mended = ListParams { q, ..params.clone() };
            if self.count_some(viewer, &mended).await? > 0 {
                return Ok(Some(mended));
            }
        }
        Ok(None)
    }
}
