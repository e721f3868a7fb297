//! Public profiles and feeds. Every viewer sees here what a visitor sees.

pub mod api;
pub(super) mod atom;
pub mod pages;
#[doc(hidden)] // The tests ask the databases for the plans of its statements.
pub mod store;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::listing::{Hit, ListParams, Listing};
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

/// The latest public resources, of all or of one person.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Feed {
    pub owner: Option<Profile>,
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

    /// A page of a person's public resources, newest first; `cursor` is where the page before ended, or empty.
    pub async fn public_resources_of(&self, profile: &Profile, cursor: &str) -> Result<Arc<Listing>> {
        let (q, limit) = (format!("by:{}", profile.username), PAGE.to_owned());
        let params = ListParams { q, limit, cursor: cursor.to_owned(), ..ListParams::default() };
        self.list(&Viewer::Visitor, &params).await
    }

    /// The latest public resources, of all or of one person.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a person without a profile.
    pub async fn feed(&self, username: Option<&str>) -> Result<Arc<Feed>> {
        let username = username.map(|name| username_key(name).ok_or(Error::NotFound)).transpose()?;
        let key = Key::public(username.as_ref().map_or(id_of(&[]), |name| id_of(&[name])));
        let load = |viewer: Viewer| {
            let db = self.db.clone();
            async move {
                let owner = match &username {
                    None => None,
                    Some(name) => match store::profile(&db, &viewer, name).await? {
                        None => return Ok(None),
                        found => found,
                    },
                };
                let hits = store::latest(&db, &viewer, owner.as_ref().map(|profile| profile.id)).await?;
                Ok(Some(Feed { owner, hits }))
            }
        };
        let found = self.cache.get(&cached::FEED, key, cached::list_scopes(&Viewer::Visitor), load).await?;
        found.ok_or(Error::NotFound)
    }
}
