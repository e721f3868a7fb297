//! The library: links and notes. Here are its verbs; the nouns are in `resource` and `draft`, the SQL is in `store`.

pub mod addresses;
pub mod api;
pub mod batch;
pub mod broken;
pub mod bulk;
pub mod cached;
pub mod changes;
mod counted;
pub mod draft;
pub mod export;
pub mod fetched;
pub mod fold;
pub mod import;
mod index_terms;
pub mod jobs;
mod kind;
mod late_title;
pub mod listing;
mod memo;
mod near_miss;
pub mod normal_url;
pub mod pages;
mod partitions;
pub mod precondition;
pub mod public;
mod put;
pub mod query;
mod rank;
pub mod resource;
pub mod retag;
mod revisions;
pub mod samples;
mod saving;
pub mod searches;
pub mod seed;
#[doc(hidden)] // The tests ask the databases for the plans of its statements.
pub mod store;
pub mod tag;
pub mod take_back;
mod trash;
pub mod visibility;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRef;
use parking_lot::Mutex;
use uuid::Uuid;

use self::cached::Part;
pub use self::draft::{Change, Draft};
use self::export::Exports;
use self::fetched::{Fetching, IconReads};
pub use self::kind::{Kind, Via};
use self::late_title::Expected;
use self::listing::{ListParams, Listing, Search};
pub use self::precondition::Precondition;
pub use self::resource::{PastRevision, Resource, Revision, Revisions, Tags};
pub use self::store::matches::Matches;
use self::store::write::Times;
pub use self::tag::TagCount;
use self::visibility::Partition;
pub use self::visibility::Visibility;
use crate::cache::{Cache, Key, Scopes};
use crate::db::Db;
use crate::error::{Error, Result};
use crate::idempotency::Requests;
use crate::identity::Viewer;
use crate::system::System;
use crate::web::cursor::CursorKey;
use crate::web::deps::WebDeps;

/// How long the trash keeps what is thrown into it.
pub const TRASH_LIFE: Duration = Duration::from_hours(30 * 24);

#[derive(Clone)]
pub struct Resources {
    cache: Cache,
    db: Db,
    context: System,
    cursors: CursorKey,
    exports: Exports,
    fetching: Option<Fetching>,
    icon_reads: IconReads,
    /// Where the last sweep of unused words ended.
    swept: Arc<Mutex<String>>,
    pub requests: Requests,
}

/// What the routes of the library need.
#[derive(Clone, FromRef)]
pub struct ResourcesState {
    pub resources: Arc<Resources>,
    pub deps: Arc<WebDeps>,
}

impl Resources {
    pub fn new(cache: Cache, db: Db, context: System, cursors: CursorKey) -> Self {
        let requests = Requests::new(db.clone(), context.clone());
        let (exports, icon_reads) = (Exports::default(), IconReads::default());
        let swept = Arc::default();
        Self { cache, db, context, cursors, exports, fetching: None, icon_reads, swept, requests }
    }

    /// The same, with pages fetched in the background.
    pub fn with_fetching(self, fetching: Fetching) -> Self {
        Self { fetching: Some(fetching), ..self }
    }

    /// # Errors
    /// [`Error::NotFound`] when it is not there or not for this viewer.
    pub async fn find(&self, viewer: &Viewer, id: Uuid) -> Result<Arc<Resource>> {
        let load = |_| {
            let db = self.db.clone();
            async move { Ok(store::find(&db, id).await?) }
        };
        let (key, scopes) = (Key::shared(viewer, id.into_bytes()), Scopes::one(cached::scope(id)));
        self.cache.get(&cached::RESOURCE, key, scopes, load).await?.ok_or(Error::NotFound)
    }

    /// The resource as the database has it now, for changes and their answers.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it is not there or not for this viewer.
    pub async fn latest(&self, viewer: &Viewer, id: Uuid) -> Result<Resource> {
        let resource = store::find(&self.db, id).await?;
        resource.filter(|resource| visibility::may_see(viewer, resource)).ok_or(Error::NotFound)
    }

    /// The viewer's own resource with this address, compared by its normal form.
    pub async fn lookup(&self, viewer: &Viewer, url: &str) -> Result<Resource> {
        let owner = viewer.signed_in()?.id;
        let normal = normal_url::parse(url).map_err(|e| Error::field("url", e.to_string()))?;
        let id =
            store::find_by_url(&self.db, owner, &draft::url_key(&normal)).await?.ok_or(Error::NotFound)?;
        self.latest(viewer, id).await
    }

    /// One page of what the viewer may see, filtered, searched and sorted.
    ///
    /// # Errors
    /// [`Error::BadQuery`], [`Error::BadCursor`].
    pub async fn list(&self, viewer: &Viewer, params: &ListParams) -> Result<Arc<Listing>> {
        if params.is_in_parts(viewer)? {
            return Box::pin(self.list_in_parts(viewer, params)).await;
        }
        self.load_list(viewer, params, Part::All).await
    }

    async fn load_list(&self, viewer: &Viewer, params: &ListParams, part: Part) -> Result<Arc<Listing>> {
        if params.partition()? != Partition::Visible {
            viewer.signed_in()?;
        }
        let (id, scopes) = (cached::list_id(params, part), cached::list_scopes(viewer));
        let load = |viewer| {
            let (this, params) = (self.clone(), params.clone());
            async move {
                let search = this.search(&viewer, &params).await?;
                let page = match part {
                    Part::Counted => store::list::page_with_matches(&this.db, &viewer, &search).await?,
                    _ => store::list::page(&this.db, &viewer, &search).await?,
                };
                Ok(Some(Listing::new(page, &search, &this.cursors)))
            }
        };
        let listing = self.cache.read(&cached::LISTING, viewer, id, scopes, load).await?;
        Ok(listing.unwrap_or_default())
    }

    /// The checked parameters, with the ids of people and with the longer words that contain the one still being typed.
    async fn search(&self, viewer: &Viewer, params: &ListParams) -> Result<Search> {
        let mut search = params.search(&self.cursors)?;
        if search.partition == Partition::Visible && search.query.is_of_own() {
            search.partition = Partition::Own;
        }
        store::owners::identify(&self.db, viewer, &mut search.filters).await?;
        store::parts::widen(&self.db, &mut search.query).await?;
        Ok(search)
    }

    /// Forgets words that no entry has any more, where the last call ended.
    pub async fn forget_unused_words(&self) -> Result<()> {
        let last = self.swept.lock().clone();
        let last = store::parts::sweep(&self.db, last).await?;
        *self.swept.lock() = last;
        Ok(())
    }

    /// Whether there is anything at all that the viewer may see.
    pub async fn any(&self, viewer: &Viewer) -> Result<bool> {
        let load = |viewer: Viewer| {
            let db = self.db.clone();
            async move {
                let any = store::list::any(&db, &viewer).await?;
                Ok(Some(cached::Any { by: viewer.id(), any }))
            }
        };
        let found = self.cache.read(&cached::ANY, viewer, [0; 16], cached::list_scopes(viewer), load).await?;
        Ok(found.is_some_and(|found| found.any))
    }

    /// The tags of what the viewer may see, with counts, in the order of their names.
    pub async fn tags(&self, viewer: &Viewer) -> Result<Vec<TagCount>> {
        let load = |viewer: Viewer| {
            let db = self.db.clone();
            async move {
                let tags = store::tags::seen(&db, &viewer).await?;
                Ok(Some(cached::Tagged { by: viewer.id(), tags }))
            }
        };
        let found =
            self.cache.read(&cached::TAGS, viewer, [0; 16], cached::list_scopes(viewer), load).await?;
        Ok(found.map(|found| found.tags.clone()).unwrap_or_default())
    }

    /// # Errors
    /// [`Error::Invalid`] with the fields, [`Error::DuplicateUrl`] with the resource that has the address.
    pub async fn create(&self, viewer: &Viewer, draft: &Draft, via: Via) -> Result<Resource> {
        self.create_with_id(viewer, self.context.new_id(), draft, via).await
    }

    /// The same with an id that the caller has chosen.
    async fn create_with_id(&self, viewer: &Viewer, id: Uuid, draft: &Draft, via: Via) -> Result<Resource> {
        let owner = viewer.signed_in()?.id;
        let checked = draft.check()?;
        let now = self.context.now();
        let created = draft.created_at.unwrap_or(now);
        if created > now {
            return Err(Error::field("created_at", "This is in the future. Enter a time in the past."));
        }
        let mut tx = self.cache.begin().await?;
        if let Err(error) =
            store::write::insert(&mut tx, id, owner, &checked, Times { created, updated: now }).await
        {
            drop(tx);
            return Err(self.duplicate(error, owner, &checked).await);
        }
        let tags = checked.tags.iter().collect();
        store::write::add_tags(&mut tx, id, owner, tags, || self.context.new_id()).await?;
        store::write::add_revision(&mut tx, id, owner, via, now).await?;
        self.fetch_if_untitled(&mut tx, id, owner, &checked).await?;
        let saved = store::find_within(&mut tx, id).await?.ok_or(Error::NotFound)?;
        tx.commit(cached::touched(id, owner, &[checked.visibility])).await?;
        self.wake_fetching();
        Ok(saved)
    }

    /// Saves a change to the version that the viewer has read. A change that changes nothing makes no new version.
    ///
    /// # Errors
    /// [`Error::VersionConflict`] when another version is current, and those of [`Resources::create`].
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
            return Err(Error::Trashed);
        }
        let expected = Expected { precondition: expected.clone(), change };
        let Expected { precondition: expected, change } = self.allow_late_title(&current, expected).await?;
        let mut kept = current.tags.0.clone();
        if via == Via::Restore {
            kept.extend(change.tags.iter().flatten().cloned());
        }
        // An invalid change is refused as invalid, whatever `If-Match` says (RFC 9110 § 13.2.1).
        let checked = change.over(Draft::from(&current)).check_keeping(&kept)?;
        expected.check(&current)?;
        if checked.changes_nothing_of(&current) {
            return Ok(current);
        }
        match self.replace(&current, &checked, via).await? {
            Some(saved) => Ok(saved),
            None => Err(self.latest(viewer, id).await?.conflict()),
        }
    }
}
