//! The sessions' copies in Redis: believed only for a while after a look into the outbox, and found only under the
//! names of the installation and of the Redis processes that have heard every revocation.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use axum::body::Bytes;
use fred::interfaces::{ClientLike as _, KeysInterface as _};
use fred::types::{Expiration, SetOptions};
use futures_util::future::join_all;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tower_sessions::session::{Id, Record};

use super::{expiry, short_hash};
use crate::context::Context;
use crate::db::Timestamp;
use crate::redis::flights::{Flights, Questions, flights};
use crate::redis::space::Space;
use crate::redis::{Redis, RedisDown};

/// So long after a look into the outbox copies are believed, in microseconds: less than [`super::KNOWN_WITHIN`].
const LEASE: i64 = 1_800_000;
/// Copies that are asked for in one command.
const MOST: usize = 128;

type Result<T> = std::result::Result<T, RedisDown>;
type Read = Result<Option<Bytes>>;

#[derive(Clone, Debug)]
pub struct Fast {
    redis: Redis,
    context: Context,
    reads: Arc<Flights<String, Read>>,
    place: Arc<RwLock<Option<Place>>>,
}

/// Where copies are that have been told every revocation, and until when that holds, in ticks. A restarted Redis may come
/// back with old copies: keys hold its run id, so that they are never found again.
#[derive(Clone, Debug)]
pub struct Place {
    space: Space,
    until: i64,
}

/// A copy as it lies in Redis, with all that the session holds, or with what somebody wants to know of it.
#[derive(Deserialize, Serialize)]
pub struct Copy<T> {
    /// When the session ends, in microseconds.
    until: i64,
    pub data: T,
}

impl<T> Copy<T> {
    pub const fn until(&self) -> Timestamp {
        Timestamp::from_micros(self.until)
    }
}

impl Fast {
    #[must_use]
    pub fn new(redis: &Redis, context: &Context) -> Self {
        let (reads, questions) = flights();
        tokio::spawn(fly(redis.clone(), questions));
        Self { redis: redis.clone(), context: context.clone(), reads: Arc::new(reads), place: Arc::default() }
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
    pub async fn copy<T: DeserializeOwned>(&self, place: &Place, id: Id) -> Result<Option<Copy<T>>> {
        let found = self.reads.ask(place.key(id)).await.ok_or(RedisDown)??;
        // What came after a doubt may be what a revocation has not reached.
        if !self.is_known(place) {
            return Err(RedisDown);
        }
        Ok(found.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }

    pub async fn load(&self, place: &Place, id: Id) -> Result<Option<Record>> {
        let copy: Option<Copy<HashMap<String, Value>>> = self.copy(place, id).await?;
        Ok(copy.map(|copy| Record { id, expiry_date: copy.until().datetime(), data: copy.data }))
    }

    /// Whether there was no copy yet and this is it now.
    pub async fn fill(&self, place: &Place, record: &Record, until: Timestamp) -> Result<bool> {
        self.set(place, record, until, SetOptions::NX).await
    }

    /// Puts this in the place of a copy that is still there.
    pub async fn replace(&self, place: &Place, record: &Record) -> Result<()> {
        self.set(place, record, expiry(record), SetOptions::XX).await.map(drop)
    }

    /// Deletes these copies.
    pub async fn delete(&self, space: &Space, ids: &[Id]) -> Result<()> {
        let redis = self.redis.first();
        let keys: Vec<String> = ids.iter().map(|id| key(space, *id)).collect();
        if self.redis.pool().is_clustered() {
            let each = keys.into_iter().map(|key| self.redis.run(redis.del::<(), _>(key)));
            return join_all(each).await.into_iter().collect();
        }
        if keys.is_empty() { Ok(()) } else { self.redis.run(redis.del(keys)).await }
    }

    async fn set(&self, place: &Place, record: &Record, kept: Timestamp, when: SetOptions) -> Result<bool> {
        let copy = Copy { until: expiry(record).micros(), data: &record.data };
        let text = serde_json::to_string(&copy).map_err(|_| RedisDown)?;
        let until = Some(Expiration::PXAT(kept.micros() / 1000));
        let redis = self.redis.first();
        let set = redis.set::<Option<String>, _, _>(place.key(record.id), text, until, Some(when), false);
        Ok(self.redis.run(set).await?.is_some())
    }
}

impl Place {
    #[must_use]
    pub const fn space(&self) -> &Space {
        &self.space
    }

    fn key(&self, id: Id) -> String {
        key(&self.space, id)
    }
}

fn key(space: &Space, id: Id) -> String {
    format!("coffer:session:{}", short_hash(&[&id.0.to_le_bytes(), space.id().as_bytes()]))
}

/// One flight of reads after another, as long as there are sessions to be asked for.
async fn fly(redis: Redis, mut questions: Questions<String, Read>) {
    while let Some(mut asked) = questions.gather(MOST).await {
        let keys: Vec<String> = asked.iter_mut().map(|asked| std::mem::take(&mut asked.question)).collect();
        match read(&redis, keys).await {
            Ok(found) => asked.into_iter().zip(found).for_each(|(asked, found)| asked.tell(Ok(found))),
            Err(RedisDown) => asked.into_iter().for_each(|asked| asked.tell(Err(RedisDown))),
        }
    }
}

async fn read(redis: &Redis, keys: Vec<String>) -> Result<Vec<Option<Bytes>>> {
    let client = redis.first();
    if redis.pool().is_clustered() {
        let each = keys.into_iter().map(|key| redis.run(client.get(key)));
        return join_all(each).await.into_iter().collect();
    }
    match <[String; 1]>::try_from(keys) {
        Ok([key]) => Ok(vec![redis.run(client.get(key)).await?]),
        Err(keys) if keys.is_empty() => Ok(Vec::new()),
        Err(keys) => redis.run(client.mget(keys)).await,
    }
}
