//! What changed since a client last asked: its own entries in the order of their changes, and what is gone.

pub mod api;
#[doc(hidden)] // The tests ask the databases for the plans of its statements.
pub mod store;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Resource, Resources};
use crate::error::{Error, Result};
use crate::identity::Viewer;
use crate::web::cursor::CursorKey;

/// How long it is told that an entry is gone.
pub const TOLD_FOR: Duration = Duration::from_hours(90 * 24);
pub const MOST: i64 = 200;

/// Where a client stands.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Position {
    owner: Uuid,
    /// The number of the last change that it has seen.
    changes_to: i64,
    /// The highest number that was forgotten when it began: it never had what was gone by then.
    #[serde(default)]
    forgotten: i64,
}

impl Position {
    /// Whether something is gone that this client can't be told.
    fn is_expired(&self, counter: &store::Counter) -> bool {
        let known_to = self.changes_to.max(self.forgotten);
        // A backup that came back has fewer changes than the client has seen.
        known_to < counter.forgotten || known_to > counter.seq
    }
}

/// The state of an entry whose change is new to the client.
pub struct Changed {
    pub id: Uuid,
    /// `None` when it is gone.
    pub resource: Option<Resource>,
}

/// Some of the changes, and where the next begin.
pub struct Changes {
    pub items: Vec<Changed>,
    pub cursor: String,
    pub has_more: bool,
    /// The number of the viewer's latest change.
    pub latest: i64,
}

impl Resources {
    /// What changed of the viewer's own entries after the cursor; from the beginning when there is none.
    ///
    /// # Errors
    /// [`Error::BadCursor`], [`Error::CursorExpired`] when something is gone that is not told any more.
    pub async fn changes(&self, viewer: &Viewer, after: Option<&str>, limit: i64) -> Result<Changes> {
        let owner = viewer.signed_in()?.id;
        let after = after.map(|text| self.position(text)).transpose()?;
        if after.is_some_and(|after| after.owner != owner) {
            return Err(Error::BadCursor);
        }
        let from = after.map_or(0, |after| after.changes_to);
        let (counter, mut rows) = store::after(&self.db, owner, from, limit + 1).await?;
        if after.is_some_and(|after| after.is_expired(&counter)) {
            return Err(Error::CursorExpired);
        }
        let after = after.unwrap_or(Position { owner, changes_to: 0, forgotten: counter.forgotten });
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        let changes_to = rows.last().map_or(from, |last| last.seq);
        let cursor = self.cursors.seal(&Position { changes_to, ..after });
        // Who begins has nothing that could be gone.
        rows.retain(|row| from > 0 || row.resource.is_some());
        let items = rows.into_iter().map(|row| Changed { id: row.resource_id, resource: row.resource });
        Ok(Changes { items: items.collect(), cursor, has_more, latest: counter.seq })
    }

    /// A key that was replaced ends the cursors under it, so that clients begin again.
    fn position(&self, cursor: &str) -> Result<Position> {
        self.cursors.open(cursor).map_err(|error| match CursorKey::peek::<Position>(cursor) {
            Some(_) => Error::CursorExpired,
            None => error,
        })
    }

    pub async fn latest_change(&self, viewer: &Viewer) -> Result<i64> {
        Ok(store::latest(&self.db, viewer.signed_in()?.id).await?)
    }

    /// Forgets what has been gone for [`TOLD_FOR`].
    pub async fn forget_old_changes(&self) -> Result<()> {
        Ok(store::forget_before(&self.db, self.context.now().minus(TOLD_FOR)).await?)
    }
}
