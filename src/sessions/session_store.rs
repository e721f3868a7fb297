//! What the layer of tower-sessions asks of the store.

use async_trait::async_trait;
use tower_sessions::SessionStore;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::Result;

use super::data::Data;
use super::{Sessions, Stale, backend, expiry, store, stored};
use crate::redis::RedisDown;
use crate::telemetry::metrics::{SessionOperation, SessionOutcome};

impl Sessions {
    fn recorded(&self, operation: SessionOperation, result: sqlx::Result<()>) -> Result<()> {
        let outcome = if result.is_ok() { SessionOutcome::Database } else { SessionOutcome::Error };
        self.metrics.accounts.session(operation, outcome);
        result.map_err(|error| {
            // tower-sessions reports only that it failed.
            tracing::warn!(event = "session_failed", %error, "a session could not be written");
            backend(&error)
        })
    }
}

#[async_trait]
impl SessionStore for Sessions {
    async fn create(&self, record: &mut Record) -> Result<()> {
        let created = async {
            let signed_in = self.copies.is_some() && Data::from_record(record).login.is_some();
            let outbox_id = || signed_in.then(|| self.context.new_id());
            while !store::insert(&self.db, &hashed(record), outbox_id(), self.context.now()).await? {
                record.id = Id::default();
            }
            Ok(())
        };
        self.recorded(SessionOperation::Create, created.await)
    }

    /// A session whose row is gone was revoked, and is not created again. The next load makes a new copy.
    async fn save(&self, record: &Record) -> Result<()> {
        let saved = async {
            let mut tx = self.db.begin().await?;
            let is_current = store::update(&mut tx, &hashed(record), self.context.now()).await?;
            let id = stored(record.id);
            let stale = match &self.copies {
                _ if !is_current => Stale::default(),
                Some(_) => self.queue_stale(&mut tx, vec![id]).await?,
                None => self.queue_snapshots(&mut tx, &[id]).await?,
            };
            tx.commit().await?;
            // An older copy does no harm, so the request need not wait until it is deleted.
            self.publish(stale).await;
            Ok(())
        };
        self.recorded(SessionOperation::Save, saved.await)
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let stored = stored(*id);
        let mut missed = None;
        if let Some(copies) = &self.copies
            && let Some(trusted) = copies.trusted()
        {
            match copies.load(&trusted, stored).await {
                Ok(Some(record)) => {
                    self.metrics.accounts.session(SessionOperation::Load, SessionOutcome::Redis);
                    return Ok(Some(Record { id: *id, ..record }).filter(|r| expiry(r) > self.context.now()));
                }
                Ok(None) => missed = Some((copies, trusted)),
                Err(RedisDown) => {}
            }
        }
        let loaded = store::load(&self.db, stored, self.context.now()).await;
        self.metrics.accounts.session(
            SessionOperation::Load,
            match &loaded {
                Ok(Some(_)) => SessionOutcome::Database,
                Ok(None) => SessionOutcome::Absent,
                Err(_) => SessionOutcome::Error,
            },
        );
        let loaded = loaded.map_err(|e| backend(&e))?;
        if let (Some((copies, trusted)), Some(record)) = (missed, &loaded) {
            let _ = self.refill(copies, &trusted, record).await;
        }
        Ok(loaded.map(|record| Record { id: *id, ..record }))
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        self.recorded(SessionOperation::Delete, self.forget(stored(*id)).await)
    }
}

/// The stores have only a hash of the id: a reader of the database or Redis can't sign in with it.
fn hashed(record: &Record) -> Record {
    Record { id: stored(record.id), ..record.clone() }
}
