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

/// A transaction that changes what is cached. Dropped without `commit`, it rolls back.
///
/// The stores of cached data take a `Write`, not a [`Tx`], so no transaction can change cached data and forget to
/// invalidate it.
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

    /// For a write of very many rows.
    pub async fn begin_bulk(&self) -> sqlx::Result<Write> {
        Ok(Write { tx: self.db.begin_bulk().await?, cache: self.clone() })
    }
}

impl Write {
    /// Commits and invalidates. Once it returns, no later request on this node sees the data from before.
    ///
    /// It runs to its end even if its caller goes away.
    pub async fn commit(self, touched: impl IntoIterator<Item = Scope>) -> sqlx::Result<()> {
        let mut scopes: Vec<Scope> = touched.into_iter().collect();
        scopes.sort();
        scopes.dedup();
        if scopes.is_empty() || scopes.len() > MAX_SCOPES {
            scopes = vec![Scope::All];
        }
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
        let row = outbox::insert(&mut tx, cache.context.new_id(), &scopes, cache.context.now()).await?;
        cache.outbox_tracker().mark_seen(row);
        let mut guard = CommitGuard { cache: &cache, row, scopes: &scopes, is_published: false };
        // A commit that fails may still have been carried out, as when the connection breaks.
        let committed = tx.commit().await;
        guard.publish().await;
        committed
    }
}

/// Invalidates when it is dropped, so also after a panic in the commit.
///
/// The order matters: Redis is told, or the scopes are marked dirty, before the local generations rise. A reader that
/// sees the new local generations then can't get the old entry from Redis and keep it under them.
struct CommitGuard<'a> {
    cache: &'a Cache,
    row: i64,
    scopes: &'a [Scope],
    is_published: bool,
}

impl CommitGuard<'_> {
    async fn publish(&mut self) {
        self.is_published = match &self.cache.remote {
            None => true,
            Some(remote) => {
                let (from, scopes) = (self.cache.node, self.scopes.to_vec());
                let message = Message::Touched { from, rows: vec![self.row], scopes };
                remote.bump(self.scopes, message.encode(), WRITE_LIMIT).await.is_ok()
            }
        };
    }
}

impl Drop for CommitGuard<'_> {
    fn drop(&mut self) {
        let mut tracker = self.cache.outbox_tracker();
        if self.is_published {
            tracker.mark_published(self.row);
        } else {
            tracker.mark_unpublished(self.row, self.scopes);
            self.cache.wake_relay();
        }
        self.cache.local_generations.bump(self.scopes);
        self.cache.counts.touched(self.scopes.len());
    }
}
