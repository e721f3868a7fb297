//! The subscriber: hears within milliseconds what other nodes touch, and by its own beats that it still hears.
//!
//! A beat that this node published and received on this very connection proves that all that was said before has
//! arrived. A connection that broke is never mended: a new round of listening begins, and everything held in
//! memory is in doubt from its first moment.

use std::time::{Duration, Instant};

use fred::prelude::*;
use tokio::sync::broadcast::error::RecvError;

use super::message::Message;
use super::remote::Remote;
use super::{Cache, Scope};
use crate::redis::RedisDown;

const BEAT_EVERY: Duration = Duration::from_millis(500);
const TRY_EVERY: Duration = Duration::from_millis(500);
const SUBSCRIBE_LIMIT: Duration = Duration::from_secs(2);
/// A connection that brings no beat for this long, though Redis took them, is given up: it may be cut without a word.
const DEAF_AFTER: Duration = Duration::from_secs(3);

impl Cache {
    pub(super) async fn listen(&self) {
        let Some(remote) = &self.remote else { return };
        let mut tick = tokio::time::interval(TRY_EVERY);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        for round in 0_u64.. {
            tick.tick().await;
            if remote.redis().is_open() {
                continue;
            }
            let heard = self.hear(remote, round).await;
            self.gates.bump(&[Scope::All]);
            self.counts.doubted();
            if heard.is_err() {
                tracing::debug!("not listening to the other nodes");
            }
        }
    }

    /// Listens until the connection breaks or brings nothing any more.
    async fn hear(&self, remote: &Remote, round: u64) -> Result<(), RedisDown> {
        let client = remote.redis().lone_client()?;
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
        // From here on nothing is missed; what was said before is in doubt.
        self.gates.bump(&[Scope::All]);
        self.counts.listening(true);
        let mut connection = std::pin::pin!(connection);
        let mut beat = tokio::time::interval(BEAT_EVERY);
        beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut unheard: Option<Instant> = None;
        while unheard.is_none_or(|since| since.elapsed() < DEAF_AFTER) {
            tokio::select! {
                message = messages.recv() => match message {
                    Ok(message) => {
                        if self.heard(&message.value.as_string().unwrap_or_default(), round) {
                            unheard = None;
                        }
                    }
                    // More came than could be kept: that is a lost message.
                    Err(RecvError::Lagged(_) | RecvError::Closed) => break,
                },
                _ = beat.tick() => {
                    let word = Message::Beat { from: self.node, round, at: self.context.ticks() };
                    if remote.publish(word.write()).await.is_ok() {
                        unheard.get_or_insert_with(Instant::now);
                    }
                }
                _ = &mut connection => break,
            }
        }
        self.counts.listening(false);
        connection.abort();
        Ok(())
    }

    /// Whether it is a beat of this very connection.
    fn heard(&self, text: &str, round: u64) -> bool {
        match Message::read(text) {
            Some(Message::Beat { from, round: theirs, at }) if from == self.node && theirs == round => {
                self.lease.renew(at);
                self.counts.came_round(self.context.ticks() - at);
                return true;
            }
            Some(Message::Touched { from, rows, scopes }) if from != self.node => {
                self.gates.bump(&scopes);
                self.counts.heard(scopes.len());
                let mut ledger = self.ledger();
                for row in rows {
                    ledger.told(row);
                }
            }
            Some(_) => {}
            // Somebody speaks who is not understood: what was touched is not known.
            None => self.gates.bump(&[Scope::All]),
        }
        false
    }
}
