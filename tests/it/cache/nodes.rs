//! Three nodes on one database: one load between them, every write heard of within milliseconds.

use std::time::{Duration, Instant};

use coffer::cache::{Scope, Scopes};
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use super::{Number, SCOPES, Truth, key, settled};
use crate::support::app::{App, Engine, Node};
use crate::support::wait::eventually;

async fn three(app: &App) -> [Node; 2] {
    let others = [app.another_node().await, app.another_node().await];
    settled(app).await;
    for node in &others {
        settled(node).await;
    }
    others
}

/// A thousand ask on each of three nodes.
async fn loads_of_three_thousand(app: &App, others: &[Node; 2], id: u8) -> u64 {
    let truth = Truth::default();
    let nodes = [&app.coffer.cache, &others[0].coffer.cache, &others[1].coffer.cache];
    let mut reads = Vec::new();
    for index in 0..3000 {
        if index % 10 == 0 {
            // The others must be heard meanwhile.
            tokio::task::yield_now().await;
        }
        let (truth, cache) = (truth.clone(), nodes[index % 3].clone());
        reads.push(tokio::spawn(async move {
            let load = async move {
                // Long enough for the other nodes to ask meanwhile.
                tokio::time::timeout(Duration::from_millis(30), std::future::pending::<()>()).await.ok();
                truth.load().await
            };
            cache.get(&super::NUMBER, key(id), SCOPES, |_| load).await.expect("an answer")
        }));
    }
    for read in reads {
        assert_eq!(read.await.expect("no panic").as_deref(), Some(&Number(0)));
    }
    truth.loads()
}

/// A machine that is busy with other tests may keep Redis' answer from being heard in time, but not always.
#[tokio::test]
async fn three_nodes_with_redis_load_once() {
    let app = App::with_redis(Engine::Postgres).await;
    let others = three(&app).await;
    let mut all = Vec::new();
    for id in 20..30 {
        all.push(loads_of_three_thousand(&app, &others, id).await);
        if all.ends_with(&[1]) {
            break;
        }
    }
    assert!(all.ends_with(&[1]) && all.iter().all(|loads| *loads <= 3), "{all:?}");
}

#[tokio::test]
async fn three_nodes_without_redis_load_once_each() {
    let app = App::with(Engine::Postgres, &[]).await;
    let others = three(&app).await;
    let loads = loads_of_three_thousand(&app, &others, 3).await;
    assert!((1..=3).contains(&loads), "{loads}");
}

/// How long the others take to see each of so many writes, sorted.
async fn delays(app: &App, others: &[Node; 2], writes: u64) -> Vec<Duration> {
    let truth = Truth::default();
    let mut delays = Vec::new();
    for value in 1..=writes {
        truth.write(&app.coffer.cache, value).await;
        let written = Instant::now();
        for node in others {
            let seen =
                eventually(Duration::from_secs(10), async || match truth.read(&node.coffer.cache, 5).await {
                    seen if seen == value => Ok(()),
                    seen => Err(format!("{seen} instead of {value}")),
                });
            seen.await.unwrap_or_else(|error| panic!("{error}"));
        }
        delays.push(written.elapsed());
    }
    delays.sort();
    delays
}

#[tokio::test]
async fn the_other_nodes_see_a_write_soon() {
    let app = App::with_redis(Engine::Postgres).await;
    let others = three(&app).await;
    let delays = delays(&app, &others, super::long_or(10_000, 50)).await;
    assert!(
        delays[delays.len() / 2] < Duration::from_millis(200),
        "half within {:?}",
        delays[delays.len() / 2]
    );
    assert!(delays[delays.len() - 1] < Duration::from_secs(4), "{:?}", delays[delays.len() - 1]);
}

#[tokio::test]
async fn without_redis_the_other_nodes_see_a_write_by_looking() {
    let app = App::with(Engine::Postgres, &[]).await;
    let others = three(&app).await;
    let delays = delays(&app, &others, 5).await;
    assert!(delays[delays.len() - 1] < Duration::from_secs(4), "{:?}", delays[delays.len() - 1]);
}

/// More scopes than a message names, and an answer that depends on each.
#[tokio::test]
async fn a_write_of_many_scopes_is_seen_in_every_one() {
    let app = App::with_redis(Engine::Postgres).await;
    let other = app.another_node().await;
    settled(&app).await;
    settled(&other).await;
    let scopes: Vec<Scope> = (0..65).map(|number| Scope::Noun('r', Uuid::from_u128(number))).collect();
    let truth = Truth::default();
    let old = async |node: &Node, value: u64| {
        let mut old = Vec::new();
        for (id, scope) in (0..).zip(&scopes) {
            if truth.read_in(&node.coffer.cache, id, Scopes::one(*scope)).await != value {
                old.push(scope);
            }
        }
        if old.is_empty() { Ok(()) } else { Err(format!("{old:?}")) }
    };
    truth.set(1);
    for node in [&*app, &other] {
        old(node, 1).await.expect("nothing is older");
    }
    super::tiers::filled(&app, scopes.len()).await;
    truth.set(2);
    let write = app.coffer.cache.begin().await.expect("a transaction");
    write.commit(scopes.clone()).await.expect("it commits");
    let seen = eventually(Duration::from_secs(4), async || old(&other, 2).await);
    seen.await.unwrap_or_else(|error| panic!("on the other node: {error}"));
    old(&app, 2).await.unwrap_or_else(|error| panic!("on its own node: {error}"));
    for node in [&*app, &other] {
        node.coffer.cache.clear_memory();
        old(node, 2).await.unwrap_or_else(|error| panic!("in Redis: {error}"));
    }
}

/// The clocks of two nodes are an hour apart, either way. Ages are counted by Redis' clock, leases by monotonic ones.
#[tokio::test]
async fn clocks_that_disagree_do_no_harm() {
    let app = App::with_redis(Engine::Postgres).await;
    let truth = Truth::default();
    for hours in [-1, 1] {
        let other = app.another_node_with_clock(hours * 3600).await;
        settled(&app).await;
        settled(&other).await;
        for value in 1..10 {
            let (writer, reader) = if value % 2 == 0 {
                (&app.coffer.cache, &other.coffer.cache)
            } else {
                (&other.coffer.cache, &app.coffer.cache)
            };
            truth.write(writer, value).await;
            assert_eq!(truth.read(writer, 6).await, value);
            let seen = eventually(Duration::from_secs(5), async || {
                let seen = truth.read(reader, 6).await;
                if seen == value { Ok(()) } else { Err(format!("{seen} instead of {value}")) }
            });
            seen.await.unwrap_or_else(|error| panic!("{hours} h: {error}"));
        }
        let before = truth.loads();
        truth.read(&app.coffer.cache, 7).await;
        super::tiers::filled(&app, 1).await;
        let shared = eventually(Duration::from_secs(5), async || {
            other.coffer.cache.clear_memory();
            truth.read(&other.coffer.cache, 7).await;
            if super::hits_in_redis(&other) > 0.0 { Ok(()) } else { Err("no hit in Redis") }
        });
        shared.await.unwrap_or_else(|error| panic!("{hours} h: {error}"));
        assert!(truth.loads() > before);
    }
}

static NEWER: coffer::cache::Kind<Named> = coffer::cache::Kind {
    name: "any",
    schema: 1001,
    ttl: super::MINUTE,
    is_shared: true,
    is_composed: false,
    value: std::marker::PhantomData,
};

/// Two versions of coffer side by side: neither reads what the other has written.
#[tokio::test]
async fn two_schema_versions_live_side_by_side() {
    let app = App::with_redis(Engine::Postgres).await;
    let other = app.another_node().await;
    settled(&app).await;
    settled(&other).await;
    let truth = Truth::default();
    truth.set(4);
    for _ in 0..5 {
        assert_eq!(truth.read(&app.coffer.cache, 8).await, 4);
        let load = |_| async { Ok(Some(Named(4, "four".to_owned()))) };
        let newer = other.coffer.cache.get(&NEWER, key(8), SCOPES, load).await.expect("an answer");
        assert_eq!(newer.expect("a value").1, "four");
        app.coffer.cache.clear_memory();
        other.coffer.cache.clear_memory();
    }
}

#[derive(serde::Deserialize, serde::Serialize)]
struct Named(u64, String);

impl coffer::cache::Cached for Named {
    fn weight(&self) -> usize {
        8
    }

    fn is_for(&self, _: Option<uuid::Uuid>) -> bool {
        true
    }
}

/// What is public no more is on no node's profile and in no node's feed.
#[tokio::test]
async fn the_public_face_follows_on_every_node() {
    let app = App::with_redis(Engine::Postgres).await;
    let others = three(&app).await;
    let ada = app.signed_in("ada").await;
    let entry = ada.saves(json!({ "title": "Tide tables", "visibility": "public" })).await;
    for visibility in ["private", "public", "members"] {
        let paths = ["/u/ada", "/u/ada/feed.atom", "/feed.atom"];
        let shown = |visibility: &'static str| {
            let (app, others) = (&app, &others);
            async move || {
                for node in [&**app, &others[0], &others[1]] {
                    for path in paths {
                        let seen = node.visitor().get(path).await.text().contains("Tide tables");
                        if seen != (visibility == "public") {
                            return Err(format!("{path} while it is {visibility}"));
                        }
                    }
                }
                Ok(())
            }
        };
        let before = if visibility == "public" { "private" } else { "public" };
        eventually(Duration::from_secs(5), shown(before)).await.unwrap_or_else(|error| panic!("{error}"));
        let change = json!({ "visibility": visibility });
        ada.json(Method::PATCH, &entry.api(), change).if_match("*").await.ok();
        for path in paths {
            let seen = app.visitor().get(path).await.text().contains("Tide tables");
            assert_eq!(seen, visibility == "public", "{path} on the node that was written on");
        }
        eventually(Duration::from_secs(5), shown(visibility)).await.unwrap_or_else(|error| panic!("{error}"));
    }
}
