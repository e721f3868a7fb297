//! Share links: unlisted addresses by which anyone reads an entry, a tag or a search of their maker, for a time; and private feeds.

pub mod actions;
pub mod api;
pub mod feeds;
pub mod pages;
mod public;
mod public_api;
pub mod reading;
#[doc(hidden)] // The tests ask the databases for the plans of its statements.
pub mod store;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRef;
use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use self::actions::{SHARE_CREATE, SHARE_REVOKE};
pub use self::store::{ShareLink, Target};
use crate::audit::{Action, AuditLog, Event};
use crate::cache::{Cache, Scope};
use crate::db::Db;
use crate::error::{Error, FieldErrors, Result};
use crate::identity::{Member, RequestMeta, Viewer};
use crate::resources::draft::check_text;
use crate::resources::listing::ListParams;
use crate::resources::{Resources, query, tag};
use crate::system::System;
use crate::web::deps::WebDeps;

/// The path of every share link begins with it.
pub const PATH: &str = "/s/";
/// How long a link lasts unless its maker chooses otherwise, in days.
pub const DEFAULT_DAYS: u32 = 30;
/// The days to choose from; any number up to a year will do by API.
pub const CHOICES: [u32; 4] = [1, 7, 30, 365];
const MAX_DAYS: u32 = 365;
const MAX_LINKS: usize = 100;
const MAX_QUERY: usize = 1_000;
/// The list of links shows one that is over for this long.
const TOLD_FOR: Duration = Duration::from_hours(30 * 24);
/// In the names of scopes.
const LINK: char = 'h';

pub struct Shares {
    pub db: Db,
    pub cache: Cache,
    pub system: System,
    pub audit: AuditLog,
    pub resources: Arc<Resources>,
}

#[derive(Clone, FromRef)]
pub struct SharesState {
    pub shares: Arc<Shares>,
    pub deps: Arc<WebDeps>,
}

/// A link just made. Its token is never shown again.
pub struct Made {
    pub link: ShareLink,
    pub token: String,
}

/// What a person asks to share; exactly one of the first three is not empty.
#[derive(Clone, Debug, Default)]
pub struct NewShare {
    pub entry: Option<Uuid>,
    pub tag: String,
    pub query: String,
    pub days: u32,
}

impl Shares {
    /// # Errors
    /// [`Error::Invalid`] at the fields, [`Error::NotFound`] for an entry that is not the viewer's or is in the trash.
    pub async fn create(&self, viewer: &Viewer, new: &NewShare, origin: &RequestMeta) -> Result<Made> {
        let owner = viewer.signed_in()?;
        if !(1..=MAX_DAYS).contains(&new.days) {
            return Err(Error::field("days", "Choose 1 to 365 days."));
        }
        let target = self.target(viewer, new).await?;
        if self.list(owner).await?.len() >= MAX_LINKS {
            return Err(Error::field(
                "days",
                "You already have 100 share links. Revoke one you don’t need first.",
            ));
        }
        let token = BASE64URL_NOPAD.encode(&self.system.random::<16>());
        let now = self.system.now();
        let link = ShareLink {
            id: self.system.new_id(),
            title: self.title(viewer, &target).await?,
            target,
            created_at: now,
            expires_at: now.plus(Duration::from_hours(u64::from(new.days) * 24)),
            views: 0,
        };
        let hash = hash(&token);
        let mut tx = self.audit.begin_cached(&self.cache).await?;
        store::insert(&mut tx, owner.id, &link, &hash).await?;
        tx.commit(origin, event(SHARE_CREATE, owner, link.id), scope(&hash)).await?;
        Ok(Made { link, token })
    }

    /// The title of what would be shared.
    ///
    /// # Errors
    /// Those of [`Shares::create`].
    pub async fn offered(&self, viewer: &Viewer, new: &NewShare) -> Result<String> {
        let target = self.target(viewer, new).await?;
        self.title(viewer, &target).await
    }

    async fn target(&self, viewer: &Viewer, new: &NewShare) -> Result<Target> {
        match (new.entry, new.tag.trim(), new.query.trim()) {
            (Some(id), "", "") => {
                let entry = self.resources.find(viewer, id).await?;
                entry.may_be_shared_by(viewer).then_some(Target::Entry(id)).ok_or(Error::NotFound)
            }
            (None, tag, "") if !tag.is_empty() => {
                let parsed = tag::parse_sent(&new.tag).map_err(|e| Error::field("tag", e.to_string()))?;
                let tagged =
                    ListParams { tag: parsed.name.clone(), mine: "true".to_owned(), ..ListParams::default() };
                if self.resources.list(viewer, &tagged).await?.hits.is_empty() {
                    return Err(Error::field("tag", "None of your entries has this tag."));
                }
                Ok(Target::Tag(parsed.name))
            }
            (None, "", text) if !text.is_empty() => check_query(&new.query),
            _ => Err(Error::field("entry", "Share one entry, one tag or one search.")),
        }
    }

    /// A person's links, the newest first.
    pub async fn list(&self, owner: &Member) -> Result<Vec<ShareLink>> {
        Ok(store::of_user(&self.db, owner.id).await?)
    }

    /// # Errors
    /// [`Error::NotFound`] when it is not one of theirs.
    pub async fn revoke(&self, owner: &Member, id: Uuid, origin: &RequestMeta) -> Result<()> {
        let mut tx = self.audit.begin_cached(&self.cache).await?;
        let hash = store::delete(&mut tx, owner.id, id).await?.ok_or(Error::NotFound)?;
        Ok(tx.commit(origin, event(SHARE_REVOKE, owner, id), scope(&hash)).await?)
    }

    pub fn is_over(&self, link: &ShareLink) -> bool {
        link.expires_at <= self.system.now()
    }

    /// Deletes links that were over long ago.
    pub async fn forget_old(&self) -> Result<()> {
        Ok(store::forget(&self.db, self.system.now().minus(TOLD_FOR)).await?)
    }
}

fn check_query(text: &str) -> Result<Target> {
    let mut errors = FieldErrors::default();
    check_text("query", text, MAX_QUERY, &mut errors);
    errors.or(())?;
    let text = text.trim();
    if text.contains('=') && ListParams::from_saved(text).is_some() {
        return Err(Error::field("query", "Write the search itself, such as tag:rust, not its address."));
    }
    let known = query::parse(text)
        .and_then(|query| query.unknown_filter.map_or(Ok(()), |unknown| Err(unknown.into())));
    match known {
        Ok(()) => Ok(Target::Search(text.to_owned())),
        Err(error) => Err(Error::field("query", error.message)),
    }
}

fn event(action: Action, owner: &Member, id: Uuid) -> Event {
    Event { target: id.to_string(), ..Event::own(action, owner.id) }
}

fn hash(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

/// Of what depends on a link, known by its hash alone.
fn scope(hash: &[u8]) -> Scope {
    Scope::Noun(LINK, key(hash))
}

fn key(hash: &[u8]) -> Uuid {
    let mut first = [0; 16];
    first.iter_mut().zip(hash).for_each(|(byte, of_hash)| *byte = *of_hash);
    Uuid::from_bytes(first)
}
