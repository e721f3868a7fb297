//! The tier in Redis: entries with the generations that they were made from.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use axum::body::Bytes;
use fred::prelude::*;
use fred::types::cluster::ClusterRouting;
use fred::types::{ClusterHash, CustomCommand};
use parking_lot::RwLock;
use ring::hmac;
use uuid::Uuid;

use super::entry::{Entry, Generation};
use super::kind::Slot;
use super::scope::{Scope, Scopes};
use crate::context::Context;
use crate::db::Db;
use crate::installation::{self, Lost};
use crate::redis::script::Script;
use crate::redis::{Redis, RedisDown};

/// Longer than this the database is the quicker one.
const READ_LIMIT: Duration = Duration::from_millis(25);
/// A write waits no longer for the others to be told.
pub const WRITE_LIMIT: Duration = Duration::from_millis(50);
/// Who leads a load has this long before another may.
const LOAD_LEASE: Duration = Duration::from_secs(3);
/// Longer than any entry's; one that is gone is only a miss.
const GENERATION_LIFE: Duration = Duration::from_hours(24);

static LEASE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/lease.lua")));
static FILL: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/fill.lua")));
static BUMP: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/bump.lua")));

type Result<T> = std::result::Result<T, RedisDown>;

pub struct Remote {
    redis: Redis,
    context: Context,
    /// Seals entries, and keeps installations on one Redis apart.
    key: hmac::Key,
    channel: String,
    place: RwLock<Option<Arc<Place>>>,
}

/// Where entries are: under the installation's name and the run ids of the Redis processes, as of a count of doubts.
/// A restart, whatever it brings back from the disk, begins a fresh name space, and so does a restored database.
pub struct Place {
    prefix: String,
    doubts: u64,
    /// Redis' clock less our ticks, in microseconds.
    offset: i64,
}

/// Whether entries are where they were last.
pub enum Found {
    Same,
    Elsewhere,
}

/// What Redis says to a question.
pub struct Looked {
    pub generations: Vec<Option<Generation>>,
    /// One that checks out, was made from these generations and is for whom it is asked.
    pub entry: Option<Entry>,
    /// Something lies there that does not check out.
    pub is_broken: bool,
}

/// The right to fill, and under which generations.
pub struct Claim {
    pub token: [u8; 16],
    pub generations: Vec<Generation>,
}

pub enum Leased {
    Mine(Claim),
    /// Another node is loading it.
    Busy,
}

impl Remote {
    #[must_use]
    pub fn new(redis: &Redis, context: &Context, key: &[u8; 32]) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, key);
        let channel = format!("cf:{}", short(&hmac::sign(&key, b"channel")));
        Self { redis: redis.clone(), context: context.clone(), key, channel, place: RwLock::default() }
    }

    #[must_use]
    pub fn redis(&self) -> &Redis {
        &self.redis
    }

    #[must_use]
    pub fn channel(&self) -> &str {
        &self.channel
    }

    /// Where entries are, unless there has been a doubt since that was found out.
    #[must_use]
    pub fn place(&self) -> Option<Arc<Place>> {
        let place = self.place.read().clone();
        place.filter(|place| place.doubts == self.redis.doubts() && !self.redis.is_open())
    }

    /// Finds out which Redis this is and what its clock says.
    pub async fn find_place(&self, db: &Db) -> std::result::Result<Found, Lost> {
        let space = installation::find(db, &self.redis, &self.context).await?;
        let prefix = format!("cf:{{{}}}", short(&hmac::sign(&self.key, space.id().as_bytes())));
        // In a cluster the clock of the node that has them.
        let slot = ClusterHash::Custom(ClusterRouting::hash_key(prefix.as_bytes()));
        let time = CustomCommand::new("TIME", slot, false);
        let asked = self.context.ticks();
        let (seconds, micros): (i64, i64) =
            self.redis.run(self.client().custom(time, Vec::<Value>::new())).await?;
        let halfway = i64::midpoint(asked, self.context.ticks());
        let place = Place { prefix, doubts: space.doubts(), offset: seconds * 1_000_000 + micros - halfway };
        let mut known = self.place.write();
        let is_same = known.as_ref().is_none_or(|known| known.prefix == place.prefix);
        *known = Some(Arc::new(place));
        Ok(if is_same { Found::Same } else { Found::Elsewhere })
    }

    /// One round trip.
    pub async fn look(&self, place: &Place, slot: &Slot, scopes: &Scopes) -> Result<Looked> {
        let name = place.entry(slot);
        let mut keys = vec![Key::from(name.as_str())];
        keys.extend(scopes.as_slice().iter().map(|scope| Key::from(place.generation(*scope))));
        let client = self.client();
        let mut found: Vec<Option<Bytes>> =
            self.still(place, self.redis.run_within(READ_LIMIT, client.mget(keys)).await?)?;
        let sealed = found.first_mut().and_then(Option::take);
        Ok(self.looked(slot, &name, sealed.as_deref(), &found[1.min(found.len())..]))
    }

    /// Looks again, seeds what is missing, and claims the load.
    pub async fn lease(&self, place: &Place, slot: &Slot, scopes: &Scopes) -> Result<(Looked, Leased)> {
        let name = place.entry(slot);
        let token: [u8; 16] = self.context.random();
        let mut arguments = vec![bytes(&token), millis(LOAD_LEASE), millis(GENERATION_LIFE)];
        arguments.extend(scopes.as_slice().iter().map(|_| bytes(&self.context.random::<8>())));
        let keys = (Some(slot), scopes.as_slice());
        let mut values = self.script(&LEASE, place, keys, arguments, READ_LIMIT).await?.into_iter();
        let mine = values.next().and_then(|value| value.as_u64()) == Some(1);
        let sealed = values.next().and_then(Value::into_bytes);
        let generations: Vec<Option<Bytes>> = values.map(Value::into_bytes).collect();
        let looked = self.looked(slot, &name, sealed.as_deref(), &generations);
        let known: Option<Vec<Generation>> = looked.generations.iter().copied().collect();
        Ok(match known {
            Some(generations) if mine => (looked, Leased::Mine(Claim { token, generations })),
            _ => (looked, Leased::Busy),
        })
    }

    /// Stores what was loaded if nothing was touched meanwhile, and gives the claim back; without an entry only that.
    pub async fn fill(
        &self,
        place: &Place,
        (slot, scopes): (&Slot, &Scopes),
        claim: Claim,
        entry: Option<Entry>,
    ) -> Result<()> {
        let name = place.entry(slot);
        let sealed = entry.and_then(|entry| Some((entry.seal(&self.key, &name)?, entry.hard_ms)));
        let (sealed, life) = sealed.unwrap_or_default();
        let mut arguments = vec![bytes(&claim.token), life.to_string().into(), Value::Bytes(sealed.into())];
        arguments.extend(claim.generations.iter().map(|generation| bytes(generation)));
        let keys = (Some(slot), scopes.as_slice());
        self.script(&FILL, place, keys, arguments, WRITE_LIMIT).await.map(drop)
    }

    /// New generations for the scopes, and word of it to whoever listens.
    pub async fn bump(&self, scopes: &[Scope], message: String, limit: Duration) -> Result<()> {
        let place = self.place().ok_or(RedisDown)?;
        let mut arguments = vec![millis(GENERATION_LIFE), self.channel.clone().into(), message.into()];
        arguments.extend(scopes.iter().map(|_| bytes(&self.context.random::<8>())));
        self.script(&BUMP, &place, (None, scopes), arguments, limit).await.map(drop)
    }

    /// Says something on the channel.
    pub async fn publish(&self, message: String) -> Result<()> {
        self.redis.run(self.client().publish::<(), _, _>(self.channel.as_str(), message)).await
    }

    /// Redis' clock, from ours.
    #[must_use]
    pub fn redis_time(place: &Place, ticks: i64) -> i64 {
        ticks.saturating_add(place.offset)
    }

    /// Always the same connection, so that what is known of one holds for all.
    fn client(&self) -> Client {
        self.redis.first()
    }

    async fn script(
        &self,
        script: &Script,
        place: &Place,
        (slot, scopes): (Option<&Slot>, &[Scope]),
        arguments: Vec<Value>,
        limit: Duration,
    ) -> Result<Vec<Value>> {
        let mut keys: Vec<Key> = Vec::with_capacity(scopes.len() + 2);
        if let Some(name) = slot.map(|slot| place.entry(slot)) {
            keys.push(format!("{name}:l").into());
            keys.insert(0, name.into());
        }
        keys.extend(scopes.iter().map(|scope| Key::from(place.generation(*scope))));
        let answer = self.redis.run_within(limit, script.run(&self.client(), keys, arguments)).await?;
        Ok(match self.still(place, answer)? {
            Value::Array(values) => values,
            single => vec![single],
        })
    }

    /// An answer that may have come from another process than the one that was asked about is none.
    fn still<T>(&self, place: &Place, answer: T) -> Result<T> {
        if place.doubts == self.redis.doubts() { Ok(answer) } else { Err(RedisDown) }
    }

    fn looked(
        &self,
        slot: &Slot,
        name: &str,
        sealed: Option<&[u8]>,
        generations: &[Option<Bytes>],
    ) -> Looked {
        let read = |found: &Option<Bytes>| Generation::try_from(found.as_deref()?).ok();
        let generations: Vec<Option<Generation>> = generations.iter().map(read).collect();
        let opened = sealed.map(|sealed| Entry::open(&self.key, name, sealed));
        let is_broken = matches!(opened, Some(None));
        let stands =
            |entry: &Entry| generations.iter().copied().eq(entry.generations.iter().copied().map(Some));
        let entry = opened.flatten().filter(|entry| entry.audience == slot.audience && stands(entry));
        Looked { generations, entry, is_broken }
    }
}

impl Place {
    fn entry(&self, slot: &Slot) -> String {
        let id = Uuid::from_bytes(slot.id);
        format!("{}:e:{}:{}:{}", self.prefix, slot.kind.as_str(), slot.audience.simple(), id.simple())
    }

    fn generation(&self, scope: Scope) -> String {
        format!("{}:g:{scope}", self.prefix)
    }
}

fn short(tag: &hmac::Tag) -> String {
    data_encoding::HEXLOWER.encode(&tag.as_ref()[..8])
}

fn bytes(bytes: &[u8]) -> Value {
    Value::Bytes(Bytes::copy_from_slice(bytes))
}

fn millis(duration: Duration) -> Value {
    duration.as_millis().to_string().into()
}
