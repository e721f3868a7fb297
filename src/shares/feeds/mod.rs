//! Private feeds: what a person sees in their library, at secret addresses for their feed reader.

pub mod api;
pub mod pages;
#[doc(hidden)] // The tests ask the databases for the plans of its statements.
pub mod store;

use std::sync::Arc;

use data_encoding::BASE64URL_NOPAD;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

pub use self::store::PrivateFeed;
use super::actions::{FEED_CREATE, FEED_DELETE, FEED_RENEW};
use super::{Shares, event, hash};
use crate::error::{Error, Result};
use crate::identity::{Member, RequestMeta, Viewer};
use crate::public_url::PublicUrl;
use crate::resources::listing::ListParams;
use crate::resources::pages::list_href;
use crate::resources::public::atom::{self, About};
use crate::resources::tag;

const MAX_FEEDS: usize = 100;

/// What a feed has: your whole library, or what one of the two names.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PrivateFeedDraft {
    /// Only the entries with this tag or one below it.
    #[schema(max_length = 200)]
    pub tag: String,
    /// Only what this saved search of yours finds. The feed ends with the search.
    pub search: Option<Uuid>,
}

/// A feed with a new address, which is never shown again.
pub struct Addressed {
    pub feed: PrivateFeed,
    pub token: String,
}

impl PrivateFeed {
    pub fn title(&self) -> &str {
        self.search_name.as_deref().or(self.tag.as_deref()).unwrap_or("Your library")
    }

    fn params(&self) -> ListParams {
        let saved = self.query.as_deref().and_then(ListParams::from_saved);
        saved.unwrap_or_else(|| ListParams {
            tag: self.tag.clone().unwrap_or_default(),
            ..ListParams::default()
        })
    }

    /// The list that it follows.
    pub fn href(&self) -> String {
        list_href(&self.params())
    }
}

impl Shares {
    /// # Errors
    /// [`Error::Invalid`] at `tag` or `search`.
    pub async fn create_feed(
        &self,
        viewer: &Viewer,
        draft: &PrivateFeedDraft,
        origin: &RequestMeta,
    ) -> Result<Addressed> {
        let owner = viewer.signed_in()?;
        let mut feed = PrivateFeed::new(self.system.new_id(), self.system.now());
        match (draft.tag.trim(), draft.search) {
            ("", None) => {}
            ("", Some(id)) => self.follow_search(viewer, id, &mut feed).await?,
            (_, None) => {
                let parsed = tag::parse_sent(&draft.tag).map_err(|e| Error::field("tag", e.to_string()))?;
                feed.tag = Some(parsed.name);
            }
            _ => return Err(Error::field("search", "Choose a tag or a saved search, not both.")),
        }
        if self.feeds_of(owner).await?.len() >= MAX_FEEDS {
            let message = "You already have 100 private feeds. Delete one you don’t need first.";
            return Err(Error::field("tag", message));
        }
        let token = self.new_feed_token();
        let mut tx = self.audit.begin(&self.db).await?;
        store::insert(&mut tx, owner.id, &feed, &hash(&token)).await?;
        tx.commit(origin, &[event(FEED_CREATE, owner, feed.id)]).await?;
        Ok(Addressed { feed, token })
    }

    async fn follow_search(&self, viewer: &Viewer, id: Uuid, feed: &mut PrivateFeed) -> Result<()> {
        let saved = match self.resources.saved_search(viewer, id).await {
            Err(Error::NotFound) => {
                return Err(Error::field("search", "You have no saved search with this id."));
            }
            found => found?,
        };
        (feed.search, feed.search_name, feed.query) = (Some(id), Some(saved.name), Some(saved.search));
        Ok(())
    }

    /// A person's feeds, the newest first.
    pub async fn feeds_of(&self, owner: &Member) -> Result<Vec<PrivateFeed>> {
        Ok(store::of_user(&self.db, owner.id).await?)
    }

    /// Gives a feed a new address. The old one leads nowhere from now on.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it is not one of theirs.
    pub async fn renew_feed(&self, owner: &Member, id: Uuid, origin: &RequestMeta) -> Result<Addressed> {
        let found = self.feeds_of(owner).await?.into_iter().find(|feed| feed.id == id);
        let feed = found.ok_or(Error::NotFound)?;
        let token = self.new_feed_token();
        let mut tx = self.audit.begin(&self.db).await?;
        if !store::set_token(&mut tx, owner.id, id, &hash(&token)).await? {
            return Err(Error::NotFound);
        }
        tx.commit(origin, &[event(FEED_RENEW, owner, id)]).await?;
        Ok(Addressed { feed, token })
    }

    /// # Errors
    /// [`Error::NotFound`] when it is not one of theirs.
    pub async fn delete_feed(&self, owner: &Member, id: Uuid, origin: &RequestMeta) -> Result<()> {
        let mut tx = self.audit.begin(&self.db).await?;
        if !store::delete(&mut tx, owner.id, id).await? {
            return Err(Error::NotFound);
        }
        Ok(tx.commit(origin, &[event(FEED_DELETE, owner, id)]).await?)
    }

    /// The feed at this address as an Atom document. No copy of who has the address is kept, so it ends at once.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a token that no feed has, and for a disabled owner: the answer does not tell which.
    async fn read_feed(&self, token: &str, site: &PublicUrl) -> Result<String> {
        let opened = store::opened(&self.db, &hash(token)).await?.ok_or(Error::NotFound)?;
        let (feed, owner) = (opened.feed, Viewer::Member(Arc::new(opened.owner)));
        let hits = self.resources.latest_listed(&owner, feed.params()).await?;
        let about = About {
            id: feed.id,
            title: feed.title().to_owned(),
            page: feed.href(),
            feed: path(token),
            author: None,
        };
        atom::rendered(about, hits, site.address()).await
    }

    fn new_feed_token(&self) -> String {
        BASE64URL_NOPAD.encode(&self.system.random::<16>())
    }
}

fn path(token: &str) -> String {
    format!("/f/{token}/feed.atom")
}

fn address(site: &PublicUrl, token: &str) -> String {
    format!("{}{}", site.address(), path(token))
}
