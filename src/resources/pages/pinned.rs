//! Pinned entries, which come first in a list by date.

use std::sync::Arc;

use crate::error::Result;
use crate::identity::Viewer;
use crate::resources::Resources;
use crate::resources::listing::{ListParams, Listing, MOST, Sort};

/// The page with the viewer's pinned entries first, where the order is by date and they are not too many for one page.
pub async fn pinned_first(
    resources: &Resources,
    viewer: &Viewer,
    params: &ListParams,
    listing: Arc<Listing>,
) -> Result<Arc<Listing>> {
    let is_by_date = matches!(listing.sort, Sort::Newest | Sort::Oldest | Sort::Changed);
    let Some(owner) = viewer.id().filter(|_| is_by_date && params.pinned.is_empty()) else {
        return Ok(listing);
    };
    let own_pinned = ListParams {
        pinned: "true".to_owned(),
        mine: "true".to_owned(),
        cursor: String::new(),
        limit: MOST.to_string(),
        ..params.clone()
    };
    let pinned = resources.list(viewer, &own_pinned).await?;
    if pinned.hits.is_empty() || pinned.next.is_some() {
        return Ok(listing);
    }
    let first = if params.cursor.is_empty() { pinned.hits.as_slice() } else { &[] };
    let rest = listing.hits.iter().filter(|hit| !(hit.resource.pinned && hit.resource.owner_id == owner));
    Ok(Arc::new(Listing {
        hits: first.iter().chain(rest).cloned().collect(),
        next: listing.next.clone(),
        highlights: listing.highlights.clone(),
        sort: listing.sort,
        older_follow: false,
    }))
}
