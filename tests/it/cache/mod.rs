//! The tiered cache: every write is seen, whatever happens to Redis, to a node, to a load.

mod authorisation;
mod faults;
mod guard;
mod loads;
mod nodes;
mod pages;
mod permits;
mod processes;
mod tiers;
mod verbs;

use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use coffer::cache::{Cache, Cached, Key, Kind, Public, Scope, Scopes, Ttl};
use coffer::error::Result;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::support::app::Node;
use crate::support::wait::eventually;

pub const LIMIT: Duration = Duration::from_secs(20);

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub struct Number(pub u64);

impl Cached for Number {
    fn weight(&self) -> usize {
        size_of::<Self>()
    }

    fn is_for(&self, _: Option<Uuid>) -> bool {
        true
    }
}

const MINUTE: Ttl = Ttl { soft: Duration::from_mins(1), hard: Duration::from_mins(10) };

pub static NUMBER: Kind<Number> =
    Kind { name: "any", schema: 1000, ttl: MINUTE, is_shared: true, is_composed: false, value: PhantomData };

pub const SCOPES: Scopes = Scopes::one(Scope::Shared);

pub fn key(id: u8) -> Key<Public> {
    Key::public([id; 16])
}

/// The value in the database, and how often it was loaded.
#[derive(Clone, Default)]
pub struct Truth {
    value: Arc<AtomicU64>,
    loads: Arc<AtomicU64>,
}

impl Truth {
    pub fn loads(&self) -> u64 {
        self.loads.load(Ordering::SeqCst)
    }

    pub fn set(&self, value: u64) {
        self.value.store(value, Ordering::SeqCst);
    }

    #[expect(clippy::unused_async, reason = "the value is read when the load gets to it")]
    pub async fn load(self) -> Result<Option<Number>> {
        self.loads.fetch_add(1, Ordering::SeqCst);
        Ok(Some(Number(self.value.load(Ordering::SeqCst))))
    }

    pub async fn read(&self, cache: &Cache, id: u8) -> u64 {
        self.read_in(cache, id, SCOPES).await
    }

    pub async fn read_in(&self, cache: &Cache, id: u8, scopes: Scopes) -> u64 {
        let read = cache.get(&NUMBER, key(id), scopes, |_| self.clone().load()).await;
        read.expect("an answer").expect("a number").0
    }

    pub async fn write(&self, cache: &Cache, value: u64) {
        self.set(value);
        touch(cache).await;
    }
}

pub async fn touch(cache: &Cache) {
    let write = cache.begin().await.expect("a transaction");
    write.commit([Scope::Shared]).await.expect("it commits");
}

/// Scopes that this source has invalidated on the node.
pub fn invalidated(node: &Node, source: &str) -> f64 {
    node.scraped("coffer_cache_invalidations_total", &[("source", source)])
}

pub fn hits_in_redis(node: &Node) -> f64 {
    node.scraped("coffer_cache_requests_total", &[("tier", "l2"), ("outcome", "hit")])
}

/// Waits until this node serves from its memory and from Redis.
pub async fn settled(node: &Node) {
    let cache = &node.coffer.cache;
    let settled =
        eventually(LIMIT, async || if cache.is_ready() { Ok(()) } else { Err("the cache is not ready") });
    settled.await.unwrap_or_else(|error| panic!("{error}"));
}

/// `long` with `bin/test --long`.
pub fn long_or<T>(long: T, short: T) -> T {
    if std::env::var_os("COFFER_TEST_LONG").is_some() { long } else { short }
}
