//! How it gets round that copies of a session must go: Redis is told, and every node looks into the outbox twice a second.
//!
//! A node believes copies for a while after a look ([`super::fast::Place`]). So whoever ends a session is done once Redis
//! was told; or, when it can't tell Redis, after the time that every node's belief lasts.

use std::time::Duration;

use tower_sessions::session::Id;
use uuid::Uuid;

use super::fast::Fast;
use super::store::{self, Revocation};
use super::{KNOWN_WITHIN, Sessions, Stale, snapshot};
use crate::cache::Scope;
use crate::cache::outbox_cursor::OutboxCursor;
use crate::db::Db;
use crate::installation::{self, Lost};
use crate::redis::space::Space;

const DRAIN_EVERY: Duration = Duration::from_millis(500);
/// A look that takes longer counts as none.
const DRAIN_LIMIT: Duration = Duration::from_secs(1);
/// Who waits for the others to know looks so often.
const ASK_EVERY: Duration = Duration::from_millis(100);
const TIDY_EVERY: u64 = 1200;
const FORGET_EVERY: u64 = 20;

/// Which revocations were told in which place.
#[derive(Debug, Default)]
pub struct Told {
    place: String,
    cursor: OutboxCursor,
}

impl Sessions {
    /// Returns when no node believes these copies any more: Redis was told, or every node has looked since the commit.
    pub async fn settle(&self, stale: Stale) -> sqlx::Result<()> {
        // Without Redis here, as on the command line, other nodes may have one, and know by their next look.
        let rows: Vec<Uuid> = stale.copies.iter().map(|(row, _)| *row).collect();
        if self.tell(stale).await || self.fast.is_none() || matches!(self.db, Db::Sqlite { .. }) {
            // An SQLite file has one process, which is in doubt itself when Redis could not be told.
            return Ok(());
        }
        let told = async {
            let mut tick = tokio::time::interval(ASK_EVERY);
            loop {
                tick.tick().await;
                if self.drain().await.is_ok() || self.is_told(&rows).await {
                    return;
                }
            }
        };
        let _or_known = tokio::time::timeout(KNOWN_WITHIN, told).await;
        Ok(())
    }

    /// Tells Redis and the other nodes now what the committed transaction has noted; whether Redis' copies are gone. What
    /// can't be told waits.
    pub(super) async fn tell(&self, Stale { copies, snapshots }: Stale) -> bool {
        // A snapshot falls back to a copy: that goes first.
        let told = self.tell_redis(&copies).await;
        if let Some(mut snapshots) = snapshots {
            snapshots.publish().await;
        }
        told
    }

    async fn tell_redis(&self, copies: &[(Uuid, Id)]) -> bool {
        let Some(fast) = &self.fast else { return false };
        if copies.is_empty() {
            return true;
        }
        let Some(place) = fast.place() else { return false };
        let (rows, sessions): (Vec<_>, Vec<_>) = copies.iter().copied().unzip();
        if fast.delete(place.space(), &sessions).await.is_err() {
            return false;
        }
        if let Err(error) = store::told(&self.db, &rows, &place.space().short()).await {
            tracing::debug!(%error, "Redis will be told again of sessions");
        }
        true
    }

    async fn is_told(&self, rows: &[Uuid]) -> bool {
        for row in rows {
            if !store::is_told(&self.db, *row).await.unwrap_or(false) {
                return false;
            }
        }
        true
    }

    /// Tells Redis of revocations it missed and drops expired rows, until the program ends.
    pub async fn maintain(self) {
        let mut tick = tokio::time::interval(DRAIN_EVERY);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        for round in 0_u64.. {
            tick.tick().await;
            self.look().await;
            if round % FORGET_EVERY == FORGET_EVERY - 1 {
                self.forget_told().await;
            }
            if round % TIDY_EVERY == 0
                && let Err(error) = self.tidy().await
            {
                tracing::warn!(%error, "expired sessions could not be removed");
            }
        }
    }

    async fn look(&self) {
        let Some(fast) = &self.fast else { return };
        match tokio::time::timeout(DRAIN_LIMIT, self.drain()).await {
            Ok(Ok(())) => {}
            Ok(Err(Lost::Redis(error))) => tracing::debug!(%error, "revoked sessions still wait for Redis"),
            Ok(Err(Lost::Database(_))) | Err(_) => {
                tracing::debug!("the outbox could not be read for revoked sessions");
                fast.go_on();
            }
        }
    }

    async fn drain(&self) -> Result<(), Lost> {
        let Some(fast) = &self.fast else { return Ok(()) };
        let mut told = self.told.lock().await;
        let began = self.context.ticks();
        let space = installation::look(&self.db, fast.redis(), &self.context).await?;
        let place = space.short();
        if told.place != place {
            *told = Told { place, cursor: OutboxCursor::default() };
        }
        let mut highest = None;
        loop {
            let from = highest.unwrap_or_else(|| told.cursor.poll_after(began));
            let rows = store::revocations(&self.db, from).await?;
            let Some(last) = rows.last() else { break };
            highest = Some(last.seq);
            self.tell_rows(fast, &space, &mut told, &rows).await?;
        }
        told.cursor.finish_poll(began, highest);
        fast.settle(space, began);
        Ok(())
    }

    /// Tells of what is new here and was told in another place, or in none.
    async fn tell_rows(
        &self,
        fast: &Fast,
        space: &Space,
        told: &mut Told,
        rows: &[Revocation],
    ) -> Result<(), Lost> {
        let here = Some(told.place.as_str());
        let unseen: Vec<&Revocation> = rows.iter().filter(|row| !told.cursor.has_seen(row.seq)).collect();
        let new: Vec<&&Revocation> = unseen.iter().filter(|row| row.told.as_deref() != here).collect();
        let sessions: Vec<Id> = new.iter().filter_map(|row| row.session()).collect();
        fast.delete(space, &sessions).await?;
        // Before anybody hears that this node knows.
        let touched: Vec<Scope> =
            unseen.iter().filter_map(|row| row.session()).map(snapshot::scope).collect();
        self.cache.invalidate_memory(&touched);
        let waited: Vec<_> = new.iter().filter(|row| row.told.is_none()).map(|row| row.id).collect();
        if !waited.is_empty() {
            store::told(&self.db, &waited, &told.place).await?;
        }
        for row in rows {
            told.cursor.mark_seen(row.seq);
        }
        Ok(())
    }

    async fn forget_told(&self) {
        let removable = self.told.lock().await.cursor.removable(self.context.ticks());
        if let Some(seq) = removable
            && let Err(error) = store::forget_revocations(&self.db, seq).await
        {
            tracing::debug!(%error, "the outbox could not be cleared");
        }
    }

    async fn tidy(&self) -> sqlx::Result<()> {
        store::delete_expired(&self.db, self.context.now()).await?;
        if self.fast.is_none() {
            store::forget_revocations(&self.db, i64::MAX).await?;
        }
        Ok(())
    }
}
