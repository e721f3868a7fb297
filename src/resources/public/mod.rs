//! Public profiles and feeds. Every viewer sees here what a visitor sees.

pub mod api;
pub mod atom;
pub mod pages;
pub mod sitemap;
#[doc(hidden)] // The tests ask the databases for the plans of its statements.
pub mod store;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::listing::{Hit, ListParams, Listing};
use super::store::list;
use super::visibility::may_be_seen_by;
use super::{Resource, Resources, cached};
use crate::cache::{Key, id_of};
use crate::error::{Error, Result};
use crate::identity::Viewer;
use crate::names::username_key;
use crate::timestamp::Timestamp;

/// Entries on a page of a profile.
const PAGE: &str = "20";
/// Entries in a feed.
pub const LATEST: i64 = 50;

/// The public profile of a person with public resources.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, sqlx::FromRow)]
pub struct Profile {
    pub id: Uuid,
    pub username: String,
    pub display_name: String,
    /// How many public resources they have; never 0.
    pub public: i64,
    pub since: Timestamp,
}

/// Whose public resources a feed or a profile shows, and with which tag.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// `None` for those of all people.
    pub username: Option<String>,
    /// Empty for any.
    pub tag: String,
}

/// The latest public resources of a selection.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Feed {
    pub owner: Option<Profile>,
    /// As it was asked for; empty for any.
    pub tag: String,
    /// With their bodies, unless those are longer than a feed carries.
    pub hits: Vec<Hit>,
}

impl Resources {
    /// # Errors
    /// [`Error::NotFound`] for an account that does not exist, is disabled, or has nothing public. Viewers can't tell which.
    pub async fn profile(&self, username: &str) -> Result<Arc<Profile>> {
        let username = username_key(username).ok_or(Error::NotFound)?;
        let key = Key::public(id_of(&[&username]));
        let load = |viewer: Viewer| {
            let db = self.db.clone();
            async move { Ok(store::profile(&db, &viewer, &username).await?) }
        };
        let found =
            self.cache.get(&cached::PROFILE, key, cached::list_scopes(&Viewer::Visitor), load).await?;
        found.ok_or(Error::NotFound)
    }

    /// Whether a page of the resource may link to its owner's profile. For a resource that is not public this asks nothing:
    /// a cached answer would tell guessers that the name exists.
    pub async fn owner_has_profile(&self, resource: &Resource) -> Result<bool> {
        if !may_be_seen_by(None, resource) {
            return Ok(false);
        }
        match self.profile(&resource.owner_username).await {
            Ok(_) => Ok(true),
            Err(Error::NotFound) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whether the viewer has a profile. Not cached, for the same reason.
    pub async fn has_own_profile(&self, viewer: &Viewer) -> Result<bool> {
        let username = &viewer.signed_in()?.username;
        Ok(store::profile(&self.db, &Viewer::Visitor, username).await?.is_some())
    }

    /// A page of a person's public resources, newest first, of all tags or of one; `cursor` is where the page before
    /// ended, or empty.
    pub async fn public_resources_of(
        &self,
        profile: &Profile,
        tag: &str,
        cursor: &str,
    ) -> Result<Arc<Listing>> {
        let (q, limit) = (format!("by:{}", profile.username), PAGE.to_owned());
        let (tag, cursor) = (tag.to_owned(), cursor.to_owned());
        let params = ListParams { q, tag, cursor, limit, ..ListParams::default() };
        self.list(&Viewer::Visitor, &params).await
    }

    /// The latest public resources of a selection.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a person without a profile, 400 `bad_parameter` for what can be no tag.
    pub async fn feed(&self, of: &Selection) -> Result<Arc<Feed>> {
        let name = of.username.as_ref().map(|name| username_key(name).ok_or(Error::NotFound)).transpose()?;
        let key = Key::public(id_of(&[name.as_deref().unwrap_or_default(), &of.tag]));
        let load = |viewer: Viewer| {
            let (this, tag) = (self.clone(), of.tag.clone());
            async move {
                let owner = match &name {
                    None => None,
                    Some(name) => match store::profile(&this.db, &viewer, name).await? {
                        None => return Ok(None),
                        found => found,
                    },
                };
                let hits = this.latest_public(&viewer, owner.as_ref(), &tag).await?;
                Ok(Some(Feed { owner, tag, hits }))
            }
        };
        let found = self.cache.get(&cached::FEED, key, cached::list_scopes(&Viewer::Visitor), load).await?;
        found.ok_or(Error::NotFound)
    }

    async fn latest_public(&self, viewer: &Viewer, owner: Option<&Profile>, tag: &str) -> Result<Vec<Hit>> {
        if tag.is_empty() {
            return Ok(store::latest(&self.db, viewer, owner.map(|profile| profile.id)).await?);
        }
        let params = ListParams {
            q: owner.map(|profile| format!("by:{}", profile.username)).unwrap_or_default(),
            tag: tag.to_owned(),
            limit: LATEST.to_string(),
            include: "body".to_owned(),
            ..ListParams::default()
        };
        let search = self.search(viewer, &params).await?;
        let mut hits = list::page(&self.db, viewer, &search).await?.hits;
        for hit in hits.iter_mut().filter(|hit| hit.resource.body.chars().count() > store::LONGEST_BODY) {
            hit.resource.body.clear();
        }
        Ok(hits)
    }
}
