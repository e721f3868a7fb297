//! The steps that several verbs share: who may change a resource, and how a change is written.

use uuid::Uuid;

use super::draft::{Checked, url_key};
use super::{Precondition, Resource, Resources, Via, broken, cached, store};
use crate::cache::{Scope, Write};
use crate::error::{Error, Result};
use crate::identity::Viewer;
use crate::timestamp::Timestamp;

/// At most this many resources with a respelled tag are invalidated by id; with more of them, the cache drops everything.
const CARRIERS: i64 = 100;

/// What a transaction has written, and the scopes to commit it with.
pub(super) struct Written {
    pub saved: Resource,
    pub touched: Vec<Scope>,
}

impl Resources {
    /// Replaces `current`. `None` when another change was faster.
    pub(super) async fn replace(
        &self,
        current: &Resource,
        checked: &Checked,
        via: Via,
    ) -> Result<Option<Resource>> {
        let mut tx = self.cache.begin().await?;
        match self.replace_within(&mut tx, current, checked, via).await {
            Ok(Some(written)) => {
                tx.commit(written.touched).await?;
                self.wake_fetching();
                Ok(Some(written.saved))
            }
            Ok(None) => Ok(None),
            Err(error) => {
                drop(tx);
                Err(self.duplicate(error, current.owner_id, checked).await)
            }
        }
    }

    pub(super) async fn replace_within(
        &self,
        tx: &mut Write,
        current: &Resource,
        checked: &Checked,
        via: Via,
    ) -> sqlx::Result<Option<Written>> {
        let (id, owner, now) = (current.id, current.owner_id, self.context.now());
        if !store::write::update(tx, current, checked, now).await? {
            return Ok(None);
        }
        store::write::set_tags(tx, id, owner, &checked.tags, || self.context.new_id()).await?;
        let respelled = match via {
            Via::Restore => Vec::new(),
            _ => respell(tx, current, checked).await?,
        };
        store::write::add_revision(tx, id, owner, via, now).await?;
        self.fetch_if_untitled(tx, id, owner, checked).await?;
        if checked.url.as_ref().map(|url| &url.url) != current.url.as_ref() {
            broken::store::forget(tx, id).await?;
        }
        let Some(saved) = store::find_within(tx, id).await? else { return Ok(None) };
        let seen = [current.visibility, checked.visibility];
        let touched = cached::touched(id, owner, &seen).chain(respelled).collect();
        Ok(Some(Written { saved, touched }))
    }

    /// The resource after it was moved. `None` when it was there already, or is no longer the expected version.
    pub(super) async fn set_trashed(
        &self,
        resource: &Resource,
        at: Option<Timestamp>,
        expected: &Precondition,
    ) -> sqlx::Result<Option<Resource>> {
        let mut tx = self.cache.begin().await?;
        let written = self.set_trashed_within(&mut tx, resource, at, expected).await?;
        let Some(written) = written else { return Ok(None) };
        tx.commit(written.touched).await?;
        Ok(Some(written.saved))
    }

    pub(super) async fn set_trashed_within(
        &self,
        tx: &mut Write,
        resource: &Resource,
        at: Option<Timestamp>,
        expected: &Precondition,
    ) -> sqlx::Result<Option<Written>> {
        let version = expected.version(resource);
        // Its visibility in this transaction, not as it was read before.
        let Some(seen) = store::write::set_trashed(tx, resource.id, at, version).await? else {
            return Ok(None);
        };
        if at.is_none() {
            // What is read is the newest version again.
            let (by, now) = (resource.owner_id, self.context.now());
            store::write::add_revision(tx, resource.id, by, Via::Restore, now).await?;
        }
        let Some(saved) = store::find_within(tx, resource.id).await? else { return Ok(None) };
        let touched = cached::touched(resource.id, resource.owner_id, &[seen]).collect();
        Ok(Some(Written { saved, touched }))
    }

    /// Updates the database's statistics and its index of words after many rows were added.
    pub(super) async fn refresh_statistics(&self) -> sqlx::Result<()> {
        store::write::merge_index(&self.db).await?;
        store::write::analyze(&self.db).await?;
        self.db.refresh_statistics().await
    }

    /// Keeps searches fast as entries come and go. What fails is done within the hour.
    pub async fn merge_index(&self) {
        if let Err(error) = store::write::merge_index(&self.db).await {
            tracing::warn!(?error, "the index of words could not be merged");
        }
    }

    /// Visitors are asked to sign in for any id: their session may have ended.
    pub(super) async fn find_own(&self, viewer: &Viewer, id: Uuid) -> Result<Resource> {
        viewer.signed_in()?;
        let resource = self.latest(viewer, id).await?;
        if resource.is_mine(viewer) {
            return Ok(resource);
        }
        Err(Error::Forbidden("Only the owner can change this."))
    }

    /// The viewer's own resource, if it is the expected version.
    pub(super) async fn find_expected(
        &self,
        viewer: &Viewer,
        id: Uuid,
        expected: &Precondition,
    ) -> Result<Resource> {
        let current = self.find_own(viewer, id).await?;
        expected.check(&current).map(|()| current)
    }

    /// The unique index detects duplicates; this finds which resource it meant. Call it after the transaction has ended,
    /// as it takes a connection of its own.
    pub(super) async fn duplicate(&self, error: sqlx::Error, owner: Uuid, checked: &Checked) -> Error {
        match &checked.url {
            Some(url) if crate::db::is_duplicate(&error) => {
                let existing = store::find_by_url(&self.db, owner, &url_key(url)).await;
                existing
                    .map_or_else(Error::from, |found| found.map_or_else(|| error.into(), Error::DuplicateUrl))
            }
            _ => error.into(),
        }
    }
}

/// Spells the owner's tags as the change does. Returns the scopes that this touches.
async fn respell(tx: &mut Write, current: &Resource, checked: &Checked) -> sqlx::Result<Vec<Scope>> {
    let mut touched = Vec::new();
    for tag in checked.respelled(current) {
        let carriers = store::write::respell(tx, current.owner_id, tag, CARRIERS).await?;
        touched.extend(carriers.into_iter().map(cached::scope));
    }
    if !touched.is_empty() {
        touched.push(Scope::Shared);
    }
    Ok(touched)
}
