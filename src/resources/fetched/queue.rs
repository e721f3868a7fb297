//! The queue of links that wait for their titles.

use uuid::Uuid;

use super::{SPACING, store};
use crate::cache::Write;
use crate::error::{Error, Result};
use crate::identity::Viewer;
use crate::resources::draft::Checked;
use crate::resources::{Kind, Resource, Resources, cached};

/// Links of one person that wait; more are saved without a title.
const MOST_QUEUED: i64 = 1_000;

impl Resources {
    /// Queues a link without a title in the transaction that saves it. Call [`Self::wake_fetching`] after the commit.
    pub(in crate::resources) async fn fetch_if_untitled(
        &self,
        tx: &mut Write,
        id: Uuid,
        owner: Uuid,
        checked: &Checked,
    ) -> sqlx::Result<()> {
        match checked.kind {
            Kind::Link if checked.is_untitled => self.queue_fetch(tx, id, owner, None).await,
            _ => Ok(()),
        }
    }

    async fn queue_fetch(
        &self,
        tx: &mut Write,
        id: Uuid,
        owner: Uuid,
        replaces_version: Option<i64>,
    ) -> sqlx::Result<()> {
        if self.fetching.is_none() {
            return Ok(());
        }
        let queued = store::queued(tx, owner).await?;
        if queued.count >= MOST_QUEUED {
            return Ok(());
        }
        let now = self.context.now();
        let due = queued.last_due.map_or(now, |last| last.plus(SPACING).max(now));
        store::insert(tx, id, owner, replaces_version, due).await
    }

    pub(in crate::resources) fn wake_fetching(&self) {
        if let Some(fetching) = &self.fetching {
            fetching.queued.notify_one();
        }
    }

    /// Fetches title, description and icon once more. The title is replaced, and the description fills an empty body.
    /// Nothing happens to a note, nor where fetching is off.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for what is not the viewer's, [`Error::Trashed`].
    pub async fn fetch_again(&self, viewer: &Viewer, id: Uuid) -> Result<Resource> {
        let current = self.find_own(viewer, id).await?;
        if current.trashed_at.is_some() {
            return Err(Error::Trashed);
        }
        if current.kind != Kind::Link {
            return Ok(current);
        }
        let mut tx = self.cache.begin().await?;
        self.queue_fetch(&mut tx, id, current.owner_id, Some(current.version)).await?;
        tx.commit(cached::touched(id, current.owner_id, &[current.visibility])).await?;
        self.wake_fetching();
        self.latest(viewer, id).await
    }
}
