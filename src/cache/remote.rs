//! The tier in Redis: entries, with the generations of their scopes from before their load.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use axum::body::Bytes;
use fred::prelude::*;
use fred::types::cluster::ClusterRouting;
use fred::types::{ClusterHash, CustomCommand};
use parking_lot::RwLock;
use ring::hmac;

use super::keyspace::{Keyspace, short};
use super::kind::EntryKey;
use super::remote_entry::{Generation, RemoteEntry};
use super::scope::{Scope, Scopes};
use crate::db::Db;
use crate::erased::Erased;
use crate::installation::{self, Lost};
use crate::redis::script::Script;
use crate::redis::{Redis, RedisDown};
use crate::system::System;

/// After this the database is faster.
const READ_LIMIT: Duration = Duration::from_millis(25);
/// A write waits no longer for Redis.
pub const WRITE_LIMIT: Duration = Duration::from_millis(50);
const CLAIM_LIFE: Duration = Duration::from_secs(3);
/// Longer than the life of any entry. A generation that is gone is only a miss.
const GENERATION_LIFE: Duration = Duration::from_hours(24);

static CLAIM: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/claim.lua")));
static FILL: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/fill.lua")));
static BUMP: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/bump.lua")));

type Result<T> = std::result::Result<T, RedisDown>;

pub struct Remote {
    redis: Redis,
    context: System,
    /// Authenticates entries, and keeps installations on one Redis apart.
    hmac_key: hmac::Key,
    channel: String,
    keyspace: RwLock<Option<Arc<Keyspace>>>,
}

pub enum KeyspaceChange {
    Same,
    Changed,
}

pub struct Lookup {
    pub generations: Vec<Option<Generation>>,
    /// Authentic, of these generations, and for the right audience.
    pub entry: Option<RemoteEntry>,
    /// Redis holds something that is not authentic.
    pub is_broken: bool,
}

/// The right to load and fill, and the generations from before the load.
pub struct Claim {
    pub token: [u8; 16],
    pub generations: Vec<Generation>,
}

pub enum Claimed {
    Granted(Claim),
    Busy,
}

impl Remote {
    pub fn new(redis: &Redis, context: &System, key: &[u8; 32]) -> Self {
        let hmac_key = hmac::Key::new(hmac::HMAC_SHA256, key);
        let channel = format!("cf:{}", short(&hmac::sign(&hmac_key, b"channel")));
        let (redis, context) = (redis.clone(), context.clone());
        Self { redis, context, hmac_key, channel, keyspace: RwLock::default() }
    }

    pub fn redis(&self) -> &Redis {
        &self.redis
    }

    pub fn channel(&self) -> &str {
        &self.channel
    }

    /// `None` when a command has failed or a connection was made since the keyspace was found out.
    pub fn keyspace(&self) -> Option<Arc<Keyspace>> {
        let keyspace = self.keyspace.read().clone();
        keyspace.filter(|keyspace| {
            keyspace.epoch == self.redis.connection_epoch() && !self.redis.is_breaker_open()
        })
    }

    /// Finds out which Redis answers, and what its clock says.
    pub async fn refresh_keyspace(&self, db: &Db) -> std::result::Result<KeyspaceChange, Lost> {
        let namespace = installation::find(db, &self.redis, &self.context).await?;
        let prefix = Keyspace::prefix(&self.hmac_key, &namespace);
        // In a cluster, of the node that has these keys.
        let slot = ClusterHash::Custom(ClusterRouting::hash_key(prefix.as_bytes()));
        let time = CustomCommand::new("TIME", slot, false);
        let asked_at = self.context.ticks();
        let (seconds, micros): (i64, i64) =
            self.redis.run(self.client().custom(time, Vec::<Value>::new())).await?;
        let halfway = i64::midpoint(asked_at, self.context.ticks());
        let keyspace = Keyspace::new(prefix, namespace.epoch(), seconds * 1_000_000 + micros - halfway);
        let mut known = self.keyspace.write();
        let is_same = known.as_ref().is_none_or(|known| known.is_same(&keyspace));
        *known = Some(Arc::new(keyspace));
        Ok(if is_same { KeyspaceChange::Same } else { KeyspaceChange::Changed })
    }

    pub async fn get(&self, keyspace: &Keyspace, key: &EntryKey, scopes: &Scopes) -> Result<Lookup> {
        let name = keyspace.entry(key);
        let mut keys = vec![Key::from(name.as_str())];
        keys.extend(keyspace.generations(scopes.as_slice()));
        let client = self.client();
        let mut found: Vec<Option<Bytes>> =
            self.same_epoch(keyspace, self.redis.run_within(READ_LIMIT, client.mget(keys)).await?)?;
        let sealed = found.first_mut().and_then(Option::take);
        Ok(self.lookup(key, &name, sealed.as_deref(), &found[1.min(found.len())..]))
    }

    /// Looks again, seeds missing generations, and claims the load.
    pub async fn claim(
        &self,
        keyspace: &Keyspace,
        key: &EntryKey,
        scopes: &Scopes,
    ) -> Result<(Lookup, Claimed)> {
        let token: [u8; 16] = self.context.random();
        let mut arguments = vec![bytes(&token), millis(CLAIM_LIFE), millis(GENERATION_LIFE)];
        arguments.extend(self.nonces(scopes.as_slice()));
        let keys = keyspace.keys(key, scopes.as_slice());
        let mut values = self.run(&CLAIM, keyspace, keys, arguments, READ_LIMIT).await?.into_iter();
        let is_granted = values.next().and_then(|value| value.as_u64()) == Some(1);
        let sealed = values.next().and_then(Value::into_bytes);
        let generations: Vec<Option<Bytes>> = values.map(Value::into_bytes).collect();
        let lookup = self.lookup(key, &keyspace.entry(key), sealed.as_deref(), &generations);
        let known: Option<Vec<Generation>> = lookup.generations.iter().copied().collect();
        Ok(match known {
            Some(generations) if is_granted => (lookup, Claimed::Granted(Claim { token, generations })),
            _ => (lookup, Claimed::Busy),
        })
    }

    /// Stores the entry if no write has touched its scopes meanwhile. Gives the claim back in any case.
    pub async fn fill(
        &self,
        keyspace: &Keyspace,
        key: &EntryKey,
        scopes: &Scopes,
        claim: Claim,
        entry: Option<RemoteEntry>,
    ) -> Result<()> {
        let name = keyspace.entry(key);
        let sealed = entry.and_then(|entry| Some((entry.seal(&self.hmac_key, &name)?, entry.hard_ms)));
        let (sealed, life) = sealed.unwrap_or_default();
        let mut arguments = vec![bytes(&claim.token), life.to_string().into(), Value::Bytes(sealed.into())];
        arguments.extend(claim.generations.iter().map(|generation| bytes(generation)));
        let keys = keyspace.keys(key, scopes.as_slice());
        self.run(&FILL, keyspace, keys, arguments, WRITE_LIMIT).await.map(drop)
    }

    /// Gives the scopes new generations, and publishes the message.
    pub async fn bump(&self, scopes: &[Scope], message: String, limit: Duration) -> Result<()> {
        let keyspace = self.keyspace().ok_or(RedisDown)?;
        let mut arguments = vec![millis(GENERATION_LIFE), self.channel.clone().into(), message.into()];
        arguments.extend(self.nonces(scopes));
        let keys = keyspace.generations(scopes).collect();
        self.run(&BUMP, &keyspace, keys, arguments, limit).await.map(drop)
    }

    pub async fn publish(&self, message: String) -> Result<()> {
        self.redis.run(self.client().publish::<(), _, _>(self.channel.as_str(), message)).await
    }

    /// Always the same connection: the keyspace holds for one connection's epoch.
    fn client(&self) -> Erased<Client> {
        self.redis.first()
    }

    fn nonces(&self, scopes: &[Scope]) -> impl Iterator<Item = Value> {
        scopes.iter().map(|_| bytes(&self.context.random::<8>()))
    }

    async fn run(
        &self,
        script: &Script,
        keyspace: &Keyspace,
        keys: Vec<Key>,
        arguments: Vec<Value>,
        limit: Duration,
    ) -> Result<Vec<Value>> {
        let answer = self.redis.run_within(limit, script.run(&*self.client(), keys, arguments)).await?;
        Ok(match self.same_epoch(keyspace, answer)? {
            Value::Array(values) => values,
            single => vec![single],
        })
    }

    /// Drops an answer that another Redis process may have given.
    fn same_epoch<T>(&self, keyspace: &Keyspace, answer: T) -> Result<T> {
        if keyspace.epoch == self.redis.connection_epoch() { Ok(answer) } else { Err(RedisDown) }
    }

    fn lookup(
        &self,
        key: &EntryKey,
        name: &str,
        sealed: Option<&[u8]>,
        generations: &[Option<Bytes>],
    ) -> Lookup {
        let parse = |found: &Option<Bytes>| Generation::try_from(found.as_deref()?).ok();
        let generations: Vec<Option<Generation>> = generations.iter().map(parse).collect();
        let opened = sealed.map(|sealed| RemoteEntry::open(&self.hmac_key, name, sealed));
        let is_broken = matches!(opened, Some(None));
        let is_current =
            |entry: &RemoteEntry| generations.iter().copied().eq(entry.generations.iter().copied().map(Some));
        let entry = opened.flatten().filter(|entry| entry.audience == key.audience && is_current(entry));
        Lookup { generations, entry, is_broken }
    }
}

fn bytes(bytes: &[u8]) -> Value {
    Value::Bytes(Bytes::copy_from_slice(bytes))
}

fn millis(duration: Duration) -> Value {
    duration.as_millis().to_string().into()
}
