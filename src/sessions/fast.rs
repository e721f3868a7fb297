//! The sessions' copies in Redis: found only under the id of the Redis process that has heard every revocation.

use std::sync::{Arc, PoisonError, RwLock};

use tower_sessions::SessionStore as _;
use tower_sessions::session::{Id, Record};
use tower_sessions_redis_store::RedisStore;
use tower_sessions_redis_store::fred::prelude::Pool;

use super::short_hash;
use crate::redis::{Redis, RedisDown};

type Result<T> = std::result::Result<T, RedisDown>;

#[derive(Clone, Debug)]
pub struct Fast {
    redis: Redis,
    store: RedisStore<Pool>,
    /// The Redis process that has been told every revocation, as of a count of doubts.
    place: Arc<RwLock<Option<Place>>>,
}

/// A restarted Redis may come back with old copies: keys hold its run id, so that they are never found again.
#[derive(Clone, Debug)]
pub struct Place {
    run_id: String,
    doubts: u64,
}

impl Fast {
    #[must_use]
    pub fn new(redis: &Redis) -> Self {
        Self { redis: redis.clone(), store: RedisStore::new(redis.pool()), place: Arc::default() }
    }

    /// Where to look for copies; `None` until the outbox is drained after the last doubt.
    #[must_use]
    pub fn place(&self) -> Option<Place> {
        let place = self.place.read().unwrap_or_else(PoisonError::into_inner).clone();
        place.filter(|place| place.doubts == self.redis.doubts())
    }

    /// The known place, or the one to settle in when the outbox is drained.
    pub async fn find_place(&self) -> Result<Place> {
        let doubts = self.redis.doubts();
        match self.place() {
            Some(place) => Ok(place),
            None => Ok(Place { run_id: self.redis.run_id().await?, doubts }),
        }
    }

    pub fn settle(&self, place: Place) {
        *self.place.write().unwrap_or_else(PoisonError::into_inner) = Some(place);
    }

    pub async fn load(&self, place: &Place, id: Id) -> Result<Option<Record>> {
        let found = self.redis.run(self.store.load(&place.key(id))).await?;
        Ok(found.map(|record| Record { id, ..record }))
    }

    /// Whether there was no copy yet and this is it now.
    pub async fn fill(&self, place: &Place, record: &Record) -> Result<bool> {
        let key = place.key(record.id);
        let mut copy = Record { id: key, ..record.clone() };
        self.redis.run(self.store.create(&mut copy)).await?;
        if copy.id == key {
            return Ok(true);
        }
        // Somebody else has filled it meanwhile; the store kept ours under a fresh id.
        self.redis.run(self.store.delete(&copy.id)).await?;
        Ok(false)
    }

    /// Puts this in the place of a copy that is still there.
    pub async fn replace(&self, place: &Place, record: &Record) -> Result<()> {
        self.redis.run(self.store.save(&Record { id: place.key(record.id), ..record.clone() })).await
    }

    pub async fn delete(&self, place: &Place, id: Id) -> Result<()> {
        self.redis.run(self.store.delete(&place.key(id))).await
    }

    /// Deletes the copy where copies are looked for.
    pub async fn drop_copy(&self, id: Id) -> Result<()> {
        self.delete(&self.place().ok_or(RedisDown)?, id).await
    }
}

impl Place {
    fn key(&self, id: Id) -> Id {
        short_hash(&[&id.0.to_le_bytes(), self.run_id.as_bytes()])
    }
}
