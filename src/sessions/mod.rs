//! Browser sessions: durable rows in the database, fast from Redis when there is one.
//!
//! The row is the truth. Redis is asked first; a miss or a dead Redis falls back to the row and refills
//! Redis, so flushing or losing Redis signs nobody out. A log-out deletes the row first; when Redis can't
//! be told at that moment the deletion waits in the outbox. After any doubt about Redis (a failed command, a new
//! connection) it is not consulted until the outbox is drained and its identity known again.

#[doc(hidden)] // The tests ask the databases for the plans of its statements.
pub mod store;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use sha2::{Digest, Sha256};
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
    /// The Redis process that has been told every revocation, as of a count of doubts.
    place: Arc<RwLock<Option<Place>>>,
}

/// A restarted Redis may come back with old copies: keys hold its run id, so that they are never found again.
#[derive(Clone, Debug)]
struct Place {
    run_id: String,
    doubts: u64,
}

impl Sessions {
    #[must_use]
    pub fn new(db: Db, redis: Option<&Redis>, context: Context) -> Self {
        let fast = redis.map(|redis| Fast {
            redis: redis.clone(),
            store: RedisStore::new(redis.pool()),
            place: Arc::default(),
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
        let doubts = fast.redis.doubts();
        let place = match fast.place() {
            Some(place) => place,
            None => Place { run_id: fast.redis.run_id().await?, doubts },
        };
        loop {
            let waiting = store::revocations(&self.db).await?;
            if waiting.is_empty() {
                fast.settle(place);
                return Ok(());
            }
            for (outbox_id, id) in waiting {
                fast.redis.run(fast.store.delete(&place.key(id))).await?;
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
    async fn refill(
        &self,
        fast: &Fast,
        place: &Place,
        record: &Record,
    ) -> std::result::Result<(), RedisDown> {
        let id = place.key(record.id);
        let mut brief = Record { id, ..record.clone() };
        brief.expiry_date = brief.expiry_date.min(self.context.now().plus(UNVERIFIED).datetime());
        fast.redis.run(fast.store.create(&mut brief)).await?;
        if brief.id != id {
            // Somebody else has filled it meanwhile; the store kept ours under a fresh id.
            return fast.redis.run(fast.store.delete(&brief.id)).await;
        }
        match store::load(&self.db, record.id, self.context.now()).await {
            Ok(Some(_)) => fast.redis.run(fast.store.save(&Record { id, ..record.clone() })).await,
            _ => fast.redis.run(fast.store.delete(&id)).await,
        }
    }
}

impl Fast {
    /// Where to look for copies; `None` until the outbox is drained after the last doubt.
    fn place(&self) -> Option<Place> {
        let place = self.place.read().unwrap_or_else(PoisonError::into_inner).clone();
        place.filter(|place| place.doubts == self.redis.doubts())
    }

    fn settle(&self, place: Place) {
        *self.place.write().unwrap_or_else(PoisonError::into_inner) = Some(place);
    }

    async fn create(&self, record: &Record) -> std::result::Result<(), RedisDown> {
        let place = self.place().ok_or(RedisDown)?;
        let mut copy = Record { id: place.key(record.id), ..record.clone() };
        self.redis.run(self.store.create(&mut copy)).await
    }

    async fn save(&self, record: &Record) -> std::result::Result<(), RedisDown> {
        let place = self.place().ok_or(RedisDown)?;
        self.redis.run(self.store.save(&Record { id: place.key(record.id), ..record.clone() })).await
    }

    async fn delete(&self, id: Id) -> std::result::Result<(), RedisDown> {
        let place = self.place().ok_or(RedisDown)?;
        self.redis.run(self.store.delete(&place.key(id))).await
    }
}

impl Place {
    fn key(&self, id: Id) -> Id {
        short_hash(&[&id.0.to_le_bytes(), self.run_id.as_bytes()])
    }
}

#[async_trait]
impl SessionStore for Sessions {
    async fn create(&self, record: &mut Record) -> Result<()> {
        let mut stored = hashed(record);
        while !store::insert(&self.db, &stored, self.context.now()).await.map_err(|e| backend(&e))? {
            record.id = Id::default();
            stored = hashed(record);
        }
        if let Some(fast) = &self.fast {
            let _ = fast.create(&stored).await;
        }
        Ok(())
    }

    /// A session whose row is gone was revoked: it is not made again.
    async fn save(&self, record: &Record) -> Result<()> {
        let stored = hashed(record);
        let stands = store::update(&self.db, &stored, self.context.now()).await.map_err(|e| backend(&e))?;
        let Some(fast) = self.fast.as_ref().filter(|_| stands) else { return Ok(()) };
        let replaced = fast.save(&stored).await.is_ok();
        // A log-out meanwhile has deleted the copy before this one.
        let row = store::load(&self.db, stored.id, self.context.now()).await.map_err(|e| backend(&e))?;
        // A copy that could not be replaced is an old one: it must go before it is read again.
        if !replaced || (row.is_none() && fast.delete(stored.id).await.is_err()) {
            let outbox_id = self.context.new_id();
            let queued = store::queue_revocation(&self.db, stored.id, outbox_id, self.context.now()).await;
            queued.map_err(|e| backend(&e))?;
        }
        Ok(())
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let stored = short_hash(&[&id.0.to_le_bytes()]);
        let mut missed = None;
        if let Some(fast) = &self.fast
            && let Some(place) = fast.place()
        {
            match fast.redis.run(fast.store.load(&place.key(stored))).await {
                Ok(Some(record)) => {
                    return Ok(Some(Record { id: *id, ..record }).filter(|r| expiry(r) > self.context.now()));
                }
                Ok(None) => missed = Some((fast, place)),
                Err(RedisDown) => {}
            }
        }
        let loaded = store::load(&self.db, stored, self.context.now()).await.map_err(|e| backend(&e))?;
        if let (Some((fast, place)), Some(record)) = (missed, &loaded) {
            let _ = self.refill(fast, &place, record).await;
        }
        Ok(loaded.map(|record| Record { id: *id, ..record }))
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        self.forget(short_hash(&[&id.0.to_le_bytes()])).await.map_err(|e| backend(&e))
    }
}

/// What the stores know a session by: whoever reads them can't sign in with what is there.
fn hashed(record: &Record) -> Record {
    Record { id: short_hash(&[&record.id.0.to_le_bytes()]), ..record.clone() }
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
