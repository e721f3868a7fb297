//! A backup is restored beside the Redis that went on: what came after the backup is nowhere to be found.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;

use crate::support::app::{App, Engine};
use crate::support::wait::eventually;

const LIMIT: Duration = Duration::from_secs(15);

/// Asks until Redis holds so many sessions.
async fn redis_holds(app: &App, people: &[&crate::support::actor::Actor]) {
    let held = eventually(LIMIT, async || {
        for person in people {
            person.get("/api/v1/me").await.ok();
        }
        let sessions = app.redis().sessions().map_err(|error| error.to_string())?;
        if sessions >= people.len() { Ok(()) } else { Err(format!("{sessions} sessions")) }
    });
    held.await.unwrap_or_else(|error| panic!("{error}"));
}

async fn a_restored_backup_shows_what_it_holds(app: App) {
    let ada = app.signed_in("ada").await;
    let entry = ada.saves(json!({ "title": "Tide tables", "visibility": "public" })).await;
    redis_holds(&app, &[&ada]).await;
    let backup = app.backup().await;

    let later = ada.saves(json!({ "title": "Later", "visibility": "public" })).await;
    ada.json(Method::PATCH, &entry.api(), json!({ "title": "Ebb tables" })).if_match("*").await.ok();
    let eve = app.signed_in("eve").await;
    redis_holds(&app, &[&ada, &eve]).await;
    let visitor = app.visitor();
    let shared = eventually(LIMIT, async || {
        app.coffer.cache.forget_memory();
        visitor.get(&entry.api()).await.ok().text_has("Ebb tables");
        visitor.get(&later.api()).await.ok();
        if app.redis().entries().len() >= 2 { Ok(()) } else { Err("Redis holds no entries") }
    });
    shared.await.unwrap_or_else(|error| panic!("{error}"));
    // It is marked in Redis how far the database has come.
    let before = app.coffer.redis.as_ref().expect("with Redis").installation();
    let marked = eventually(LIMIT, async || {
        let at = coffer::installation::store::position(&app.coffer.db).await.expect("a position").at;
        let space = app.coffer.redis.as_ref().and_then(coffer::redis::Redis::space);
        if space.is_some_and(|space| space.marked() >= at) { Ok(()) } else { Err("not marked") }
    });
    marked.await.unwrap_or_else(|error| panic!("{error}"));

    let app = app.restored(&backup).await;
    let (visitor, ada, eve) = (app.visitor(), ada.at(&app), eve.at(&app));
    let until = Instant::now() + Duration::from_secs(4);
    while Instant::now() < until {
        visitor.get(&later.api()).await.is(404);
        visitor.get(&entry.api()).await.ok().text_has("Tide tables");
        assert!(!eve.is_signed_in().await, "a session that was begun after the backup");
        assert!(ada.is_signed_in().await);
        app.coffer.cache.forget_memory();
    }
    let redis = app.coffer.redis.as_ref().expect("with Redis");
    assert!(redis.space().is_some() && redis.installation() != before, "another name, and Redis is used");
    let name = redis.installation();
    let keys = app.redis().keys().expect("redis answers");
    for kind in ["limit", "history"] {
        let ours = |key: &&String| key.starts_with(&format!("coffer:{kind}:{name}:"));
        assert!(kind == "history" || keys.iter().any(|key| ours(&key)), "{kind}: {keys:?}");
    }
}

#[tokio::test]
async fn sqlite() {
    a_restored_backup_shows_what_it_holds(App::with_limits(Engine::Sqlite, &[]).await).await;
}

#[tokio::test]
async fn postgres() {
    a_restored_backup_shows_what_it_holds(App::with_limits(Engine::Postgres, &[]).await).await;
}

/// A restart is none: what Redis holds is found again.
#[tokio::test]
async fn a_restart_keeps_the_name() {
    let app = App::with_redis(Engine::Postgres).await;
    let ada = app.signed_in("ada").await;
    redis_holds(&app, &[&ada]).await;
    let before = app.coffer.redis.as_ref().expect("with Redis").installation();
    let other = app.another_node().await;
    let known = eventually(LIMIT, async || {
        let space = other.coffer.redis.as_ref().and_then(coffer::redis::Redis::space);
        space.map(|space| space.name).ok_or("not known yet")
    });
    assert_eq!(known.await.expect("Redis is known"), before);
    assert!(ada.at(&other).is_signed_in().await);
}
