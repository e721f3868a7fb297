//! Write transactions: you can commit one only by naming the scopes that it touches.

use std::ops::{Deref, DerefMut};

use super::message::Message;
use super::remote::WRITE_LIMIT;
use super::scope::Scope;
use super::{Cache, outbox};
use crate::db::{Tx, is_outcome_unknown, outcome_unknown};
use crate::telemetry::request;

/// A write with more scopes than this, or with none, touches everything.
const MAX_SCOPES: usize = 64;

/// A transaction that changes what is cached. Dropped without `commit`, it rolls back. The stores of cached data
/// take a `Write`, not a [`Tx`], so no transaction can change cached data and forget to invalidate it.
pub struct Write {
    tx: Tx,
    cache: Cache,
}

impl Deref for Write {
    type Target = Tx;

    fn deref(&self) -> &Tx {
        &self.tx
    }
}

impl DerefMut for Write {
    fn deref_mut(&mut self) -> &mut Tx {
        &mut self.tx
    }
}

impl Cache {
    pub async fn begin(&self) -> sqlx::Result<Write> {
        Ok(Write { tx: self.db.begin().await?, cache: self.clone() })
    }

    pub async fn begin_bulk(&self) -> sqlx::Result<Write> {
        Ok(Write { tx: self.db.begin_bulk().await?, cache: self.clone() })
    }
}

impl Write {
    /// Commits and invalidates, even if its caller goes away. Once it returns, no later request on this node sees
    /// the data from before.
    pub async fn commit(self, touched: impl IntoIterator<Item = Scope>) -> sqlx::Result<()> {
        let scopes = touched.into_iter().collect();
        let saving = request::saving();
        let committed = tokio::spawn(self.finish(scopes)).await;
        let committed = committed
            .unwrap_or_else(|panic| Err(outcome_unknown(sqlx::Error::Io(std::io::Error::other(panic)))));
        if committed.as_ref().is_err_and(|error| !is_outcome_unknown(error)) {
            saving.failed();
        }
        committed
    }

    async fn finish(self, scopes: Vec<Scope>) -> sqlx::Result<()> {
        let Self { mut tx, cache } = self;
        let mut guard = cache.guard_commit(&mut tx, scopes).await?;
        // A commit that fails may still have been carried out, as when the connection breaks.
        let committed = tx.commit().await;
        guard.publish().await;
        committed
    }
}

/// The scopes in a transaction's outbox row. Keep it until the commit: dropped, also by a panic, it invalidates.
/// Redis is told, or the scopes are marked dirty, before the local generations rise. So a reader that sees the new
/// local generations can't get the old entry from Redis and keep it under them.
#[must_use = "publish it after the commit"]
pub struct CommitGuard {
    cache: Cache,
    row: i64,
    scopes: Vec<Scope>,
    /// Whether Redis took it; `None` before `publish`, as after a rollback.
    is_published: Option<bool>,
}

impl Cache {
    /// Adds the scopes to the outbox, for a transaction that is no [`Write`] because it changes little that is cached.
    pub async fn guard_commit(&self, tx: &mut Tx, mut scopes: Vec<Scope>) -> sqlx::Result<CommitGuard> {
        scopes.sort();
        scopes.dedup();
        if scopes.is_empty() || scopes.len() > MAX_SCOPES {
            scopes = vec![Scope::All];
        }
        let row = outbox::insert(tx, self.context.new_id(), &scopes, self.context.now()).await?;
        Ok(CommitGuard { cache: self.clone(), row, scopes, is_published: None })
    }
}

impl CommitGuard {
    /// Tells Redis and the other nodes, after the commit.
    pub async fn publish(&mut self) {
        self.cache.outbox_tracker().mark_seen(self.row);
        self.is_published = Some(false);
        let is_published = match &self.cache.remote {
            None => true,
            Some(remote) => {
                let (from, scopes) = (self.cache.node, self.scopes.clone());
                let message = Message::Touched { from, rows: vec![self.row], scopes };
                remote.bump(&self.scopes, message.encode(), WRITE_LIMIT).await.is_ok()
            }
        };
        self.is_published = Some(is_published);
    }
}

impl Drop for CommitGuard {
    fn drop(&mut self) {
        match self.is_published {
            // If it was committed all the same, the next poll of the outbox finds it.
            None => {}
            Some(true) => self.cache.outbox_tracker().mark_published(self.row),
            Some(false) => {
                self.cache.outbox_tracker().mark_unpublished(self.row, &self.scopes);
                self.cache.wake_relay();
            }
        }
        self.cache.local_generations.bump(&self.scopes);
        self.cache.counts.touched(self.scopes.len());
    }
}
