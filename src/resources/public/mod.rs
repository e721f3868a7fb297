//! The public face: what a person shows to anyone, and feeds of it. Who asks makes no difference here: everybody sees
//! what a visitor does.

pub mod api;
mod atom;
pub mod pages;
#[doc(hidden)] // The tests ask the databases for the plans of its statements.
pub mod store;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::listing::{Asked, Hit, Listing};
use super::visibility::may_be_seen_by;
use super::{Resource, Resources, cached};
use crate::accounts::username_key;
use crate::cache::{Key, id_of};
use crate::db::Timestamp;
use crate::error::{Error, Result};
use crate::web::viewer::Viewer;

/// Entries on a page of somebody's profile.
const PAGE: &str = "20";
/// Entries in a feed.
pub const LATEST: i64 = 50;

/// What everybody may know of somebody who shows something to everybody.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, sqlx::FromRow)]
pub struct Profile {
    pub id: Uuid,
    pub username: String,
    pub display_name: String,
    /// How many public resources they keep; never 0.
    pub public: i64,
    pub since: Timestamp,
}

/// The latest public resources, of all or of one person.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Feed {
    pub of: Option<Profile>,
    /// With their bodies, unless those are longer than a feed carries.
    pub hits: Vec<Hit>,
}

impl Resources {
    /// # Errors
    /// [`Error::NotFound`] for who does not exist, is disabled, or shows nothing: nobody can tell which.
    pub async fn profile(&self, username: &str) -> Result<Arc<Profile>> {
        let username = username_key(username).ok_or(Error::NotFound)?;
        let key = Key::public(id_of(&[&username]));
        let load = |viewer: Viewer| {
            let db = self.db.clone();
            async move { Ok(store::profile(&db, &viewer, &username).await?) }
        };
        let found = self.cache.get(&cached::PROFILE, key, cached::shelves(&Viewer::Visitor), load).await?;
        found.ok_or(Error::NotFound)
    }

    /// Whether there is a profile to lead to from what somebody keeps: from what is not public there never is, and
    /// nothing is remembered of them that a guess at their name could meet.
    pub async fn has_profile_behind(&self, resource: &Resource) -> Result<bool> {
        if !may_be_seen_by(None, resource) {
            return Ok(false);
        }
        match self.profile(&resource.owner_username).await {
            Ok(_) => Ok(true),
            Err(Error::NotFound) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whether the viewer has a profile. Asked of the database, for the same reason.
    pub async fn has_own_profile(&self, viewer: &Viewer) -> Result<bool> {
        let username = &viewer.signed_in()?.username;
        Ok(store::profile(&self.db, &Viewer::Visitor, username).await?.is_some())
    }

    /// A page of what somebody shows to everybody, newest first; `cursor` is where the page before ended, or empty.
    ///
    /// # Errors
    /// [`Error::BadCursor`].
    pub async fn shown_by(&self, profile: &Profile, cursor: &str) -> Result<Arc<Listing>> {
        let (q, limit) = (format!("by:{}", profile.username), PAGE.to_owned());
        let asked = Asked { q, limit, cursor: cursor.to_owned(), ..Asked::default() };
        self.list(&Viewer::Visitor, &asked).await
    }

    /// The latest of all that is public, or of what one person shows.
    ///
    /// # Errors
    /// [`Error::NotFound`] for who has no profile.
    pub async fn feed(&self, of: Option<&str>) -> Result<Arc<Feed>> {
        let username = of.map(|name| username_key(name).ok_or(Error::NotFound)).transpose()?;
        let key = Key::public(username.as_ref().map_or(id_of(&[]), |name| id_of(&[name])));
        let load = |viewer: Viewer| {
            let db = self.db.clone();
            async move {
                let of = match &username {
                    None => None,
                    Some(name) => match store::profile(&db, &viewer, name).await? {
                        None => return Ok(None),
                        found => found,
                    },
                };
                let hits = store::latest(&db, &viewer, of.as_ref().map(|profile| profile.id)).await?;
                Ok(Some(Feed { of, hits }))
            }
        };
        let found = self.cache.get(&cached::FEED, key, cached::shelves(&Viewer::Visitor), load).await?;
        found.ok_or(Error::NotFound)
    }
}
