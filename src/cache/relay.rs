//! The look into the outbox, twice a second on every node: what no message has told of, and what Redis must still
//! be told. It finds the writes of a node that died between its commit and its word, or that can't reach Redis.

use std::time::Duration;

use super::Cache;
use super::ledger::Ledger;
use super::message::Message;
use super::outbox;
use super::remote::Found;

const LOOK_EVERY: Duration = Duration::from_millis(500);
/// A look that takes longer proves nothing any more.
const LOOK_LIMIT: Duration = Duration::from_secs(2);
const TELL_LIMIT: Duration = Duration::from_millis(250);
const FORGET_EVERY: u64 = 20;
/// Redis' clock is looked at again.
const PLACE_EVERY: u64 = 20;

impl Cache {
    /// Keeps this node in step with the others, until the program ends.
    pub async fn maintain(self) {
        tokio::join!(self.relay(), self.listen());
    }

    /// To work at once, unless Redis is known to be away.
    pub(super) fn wake_relay(&self) {
        if self.remote.as_ref().is_some_and(|remote| !remote.redis().is_open()) {
            self.wake.notify_one();
        }
    }

    async fn relay(&self) {
        let share = f64::from(self.context.random::<1>()[0]) / 255.0;
        let mut tick = tokio::time::interval(LOOK_EVERY.mul_f64(0.9 + 0.1 * share));
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        for round in 0_u64.. {
            tokio::select! {
                _ = tick.tick() => {}
                () = self.wake.notified() => {}
            }
            match tokio::time::timeout(LOOK_LIMIT, self.look()).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::debug!(%error, "the outbox could not be read"),
                Err(_) => tracing::debug!("the outbox could not be read in time"),
            }
            self.settle_in(round % PLACE_EVERY == 0).await;
            self.tell().await;
            self.counts.occupied(self.occupancy());
            if round % FORGET_EVERY == FORGET_EVERY - 1 {
                self.forget().await;
            }
        }
    }

    /// One look: invalidates what others have touched, then trusts memory for a while.
    pub(super) async fn look(&self) -> sqlx::Result<()> {
        let began = self.context.ticks();
        let floor = self.ledger().floor(began);
        let rows = outbox::since(&self.db, floor).await?;
        let news = self.ledger().look(began, &rows, self.remote.is_some());
        // Alone on its database it can have missed nothing.
        if news.missed && !self.lease.is_forever() {
            self.gates.bump(&[super::Scope::All]);
        }
        self.gates.bump(&news.touched);
        self.counts.heard_late(news.touched.len());
        self.lease.renew(began);
        Ok(())
    }

    /// Finds out which Redis there is, when that is in doubt.
    async fn settle_in(&self, again: bool) {
        if let Some(remote) = &self.remote
            && (again || remote.place().is_none())
        {
            match remote.find_place(&self.db).await {
                // Another Redis, or a restored database: what is in memory may be of before, and the outbox counts anew.
                Ok(Found::Elsewhere) => {
                    *self.ledger() = Ledger::default();
                    self.gates.bump(&[super::Scope::All]);
                }
                Ok(Found::Same) => {}
                Err(error) => tracing::debug!(%error, "it is not known which Redis answers"),
            }
        }
    }

    /// Tells Redis what it has not been told.
    pub(super) async fn tell(&self) {
        let Some(remote) = &self.remote else { return };
        let untold = self.ledger().to_tell();
        let Some((rows, scopes)) = untold else { return };
        let message = Message::Touched { from: self.node, rows: rows.clone(), scopes: scopes.clone() };
        if remote.bump(&scopes, message.write(), TELL_LIMIT).await.is_ok() {
            let mut ledger = self.ledger();
            for row in rows {
                ledger.told(row);
            }
        }
    }

    async fn forget(&self) {
        let removable = self.ledger().removable(self.context.ticks());
        if let Some(seq) = removable
            && let Err(error) = outbox::forget(&self.db, seq).await
        {
            tracing::debug!(%error, "the outbox could not be cleared");
        }
    }
}
