//! What a member sees is their own and what is shared with all members. Each part is loaded for itself, and the shared
//! part is kept once for everyone.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::sync::Arc;

use uuid::Uuid;

use super::cached::{self, Part};
use super::listing::{Hit, ListParams, Listing, Sort, position_of};
use super::query::{Criterion, Filter};
use super::visibility::Partition;
use super::{Resources, store};
use crate::cache::{Key, Scope, Scopes};
use crate::error::Result;
use crate::identity::Viewer;
use crate::web::cursor::CursorKey;

impl Resources {
    /// A page of a member's list without words. With words one search ranks both parts together.
    pub(super) async fn list_in_parts(&self, viewer: &Viewer, params: &ListParams) -> Result<Arc<Listing>> {
        let load = |partition| {
            let (this, params) = (self.clone(), params.clone());
            move |viewer: Viewer| async move {
                let mut search = params.search(&this.cursors)?;
                search.partition = partition;
                let page = store::list::page(&this.db, &viewer, &search).await?;
                Ok(Some(Listing::new(page, &search, &this.cursors)))
            }
        };
        let (id, scopes) = (cached::list_id(params, Part::Own), cached::own_scopes(viewer));
        let own = self.cache.read(&cached::LISTING, viewer, id, scopes, load(Partition::Own)).await?;
        let key = Key::shared(viewer, cached::list_id(params, Part::Shared));
        let scopes = Scopes::one(Scope::Shared);
        let shared = self.cache.get(&cached::LISTING, key, scopes, load(Partition::Shared)).await?;
        let limit = usize::try_from(params.limit()?).unwrap_or(usize::MAX);
        let parts = [own.unwrap_or_default(), shared.unwrap_or_default()];
        Ok(Arc::new(merged(&parts, limit, &self.cursors)))
    }

    /// Whether this entry is among all that match.
    ///
    /// # Errors
    /// Those of [`Resources::list`].
    pub async fn is_listed(&self, viewer: &Viewer, params: &ListParams, id: Uuid) -> Result<bool> {
        let mut search = self.search(viewer, params).await?;
        search.filters.push(Filter { criterion: Criterion::Entry(id), negated: false });
        Ok(store::matches::count(&self.db, viewer, &search).await? > 0)
    }
}

/// The first hits of both parts, each of which is in the order of the list.
fn merged(parts: &[Arc<Listing>; 2], limit: usize, cursors: &CursorKey) -> Listing {
    let sort = parts[0].sort;
    let mut hits: Vec<Arc<Hit>> = parts.iter().flat_map(|part| &part.hits).cloned().collect();
    hits.sort_by(|one, other| in_order(sort, one, other));
    // What members share is in both of their parts.
    let mut seen: HashSet<Uuid> = HashSet::new();
    hits.retain(|hit| seen.insert(hit.resource.id));
    let goes_on = hits.len() > limit || parts.iter().any(|part| part.next.is_some());
    hits.truncate(limit);
    let next = hits.last().filter(|_| goes_on).map(|last| cursors.seal(&position_of(last, sort)));
    Listing { hits, next, sort, ..Listing::default() }
}

/// The order in which the databases sort a list.
fn in_order(sort: Sort, one: &Hit, other: &Hit) -> Ordering {
    let by_id = one.resource.id.cmp(&other.resource.id);
    match sort {
        Sort::Newest | Sort::Relevance => {
            one.resource.created_at.cmp(&other.resource.created_at).then(by_id).reverse()
        }
        Sort::Oldest => one.resource.created_at.cmp(&other.resource.created_at).then(by_id),
        Sort::Changed => one.resource.updated_at.cmp(&other.resource.updated_at).then(by_id).reverse(),
        Sort::Title => one.title_key.cmp(&other.title_key).then(by_id),
    }
}
