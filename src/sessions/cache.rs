//! The copies of sessions in Redis. A node trusts them only for a while after it polled the outbox, and only in the
//! namespace that every revocation was published to.

use std::sync::{Arc, PoisonError, RwLock};

use fred::clients::Client;
use fred::interfaces::{ClientLike as _, KeysInterface as _};
use futures_util::future::join_all;
use tower_sessions::SessionStore as _;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::Error;
use tower_sessions_redis_store::RedisStore;

use super::short_hash;
use crate::erased::Erased;
use crate::redis::namespace::Namespace;
use crate::redis::{Redis, RedisDown};
use crate::system::System;
use crate::timestamp::Timestamp;

/// How long copies are trusted after a poll, in microseconds: shorter than [`super::KNOWN_WITHIN`].
const LEASE: i64 = 1_800_000;

type Result<T> = std::result::Result<T, RedisDown>;

#[derive(Clone, Debug)]
pub struct SessionCache {
    redis: Redis,
    context: System,
    copies: Erased<RedisStore<Client>>,
    trusted: Arc<RwLock<Option<TrustedNamespace>>>,
}

/// Every revocation was published here; `until` in ticks. A restarted Redis has another namespace.
#[derive(Clone, Debug)]
pub struct TrustedNamespace {
    namespace: Namespace,
    until: i64,
}

impl SessionCache {
    pub fn new(redis: &Redis, context: &System) -> Self {
        let copies = Erased::new(RedisStore::new((*redis.first()).clone()));
        Self { redis: redis.clone(), context: context.clone(), copies, trusted: Arc::default() }
    }

    pub const fn redis(&self) -> &Redis {
        &self.redis
    }

    /// `None` until the outbox was drained in this connection epoch, and when that is too long ago.
    pub fn trusted(&self) -> Option<TrustedNamespace> {
        let trusted = self.trusted.read().unwrap_or_else(PoisonError::into_inner).clone();
        trusted.filter(|trusted| self.is_known(trusted) && self.context.ticks() < trusted.until)
    }

    fn is_known(&self, trusted: &TrustedNamespace) -> bool {
        trusted.namespace.epoch() == self.redis.connection_epoch()
    }

    /// All revocations up to `since`, in ticks, were published to this namespace.
    pub fn renew(&self, namespace: Namespace, since: i64) {
        let until = since.saturating_add(LEASE);
        *self.trusted.write().unwrap_or_else(PoisonError::into_inner) =
            Some(TrustedNamespace { namespace, until });
    }

    /// For when the database can't be read: then no revocation commits that this Redis is not told of.
    pub fn extend(&self) {
        if let Some(trusted) = self.trusted() {
            self.renew(trusted.namespace, self.context.ticks());
        }
    }

    /// A copy that can't be decoded, as another version of coffer may have written it, counts as missing.
    pub async fn load(&self, trusted: &TrustedNamespace, id: Id) -> Result<Option<Record>> {
        let copy = trusted.id(id);
        let loaded = async {
            match self.copies.load(&copy).await {
                Err(Error::Decode(_)) => Ok(None),
                other => other,
            }
        };
        let found = self.redis.run(loaded).await?;
        // In a new connection epoch this may be a copy that a revocation has missed.
        if !self.is_known(trusted) {
            return Err(RedisDown);
        }
        Ok(found.map(|record| Record { id, ..record }))
    }

    /// Returns whether it is stored; `false` when a copy exists already.
    pub async fn fill(&self, trusted: &TrustedNamespace, record: &Record, until: Timestamp) -> Result<bool> {
        let mut copy = Record { expiry_date: until.datetime(), ..trusted.copy(record) };
        self.redis.run(self.copies.create(&mut copy)).await?;
        // If the id is taken, the store picks another one, which is never read.
        let is_first = copy.id == trusted.id(record.id);
        if !is_first {
            self.redis.run(self.copies.delete(&copy.id)).await?;
        }
        Ok(is_first)
    }

    pub async fn replace(&self, trusted: &TrustedNamespace, record: &Record) -> Result<()> {
        self.redis.run(self.copies.save(&trusted.copy(record))).await
    }

    pub async fn delete(&self, namespace: &Namespace, ids: &[Id]) -> Result<()> {
        let redis = self.redis.first();
        let keys: Vec<String> = ids.iter().map(|id| copy(namespace, *id).to_string()).collect();
        if self.redis.pool().is_clustered() {
            let each = keys.into_iter().map(|key| self.redis.run(redis.del::<(), _>(key)));
            return join_all(each).await.into_iter().collect();
        }
        if keys.is_empty() { Ok(()) } else { self.redis.run(redis.del(keys)).await }
    }
}

impl TrustedNamespace {
    pub const fn namespace(&self) -> &Namespace {
        &self.namespace
    }

    fn id(&self, session: Id) -> Id {
        copy(&self.namespace, session)
    }

    fn copy(&self, record: &Record) -> Record {
        Record { id: self.id(record.id), ..record.clone() }
    }
}

/// The copy's id holds the namespace, because the store has no key prefix.
fn copy(namespace: &Namespace, session: Id) -> Id {
    short_hash(&[&session.0.to_le_bytes(), namespace.id().as_bytes()])
}
