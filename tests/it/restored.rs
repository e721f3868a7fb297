//! A backup is restored beside the Redis that went on: what came after the backup is nowhere to be found.

use std::path::PathBuf;
use std::time::Duration;

use coffer::redis::Redis;
use coffer::redis::namespace::OutboxPosition;
use reqwest::Method;
use serde_json::json;
use tower_sessions::session::Id;

use crate::support::actor::{Actor, Entry};
use crate::support::app::{App, Engine, Node};
use crate::support::throughout::throughout;
use crate::support::wait::eventually;

const LIMIT: Duration = Duration::from_secs(15);

/// Asks until Redis holds so many sessions.
async fn redis_holds(app: &App, people: &[&Actor]) {
    let held = eventually(LIMIT, async || {
        for person in people {
            person.get("/api/v1/me").await.ok();
        }
        let sessions = app.redis().sessions().map_err(|error| error.to_string())?;
        if sessions >= people.len() { Ok(()) } else { Err(format!("{sessions} sessions")) }
    });
    held.await.unwrap_or_else(|error| panic!("{error}"));
}

/// A library with a backup, and what came after that.
struct Library {
    backup: PathBuf,
    ada: Actor,
    /// She came after the backup.
    eve: Actor,
    /// “Tide tables” then, “Ebb tables” now.
    entry: Entry,
    later: Entry,
}

/// Redis holds all of it.
async fn goes_on_after_its_backup(app: &App) -> Library {
    let ada = app.signed_in("ada").await;
    let entry = ada.saves(json!({ "title": "Tide tables", "visibility": "public" })).await;
    redis_holds(app, &[&ada]).await;
    let backup = app.backup().await;

    let later = ada.saves(json!({ "title": "Later", "visibility": "public" })).await;
    ada.json(Method::PATCH, &entry.api(), json!({ "title": "Ebb tables" })).if_match("*").await.ok();
    let eve = app.signed_in("eve").await;
    redis_holds(app, &[&ada, &eve]).await;
    let visitor = app.visitor();
    let shared = eventually(LIMIT, async || {
        app.coffer.cache.clear_memory();
        visitor.get(&entry.api()).await.ok().text_has("Ebb tables");
        visitor.get(&later.api()).await.ok();
        if app.redis().entries().len() >= 2 { Ok(()) } else { Err("Redis holds no entries") }
    });
    shared.await.unwrap_or_else(|error| panic!("{error}"));
    redis_knows_the_position(app).await;
    Library { backup, ada, eve, entry, later }
}

/// It is marked in Redis how far the database has come.
async fn redis_knows_the_position(app: &App) {
    let marked = eventually(LIMIT, async || {
        let mark = position(app).await;
        let namespace = app.coffer.redis.as_ref().and_then(Redis::namespace);
        if namespace.is_some_and(|namespace| namespace.noted_position() == mark) {
            Ok(())
        } else {
            Err("not marked")
        }
    });
    marked.await.unwrap_or_else(|error| panic!("{error}"));
}

async fn position(app: &App) -> Option<OutboxPosition> {
    coffer::installation::store::position(&app.coffer.db).await.expect("a position").latest()
}

/// A slow answer puts the name of its keys in doubt for a moment.
async fn is_used_again(redis: &Redis) {
    let used = eventually(LIMIT, async || {
        if redis.namespace().is_some() && !redis.is_breaker_open() {
            Ok(())
        } else {
            Err("Redis is not used again")
        }
    });
    used.await.unwrap_or_else(|error| panic!("{error}"));
}

/// For some seconds nothing is seen of what came after the backup.
async fn shows_what_the_backup_holds(node: &Node, library: &Library) {
    let Library { ada, eve, entry, later, .. } = library;
    let (visitor, ada, eve) = (node.visitor(), ada.at(node), eve.at(node));
    throughout(Duration::from_secs(4), async || {
        visitor.get(&later.api()).await.is(404);
        visitor.get(&entry.api()).await.ok().text_has("Tide tables");
        assert!(!eve.is_signed_in().await, "a session that was begun after the backup");
        assert!(ada.is_signed_in().await);
        node.coffer.cache.clear_memory();
    })
    .await;
}

async fn a_restored_backup_shows_what_it_holds(app: App) {
    let library = goes_on_after_its_backup(&app).await;
    let before = app.coffer.redis.as_ref().expect("with Redis").installation();
    let app = app.restored(&library.backup).await;
    shows_what_the_backup_holds(&app, &library).await;
    let redis = app.coffer.redis.as_ref().expect("with Redis");
    is_used_again(redis).await;
    assert_ne!(redis.installation(), before);
    let name = redis.installation();
    let keys = app.redis().keys().expect("redis answers");
    for kind in ["limit", "history"] {
        let ours = |key: &&String| key.starts_with(&format!("coffer:{kind}:{name}:"));
        assert!(kind == "history" || keys.iter().any(|key| ours(&key)), "{kind}: {keys:?}");
    }
}

/// While Redis can't be reached the restored database is written past all that Redis knows of it.
async fn what_is_written_on_a_restored_backup_hides_nothing(app: App) {
    let library = goes_on_after_its_backup(&app).await;
    let marked = position(&app).await.expect("rows").seq;
    let before = app.coffer.redis.as_ref().expect("with Redis").installation();
    app.redis().freeze();
    let app = app.restored(&library.backup).await;
    while position(&app).await.is_none_or(|mark| mark.seq <= marked + 1) {
        library.ada.at(&app).saves(json!({ "title": "On another branch" })).await;
    }
    app.redis().thaw();
    let redis = app.coffer.redis.as_ref().expect("with Redis");
    is_used_again(redis).await;
    shows_what_the_backup_holds(&app, &library).await;
    assert_ne!(redis.installation(), before);
}

#[tokio::test]
async fn what_is_written_on_a_restored_backup_hides_nothing_on_sqlite() {
    what_is_written_on_a_restored_backup_hides_nothing(App::with_redis(Engine::Sqlite).await).await;
}

#[tokio::test]
async fn what_is_written_on_a_restored_backup_hides_nothing_on_postgres() {
    what_is_written_on_a_restored_backup_hides_nothing(App::with_redis(Engine::Postgres).await).await;
}

/// Nodes that were not stopped notice it too, and go on in step.
#[tokio::test]
async fn a_backup_may_be_restored_under_running_nodes() {
    let app = App::with_redis(Engine::Postgres).await;
    let library = goes_on_after_its_backup(&app).await;
    let Library { backup, ada, eve, entry, later } = &library;
    let other = app.another_node().await;
    other.visitor().get(&later.api()).await.ok();
    app.restores_under_way(backup).await;
    for node in [&*app, &other] {
        let noticed = eventually(LIMIT, async || {
            let later = node.visitor().get(&later.api()).expecting_trouble().await.status();
            let eve = eve.at(node).get("/api/v1/me").expecting_trouble().await.status();
            if (later, eve) == (404, 401) { Ok(()) } else { Err(format!("{later} {eve}")) }
        });
        noticed.await.unwrap_or_else(|error| panic!("{error}"));
        shows_what_the_backup_holds(node, &library).await;
    }
    let change = json!({ "title": "Neap tables" });
    ada.at(&other).json(Method::PATCH, &entry.api(), change).if_match("*").await.ok();
    let followed = eventually(LIMIT, async || {
        let shown = app.visitor().get(&entry.api()).await.ok().text();
        if shown.contains("Neap tables") { Ok(()) } else { Err(shown) }
    });
    followed.await.unwrap_or_else(|error| panic!("{error}"));
}

/// What is ended or changed while coffer is served without its Redis has come to an end for that Redis too.
async fn a_time_without_redis_brings_nothing_back(app: App) {
    let Library { ada, eve, entry, .. } = goes_on_after_its_backup(&app).await;
    let app = app.without_redis().await;
    let person = app.viewer("eve").await.id().expect("an account");
    app.coffer.sessions.end_all(person).await.expect("her sessions end");
    let change = json!({ "title": "Neap tables" });
    ada.at(&app).json(Method::PATCH, &entry.api(), change).if_match("*").await.ok();
    // No one waits for word of it.
    coffer::sessions::store::delete_revocations(&app.coffer.db, i64::MAX).await.expect("rows go");
    coffer::cache::outbox::delete(&app.coffer.db, i64::MAX).await.expect("rows go");
    let app = app.with_redis_again().await;
    throughout(Duration::from_secs(4), async || {
        assert!(!eve.at(&app).is_signed_in().await, "a session that was ended");
        app.visitor().get(&entry.api()).await.ok().text_has("Neap tables");
        app.coffer.cache.clear_memory();
    })
    .await;
}

#[tokio::test]
async fn a_time_without_redis_brings_nothing_back_on_sqlite() {
    a_time_without_redis_brings_nothing_back(App::with_redis(Engine::Sqlite).await).await;
}

#[tokio::test]
async fn a_time_without_redis_brings_nothing_back_on_postgres() {
    a_time_without_redis_brings_nothing_back(App::with_redis(Engine::Postgres).await).await;
}

#[tokio::test]
async fn sqlite() {
    a_restored_backup_shows_what_it_holds(App::with_limits(Engine::Sqlite, &[]).await).await;
}

#[tokio::test]
async fn postgres() {
    a_restored_backup_shows_what_it_holds(App::with_limits(Engine::Postgres, &[]).await).await;
}

/// The outbox's last row tells of a session and goes once every node has heard of it.
async fn a_restart_after_the_last_row_has_gone_is_no_restore(app: App) {
    let ada = app.signed_in("ada").await;
    let (id, now) = (app.coffer.system.new_id(), app.coffer.system.now());
    let mut tx = app.coffer.db.begin().await.expect("a transaction");
    coffer::sessions::store::queue(&mut tx, Id(7), id, now).await.expect("a row");
    tx.commit().await.expect("it commits");
    redis_knows_the_position(&app).await;
    let last = position(&app).await.expect("rows");
    assert_eq!(last.row, id);
    coffer::sessions::store::delete_revocations(&app.coffer.db, i64::MAX).await.expect("rows go");
    assert_eq!(position(&app).await, Some(last));
    let before = app.coffer.redis.as_ref().expect("with Redis").installation();
    let app = app.with_redis_again().await;
    let redis = app.coffer.redis.as_ref().expect("with Redis");
    is_used_again(redis).await;
    assert_eq!(redis.installation(), before);
    assert!(ada.at(&app).is_signed_in().await);
}

#[tokio::test]
async fn a_restart_after_the_last_row_has_gone_is_no_restore_on_sqlite() {
    a_restart_after_the_last_row_has_gone_is_no_restore(App::with_redis(Engine::Sqlite).await).await;
}

#[tokio::test]
async fn a_restart_after_the_last_row_has_gone_is_no_restore_on_postgres() {
    a_restart_after_the_last_row_has_gone_is_no_restore(App::with_redis(Engine::Postgres).await).await;
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
        let namespace = other.coffer.redis.as_ref().and_then(Redis::namespace);
        namespace.map(|namespace| namespace.name).ok_or("not known yet")
    });
    assert_eq!(known.await.expect("Redis is known"), before);
    assert!(ada.at(&other).is_signed_in().await);
}
