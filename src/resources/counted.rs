//! How many match on all pages, alone and together with a page.

use std::pin::pin;
use std::sync::Arc;

use futures_util::future::{Either, select};

use super::cached::Part;
use super::listing::{ListParams, Listing};
use super::{Matches, Resources, store};
use crate::error::Result;
use crate::identity::Viewer;

impl Resources {
    /// How many match on all pages.
    ///
    /// # Errors
    /// Those of [`Resources::list`].
    pub async fn count(&self, viewer: &Viewer, params: &ListParams) -> Result<i64> {
        let search = self.search(viewer, params).await?;
        Ok(store::matches::count(&self.db, viewer, &search).await?)
    }

    /// The same up to [`SOME`](super::listing::SOME); a larger number stands for any that is larger.
    ///
    /// # Errors
    /// Those of [`Resources::list`].
    pub async fn count_some(&self, viewer: &Viewer, params: &ListParams) -> Result<usize> {
        let search = self.search(viewer, params).await?;
        let count = store::matches::count_some(&self.db, viewer, &search).await?;
        Ok(usize::try_from(count).unwrap_or_default())
    }

    /// What matches on all pages, counted up to [`SOME`](super::listing::SOME).
    ///
    /// # Errors
    /// Those of [`Resources::list`].
    pub async fn matches(&self, viewer: &Viewer, params: &ListParams) -> Result<Matches> {
        let search = self.search(viewer, params).await?;
        Ok(store::matches::find(&self.db, viewer, &search).await?)
    }

    /// One page, and what matches on all pages. The tags are left out where the page has all results, or no search narrows it.
    ///
    /// # Errors
    /// Those of [`Resources::list`].
    pub async fn list_with_matches(
        &self,
        viewer: &Viewer,
        params: &ListParams,
    ) -> Result<(Arc<Listing>, Matches)> {
        let narrowed = ListParams { cursor: String::new(), limit: String::new(), ..params.clone() };
        if narrowed == ListParams::default() {
            let listing = self.list(viewer, params).await?;
            let matches = match listing.all_of(params) {
                Some(all) => all,
                None => Matches { count: self.count_some(viewer, &narrowed).await?, tags: Vec::new() },
            };
            return Ok((listing, matches));
        }
        if params.is_in_parts(viewer)? {
            return self.parts_with_matches(viewer, params, &narrowed).await;
        }
        let listing = self.load_list(viewer, params, Part::Counted).await?;
        let matches = listing.matches.clone().unwrap_or_default();
        Ok((listing, matches))
    }

    async fn parts_with_matches(
        &self,
        viewer: &Viewer,
        params: &ListParams,
        narrowed: &ListParams,
    ) -> Result<(Arc<Listing>, Matches)> {
        let matches = self.matches(viewer, narrowed);
        match select(pin!(self.list(viewer, params)), pin!(matches)).await {
            Either::Left((listing, matches)) => {
                let listing = listing?;
                let matches = match listing.all_of(params) {
                    Some(all) => all,
                    None => matches.await?,
                };
                Ok((listing, matches))
            }
            Either::Right((matches, listing)) => Ok((listing.await?, matches?)),
        }
    }
}
