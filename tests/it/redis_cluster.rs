//! Redis as a cluster of three masters with a replica each: sessions, cache and limits work as on one, and masters that
//! come back with an old copy bring nothing back.

use std::net::IpAddr;
use std::time::Duration;

use coffer::limiter::policy::Policy;
use coffer::limiter::verdict::Tier;

use crate::cache::{Truth, hits_in_redis, settled};
use crate::support::actor::Actor;
use crate::support::app::{App, Engine, Node};
use crate::support::redis::RedisCluster;
use crate::support::throughout::throughout;
use crate::support::wait::eventually;

const LIMIT: Duration = Duration::from_secs(30);

async fn two_nodes(cluster: &RedisCluster) -> (App, Node) {
    let url = format!("--redis-url={}", cluster.url());
    let settings =
        [url.as_str(), "--rate-limit-register-address=10/h burst 20", "--rate-limit-patience=10000"];
    let app = App::with(Engine::Postgres, &settings).await;
    let other = app.another_node().await;
    settled(&app).await;
    settled(&other).await;
    (app, other)
}

/// Asks on both nodes until the cluster holds so many sessions.
async fn cluster_holds(cluster: &RedisCluster, (app, other): (&App, &Node), who: &Actor, count: usize) {
    let held = eventually(LIMIT, async || {
        assert!(who.at(app).is_signed_in().await && who.at(other).is_signed_in().await);
        let sessions = cluster.sessions();
        if sessions >= count { Ok(()) } else { Err(format!("{sessions} sessions")) }
    });
    held.await.unwrap_or_else(|error| panic!("{error}"));
}

#[tokio::test]
async fn sessions_cache_and_limits_work_on_a_cluster() {
    let cluster = RedisCluster::start().await;
    let (app, other) = two_nodes(&cluster).await;

    let ada = app.signed_in("ada").await;
    cluster_holds(&cluster, (&app, &other), &ada, 1).await;
    let stolen = ada.copied_cookies();
    ada.at(&other).post_form("/logout", &[]).await.redirects_to("/login");
    assert!(!stolen.at(&other).is_signed_in().await);
    let known = eventually(Duration::from_secs(2), async || {
        if stolen.is_signed_in().await { Err("the ended session is believed") } else { Ok(()) }
    });
    known.await.unwrap_or_else(|error| panic!("{error}"));

    let truth = Truth::default();
    for value in 1..20 {
        truth.write(&app.coffer.cache, value).await;
        assert_eq!(truth.read(&app.coffer.cache, 1).await, value);
        let seen = eventually(LIMIT, async || match truth.read(&other.coffer.cache, 1).await {
            seen if seen == value => Ok(()),
            seen => Err(format!("{seen} instead of {value}")),
        });
        seen.await.unwrap_or_else(|error| panic!("{error}"));
    }
    let shared = eventually(LIMIT, async || {
        truth.read(&app.coffer.cache, 1).await;
        other.coffer.cache.clear_memory();
        truth.read(&other.coffer.cache, 1).await;
        if hits_in_redis(&other) > 0.0 { Ok(()) } else { Err("no hit in Redis") }
    });
    shared.await.expect("the cluster holds what was loaded");

    for client in 0..30_u8 {
        let address = IpAddr::from([192, 0, 2, client]);
        let mut allowed = 0;
        for request in 0..50 {
            let node = if request % 2 == 0 { &app.coffer } else { &other.coffer };
            let verdict = node.limiter.request(Policy::RegisterAddress, address).await;
            assert_ne!(verdict.tier, Tier::Local, "{address}");
            allowed += usize::from(verdict.is_allowed());
        }
        assert_eq!(allowed, 20, "{address}");
    }
}

/// One after the other, so that whichever node's run id is asked for, another comes back.
#[tokio::test]
async fn masters_that_come_back_with_an_old_copy_bring_nothing_back() {
    let cluster = RedisCluster::start().await;
    let (app, other) = two_nodes(&cluster).await;
    let truth = Truth::default();
    truth.write(&app.coffer.cache, 1).await;
    app.has_account("ada", coffer::identity::Role::Member).await;
    let mut ended = Vec::new();
    for restarted in 0..3_u64 {
        let ada = app.another_browser_of("ada").await;
        cluster_holds(&cluster, (&app, &other), &ada, 1).await;
        let value = truth.read(&app.coffer.cache, 1).await;
        let filled = eventually(LIMIT, async || {
            app.coffer.cache.clear_memory();
            truth.read(&app.coffer.cache, 1).await;
            if cluster.entries().is_empty() { Err("no entry") } else { Ok(()) }
        });
        filled.await.expect("the cluster holds the entry");
        for master in cluster.masters() {
            // Not while a replica is being sent a copy.
            let saved = eventually(LIMIT, async || match master.command("SAVE").expect("redis answers") {
                saved if saved == "+OK" => Ok(()),
                busy => Err(busy),
            });
            saved.await.unwrap_or_else(|error| panic!("{error}"));
        }
        ada.post_form("/logout", &[]).await.redirects_to("/login");
        ended.push(ada.copied_cookies());
        truth.write(&app.coffer.cache, value + 1).await;
        let master = cluster.masters()[usize::try_from(restarted).expect("few")];
        master.kill();
        master.restart().await;
        throughout(Duration::from_secs(5), async || {
            for node in [&*app, &other] {
                for stolen in &ended {
                    assert!(!stolen.at(node).is_signed_in().await, "an ended session lives again");
                }
                node.coffer.cache.clear_memory();
                assert_eq!(truth.read(&node.coffer.cache, 1).await, value + 1);
            }
        })
        .await;
        cluster.is_well().await;
    }
}
