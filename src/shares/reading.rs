//! What a share link shows: what its owner may share, for as long as they may.

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::store::{self, Share, Target};
use super::{Shares, hash, key, scope};
use crate::cache::{Cached, Key, Kind, Scopes, Ttl};
use crate::error::{Error, Result};
use crate::identity::Viewer;
use crate::resources::Resource;
use crate::resources::listing::{ListParams, Listing};

const PAGE: &str = "20";

pub static SHARE: Kind<Share> = Kind {
    name: "share",
    schema: 1,
    ttl: Ttl { soft: Duration::from_mins(4), hard: Duration::from_hours(1) },
    // With the owner's address in it, it stays in this process.
    is_shared: false,
    is_composed: false,
    value: PhantomData,
};

impl Cached for Share {
    fn weight(&self) -> usize {
        let Share { target, owner, .. } = self;
        let text = match target {
            Target::Entry(_) => 0,
            Target::Tag(text) | Target::Search(text) => text.len(),
        };
        text + owner.email.len() + owner.username.len() + owner.display_name.len() + size_of::<Self>()
    }

    /// For all who have its address, which is the key.
    fn is_for(&self, _: Option<Uuid>) -> bool {
        true
    }
}

impl Share {
    /// As whom the link reads.
    fn owner(&self) -> Viewer {
        Viewer::Member(Arc::new(self.owner.clone()))
    }

    fn params(&self) -> ListParams {
        let (tag, q) = match &self.target {
            Target::Entry(_) => (String::new(), String::new()),
            Target::Tag(name) => (name.clone(), String::new()),
            Target::Search(text) => (String::new(), text.clone()),
        };
        let (mine, sort) = ("true".to_owned(), "newest".to_owned());
        ListParams { tag, q, mine, sort, limit: PAGE.to_owned(), ..ListParams::default() }
    }
}

impl Shares {
    /// # Errors
    /// [`Error::NotFound`] for an unknown token, a link that is over, and a disabled owner: the answer does not tell which.
    pub async fn open(&self, token: &str) -> Result<Arc<Share>> {
        let hash = hash(token);
        let (key, scopes) = (Key::public(key(&hash).into_bytes()), Scopes::one(scope(&hash)));
        let load = |_| {
            let db = self.db.clone();
            async move { Ok(store::opened(&db, &hash).await?) }
        };
        let found = self.cache.get(&SHARE, key, scopes, load).await?;
        found.filter(|share| self.system.now() < share.expires_at).ok_or(Error::NotFound)
    }

    /// A page of what a shared tag or search finds among its owner's own entries; `cursor` is where the page before ended,
    /// `include` is that of [`ListParams`].
    pub async fn listing(&self, share: &Share, cursor: &str, include: &str) -> Result<Arc<Listing>> {
        let (cursor, include) = (cursor.to_owned(), include.to_owned());
        let params = ListParams { include, cursor, ..share.params() };
        self.resources.list(&share.owner(), &params).await
    }

    /// An entry that the link shows.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it does not show this entry, or no longer.
    pub async fn entry(&self, share: &Share, id: Uuid) -> Result<Arc<Resource>> {
        let owner = share.owner();
        let entry = self.resources.find(&owner, id).await?;
        let is_shown = match &share.target {
            Target::Entry(shared) => *shared == id,
            Target::Tag(_) | Target::Search(_) => {
                self.resources.is_listed(&owner, &share.params(), id).await?
            }
        };
        (is_shown && entry.may_be_shared_by(&owner)).then_some(entry).ok_or(Error::NotFound)
    }

    /// What the owner calls it.
    pub(super) async fn title(&self, viewer: &Viewer, target: &Target) -> Result<String> {
        Ok(match target {
            Target::Entry(id) => self.resources.find(viewer, *id).await?.title.clone(),
            Target::Tag(text) | Target::Search(text) => text.clone(),
        })
    }

    /// Counts a view by another than the owner. A count that can't be written keeps no one from reading.
    pub(super) async fn count_view(&self, share: &Share, viewer: &Viewer) {
        if viewer.id() != Some(share.owner.id)
            && let Err(error) = store::count_view(&self.db, share.id).await
        {
            tracing::warn!(?error, "a view of a share link could not be counted");
        }
    }
}
