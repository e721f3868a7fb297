//! A transaction that you can commit only with its events.

use std::ops::{Deref, DerefMut};

use super::{AuditLog, Event};
use crate::cache::{Cache, Scope, Write};
use crate::db::{Db, Tx};
use crate::identity::RequestMeta;

/// Dropped without a commit, it rolls back. `T` is [`Write`] where cached answers show what changes.
#[must_use = "commit it"]
pub struct AuditedTx<T = Tx> {
    tx: T,
    audit: AuditLog,
}

pub trait Transaction: Send {
    fn tx(&mut self) -> &mut Tx;
}

impl Transaction for Tx {
    fn tx(&mut self) -> &mut Tx {
        self
    }
}

impl Transaction for Write {
    fn tx(&mut self) -> &mut Tx {
        self
    }
}

impl AuditLog {
    pub async fn begin(&self, db: &Db) -> sqlx::Result<AuditedTx> {
        Ok(AuditedTx { tx: db.begin().await?, audit: self.clone() })
    }

    pub async fn begin_cached(&self, cache: &Cache) -> sqlx::Result<AuditedTx<Write>> {
        Ok(AuditedTx { tx: cache.begin().await?, audit: self.clone() })
    }
}

impl<T: Transaction> AuditedTx<T> {
    async fn record(mut self, origin: &RequestMeta, events: &[Event]) -> sqlx::Result<T> {
        for event in events {
            self.audit.record(self.tx.tx(), origin, event).await?;
        }
        Ok(self.tx)
    }
}

impl AuditedTx {
    pub async fn commit(self, origin: &RequestMeta, events: &[Event]) -> sqlx::Result<()> {
        self.record(origin, events).await?.commit().await
    }
}

impl AuditedTx<Write> {
    pub async fn commit(self, origin: &RequestMeta, event: Event, touched: Scope) -> sqlx::Result<()> {
        self.record(origin, &[event]).await?.commit([touched]).await
    }
}

impl<T> Deref for AuditedTx<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.tx
    }
}

impl<T> DerefMut for AuditedTx<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.tx
    }
}
