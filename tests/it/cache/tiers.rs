//! What each tier costs, counted by Redis itself.

use serde_json::json;

use super::{Truth, invalidated, settled};
use crate::support::app::{App, Engine};

/// `MGET`s and scripts since `CONFIG RESETSTAT`.
fn asked(app: &App) -> (u64, u64) {
    let calls = app.redis().calls();
    let of = |name: &str| calls.get(name).copied().unwrap_or(0);
    (of("mget"), of("evalsha") + of("eval"))
}

fn forget_counts(app: &App) {
    app.redis().command("CONFIG RESETSTAT").expect("redis answers");
}

#[tokio::test]
async fn a_hit_in_memory_needs_no_round_trip_and_one_in_redis_needs_one() {
    let app = App::with_redis(Engine::Postgres).await;
    let other = app.another_node().await;
    settled(&app).await;
    settled(&other).await;
    let truth = Truth::default();
    // The scripts are in place from here on.
    super::touch(&app.coffer.cache).await;
    truth.read(&app.coffer.cache, 1).await;
    filled(&app, 1).await;

    forget_counts(&app);
    truth.read(&app.coffer.cache, 2).await;
    filled(&app, 2).await;
    assert_eq!(asked(&app), (1, 2), "a miss: look and lease, then fill");
    forget_counts(&app);
    for _ in 0..100 {
        truth.read(&app.coffer.cache, 2).await;
    }
    assert_eq!(asked(&app), (0, 0), "in memory");
    truth.read(&other.coffer.cache, 2).await;
    assert_eq!(asked(&app), (1, 0), "in Redis");
    forget_counts(&app);
    super::touch(&app.coffer.cache).await;
    assert_eq!(asked(&app), (0, 1), "a write");
    assert_eq!(truth.loads(), 2);
}

/// Until Redis holds so many entries.
pub async fn filled(app: &App, count: usize) {
    let filled = crate::support::wait::eventually(super::LIMIT, async || {
        let entries = app.redis().entries();
        if entries.len() >= count { Ok(()) } else { Err(format!("{entries:?}")) }
    });
    filled.await.unwrap_or_else(|error| panic!("{count} entries in Redis: {error}"));
}

/// Reads publish no messages: only writes do.
#[tokio::test]
async fn a_fill_publishes_nothing() {
    let app = App::with_redis(Engine::Sqlite).await;
    settled(&app).await;
    let truth = Truth::default();
    let heard = || ["local", "remote", "outbox"].iter().map(|source| invalidated(&app, source)).sum::<f64>();
    let before = heard();
    for id in 0..20 {
        truth.read(&app.coffer.cache, id).await;
    }
    filled(&app, 20).await;
    assert!((heard() - before).abs() < 0.1, "{} after {before}", heard());
}

#[tokio::test]
async fn pages_and_json_share_one_entry_and_say_so() {
    let app = App::with(Engine::Sqlite, &[]).await;
    let ada = app.signed_in("ada").await;
    let entry = ada.saves(json!({ "title": "Tide tables" })).await;
    ada.get(&entry.api()).await.ok().header_is("cache-status", "coffer; fwd=miss");
    ada.get(&entry.api()).await.ok().header_is("cache-status", "coffer; hit; detail=l1");
    ada.get(&entry.page()).await.ok().header_is("cache-status", "coffer; fwd=miss");
    ada.get(&entry.page()).await.ok().header_is("cache-status", "coffer; hit; detail=l1");
    ada.get("/resources").await.ok().header_is("cache-control", "private, no-store");
}

/// A value that is broken, cut, or another version's is loaded anew, and the next reader finds a good one.
#[tokio::test]
async fn whatever_lies_in_redis_is_no_error() {
    let app = App::with_redis(Engine::Postgres).await;
    let other = app.another_node().await;
    settled(&app).await;
    settled(&other).await;
    let truth = Truth::default();
    truth.set(7);
    truth.read(&app.coffer.cache, 1).await;
    filled(&app, 1).await;
    let entry = app.redis().entries().remove(0);
    let bomb = "x".repeat(1000);
    for change in [
        format!("SETRANGE {entry} 40 zz"),
        format!("SET {entry} short"),
        format!("SET {entry} {bomb}"),
        format!("SET {entry} \"\""),
        format!("APPEND {entry} more"),
    ] {
        app.redis().command(&change).expect("redis answers");
        // Another key of the same node finds nothing in memory.
        assert_eq!(truth.read(&other.coffer.cache, 1).await, 7, "{change}");
        other.coffer.cache.clear_memory();
    }
    // A type that is not asked for.
    app.redis().command(&format!("DEL {entry}")).expect("redis answers");
    app.redis().command(&format!("LPUSH {entry} a")).expect("redis answers");
    assert_eq!(truth.read(&other.coffer.cache, 1).await, 7);
}
