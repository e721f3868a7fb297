//! Revocations of copies: published to Redis at once, and found by every node that polls the outbox twice a second.
//!
//! A node trusts copies for a while after a poll ([`super::cache::TrustedNamespace`]). So a change is done once Redis
//! is told. If this node can't tell Redis, it waits until no node can trust the copies any more.

use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt as _};
use tower_sessions::session::Id;
use uuid::Uuid;

use super::cache::SessionCache;
use super::store::{self, Revocation};
use super::{KNOWN_WITHIN, Sessions, Stale, StaleCopy, snapshot};
use crate::cache::Scope;
use crate::cache::outbox_cursor::OutboxCursor;
use crate::db::Db;
use crate::installation::{self, Lost};
use crate::redis::namespace::Namespace;

const POLL_EVERY: Duration = Duration::from_millis(500);
/// A poll that takes longer does not count.
const POLL_LIMIT: Duration = Duration::from_secs(1);
const RETRY_EVERY: Duration = Duration::from_millis(100);
const CLEAN_UP_EVERY: u64 = 1200;
const DELETE_EVERY: u64 = 20;

/// How far the outbox was published to this namespace.
#[derive(Debug, Default)]
pub struct RelayState {
    namespace: String,
    cursor: OutboxCursor,
}

impl Sessions {
    /// Returns when no node trusts these copies any more.
    pub fn settle(&self, stale: Stale) -> BoxFuture<'_, sqlx::Result<()>> {
        async move {
            // Without Redis here, as on the command line, other nodes may have one. They find the revocation by their next poll.
            let rows: Vec<Uuid> = stale.copies.iter().map(|copy| copy.outbox_id).collect();
            if self.publish(stale).await || self.copies.is_none() || matches!(self.db, Db::Sqlite { .. }) {
                // An SQLite file has one process. It trusts no copy while it can't tell Redis.
                return Ok(());
            }
            let published = async {
                let mut tick = tokio::time::interval(RETRY_EVERY);
                loop {
                    tick.tick().await;
                    if self.drain().await.is_ok() || self.is_published(&rows).await {
                        return;
                    }
                }
            };
            let _or_known = tokio::time::timeout(KNOWN_WITHIN, published).await;
            Ok(())
        }
        .boxed()
    }

    /// Publishes committed revocations. Returns whether Redis was told; if not, the relay publishes them later.
    pub(super) async fn publish(&self, Stale { copies, snapshots }: Stale) -> bool {
        // The copies go first: a missing snapshot is made from a copy.
        let is_published = self.publish_to_redis(&copies).await;
        if let Some(mut snapshots) = snapshots {
            snapshots.publish().await;
        }
        is_published
    }

    async fn publish_to_redis(&self, stale: &[StaleCopy]) -> bool {
        let Some(copies) = &self.copies else { return false };
        if stale.is_empty() {
            return true;
        }
        let Some(trusted) = copies.trusted() else { return false };
        let rows: Vec<_> = stale.iter().map(|copy| copy.outbox_id).collect();
        let sessions: Vec<_> = stale.iter().map(|copy| copy.session).collect();
        if copies.delete(trusted.namespace(), &sessions).await.is_err() {
            return false;
        }
        if let Err(error) = store::mark_published(&self.db, &rows, &trusted.namespace().short()).await {
            tracing::debug!(%error, "Redis will be told again of sessions");
        }
        true
    }

    async fn is_published(&self, rows: &[Uuid]) -> bool {
        for row in rows {
            if !store::is_published(&self.db, *row).await.unwrap_or(false) {
                return false;
            }
        }
        true
    }

    /// The relay: publishes missed revocations and deletes expired rows, until the program ends.
    pub async fn maintain(self) {
        let mut tick = tokio::time::interval(POLL_EVERY);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        for round in 0_u64.. {
            tick.tick().await;
            self.poll().await;
            if round % DELETE_EVERY == DELETE_EVERY - 1 {
                self.delete_published().await;
            }
            if round % CLEAN_UP_EVERY == 0
                && let Err(error) = self.clean_up().await
            {
                tracing::warn!(%error, "expired sessions could not be removed");
            }
        }
    }

    async fn poll(&self) {
        let Some(copies) = &self.copies else { return };
        match tokio::time::timeout(POLL_LIMIT, self.drain()).await {
            Ok(Ok(())) => {}
            Ok(Err(Lost::Redis(error))) => tracing::debug!(%error, "revoked sessions still wait for Redis"),
            Ok(Err(Lost::Database(_))) | Err(_) => {
                tracing::debug!("the outbox could not be read for revoked sessions");
                copies.extend();
            }
        }
    }

    async fn drain(&self) -> Result<(), Lost> {
        let Some(copies) = &self.copies else { return Ok(()) };
        let mut relay = self.relay.lock().await;
        let began = self.context.ticks();
        let namespace = installation::check(&self.db, copies.redis(), &self.context).await?;
        let short = namespace.short();
        if relay.namespace != short {
            *relay = RelayState { namespace: short, cursor: OutboxCursor::default() };
        }
        let mut highest = None;
        loop {
            let from = highest.unwrap_or_else(|| relay.cursor.poll_after(began));
            let rows = store::revocations(&self.db, from).await?;
            let Some(last) = rows.last() else { break };
            highest = Some(last.seq);
            self.publish_rows(copies, &namespace, &mut relay, &rows).await?;
        }
        relay.cursor.finish_poll(began, highest);
        copies.renew(namespace, began);
        Ok(())
    }

    /// Publishes the rows that are new here and were published to another namespace, or to none.
    async fn publish_rows(
        &self,
        copies: &SessionCache,
        namespace: &Namespace,
        relay: &mut RelayState,
        rows: &[Revocation],
    ) -> Result<(), Lost> {
        let here = Some(relay.namespace.as_str());
        let unseen: Vec<&Revocation> = rows.iter().filter(|row| !relay.cursor.has_seen(row.seq)).collect();
        let new: Vec<&&Revocation> = unseen.iter().filter(|row| row.told.as_deref() != here).collect();
        let sessions: Vec<Id> = new.iter().filter_map(|row| row.session()).collect();
        copies.delete(namespace, &sessions).await?;
        // Before other nodes hear that this one knows.
        let touched: Vec<Scope> =
            unseen.iter().filter_map(|row| row.session()).map(snapshot::scope).collect();
        self.cache.invalidate_memory(&touched);
        let waited: Vec<_> = new.iter().filter(|row| row.told.is_none()).map(|row| row.id).collect();
        if !waited.is_empty() {
            store::mark_published(&self.db, &waited, &relay.namespace).await?;
        }
        for row in rows {
            relay.cursor.mark_seen(row.seq);
        }
        Ok(())
    }

    async fn delete_published(&self) {
        let removable = self.relay.lock().await.cursor.removable(self.context.ticks());
        if let Some(seq) = removable
            && let Err(error) = store::delete_revocations(&self.db, seq).await
        {
            tracing::debug!(%error, "the outbox could not be cleared");
        }
    }

    async fn clean_up(&self) -> sqlx::Result<()> {
        store::delete_expired(&self.db, self.context.now()).await?;
        if self.copies.is_none() {
            store::delete_revocations(&self.db, i64::MAX).await?;
        }
        Ok(())
    }
}
