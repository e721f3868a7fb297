//! Browser sessions: durable rows in the database, fast from Redis when there is one.
//!
//! The row is the truth. Redis is asked first; a miss or a dead Redis falls back to the row, joined with the
//! person's own, and refills Redis, so flushing or losing Redis signs nobody out. Whatever changes a row or
//! the person notes in the same transaction that the copy must go, and is done when no node believes it any more: Redis
//! was told, or each node has looked into the outbox since, or believes no copy ([`revocations`]). After any doubt about
//! Redis (a failed command, a new connection) it is not consulted until the outbox is drained and its identity known again.
//!
//! What changes nothing goes by the process' own memory ([`snapshot`]), which the cache invalidates.

pub mod api;
pub mod data;
pub mod devices;
mod fast;
pub mod pages;
mod revocations;
pub mod snapshot;
#[doc(hidden)] // The tests ask the databases for the plans of its statements.
pub mod store;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::extract::FromRef;
use sha2::{Digest, Sha256};
use tokio::sync::Mutex;
use tower_sessions::SessionStore;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{Error, Result};
use uuid::Uuid;

use self::data::Data;
use self::fast::{Fast, Place};
use self::revocations::Told;
use self::snapshot::SessionSnapshot;
use crate::audit::Audit;
use crate::cache::{Cache, CommitGuard};
use crate::context::Context;
use crate::db::{Db, Timestamp, Tx};
use crate::redis::{Redis, RedisDown};
use crate::telemetry::metrics::{Metrics, SessionOperation, SessionOutcome};
use crate::web::deps::WebDeps;

/// After so long no node believes a copy that its look into the outbox has shown to be over.
const KNOWN_WITHIN: Duration = Duration::from_secs(2);
/// Until a refilled session's row has been seen to stand still, its copy in Redis lives this long.
const UNVERIFIED: Duration = Duration::from_secs(10);

#[derive(Clone, Debug)]
pub struct Sessions {
    db: Db,
    cache: Cache,
    fast: Option<Fast>,
    told: Arc<Mutex<Told>>,
    context: Context,
    audit: Audit,
    metrics: Metrics,
}

/// What the routes of the device list need.
#[derive(Clone, FromRef)]
pub struct SessionsState {
    pub sessions: Arc<Sessions>,
    pub deps: Arc<WebDeps>,
}

/// What the nodes hold of sessions that must go once the transaction is committed: hand it to [`Sessions::settle`] then.
#[derive(Default)]
#[must_use = "settle it after the commit, so that every node knows at once"]
pub struct Stale {
    /// Copies in Redis, by the number of what notes it.
    copies: Vec<(Uuid, Id)>,
    /// Snapshots in memory.
    snapshots: Option<CommitGuard>,
}

impl Sessions {
    #[must_use]
    pub fn new(
        db: &Db,
        cache: &Cache,
        redis: Option<&Redis>,
        context: &Context,
        audit: &Audit,
        metrics: &Metrics,
    ) -> Self {
        Self {
            db: db.clone(),
            cache: cache.clone(),
            fast: redis.map(|redis| Fast::new(redis, context)),
            told: Arc::default(),
            context: context.clone(),
            audit: audit.clone(),
            metrics: metrics.clone(),
        }
    }

    /// A session by its copy in Redis, at the cost of one look. `None` says nothing; [`SessionStore::load`] knows.
    pub async fn copy(&self, id: Id) -> Option<Arc<SessionSnapshot>> {
        let fast = self.fast.as_ref()?;
        let copy = fast.load(&fast.place()?, stored(id)).await.ok()??;
        self.metrics.accounts.session(SessionOperation::Load, SessionOutcome::Redis);
        Some(Arc::new(copy.into()))
    }

    /// How many have not ended, over all nodes.
    pub async fn count(&self) -> sqlx::Result<i64> {
        store::count(&self.db, self.context.now()).await
    }

    /// Ends every session of a person, on every node.
    pub async fn end_all(&self, user: Uuid) -> sqlx::Result<()> {
        let mut tx = self.db.begin().await?;
        let stale = self.end_all_in(&mut tx, user, None).await?;
        tx.commit().await?;
        self.settle(stale).await
    }

    /// Ends a person's sessions and what keeps their devices signed in, all but this session or family, in the
    /// transaction of a changed password or a disabled account.
    pub async fn end_all_in(&self, tx: &mut Tx, user: Uuid, except: Option<Uuid>) -> sqlx::Result<Stale> {
        let ids = store::of_user(tx, user).await?;
        store::delete_of_user(tx, user, except).await?;
        store::revoke_families(tx, user, except, self.context.now()).await?;
        self.note_stale(tx, ids).await
    }

    /// Makes every node read a person anew, in the transaction that changes their role, name or anything else that a
    /// session knows of them.
    pub async fn refresh_user(&self, tx: &mut Tx, user: Uuid) -> sqlx::Result<Stale> {
        let ids = store::of_user(tx, user).await?;
        self.note_stale(tx, ids).await
    }

    /// Ends one device: a session, or a family with its sessions.
    pub async fn end_device_in(&self, tx: &mut Tx, user: Uuid, device: Uuid) -> sqlx::Result<Option<Stale>> {
        let family = store::revoke_family(tx, device, user, self.context.now()).await?;
        let ids = store::delete_device(tx, user, device).await?;
        if !family && ids.is_empty() {
            return Ok(None);
        }
        self.note_stale(tx, ids).await.map(Some)
    }

    async fn note_stale(&self, tx: &mut Tx, ids: Vec<Id>) -> sqlx::Result<Stale> {
        let mut copies = Vec::new();
        for &id in &ids {
            let outbox_id = self.context.new_id();
            store::queue(tx, id, outbox_id, self.context.now()).await?;
            copies.push((outbox_id, id));
        }
        Ok(Stale { copies, ..self.note_snapshots(tx, &ids).await? })
    }

    /// The same where there are no copies.
    async fn note_snapshots(&self, tx: &mut Tx, ids: &[Id]) -> sqlx::Result<Stale> {
        if ids.is_empty() {
            return Ok(Stale::default());
        }
        let scopes = ids.iter().copied().map(snapshot::scope).collect();
        Ok(Stale { copies: Vec::new(), snapshots: Some(self.cache.guard_commit(tx, scopes).await?) })
    }

    async fn forget(&self, id: Id) -> sqlx::Result<()> {
        let mut tx = self.db.begin().await?;
        store::delete(&mut tx, id).await?;
        let stale = match &self.fast {
            Some(_) => self.note_stale(&mut tx, vec![id]).await?,
            None => self.note_snapshots(&mut tx, &[id]).await?,
        };
        tx.commit().await?;
        self.tell(stale).await;
        Ok(())
    }

    /// The slow load of a copy may race a change of its row: fill briefly, look at the row again, extend, and look
    /// once more, since somebody with an older row may have filled in between.
    async fn refill(&self, fast: &Fast, place: &Place, record: &Record) -> sqlx::Result<()> {
        let until = Timestamp::from(record.expiry_date).min(self.context.now().plus(UNVERIFIED));
        let filled = matches!(fast.fill(place, record, until).await, Ok(true));
        if filled
            && self.stands(record).await
            && fast.replace(place, record).await.is_ok()
            && self.stands(record).await
        {
            return Ok(());
        }
        if filled && fast.delete(place.space(), &[record.id]).await.is_err() {
            let mut tx = self.db.begin().await?;
            let _drained_later = self.note_stale(&mut tx, vec![record.id]).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// Counts a change of the row.
    fn counted(&self, operation: SessionOperation, result: sqlx::Result<()>) -> Result<()> {
        let outcome = if result.is_ok() { SessionOutcome::Database } else { SessionOutcome::Error };
        self.metrics.accounts.session(operation, outcome);
        result.map_err(|error| {
            // The layer that has asked for it says no more than that it failed.
            tracing::warn!(event = "session_failed", %error, "a session could not be written");
            backend(&error)
        })
    }

    async fn stands(&self, record: &Record) -> bool {
        let row = store::load(&self.db, record.id, self.context.now()).await;
        row.is_ok_and(|row| row.as_ref() == Some(record))
    }
}

#[async_trait]
impl SessionStore for Sessions {
    async fn create(&self, record: &mut Record) -> Result<()> {
        let made = async {
            let signed_in = self.fast.is_some() && Data::in_record(record).login.is_some();
            let noted = || signed_in.then(|| self.context.new_id());
            while !store::insert(&self.db, &hashed(record), noted(), self.context.now()).await? {
                record.id = Id::default();
            }
            Ok(())
        };
        self.counted(SessionOperation::Create, made.await)
    }

    /// A session whose row is gone was revoked: it is not made again. The copy goes, and the next load makes it anew.
    async fn save(&self, record: &Record) -> Result<()> {
        let saved = async {
            let mut tx = self.db.begin().await?;
            let stands = store::update(&mut tx, &hashed(record), self.context.now()).await?;
            let id = stored(record.id);
            let stale = match &self.fast {
                _ if !stands => Stale::default(),
                Some(_) => self.note_stale(&mut tx, vec![id]).await?,
                None => self.note_snapshots(&mut tx, &[id]).await?,
            };
            tx.commit().await?;
            // An old copy knows less than the row: nobody need wait for it to go.
            self.tell(stale).await;
            Ok(())
        };
        self.counted(SessionOperation::Save, saved.await)
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let stored = stored(*id);
        let mut missed = None;
        if let Some(fast) = &self.fast
            && let Some(place) = fast.place()
        {
            match fast.load(&place, stored).await {
                Ok(Some(record)) => {
                    self.metrics.accounts.session(SessionOperation::Load, SessionOutcome::Redis);
                    return Ok(Some(Record { id: *id, ..record }).filter(|r| expiry(r) > self.context.now()));
                }
                Ok(None) => missed = Some((fast, place)),
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
        if let (Some((fast, place)), Some(record)) = (missed, &loaded) {
            let _ = self.refill(fast, &place, record).await;
        }
        Ok(loaded.map(|record| Record { id: *id, ..record }))
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        self.counted(SessionOperation::Delete, self.forget(stored(*id)).await)
    }
}

/// What the stores know a session by: whoever reads them can't sign in with what is there.
fn hashed(record: &Record) -> Record {
    Record { id: stored(record.id), ..record.clone() }
}

fn stored(id: Id) -> Id {
    short_hash(&[&id.0.to_le_bytes()])
}

/// The first 16 bytes of SHA-256.
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
