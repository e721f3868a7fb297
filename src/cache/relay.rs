//! The outbox relay: polls twice a second for writes that no message announced, and publishes those that Redis has
//! missed. So no write is lost when its node dies after the commit, or can't reach Redis.

use std::time::Duration;

use super::message::Message;
use super::outbox_tracker::OutboxTracker;
use super::remote::KeyspaceChange;
use super::{Cache, Scope, outbox};

const POLL_EVERY: Duration = Duration::from_millis(500);
/// A poll that takes longer proves nothing any more.
const POLL_LIMIT: Duration = Duration::from_secs(2);
const PUBLISH_LIMIT: Duration = Duration::from_millis(250);
const CLEANUP_EVERY: u64 = 20;
const KEYSPACE_EVERY: u64 = 20;

impl Cache {
    /// Keeps this node in step with the others until the program ends.
    pub async fn maintain(self) {
        tokio::join!(self.relay(), self.listen());
    }

    /// Starts the next round at once, unless Redis is known to be away.
    pub(super) fn wake_relay(&self) {
        if self.remote.as_ref().is_some_and(|remote| !remote.redis().is_breaker_open()) {
            self.relay_wake.notify_one();
        }
    }

    async fn relay(&self) {
        let share = f64::from(self.context.random::<1>()[0]) / 255.0;
        let mut tick = tokio::time::interval(POLL_EVERY.mul_f64(0.9 + 0.1 * share));
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        for round in 0_u64.. {
            tokio::select! {
                _ = tick.tick() => {}
                () = self.relay_wake.notified() => {}
            }
            match tokio::time::timeout(POLL_LIMIT, self.poll()).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::debug!(%error, "the outbox could not be read"),
                Err(_) => tracing::debug!("the outbox could not be read in time"),
            }
            self.refresh_keyspace(round % KEYSPACE_EVERY == 0).await;
            self.publish().await;
            self.counts.occupied(self.occupancy());
            if round % CLEANUP_EVERY == CLEANUP_EVERY - 1 {
                self.clean_up().await;
            }
        }
    }

    /// Invalidates what other nodes have touched, and renews the lease.
    async fn poll(&self) -> sqlx::Result<()> {
        let began = self.context.ticks();
        let after = self.outbox_tracker().poll_after(began);
        let rows = outbox::rows_after(&self.db, after).await?;
        let found = self.outbox_tracker().finish_poll(began, &rows, self.remote.is_some());
        // The only process on its database can't have missed a write.
        if found.may_have_missed && !self.lease.is_forever() {
            self.local_generations.bump(&[Scope::All]);
        }
        self.local_generations.bump(&found.touched);
        self.counts.heard_late(found.touched.len());
        self.lease.renew(began);
        Ok(())
    }

    async fn refresh_keyspace(&self, is_due: bool) {
        if let Some(remote) = &self.remote
            && (is_due || remote.keyspace().is_none())
        {
            match remote.refresh_keyspace(&self.db).await {
                // Another Redis or a restored database: memory may be of before, and the outbox counts anew.
                Ok(KeyspaceChange::Changed) => {
                    *self.outbox_tracker() = OutboxTracker::default();
                    self.local_generations.bump(&[Scope::All]);
                }
                Ok(KeyspaceChange::Same) => {}
                Err(error) => tracing::debug!(%error, "it is not known which Redis answers"),
            }
        }
    }

    async fn publish(&self) {
        let Some(remote) = &self.remote else { return };
        let unpublished = self.outbox_tracker().unpublished();
        let Some(unpublished) = unpublished else { return };
        let (rows, scopes) = (unpublished.rows.clone(), unpublished.scopes.clone());
        let message = Message::Touched { from: self.node, rows, scopes };
        if remote.bump(&unpublished.scopes, message.encode(), PUBLISH_LIMIT).await.is_ok() {
            let mut tracker = self.outbox_tracker();
            for row in unpublished.rows {
                tracker.mark_published(row);
            }
        }
    }

    async fn clean_up(&self) {
        let removable = self.outbox_tracker().removable(self.context.ticks());
        if let Some(row) = removable
            && let Err(error) = outbox::delete(&self.db, row).await
        {
            tracing::debug!(%error, "the outbox could not be cleared");
        }
    }
}
