//! Browser sessions: a row in the database, and a copy in Redis when there is one.
//!
//! The row is the truth. A load asks Redis first. If the copy is missing or Redis is down, it reads the row, joined
//! with the user, and fills Redis again, so losing Redis signs no user out. A change to a row or a user revokes the copy
//! in the same transaction, and returns when no node trusts the copy any more ([`revocations`]). Requests that change
//! nothing use snapshots in the process' memory ([`snapshot`]), which the cache invalidates.

pub mod actions;
pub mod api;
mod cache;
pub mod data;
pub mod devices;
pub mod pages;
mod revocations;
mod session_store;
pub mod snapshot;
#[doc(hidden)] // The tests ask the databases for the plans of its statements.
pub mod store;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRef;
use sha2::{Digest, Sha256};
use tokio::sync::Mutex;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::Error;
use uuid::Uuid;

use self::cache::{SessionCache, TrustedNamespace};
use self::revocations::RelayState;
use self::snapshot::SessionSnapshot;
use crate::audit::AuditLog;
use crate::cache::{Cache, CommitGuard};
use crate::db::{Db, Tx};
use crate::redis::Redis;
use crate::system::System;
use crate::telemetry::metrics::{Metrics, SessionOperation, SessionOutcome};
use crate::timestamp::Timestamp;
use crate::web::deps::WebDeps;

/// After this time no node trusts a copy whose revocation it has not seen.
const KNOWN_WITHIN: Duration = Duration::from_secs(2);
/// A refilled copy lives this long until its row is seen to be unchanged.
const UNVERIFIED: Duration = Duration::from_secs(10);

#[derive(Clone, Debug)]
pub struct Sessions {
    db: Db,
    cache: Cache,
    copies: Option<SessionCache>,
    relay: Arc<Mutex<RelayState>>,
    context: System,
    audit: AuditLog,
    metrics: Metrics,
}

#[derive(Clone, FromRef)]
pub struct SessionsState {
    pub sessions: Arc<Sessions>,
    pub deps: Arc<WebDeps>,
}

/// Copies and snapshots to be deleted: hand them to [`Sessions::settle`] after the commit.
#[derive(Default)]
#[must_use = "settle it after the commit, so that every node knows at once"]
pub struct Stale {
    /// In Redis.
    copies: Vec<StaleCopy>,
    /// In memory.
    snapshots: Option<CommitGuard>,
}

struct StaleCopy {
    outbox_id: Uuid,
    session: Id,
}

impl Sessions {
    pub fn new(
        db: &Db,
        cache: &Cache,
        redis: Option<&Redis>,
        context: &System,
        audit: &AuditLog,
        metrics: &Metrics,
    ) -> Self {
        Self {
            db: db.clone(),
            cache: cache.clone(),
            copies: redis.map(|redis| SessionCache::new(redis, context)),
            relay: Arc::default(),
            context: context.clone(),
            audit: audit.clone(),
            metrics: metrics.clone(),
        }
    }

    /// In one round trip. Without a copy there may still be a session: [`tower_sessions::SessionStore::load`] knows.
    pub async fn copy(&self, id: Id) -> Option<Arc<SessionSnapshot>> {
        let copies = self.copies.as_ref()?;
        let copy = copies.load(&copies.trusted()?, stored(id)).await.ok()??;
        self.metrics.accounts.session(SessionOperation::Load, SessionOutcome::Redis);
        Some(Arc::new(copy.into()))
    }

    /// On all nodes.
    pub async fn count(&self) -> sqlx::Result<i64> {
        store::count(&self.db, self.context.now()).await
    }

    pub async fn end_all(&self, user: Uuid) -> sqlx::Result<()> {
        let mut tx = self.db.begin().await?;
        let stale = self.end_all_in(&mut tx, user, None).await?;
        tx.commit().await?;
        self.settle(stale).await
    }

    /// All but `except`. For the transaction of a changed password or a disabled account.
    pub async fn end_all_in(&self, tx: &mut Tx, user: Uuid, except: Option<Uuid>) -> sqlx::Result<Stale> {
        let ids = store::of_user(tx, user).await?;
        store::delete_of_user(tx, user, except).await?;
        store::revoke_families(tx, user, except, self.context.now()).await?;
        self.queue_stale(tx, ids).await
    }

    /// For the transaction that changes a user's role, name or another field in sessions.
    pub async fn refresh_user(&self, tx: &mut Tx, user: Uuid) -> sqlx::Result<Stale> {
        let ids = store::of_user(tx, user).await?;
        self.queue_stale(tx, ids).await
    }

    pub async fn end_device_in(&self, tx: &mut Tx, user: Uuid, device: Uuid) -> sqlx::Result<Option<Stale>> {
        let family = store::revoke_family(tx, device, user, self.context.now()).await?;
        let ids = store::delete_device(tx, user, device).await?;
        if !family && ids.is_empty() {
            return Ok(None);
        }
        self.queue_stale(tx, ids).await.map(Some)
    }

    async fn queue_stale(&self, tx: &mut Tx, ids: Vec<Id>) -> sqlx::Result<Stale> {
        let mut copies = Vec::new();
        for &id in &ids {
            let outbox_id = self.context.new_id();
            store::queue(tx, id, outbox_id, self.context.now()).await?;
            copies.push(StaleCopy { outbox_id, session: id });
        }
        Ok(Stale { copies, ..self.queue_snapshots(tx, &ids).await? })
    }

    /// Without copies in Redis.
    async fn queue_snapshots(&self, tx: &mut Tx, ids: &[Id]) -> sqlx::Result<Stale> {
        if ids.is_empty() {
            return Ok(Stale::default());
        }
        let scopes = ids.iter().copied().map(snapshot::scope).collect();
        Ok(Stale { copies: Vec::new(), snapshots: Some(self.cache.guard_commit(tx, scopes).await?) })
    }

    async fn forget(&self, id: Id) -> sqlx::Result<()> {
        let mut tx = self.db.begin().await?;
        store::delete(&mut tx, id).await?;
        let stale = match &self.copies {
            Some(_) => self.queue_stale(&mut tx, vec![id]).await?,
            None => self.queue_snapshots(&mut tx, &[id]).await?,
        };
        tx.commit().await?;
        self.publish(stale).await;
        Ok(())
    }

    /// A slow refill may race a change of the row. So it fills for a short time, checks the row, extends the copy's
    /// life, and checks again, as another node may have filled an older row meanwhile.
    async fn refill(
        &self,
        copies: &SessionCache,
        trusted: &TrustedNamespace,
        record: &Record,
    ) -> sqlx::Result<()> {
        let until = Timestamp::from(record.expiry_date).min(self.context.now().plus(UNVERIFIED));
        let filled = matches!(copies.fill(trusted, record, until).await, Ok(true));
        if filled
            && self.is_current(record).await
            && copies.replace(trusted, record).await.is_ok()
            && self.is_current(record).await
        {
            return Ok(());
        }
        if filled && copies.delete(trusted.namespace(), &[record.id]).await.is_err() {
            let mut tx = self.db.begin().await?;
            let _drained_later = self.queue_stale(&mut tx, vec![record.id]).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    async fn is_current(&self, record: &Record) -> bool {
        let row = store::load(&self.db, record.id, self.context.now()).await;
        row.is_ok_and(|row| row.as_ref() == Some(record))
    }
}

fn stored(id: Id) -> Id {
    short_hash(&[&id.0.to_le_bytes()])
}

fn short_hash(parts: &[&[u8]]) -> Id {
    let digest = parts.iter().fold(Sha256::new(), Digest::chain_update).finalize();
    let mut first = [0; 16];
    first.copy_from_slice(&digest[..16]);
    Id(i128::from_le_bytes(first))
}

fn backend(error: &sqlx::Error) -> Error {
    Error::Backend(error.to_string())
}

fn expiry(record: &Record) -> Timestamp {
    Timestamp::from(record.expiry_date)
}
