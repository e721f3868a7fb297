//! What Redis holds is used only while it is fresh.

use std::marker::PhantomData;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::*;
use crate::cache::freshness::NEGATIVE;
use crate::cache::kind::{EntryKey, Key, Kind};
use crate::cache::remote_entry::RemoteEntry;
use crate::cache::scope::Scope;
use crate::cache::{Capacity, Deps};
use crate::db::Db;
use crate::keys::{KeySource, Keys};
use crate::system::{Clock, System};
use crate::timestamp::Timestamp;

const SECOND: i64 = 1_000_000;
const NOW: i64 = 100 * SECOND;

struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(NOW)
    }

    fn ticks(&self) -> i64 {
        NOW
    }
}

#[derive(Deserialize, Serialize)]
struct Number(u64);

impl Cached for Number {
    fn weight(&self) -> usize {
        8
    }

    fn is_for(&self, _: Option<Uuid>) -> bool {
        true
    }
}

static NUMBER: Kind<Number> =
    Kind { name: "any", schema: 3, ttl: NEGATIVE, is_shared: true, is_composed: false, value: PhantomData };

async fn cache() -> Cache {
    let folder = tempfile::tempdir().unwrap();
    let db = Db::open(&format!("sqlite:{}", folder.path().join("x.db").display()), 1).await.unwrap();
    let context = System { clock: Arc::new(Stopped), ..System::real() };
    let keys = Keys::load(KeySource { secret: None, dir: folder.path() }, &context).unwrap();
    let deps = Deps { db: &db, context: &context, redis: None, keys: &keys, metrics: None, kinds: &["any"] };
    Cache::new(deps, Capacity { memory: 0, loads: 1 })
}

/// An entry that was loaded so many seconds ago and lives for a minute.
fn loaded(ago: i64) -> RemoteEntry {
    RemoteEntry {
        schema: NUMBER.schema,
        created: NOW - ago * SECOND,
        soft_ms: 60_000,
        hard_ms: 600_000,
        load_us: 1,
        audience: Uuid::nil(),
        generations: Vec::new(),
        payload: Some(vec![7]),
    }
}

#[tokio::test]
async fn what_redis_holds_is_used_while_it_is_fresh_and_newer() {
    let (cache, scopes) = (cache().await, Scopes::one(Scope::Shared));
    // Redis' clock is an hour ahead.
    let keyspace = Keyspace::new(String::new(), 0, 3600 * SECOND);
    let is_used = |entry: RemoteEntry, newer_than: Option<i64>| {
        let generation = cache.local_generations.current(&scopes);
        let key = EntryKey::new(&NUMBER, &Key::public([1; 16]));
        let job = Load { kind: &NUMBER, key, scopes, generation, newer_than };
        let entry = RemoteEntry { created: keyspace.redis_time(entry.created), ..entry };
        let lookup = Lookup { generations: Vec::new(), entry: Some(entry), is_broken: false };
        cache.validated(&job, &keyspace, lookup).is_some()
    };
    assert!(is_used(loaded(59), None) && !is_used(loaded(60), None), "its soft expiry");
    let than = NOW - 30 * SECOND;
    assert!(is_used(loaded(29), Some(than)) && !is_used(loaded(30), Some(than)), "newer");
    assert!(is_used(loaded(-1), None) && !is_used(loaded(-2), None), "of the future");
    assert!(!is_used(RemoteEntry { schema: 2, ..loaded(0) }, None), "of another version");
    assert!(!is_used(RemoteEntry { payload: Some(Vec::new()), ..loaded(0) }, None), "unreadable");
}
