//! The word that is still being typed also finds the words of titles, tags and hosts that contain it.

use std::collections::BTreeSet;

use coffer::db::{Db, Engine};
use coffer::identity::Viewer;
use coffer::resources::listing::ListParams;
use coffer::resources::store::parts;
use coffer::resources::{Draft, Via};
use coffer::web::forms::encode;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use reqwest::Method;
use serde_json::json;

use crate::support::actor::Actor;
use crate::support::app::{App, Engine as Migrated};
use crate::support::on_both_engines;

/// The first words of the titles that were found, in their order.
async fn found(actor: &Actor, query: &str) -> Vec<String> {
    let list = actor.get(&format!("/api/v1/resources?q={}", encode(query))).await.ok().json();
    let titles = list["items"].as_array().expect("items").iter().map(|item| item["title"].as_str());
    titles.map(|title| title.expect("a title").split(' ').next().unwrap_or_default().to_owned()).collect()
}

on_both_engines!(parts_are_found_in_titles_tags_and_hosts);
async fn parts_are_found_in_titles_tags_and_hosts(app: App) {
    let owner = app.signed_in("owner").await;
    for draft in [
        json!({ "title": "Sensor MPU6050", "body": "gyroscope" }),
        json!({ "title": "Tips", "url": "https://www.lifehacker.com/mending" }),
        json!({ "title": "Tagged", "tags": ["electronics/microcontroller"] }),
        json!({ "title": "Ünïted Straßenbahn" }),
    ] {
        owner.saves(draft).await;
    }
    for (query, first) in [
        ("6050", "Sensor"),
        ("gyroscope 605", "Sensor"),
        ("hacker", "Tips"),
        ("site:lifehacker.com HACK", "Tips"),
        ("control", "Tagged"),
        ("moon or tronic", "Tagged"),
        ("nited", "Ünïted"),
        ("STRASSENBAH", "Ünïted"),
        ("assenb", "Ünïted"),
    ] {
        assert_eq!(found(&owner, query).await, [first], "{query}");
        let by_title = owner.get(&format!("/api/v1/resources?sort=title&count=true&q={}", encode(query)));
        assert_eq!(by_title.await.ok().json()["total"], 1, "{query}");
    }
    for query in ["6050 ", "hacker tips", "yrosco", "ending", "05", "-6050 sensor x", "\"a 6050"] {
        assert_eq!(found(&owner, query).await, [""; 0], "{query}");
    }
    let page = owner.get("/resources?q=hacker").await.ok();
    assert_eq!(page.texts(".entry-title"), ["Tips"]);
    let page = owner.get("/resources?q=6050").await.ok();
    assert_eq!(page.texts(".entry-title mark"), ["MPU6050"]);
}

on_both_engines!(whole_words_and_beginnings_come_before_parts);
async fn whole_words_and_beginnings_come_before_parts(app: App) {
    let owner = app.signed_in("owner").await;
    for title in ["Port", "Porter", "Seaport"] {
        owner.saves(json!({ "title": title })).await;
        app.later(std::time::Duration::from_secs(1));
    }
    owner.saves(json!({ "title": "Airport airport airport", "body": "transport" })).await;
    let order = found(&owner, "port").await;
    let set = |titles: &[String]| titles.iter().cloned().collect::<BTreeSet<_>>();
    assert_eq!(set(&order[..2]), set(&["Port".to_owned(), "Porter".to_owned()]));
    assert_eq!(set(&order[2..]), set(&["Airport".to_owned(), "Seaport".to_owned()]));
    let first = owner.get("/api/v1/resources?q=port&limit=3").await.ok().json();
    let next = first["next_cursor"].as_str().expect("a second page");
    let second = owner.get(&format!("/api/v1/resources?q=port&limit=3&cursor={next}")).await.ok().json();
    assert_eq!(
        (first["items"].as_array().map(Vec::len), second["items"].as_array().map(Vec::len)),
        (Some(3), Some(1))
    );
}

on_both_engines!(parts_follow_every_change_and_show_nobody_elses);
async fn parts_follow_every_change_and_show_nobody_elses(app: App) {
    let (owner, other) = (app.signed_in("owner").await, app.signed_in("other").await);
    let entry = other.saves(json!({ "title": "Secretzeppelin" })).await;
    assert_eq!(found(&other, "zeppel").await, ["Secretzeppelin"]);
    assert_eq!(found(&owner, "zeppel").await, [""; 0]);
    let change = json!({ "title": "Hangar", "tags": ["lighterthanair"], "visibility": "members" });
    other.json(Method::PATCH, &entry.api(), change).if_match("*").await.ok();
    assert_eq!(found(&owner, "zeppel").await, [""; 0]);
    assert_eq!(found(&owner, "thanair").await, ["Hangar"]);
    let db = &app.coffer.db;
    assert_eq!(parts::containing(db, "zeppel").await.expect("words"), ["secretzeppelin"]);
    app.coffer.clean_library().await;
    assert_eq!(parts::containing(db, "zeppel").await.expect("words"), [""; 0]);
    assert_eq!(parts::containing(db, "thanair").await.expect("words"), ["lighterthanair"]);
    assert_eq!(found(&owner, "thanair").await, ["Hangar"]);
}

/// Words of few syllables, so that many contain each other.
fn word(numbers: &mut StdRng) -> String {
    const SYLLABLES: [&str; 8] = ["ka", "to", "mi", "ruk", "9", "ol", "sten", "ä"];
    (0..numbers.random_range(1..5)).map(|_| SYLLABLES[numbers.random_range(0..SYLLABLES.len())]).collect()
}

on_both_engines!(exactly_the_words_with_the_part_are_found);
async fn exactly_the_words_with_the_part_are_found(app: App) {
    app.signed_in("owner").await;
    let (viewer, mut numbers) = (app.viewer("owner").await, StdRng::seed_from_u64(23));
    let mut entries = Vec::new();
    for number in 0..150 {
        let words: Vec<String> = (0..3).map(|_| word(&mut numbers)).collect();
        let draft = Draft {
            title: format!("{} x{number}", words[0]),
            tags: vec![words[1].clone()],
            url: Some(format!("https://{}.example/{number}", words[2].replace('ä', "a"))),
            ..Draft::default()
        };
        let saved = app.coffer.library.resources.create(&viewer, &draft, Via::Web).await.expect("an entry");
        entries.push((saved.title, words.iter().map(|word| word.replace('ä', "a")).collect::<Vec<_>>()));
    }
    for _ in 0..60 {
        let part = word(&mut numbers).replace('ä', "a");
        if part.len() < 3 {
            continue;
        }
        let has = |words: &[String]| words.iter().any(|word| word.contains(&part));
        let wanted: BTreeSet<&String> =
            entries.iter().filter(|(_, words)| has(words)).map(|(title, _)| title).collect();
        for sort in ["", "oldest"] {
            let titles = titles(&app, &viewer, &part, sort).await;
            assert_eq!(titles.iter().collect::<BTreeSet<_>>(), wanted, "{part} {sort}");
        }
    }
}

async fn titles(app: &App, viewer: &Viewer, part: &str, sort: &str) -> Vec<String> {
    let params =
        ListParams { q: part.into(), sort: sort.into(), limit: "200".into(), ..ListParams::default() };
    let list = app.coffer.library.resources.list(viewer, &params).await.expect("a list");
    list.hits.iter().map(|hit| hit.resource.title.clone()).collect()
}

async fn executes(db: &Db, sql: &'static str) {
    let mut tx = db.begin().await.expect("a transaction");
    let done = match tx.conn() {
        Engine::Postgres(conn) => sqlx::query(sql).execute(conn).await.map(drop),
        Engine::Sqlite(conn) => sqlx::query(sql).execute(conn).await.map(drop),
    };
    done.expect("a statement");
    tx.commit().await.expect("it stays");
}

on_both_engines!(the_migration_notes_the_words_that_are_there);
async fn the_migration_notes_the_words_that_are_there(app: App) {
    let owner = app.signed_in("owner").await;
    owner.saves(json!({ "title": "Sensor MPU6050", "url": "https://life-hacker.example" })).await;
    owner.saves(json!({ "title": "Sensor", "tags": ["electronics"] })).await;
    let migration = match app.engine {
        Migrated::Postgres => include_str!("../../migrations/postgres/0017_word_parts.sql"),
        Migrated::Sqlite => include_str!("../../migrations/sqlite/0017_word_parts.sql"),
    };
    let fill = migration.split("\n\n").find(|part| part.starts_with("INSERT")).expect("it fills the table");
    let db = &app.coffer.db;
    executes(db, "DELETE FROM word_parts").await;
    assert_eq!(parts::containing(db, "6050").await.expect("words"), [""; 0]);
    executes(db, fill).await;
    for part in ["6050", "acker", "ample", "tronics", "ensor"] {
        assert!(!parts::containing(db, part).await.expect("words").is_empty(), "{part}");
        assert!(!found(&owner, part).await.is_empty(), "{part}");
    }
}
