//! Pinned entries, which come first in a list by date.

use std::sync::Arc;

use crate::error::Result;
use crate::identity::Viewer;
use crate::resources::listing::{Hit, ListParams, Listing, MOST, Sort, position_of};
use crate::resources::{Resources, query};

/// All entries of the list that the viewer has pinned, where they come first: in an order by date, if they fit on one page.
pub async fn own_pinned(
    resources: &Resources,
    viewer: &Viewer,
    params: &ListParams,
) -> Result<Option<Arc<Listing>>> {
    let sort = params.sort(&query::parse(&params.q)?)?;
    let is_by_date = matches!(sort, Sort::Newest | Sort::Oldest | Sort::Changed);
    if viewer.id().is_none() || !is_by_date || !params.pinned.is_empty() {
        return Ok(None);
    }
    let own_pinned = ListParams {
        pinned: "true".to_owned(),
        mine: "true".to_owned(),
        cursor: String::new(),
        limit: MOST.to_string(),
        ..params.clone()
    };
    let pinned = resources.list(viewer, &own_pinned).await?;
    let fit = !pinned.hits.is_empty() && pinned.next.is_none();
    Ok(fit.then_some(pinned))
}

/// The page with the pinned entries first. They take the places of its last entries, with which the next page begins.
pub fn pinned_first(
    resources: &Resources,
    params: &ListParams,
    listing: &Listing,
    pinned: &Listing,
) -> Result<Arc<Listing>> {
    let first = if params.cursor.is_empty() { pinned.hits.as_slice() } else { &[] };
    let is_first = |hit: &Arc<Hit>| pinned.hits.iter().any(|first| first.resource.id == hit.resource.id);
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
        matches: None,
    }))
}
