//! The sessions' copies in Redis: believed only for a while after a look into the outbox, and found only under the
//! names of the installation and of the Redis processes that have heard every revocation.

use std::sync::{Arc, PoisonError, RwLock};

use fred::clients::Client;
use fred::interfaces::{ClientLike as _, KeysInterface as _};
use futures_util::future::join_all;
use tower_sessions::SessionStore as _;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::Error;
use tower_sessions_redis_store::RedisStore;

use super::short_hash;
use crate::context::Context;
use crate::db::Timestamp;
use crate::redis::space::Space;
use crate::redis::{Redis, RedisDown};

/// So long after a look into the outbox copies are believed, in microseconds: less than [`super::KNOWN_WITHIN`].
const LEASE: i64 = 1_800_000;

type Result<T> = std::result::Result<T, RedisDown>;

#[derive(Clone, Debug)]
pub struct Fast {
    redis: Redis,
    context: Context,
    copies: RedisStore<Client>,
    place: Arc<RwLock<Option<Place>>>,
}

/// Where copies are that have been told every revocation, and until when that holds, in ticks. A restarted Redis may come
/// back with old copies: keys hold its run id, so that they are never found again.
#[derive(Clone, Debug)]
pub struct Place {
    space: Space,
    until: i64,
}

impl Fast {
    #[must_use]
    pub fn new(redis: &Redis, context: &Context) -> Self {
        let copies = RedisStore::new(redis.first());
        Self { redis: redis.clone(), context: context.clone(), copies, place: Arc::default() }
    }

    #[must_use]
    pub const fn redis(&self) -> &Redis {
        &self.redis
    }

    /// Where to look for copies; `None` until the outbox is drained after the last doubt, and once that is too long ago.
    #[must_use]
    pub fn place(&self) -> Option<Place> {
        let place = self.place.read().unwrap_or_else(PoisonError::into_inner).clone();
        place.filter(|place| self.is_known(place) && self.context.ticks() < place.until)
    }

    fn is_known(&self, place: &Place) -> bool {
        place.space.doubts() == self.redis.doubts()
    }

    /// Everything was told there that stood in the outbox at `since`, in ticks.
    pub fn settle(&self, space: Space, since: i64) {
        let until = since.saturating_add(LEASE);
        *self.place.write().unwrap_or_else(PoisonError::into_inner) = Some(Place { space, until });
    }

    /// The outbox can't be read: whoever revokes something tells Redis, so what is believed may be believed further.
    pub fn go_on(&self) {
        if let Some(place) = self.place() {
            self.settle(place.space, self.context.ticks());
        }
    }

    /// A copy that can't be read, as another version may have written it, is none.
    pub async fn load(&self, place: &Place, id: Id) -> Result<Option<Record>> {
        let copy = place.id(id);
        let loaded = async {
            match self.copies.load(&copy).await {
                Err(Error::Decode(_)) => Ok(None),
                other => other,
            }
        };
        let found = self.redis.run(loaded).await?;
        // What came after a doubt may be what a revocation has not reached.
        if !self.is_known(place) {
            return Err(RedisDown);
        }
        Ok(found.map(|record| Record { id, ..record }))
    }

    /// Whether there was no copy yet and this is it now.
    pub async fn fill(&self, place: &Place, record: &Record, until: Timestamp) -> Result<bool> {
        let mut copy = Record { expiry_date: until.datetime(), ..place.copy(record) };
        self.redis.run(self.copies.create(&mut copy)).await?;
        // If one exists, the store makes another under a name that is never asked for.
        let is_first = copy.id == place.id(record.id);
        if !is_first {
            self.redis.run(self.copies.delete(&copy.id)).await?;
        }
        Ok(is_first)
    }

    /// Puts this in the place of a copy that is still there.
    pub async fn replace(&self, place: &Place, record: &Record) -> Result<()> {
        self.redis.run(self.copies.save(&place.copy(record))).await
    }

    /// Deletes these copies.
    pub async fn delete(&self, space: &Space, ids: &[Id]) -> Result<()> {
        let redis = self.redis.first();
        let keys: Vec<String> = ids.iter().map(|id| copy(space, *id).to_string()).collect();
        if self.redis.pool().is_clustered() {
            let each = keys.into_iter().map(|key| self.redis.run(redis.del::<(), _>(key)));
            return join_all(each).await.into_iter().collect();
        }
        if keys.is_empty() { Ok(()) } else { self.redis.run(redis.del(keys)).await }
    }
}

impl Place {
    #[must_use]
    pub const fn space(&self) -> &Space {
        &self.space
    }

    fn id(&self, session: Id) -> Id {
        copy(&self.space, session)
    }

    fn copy(&self, record: &Record) -> Record {
        Record { id: self.id(record.id), ..record.clone() }
    }
}

/// What a session's copy is called: the store knows no prefix.
fn copy(space: &Space, session: Id) -> Id {
    short_hash(&[&session.0.to_le_bytes(), space.id().as_bytes()])
}
