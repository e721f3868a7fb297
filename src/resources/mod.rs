//! The library: links and notes. Here are the nouns and the verbs; the rules live beside them.

pub mod api;
pub mod cached;
pub mod draft;
pub mod export;
pub mod fold;
pub mod import;
pub mod listing;
pub mod markdown;
mod marks;
pub mod normal_url;
pub mod pages;
pub mod precondition;
pub mod public;
pub mod query;
mod rank;
mod read;
pub mod seed;
#[doc(hidden)] // The tests ask the databases for the plans of its statements.
pub mod store;
pub mod tag;
mod trash;
pub mod visibility;

use std::sync::Arc;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use utoipa::ToSchema;
use uuid::Uuid;

pub use self::draft::{Change, Draft};
pub use self::precondition::Precondition;
pub use self::trash::TRASH_LIFE;
pub use self::visibility::Visibility;
use crate::cache::{Cache, Scope};
use crate::context::Context;
use crate::db::{Db, Timestamp};
use crate::error::{Error, Result};
use crate::web::cursor::CursorKey;
use crate::web::viewer::Viewer;

/// Resources with a respelled tag that are named as touched; where more carry it, the cache takes all to be touched.
const CARRIERS: i64 = 100;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Link,
    Note,
}

impl Kind {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Note => "note",
        }
    }
}

impl TryFrom<String> for Kind {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "link" => Ok(Self::Link),
            "note" => Ok(Self::Note),
            _ => Err(text),
        }
    }
}

/// The way by which a version was saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Via {
    Web,
    Api,
    Import,
    Restore,
}

impl Via {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Api => "api",
            Self::Import => "import",
            Self::Restore => "restore",
        }
    }
}

impl TryFrom<String> for Via {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        [Self::Web, Self::Api, Self::Import, Self::Restore]
            .into_iter()
            .find(|via| via.as_str() == text)
            .ok_or(text)
    }
}

/// A link or a note, whole.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, sqlx::FromRow)]
pub struct Resource {
    pub id: Uuid,
    pub owner_id: Uuid,
    pub owner_username: String,
    pub owner_name: String,
    #[sqlx(try_from = "String")]
    pub kind: Kind,
    #[sqlx(try_from = "draft::StoredTitle")]
    pub title: String,
    pub url: Option<String>,
    /// Markdown.
    pub body: String,
    #[sqlx(try_from = "Option<String>")]
    pub tags: Tags,
    #[sqlx(try_from = "String")]
    pub visibility: Visibility,
    pub pinned: bool,
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub trashed_at: Option<Timestamp>,
    #[serde(skip)]
    #[sqlx(skip)]
    pub shown: markdown::Shown,
}

/// Names of tags, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Tags(pub Vec<String>);

impl From<Option<String>> for Tags {
    /// As one query brings them: joined by commas, which no tag contains; NULL for none.
    fn from(joined: Option<String>) -> Self {
        Self(joined.map(|text| draft::split_tags(&text)).unwrap_or_default())
    }
}

impl Resource {
    #[must_use]
    pub fn is_mine(&self, viewer: &Viewer) -> bool {
        viewer.id() == Some(self.owner_id)
    }

    /// Whether saving this would leave all as it is.
    fn is_already(&self, checked: &draft::Checked) -> bool {
        let mut tags: Vec<&str> = self.tags.0.iter().map(String::as_str).collect();
        let mut wanted: Vec<&str> = checked.tags.iter().map(|tag| tag.name.as_str()).collect();
        tags.sort_unstable();
        wanted.sort_unstable();
        self.title == checked.title
            && self.url.as_ref() == checked.url.as_ref().map(|url| &url.url)
            && self.body == checked.body
            && tags == wanted
            && (self.visibility, self.pinned) == (checked.visibility, checked.pinned)
    }

    /// Those of its tags that are to be spelled in another way: whoever does that to a tag that is there already means it.
    fn respelled<'a>(&self, checked: &'a draft::Checked) -> Vec<&'a tag::TagName> {
        let is_new = |tag: &&tag::TagName| !self.tags.0.contains(&tag.name);
        let is_there = |tag: &&tag::TagName| self.tags.0.iter().any(|name| tag::fold(name) == tag.folded);
        checked.tags.iter().filter(is_new).filter(is_there).collect()
    }

    fn change(&self) -> Draft {
        Draft {
            kind: Some(self.kind),
            title: self.title.clone(),
            url: self.url.clone(),
            body: self.body.clone(),
            tags: self.tags.0.clone(),
            visibility: self.visibility,
            pinned: self.pinned,
        }
    }
}

/// One saved version of a resource.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Revision {
    pub version: i64,
    #[sqlx(try_from = "draft::StoredTitle")]
    pub title: String,
    pub url: Option<String>,
    pub body: String,
    /// Joined by commas.
    pub tags: String,
    #[sqlx(try_from = "String")]
    pub visibility: Visibility,
    #[sqlx(try_from = "String")]
    pub via: Via,
    pub saved_by: String,
    pub saved_at: Timestamp,
}

/// A tag and how many resources the viewer sees under it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema, sqlx::FromRow)]
pub struct TagCount {
    pub name: String,
    pub count: i64,
}

#[derive(Clone)]
pub struct Resources {
    cache: Cache,
    db: Db,
    context: Context,
    cursors: CursorKey,
    exports: Arc<Semaphore>,
}

impl Resources {
    #[must_use]
    pub fn new(cache: Cache, db: Db, context: Context, cursors: CursorKey) -> Self {
        Self { cache, db, context, cursors, exports: export::places() }
    }

    /// As it stands in the database at this moment: what a change begins from and what it answers with.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it is not there or not for this viewer.
    pub async fn latest(&self, viewer: &Viewer, id: Uuid) -> Result<Resource> {
        let resource = store::find(&self.db, id).await?;
        resource.filter(|resource| visibility::may_see(viewer, resource)).ok_or(Error::NotFound)
    }

    /// The viewer's own resource that holds this address, by normalised form.
    pub async fn lookup(&self, viewer: &Viewer, url: &str) -> Result<Resource> {
        let owner = viewer.signed_in()?.id;
        let normal = normal_url::parse(url).map_err(|e| Error::field("url", e.to_string()))?;
        let id =
            store::find_by_url(&self.db, owner, &draft::url_key(&normal)).await?.ok_or(Error::NotFound)?;
        self.latest(viewer, id).await
    }

    /// # Errors
    /// [`Error::Invalid`] at the fields, [`Error::DuplicateUrl`] with the resource that holds the address.
    pub async fn create(&self, viewer: &Viewer, draft: &Draft, via: Via) -> Result<Resource> {
        let owner = viewer.signed_in()?.id;
        let checked = draft.check()?;
        let (id, now) = (self.context.new_id(), self.context.now());
        let mut tx = self.cache.begin().await?;
        if let Err(error) = store::write::insert(&mut tx, id, owner, &checked, now).await {
            drop(tx);
            return Err(self.none_twice(error, owner, &checked).await);
        }
        store::write::set_tags(&mut tx, id, owner, &checked.tags, || self.context.new_id()).await?;
        store::write::add_revision(&mut tx, id, owner, via, now).await?;
        let saved = store::find_within(&mut tx, id).await?.ok_or(Error::NotFound)?;
        tx.commit(cached::touched(id, owner, &[checked.visibility])).await?;
        Ok(saved)
    }

    /// Saves a change over what the viewer has read. One that changes nothing makes no version.
    ///
    /// # Errors
    /// [`Error::VersionConflict`] when another version stands meanwhile, and those of [`Resources::create`].
    pub async fn update(
        &self,
        viewer: &Viewer,
        id: Uuid,
        expected: &Precondition,
        change: Change,
        via: Via,
    ) -> Result<Resource> {
        let current = self.find_own(viewer, id).await?;
        if current.trashed_at.is_some() {
            return Err(Error::Forbidden("This is in the trash. Restore it before changing it."));
        }
        // What would be refused anyway is refused for that (RFC 9110 § 13.2.1).
        let mut kept = current.tags.0.clone();
        if via == Via::Restore {
            kept.extend(change.tags.iter().flatten().cloned());
        }
        let checked = change.over(current.change()).check_keeping(&kept)?;
        expected.check(&current)?;
        if current.is_already(&checked) {
            return Ok(current);
        }
        let now = self.context.now();
        let mut tx = self.cache.begin().await?;
        match store::write::update(&mut tx, &current, &checked, now).await {
            Ok(true) => {}
            Ok(false) => {
                drop(tx);
                return Err(Error::VersionConflict { current: self.latest(viewer, id).await?.version });
            }
            Err(error) => {
                drop(tx);
                return Err(self.none_twice(error, current.owner_id, &checked).await);
            }
        }
        store::write::set_tags(&mut tx, id, current.owner_id, &checked.tags, || self.context.new_id())
            .await?;
        let mut carriers = Vec::new();
        for tag in current.respelled(&checked).into_iter().filter(|_| via != Via::Restore) {
            carriers.extend(store::write::respell(&mut tx, current.owner_id, tag, CARRIERS).await?);
        }
        store::write::add_revision(&mut tx, id, current.owner_id, via, now).await?;
        let saved = store::find_within(&mut tx, id).await?.ok_or(Error::NotFound)?;
        let seen = [current.visibility, checked.visibility];
        let respelled = (!carriers.is_empty()).then_some(Scope::Shared);
        let carriers = carriers.into_iter().map(Scope::Resource).chain(respelled);
        tx.commit(cached::touched(id, current.owner_id, &seen).chain(carriers)).await?;
        Ok(saved)
    }

    /// Every saved version, latest first; for the owner.
    pub async fn revisions(&self, viewer: &Viewer, id: Uuid) -> Result<(Resource, Vec<Revision>)> {
        let resource = self.find_own(viewer, id).await?;
        let revisions = store::revisions(&self.db, id).await?;
        Ok((resource, revisions))
    }

    pub async fn revision(&self, viewer: &Viewer, id: Uuid, version: i64) -> Result<(Resource, Revision)> {
        let resource = self.find_own(viewer, id).await?;
        let revision = store::revision(&self.db, id, version).await?.ok_or(Error::NotFound)?;
        Ok((resource, revision))
    }

    /// Saves an old version's text and tags as a new version. Who may see it and whether it is pinned stay as they are:
    /// what was made private since is not published by looking back.
    pub async fn restore_revision(
        &self,
        viewer: &Viewer,
        id: Uuid,
        version: i64,
        expected: &Precondition,
    ) -> Result<Resource> {
        let (_, revision) = self.revision(viewer, id, version).await?;
        let change = Change {
            title: Some(revision.title),
            url: revision.url,
            body: Some(revision.body),
            tags: Some(draft::split_tags(&revision.tags)),
            ..Change::default()
        };
        self.update(viewer, id, expected, change, Via::Restore).await
    }

    /// Tells the database to look at its tables again, after many rows came in.
    async fn refresh_statistics(&self) -> sqlx::Result<()> {
        store::write::analyze(&self.db).await
    }

    /// A visitor is asked to sign in, whatever the id: it may be theirs, and their session over.
    async fn find_own(&self, viewer: &Viewer, id: Uuid) -> Result<Resource> {
        viewer.signed_in()?;
        let resource = self.latest(viewer, id).await?;
        if resource.is_mine(viewer) {
            return Ok(resource);
        }
        Err(Error::Forbidden("Only the person who keeps this can change it."))
    }

    /// The viewer's own resource, if it stands as it was expected to.
    async fn find_expected(&self, viewer: &Viewer, id: Uuid, expected: &Precondition) -> Result<Resource> {
        let current = self.find_own(viewer, id).await?;
        expected.check(&current).map(|()| current)
    }

    /// The unique index has the last word on duplicates; this finds which resource it meant. Asked after the
    /// transaction has ended: it takes a connection of its own.
    async fn none_twice(&self, error: sqlx::Error, owner: Uuid, checked: &draft::Checked) -> Error {
        match &checked.url {
            Some(url) if crate::db::is_duplicate(&error) => {
                let existing = store::find_by_url(&self.db, owner, &draft::url_key(url)).await;
                existing
                    .map_or_else(Error::from, |found| found.map_or_else(|| error.into(), Error::DuplicateUrl))
            }
            _ => error.into(),
        }
    }
}
