//! Makes deliveries of what changed, and sends them until the server takes them: several at a time, so that a slow server
//! holds up no other.
//!
//! A node claims a delivery by moving its due time ahead (a lease). So a node that dies loses none, but one may arrive
//! twice, with the same id.

use std::collections::HashMap;
use std::time::Duration;

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, HeaderValue};
use serde::Serialize;
use tokio::task::{Id, JoinSet};
use uuid::Uuid;

use super::signature::{self, sign};
use super::store::{self, Behind, Busy, Claimed};
use super::{Deps, State, Webhooks};
use crate::error::{Error, Result};
use crate::fetch::{FetchError, Fetcher, Request};
use crate::resources::changes;
use crate::resources::resource::ResourceBody;
use crate::timestamp::Timestamp;
use url::Url;

/// Deliveries that are sent at the same time, one to each webhook.
pub const AT_ONCE: usize = 8;
/// Of these for one person, so that the slow servers of one leave places for others.
pub const PER_PERSON: usize = 2;
/// For new changes, and for retries.
const POLL_EVERY: Duration = Duration::from_secs(5);
/// Longer than an attempt may take.
const LEASE: Duration = Duration::from_mins(1);
const FIRST_PAUSE: Duration = Duration::from_mins(1);
const LONGEST_PAUSE: Duration = Duration::from_hours(6);
const GIVE_UP_AFTER: Duration = Duration::from_hours(3 * 24);
const CHANGES: i64 = 100;
/// Of an answer's body, which is thrown away.
const ANSWER: usize = 1_024;

/// What a webhook receives.
#[derive(Serialize)]
struct Payload {
    /// `resources.changed`.
    r#type: &'static str,
    timestamp: Timestamp,
    /// In the order of the changes.
    items: Vec<Item>,
}

#[derive(Serialize)]
struct Item {
    id: Uuid,
    deleted: bool,
    /// As the API has it, without the text; null when it is deleted.
    resource: serde_json::Value,
}

/// Whom a delivery is being sent to.
struct Receiver {
    webhook: Uuid,
    owner: Uuid,
}

impl Webhooks {
    /// Delivers until the program ends.
    pub async fn maintain(self) {
        let Some(fetcher) = self.0.deps.fetcher.clone() else { return };
        let mut queued = self.0.queued.subscribe();
        loop {
            if let Err(error) = self.deliver(&fetcher).await {
                tracing::warn!(event = "webhook_queue", ?error, "webhooks can't be served");
            }
            let _ = tokio::time::timeout(POLL_EVERY, queued.changed()).await;
        }
    }

    /// Makes deliveries of what changed, and sends all that are due.
    pub async fn deliver_due(&self) -> Result<()> {
        match &self.0.deps.fetcher {
            Some(fetcher) => self.deliver(fetcher).await,
            None => Ok(()),
        }
    }

    async fn deliver(&self, fetcher: &Fetcher) -> Result<()> {
        let _delivering = self.0.delivering.lock().await;
        let mut queued = self.0.queued.subscribe();
        let (mut sending, mut receivers) = (JoinSet::new(), HashMap::<Id, Receiver>::new());
        loop {
            self.gather_all().await?;
            while let Some(claimed) = self.claim(&receivers).await? {
                let receiver = Receiver { webhook: claimed.webhook_id, owner: claimed.owner_id };
                let (this, fetcher) = (self.clone(), fetcher.clone());
                let task = sending.spawn(async move { this.attempt(&fetcher, &claimed).await });
                receivers.insert(task.id(), receiver);
            }
            // New changes don't wait for slow servers.
            tokio::select! {
                sent = sending.join_next_with_id() => match sent {
                    None => return Ok(()),
                    Some(Ok((id, noted))) => {
                        receivers.remove(&id);
                        noted?;
                    }
                    Some(Err(error)) => {
                        receivers.remove(&error.id());
                    }
                },
                _ = tokio::time::timeout(POLL_EVERY, queued.changed()) => {}
            }
        }
    }

    /// The next delivery to send; `None` when no more are due, or as many are on their way as may be.
    async fn claim(&self, receivers: &HashMap<Id, Receiver>) -> Result<Option<Claimed>> {
        let Deps { db, system, .. } = &self.0.deps;
        while receivers.len() < AT_ONCE {
            let now = system.now();
            let Some(id) = store::due(db, now, &busy(receivers)).await? else { break };
            if let Some(claimed) = store::claim(db, id, now, now.plus(LEASE)).await? {
                return Ok(Some(claimed));
            }
        }
        Ok(None)
    }

    async fn attempt(&self, fetcher: &Fetcher, claimed: &Claimed) -> Result<()> {
        let sent = self.send(fetcher, claimed).await;
        self.note(claimed, sent).await
    }

    async fn gather_all(&self) -> Result<()> {
        for behind in store::behind(&self.0.deps.db).await? {
            self.gather(behind).await?;
        }
        Ok(())
    }

    /// Makes deliveries of the changes that a webhook was not told of.
    async fn gather(&self, mut behind: Behind) -> Result<()> {
        let Deps { db, system, .. } = &self.0.deps;
        while behind.seq < behind.latest {
            let (_, rows) = changes::store::after(db, behind.owner_id, behind.seq, CHANGES).await?;
            let Some(last) = rows.last().map(|row| row.seq) else { return Ok(()) };
            let body = self.payload(&rows)?;
            let mut tx = db.begin().await?;
            if !store::advance(&mut tx, &behind, last).await? {
                // Another node was faster.
                return Ok(());
            }
            store::insert_delivery(&mut tx, system.new_id(), behind.id, &body, system.now()).await?;
            tx.commit().await?;
            behind.seq = last;
        }
        Ok(())
    }

    fn payload(&self, rows: &[changes::store::Row]) -> Result<String> {
        let items = rows.iter().map(|row| {
            let resource = row.resource.as_ref().map(ResourceBody::from);
            let mut resource = serde_json::to_value(resource).unwrap_or_default();
            resource.as_object_mut().map(|fields| fields.remove("body"));
            Item { id: row.resource_id, deleted: resource.is_null(), resource }
        });
        let payload = Payload {
            r#type: "resources.changed",
            timestamp: self.0.deps.system.now(),
            items: items.collect(),
        };
        serde_json::to_string(&payload).map_err(|error| Error::Internal(format!("a webhook's body: {error}")))
    }

    /// The status of the answer.
    async fn send(&self, fetcher: &Fetcher, claimed: &Claimed) -> Result<u16, FetchError> {
        let failed = |reason: &str| FetchError::Failed(reason.to_owned());
        let key = self.0.sealer.open(claimed.webhook_id.as_bytes(), &claimed.sealed);
        let key: Option<[u8; 32]> = key.and_then(|key| key.try_into().ok());
        let key = key.ok_or_else(|| failed("its secret was sealed under another COFFER_SECRET_KEY"))?;
        let now = self.0.deps.system.now();
        let signed =
            sign(&key, claimed.id, now, &claimed.body).ok_or_else(|| failed("it can’t be signed"))?;
        let url = Url::parse(&claimed.url).map_err(|_| failed("its address is malformed"))?;
        let request = Request::post(url, claimed.body.clone())
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .header(HeaderName::from_static(signature::ID), signed.id)
            .header(HeaderName::from_static(signature::TIME), signed.time)
            .header(HeaderName::from_static(signature::SIGNATURE), signed.signature)
            .max_body(ANSWER);
        Ok(fetcher.send(request).await?.status.as_u16())
    }

    async fn note(&self, claimed: &Claimed, sent: Result<u16, FetchError>) -> Result<()> {
        let Deps { db, system, .. } = &self.0.deps;
        let (now, id) = (system.now(), claimed.id);
        let (status, error) = match sent {
            Ok(status @ 200..300) => return Ok(store::delivered(db, id, status, now).await?),
            Ok(status) => (Some(status), format!("The server answered {status}.")),
            Err(error) => (None, error.to_string()),
        };
        tracing::info!(event = "webhook_failed", %id, attempts = claimed.attempts, error, "a webhook was not taken");
        let state = if claimed.begun_at.plus(GIVE_UP_AFTER) <= now { State::GivenUp } else { State::Waiting };
        let next_at = now.plus(pause(claimed.attempts));
        Ok(store::failed(db, id, state, next_at, store::Reason { status, error: &error }).await?)
    }
}

/// The webhooks that are sent to, and the people who have all the places that one may have.
fn busy(receivers: &HashMap<Id, Receiver>) -> Busy {
    let mut busy = Busy::default();
    for (place, receiver) in busy.hooks.iter_mut().zip(receivers.values()) {
        *place = receiver.webhook;
    }
    let mut counts = HashMap::<Uuid, usize>::new();
    for receiver in receivers.values() {
        *counts.entry(receiver.owner).or_default() += 1;
    }
    let full = counts.into_iter().filter(|(_, count)| *count >= PER_PERSON);
    for (place, (owner, _)) in busy.owners.iter_mut().zip(full) {
        *place = owner;
    }
    busy
}

fn pause(attempts: i64) -> Duration {
    let doublings = u32::try_from(attempts.clamp(1, 16) - 1).unwrap_or(0);
    FIRST_PAUSE.saturating_mul(1 << doublings).min(LONGEST_PAUSE)
}
