//! Pinned entries, which come first in a list by date.

use std::sync::Arc;

use crate::error::Result;
use crate::identity::Viewer;
use crate::resources::Resources;
use crate::resources::listing::{Hit, ListParams, Listing, MOST, Sort, position_of};

/// The page with the viewer's pinned entries first, where the order is by date and they are not too many for one page.
/// They take the places of its last entries, with which the next page begins.
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
    let is_first = |hit: &Arc<Hit>| hit.resource.pinned && hit.resource.owner_id == owner;
    let rest = listing.hits.iter().filter(|hit| !is_first(hit)).cloned().collect::<Vec<_>>();
    let limit = usize::try_from(params.limit()?).unwrap_or(usize::MAX);
    let room = limit.saturating_sub(first.len()).max(1);
    let cut = rest.get(room - 1).filter(|_| rest.len() > room);
    let next = cut.map(|last| resources.cursors.seal(&position_of(last, listing.sort)));
    Ok(Arc::new(Listing {
        hits: first.iter().cloned().chain(rest.into_iter().take(room)).collect(),
        next: next.or_else(|| listing.next.clone()),
        highlights: listing.highlights.clone(),
        sort: listing.sort,
        older_follow: false,
    }))
}
