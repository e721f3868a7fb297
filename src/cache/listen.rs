//! The subscriber: invalidates what other nodes touch, within milliseconds, and renews the lease by heartbeats.
//!
//! A heartbeat that this node publishes and receives on the same subscription proves that all earlier messages have
//! arrived. A broken subscription is never resumed: a new one starts, and invalidates all of memory first.

use std::time::{Duration, Instant};

use fred::prelude::*;
use tokio::sync::broadcast::error::RecvError;

use super::message::Message;
use super::remote::Remote;
use super::{Cache, Scope};
use crate::redis::RedisDown;

const HEARTBEAT_EVERY: Duration = Duration::from_millis(500);
const TRY_EVERY: Duration = Duration::from_millis(500);
const SUBSCRIBE_LIMIT: Duration = Duration::from_secs(2);
/// A subscription that delivers no published heartbeat for this long is given up: it may be cut unnoticed.
const SILENCE_LIMIT: Duration = Duration::from_secs(3);

impl Cache {
    pub(super) async fn listen(&self) {
        let Some(remote) = &self.remote else { return };
        let mut tick = tokio::time::interval(TRY_EVERY);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        for round in 0_u64.. {
            tick.tick().await;
            if remote.redis().is_breaker_open() {
                continue;
            }
            let subscription = self.subscribe(remote, round).await;
            self.local_generations.bump(&[Scope::All]);
            self.counts.doubted();
            if subscription.is_err() {
                tracing::debug!("not listening to the other nodes");
            }
        }
    }

    /// Listens until the connection breaks or falls silent.
    async fn subscribe(&self, remote: &Remote, round: u64) -> Result<(), RedisDown> {
        let client = remote.redis().dedicated_client()?;
        let mut messages = client.message_rx();
        let connection = client.connect();
        let subscribed = async {
            client.wait_for_connect().await?;
            client.subscribe(remote.channel()).await
        };
        let subscribed = tokio::time::timeout(SUBSCRIBE_LIMIT, subscribed).await;
        if !matches!(subscribed, Ok(Ok(()))) {
            connection.abort();
            return Err(RedisDown);
        }
        // Messages from before the subscription may be lost.
        self.local_generations.bump(&[Scope::All]);
        self.counts.listening(true);
        let mut connection = std::pin::pin!(connection);
        let mut heartbeat = tokio::time::interval(HEARTBEAT_EVERY);
        heartbeat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut silent_since: Option<Instant> = None;
        while silent_since.is_none_or(|since| since.elapsed() < SILENCE_LIMIT) {
            tokio::select! {
                message = messages.recv() => match message {
                    Ok(message) => {
                        if self.handle(&message.value.as_string().unwrap_or_default(), round) {
                            silent_since = None;
                        }
                    }
                    Err(RecvError::Lagged(_) | RecvError::Closed) => break,
                },
                _ = heartbeat.tick() => {
                    let message = Message::Heartbeat { from: self.node, round, at: self.context.ticks() };
                    if remote.publish(message.encode()).await.is_ok() {
                        silent_since.get_or_insert_with(Instant::now);
                    }
                }
                _ = &mut connection => break,
            }
        }
        self.counts.listening(false);
        connection.abort();
        Ok(())
    }

    /// Returns whether it is a heartbeat of this subscription.
    fn handle(&self, text: &str, round: u64) -> bool {
        match Message::parse(text) {
            Some(Message::Heartbeat { from, round: theirs, at }) if from == self.node && theirs == round => {
                self.lease.renew(at);
                self.counts.came_round(self.context.ticks() - at);
                return true;
            }
            Some(Message::Touched { from, rows, scopes }) if from != self.node => {
                self.local_generations.bump(&scopes);
                self.counts.heard(scopes.len());
                let mut tracker = self.outbox_tracker();
                for row in rows {
                    tracker.mark_published(row);
                }
            }
            Some(_) => {}
            // From another version of coffer, say: what it touches is unknown.
            None => self.local_generations.bump(&[Scope::All]),
        }
        false
    }
}
