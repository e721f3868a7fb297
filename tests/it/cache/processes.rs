//! Nodes as programs of their own: stopped for seconds, killed in the middle of writing.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;

use super::{LIMIT, settled};
use crate::startup::{COFFER, READY};
use crate::support::actor::Actor;
use crate::support::app::{App, Engine};
use crate::support::server::Server;
use crate::support::wait::eventually;

/// One more node on the same servers and the same folder.
async fn program(app: &App) -> (Server, String) {
    let settings = app.settings();
    let mut command = vec![COFFER, "serve", "--port=0"];
    command.extend(settings.iter().map(String::as_str));
    let server = Server::new("coffer", "KILL", &command);
    let said = server.start(READY).await.unwrap_or_else(|log| panic!("coffer doesn't start: {log}"));
    let (_, rest) = said.split_once(READY).expect("the log says where");
    let end = rest.find(|c: char| c.is_whitespace() || c == '"').unwrap_or(rest.len());
    (server, rest[..end].replace("localhost", "127.0.0.1"))
}

fn title(answer: &crate::support::answer::Answer) -> String {
    answer.json()["title"].as_str().unwrap_or_default().to_owned()
}

async fn sees(actor: &Actor, path: &str, wanted: &str) {
    let seen = eventually(LIMIT, async || {
        let found = title(&actor.get(path).await);
        if found == wanted { Ok(()) } else { Err(format!("{found:?} instead of {wanted:?}")) }
    });
    seen.await.unwrap_or_else(|error| panic!("{error}"));
}

/// What was in its memory when it was stopped is not served when it goes on.
#[tokio::test]
async fn a_node_that_was_stopped_shows_what_others_wrote_meanwhile() {
    let app = App::with_redis(Engine::Postgres).await;
    settled(&app).await;
    let (server, origin) = program(&app).await;
    let ada = app.signed_in("ada").await;
    let entry = ada.saves(json!({ "title": "Before" })).await;
    let there = ada.at_address(&origin);
    sees(&there, &entry.api(), "Before").await;
    for round in 0..super::long_or(3, 1) {
        assert!(server.send("STOP"), "it runs");
        let stopped = Instant::now();
        let wanted = format!("After {round}");
        let change = json!({ "title": wanted });
        ada.json(Method::PATCH, &entry.api(), change).if_match("*").await.ok();
        let pause = super::long_or(Duration::from_secs(10), Duration::from_secs(3));
        eventually(LIMIT, async || if stopped.elapsed() > pause { Ok(()) } else { Err("not yet") })
            .await
            .expect("time");
        assert!(server.send("CONT"), "it runs");
        assert_eq!(title(&there.get(&entry.api()).await.ok()), wanted, "at once");
    }
}

/// Killed again and again while it writes: what its database has, everyone shows within two seconds.
#[tokio::test]
async fn what_a_killed_node_has_committed_is_shown() {
    let app = App::with_redis(Engine::Postgres).await;
    settled(&app).await;
    let ada = app.signed_in("ada").await;
    let entry = ada.saves(json!({ "title": "0" })).await;
    sees(&ada, &entry.api(), "0").await;
    for round in 0..super::long_or(20, 3) {
        let (server, origin) = program(&app).await;
        let there = ada.at_address(&origin);
        let writing = async {
            for number in 0_u32.. {
                let change = json!({ "title": format!("{round} {number}") });
                if there.tries(Method::PATCH, &entry.api(), change).await.is_err() {
                    break;
                }
                // A read puts the old value into memory and into Redis.
                ada.get(&entry.api()).await.ok();
            }
        };
        let killing = async {
            let began = Instant::now();
            let life = Duration::from_millis(200 + 37 * round);
            let over =
                eventually(LIMIT, async || if began.elapsed() > life { Ok(()) } else { Err("not yet") });
            over.await.expect("time");
            server.end();
        };
        tokio::join!(writing, killing);
        let viewer = app.viewer("ada").await;
        let id = entry.id.parse().expect("an id");
        let truth = app.coffer.library.resources.latest(&viewer, id).await.expect("it is hers").title;
        sees(&ada, &entry.api(), &truth).await;
        app.coffer.cache.clear_memory();
        assert_eq!(title(&ada.get(&entry.api()).await.ok()), truth, "in Redis too");
    }
}
