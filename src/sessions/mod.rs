//! Browser sessions: durable rows in the database, fast from Redis when there is one.
//!
//! The row is the truth. Redis is asked first; a miss or a dead Redis falls back to the row and refills
//! Redis, so flushing or losing Redis signs nobody out. A log-out deletes the row first; when Redis can't
//! be told at that moment the deletion waits in the outbox, and Redis is not consulted until it is drained.

#[doc(hidden)] // The tests ask the databases for the plans of its statements.
pub mod store;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;
use tower_sessions::SessionStore;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{Error, Result};
use tower_sessions_redis_store::RedisStore;
use tower_sessions_redis_store::fred::prelude::Pool;

use crate::context::Context;
use crate::db::{Db, Timestamp};
use crate::redis::{Redis, RedisDown};

/// Until a refilled session's row has been seen to stand still, its copy in Redis lives this long.
const UNVERIFIED: Duration = Duration::from_secs(10);
const DRAIN_EVERY: Duration = Duration::from_secs(1);

#[derive(Clone, Debug)]
pub struct Sessions {
    db: Db,
    fast: Option<Fast>,
    context: Context,
}

/// The copies in Redis.
#[derive(Clone, Debug)]
struct Fast {
    redis: Redis,
    store: RedisStore<Pool>,
    /// [`Redis::gaps`] when every known revocation had reached Redis; after another gap it could bring a
    /// session back to life, one that another node has ended too.
    drained: Arc<AtomicU64>,
}

impl Sessions {
    #[must_use]
    pub fn new(db: Db, redis: Option<&Redis>, context: Context) -> Self {
        let fast = redis.map(|redis| Fast {
            redis: redis.clone(),
            store: RedisStore::new(redis.pool()),
            drained: Arc::default(),
        });
        Self { db, fast, context }
    }

    /// Ends every session of a person, on every node.
    pub async fn end_all(&self, user: uuid::Uuid) -> sqlx::Result<()> {
        for id in store::of_user(&self.db, user).await? {
            self.forget(id).await?;
        }
        Ok(())
    }

    /// Tells Redis of revocations it missed and drops expired rows, until the program ends.
    pub async fn maintain(self) {
        let mut tick = tokio::time::interval(DRAIN_EVERY);
        for round in 0_u64.. {
            tick.tick().await;
            if let Err(error) = self.drain().await {
                tracing::debug!(%error, "revoked sessions still wait for Redis");
            }
            if round % 600 == 0
                && let Err(error) = store::delete_expired(&self.db, self.context.now()).await
            {
                tracing::warn!(%error, "expired sessions could not be removed");
            }
        }
    }

    async fn drain(&self) -> std::result::Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let Some(fast) = &self.fast else { return Ok(()) };
        let gaps = fast.redis.gaps();
        loop {
            let waiting = store::revocations(&self.db).await?;
            if waiting.is_empty() {
                fast.drained.store(gaps, Ordering::Release);
                return Ok(());
            }
            for (outbox_id, id) in waiting {
                fast.delete(id).await?;
                store::revocation_done(&self.db, outbox_id).await?;
            }
        }
    }

    async fn forget(&self, id: Id) -> sqlx::Result<()> {
        let Some(fast) = &self.fast else {
            return store::delete(&self.db, id).await;
        };
        let outbox_id = self.context.new_id();
        store::revoke(&self.db, id, outbox_id, self.context.now()).await?;
        if fast.delete(id).await.is_ok() {
            store::revocation_done(&self.db, outbox_id).await?;
        }
        Ok(())
    }

    /// The slow load of a copy may race a revocation: fill briefly, look at the row again, then extend.
    async fn refill(&self, fast: &Fast, record: &Record) -> std::result::Result<(), RedisDown> {
        let mut brief = record.clone();
        brief.expiry_date = brief.expiry_date.min(self.context.now().plus(UNVERIFIED).datetime());
        let id = brief.id;
        fast.redis.run(fast.store.create(&mut brief)).await?;
        if brief.id != id {
            // Somebody else has filled it meanwhile; the store kept ours under a fresh id.
            return fast.delete(brief.id).await;
        }
        match store::load(&self.db, id, self.context.now()).await {
            Ok(Some(_)) => fast.redis.run(fast.store.save(record)).await,
            _ => fast.delete(id).await,
        }
    }
}

impl Fast {
    fn may_be_asked(&self) -> bool {
        self.drained.load(Ordering::Acquire) == self.redis.gaps()
    }

    async fn delete(&self, id: Id) -> std::result::Result<(), RedisDown> {
        self.redis.run(self.store.delete(&id)).await
    }
}

#[async_trait]
impl SessionStore for Sessions {
    async fn create(&self, record: &mut Record) -> Result<()> {
        let mut stored = hashed(record);
        while !store::insert(&self.db, &stored, self.context.now()).await.map_err(backend)? {
            record.id = Id::default();
            stored = hashed(record);
        }
        if let Some(fast) = self.fast.as_ref().filter(|fast| fast.may_be_asked()) {
            let _ = fast.redis.run(fast.store.create(&mut stored)).await;
        }
        Ok(())
    }

    /// A session whose row is gone was revoked: it is not made again.
    async fn save(&self, record: &Record) -> Result<()> {
        let stored = hashed(record);
        let stands = store::update(&self.db, &stored, self.context.now()).await.map_err(backend)?;
        let Some(fast) = self.fast.as_ref().filter(|_| stands) else { return Ok(()) };
        let replaced = fast.redis.run(fast.store.save(&stored)).await.is_ok();
        // A log-out meanwhile has deleted the copy before this one.
        let ended = store::load(&self.db, stored.id, self.context.now()).await.map_err(backend)?.is_none();
        // A copy that could not be replaced must not be served: it would be the old one.
        if !replaced || (ended && fast.delete(stored.id).await.is_err()) {
            let outbox_id = self.context.new_id();
            store::queue_revocation(&self.db, stored.id, outbox_id, self.context.now())
                .await
                .map_err(backend)?;
            fast.redis.missed();
        }
        Ok(())
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let stored = hash(*id);
        let fast = self.fast.as_ref().filter(|fast| fast.may_be_asked());
        if let Some(fast) = fast
            && let Ok(Some(record)) = fast.redis.run(fast.store.load(&stored)).await
        {
            return Ok(Some(Record { id: *id, ..record }).filter(|r| is_alive(r, self.context.now())));
        }
        let Some(record) = store::load(&self.db, stored, self.context.now()).await.map_err(backend)? else {
            return Ok(None);
        };
        if let Some(fast) = fast {
            let _ = self.refill(fast, &record).await;
        }
        Ok(Some(Record { id: *id, ..record }))
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        self.forget(hash(*id)).await.map_err(backend)
    }
}

fn is_alive(record: &Record, now: Timestamp) -> bool {
    Timestamp::from(record.expiry_date) > now
}

fn hashed(record: &Record) -> Record {
    Record { id: hash(record.id), ..record.clone() }
}

/// What the stores know a session by: whoever reads them can't sign in with what is there.
fn hash(id: Id) -> Id {
    let digest = Sha256::digest(id.0.to_le_bytes());
    let mut first = [0; 16];
    first.copy_from_slice(&digest[..16]);
    Id(i128::from_le_bytes(first))
}

fn backend(error: sqlx::Error) -> Error {
    Error::Backend(error.to_string())
}

fn expiry(record: &Record) -> Timestamp {
    Timestamp::from(record.expiry_date)
}

fn as_offset(at: Timestamp) -> OffsetDateTime {
    at.datetime()
}
