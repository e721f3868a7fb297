//! Write transactions: they end by naming what they have touched, and can't end otherwise.

use std::ops::{Deref, DerefMut};

use super::message::Message;
use super::remote::WRITE_LIMIT;
use super::scope::Scope;
use super::{Cache, outbox};
use crate::db::{Tx, is_outcome_unknown, outcome_unknown};
use crate::telemetry::request;

/// Who touches more than this touches everything; so does who names nothing.
const MOST: usize = 64;

/// A transaction that changes what is cached. Dropped without `commit`, it rolls back.
///
/// The stores of what is cached take it where they would take a [`Tx`], so that nothing cached can be changed by a
/// transaction that forgets to say so.
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

    /// For what writes very many rows.
    pub async fn begin_bulk(&self) -> sqlx::Result<Write> {
        Ok(Write { tx: self.db.begin_bulk().await?, cache: self.clone() })
    }
}

impl Write {
    /// Commits, and returns when no later request on this node can see what stood before; other nodes are told.
    ///
    /// It runs to its end even if whoever waits for it goes away.
    pub async fn commit(self, touched: impl IntoIterator<Item = Scope>) -> sqlx::Result<()> {
        let mut scopes: Vec<Scope> = touched.into_iter().collect();
        scopes.sort();
        scopes.dedup();
        if scopes.is_empty() || scopes.len() > MOST {
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
        let row = outbox::note(&mut tx, cache.context.new_id(), &scopes, cache.context.now()).await?;
        // This node hears of it from itself.
        cache.ledger().seen(row);
        let mut settling = Settling { cache: &cache, row, scopes: &scopes, told: false };
        // Even a commit that failed may have been carried out, as when the connection breaks.
        let committed = tx.commit().await;
        settling.settle().await;
        committed
    }
}

/// Fires however the commit ends, a panic included.
///
/// The order matters: Redis, or the note that it does not know, comes before the gates. A reader that meets the new
/// gates can't be given the old entry from Redis any more, and keep it under them.
struct Settling<'a> {
    cache: &'a Cache,
    row: i64,
    scopes: &'a [Scope],
    told: bool,
}

impl Settling<'_> {
    async fn settle(&mut self) {
        self.told = match &self.cache.remote {
            None => true,
            Some(remote) => {
                let (from, scopes) = (self.cache.node, self.scopes.to_vec());
                let message = Message::Touched { from, rows: vec![self.row], scopes };
                remote.bump(self.scopes, message.write(), WRITE_LIMIT).await.is_ok()
            }
        };
    }
}

impl Drop for Settling<'_> {
    fn drop(&mut self) {
        let mut ledger = self.cache.ledger();
        if self.told {
            ledger.told(self.row);
        } else {
            ledger.untold(self.row, self.scopes);
            self.cache.wake_relay();
        }
        self.cache.gates.bump(self.scopes);
        self.cache.counts.touched(self.scopes.len());
    }
}
