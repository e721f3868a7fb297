//! “Did you mean …?” where nothing is found.

use super::library::href;
use crate::error::Result;
use crate::identity::Viewer;
use crate::resources::listing::ListParams;
use crate::resources::{Resources, query};

/// A search in the spelling of the viewer's tags.
pub struct NearMiss {
    pub q: String,
    pub href: String,
}

impl NearMiss {
    /// `None` where it would find nothing either.
    pub async fn find(resources: &Resources, viewer: &Viewer, params: &ListParams) -> Result<Option<Self>> {
        if params.q.is_empty() {
            return Ok(None);
        }
        let Some(q) = query::nearest_tags(&params.q, &resources.tags(viewer).await?) else { return Ok(None) };
        let mended = ListParams { q: q.clone(), ..params.clone() };
        let finds = resources.count_some(viewer, &mended).await? > 0;
        Ok(finds.then(|| Self { q, href: href(&mended) }))
    }
}
