//! Searching, listing and changing a library of 100,000 resources, on both engines.

use std::time::{Duration, Instant};

use reqwest::Method;
use reqwest::header::IF_MATCH;
use serde_json::{Value, json};

use crate::Asked;
use crate::coffer::{Coffer, Place, Visitor, timed};
use crate::postgres::PostgresServer;
use crate::table::{Goal, Table, at, millis};

const ROUNDS: usize = 10;
const LISTS: u32 = 500;
const WRITES: usize = 100;

/// What people type, over the words that `coffer seed` writes: nouns stand in four of ten resources,
/// adjectives in three, places in one of twelve, numbers in one.
const QUERIES: [&str; 44] = [
    "harbour",
    "the",
    "quiet ",
    "oslo",
    "31337",
    "reference",
    "quiet harbour",
    "copper compass window",
    "galway telescope",
    "garden 31337",
    "\"amber lantern\"",
    "\"the quiet harbour of oslo\"",
    "\"silver bridge\" tartu",
    "ha",
    "gla",
    "noteb",
    "warm wor",
    "harbour or lantern",
    "kyoto or lisbon or quito",
    "glacier (malmo or perth)",
    "harbour -oslo",
    "-oslo",
    "-harbour -lantern",
    "kernel -\"northern kernel\"",
    "tag:oslo",
    "tag:harbour",
    "tag:harbour/quiet",
    "tag:oslo garden",
    "-tag:oslo river",
    "tag:nothing",
    "site:oslo.example.org",
    "site:example.org",
    "site:tartu.example.org kernel",
    "site:nowhere.example.com",
    "kind:note",
    "kind:note telescope",
    "is:pinned",
    "is:pinned sail",
    "visibility:public window",
    "by:owner meadow",
    "by:owner",
    "zzyzx",
    "zzyzx harbour",
    "compiler recipe orchard atlas signal",
];
/// With a day some months back in place of `DAY`.
const DATED: [&str; 5] =
    ["before:DAY", "after:DAY", "after:DAY garden", "before:DAY river valley", "after:DAY -oslo"];
/// In another order than their own.
const SORTED: [(&str, &str); 7] = [
    ("engine", "newest"),
    ("oslo", "newest"),
    ("31337", "newest"),
    ("quiet harbour", "oldest"),
    ("-window", "changed"),
    ("station", "title"),
    ("tag:kyoto", "title"),
];

pub async fn measure(table: &mut Table, asked: &Asked) {
    let server = postgres().await;
    for place in [Place::sqlite(), Place::postgres(&server.url("postgres"))] {
        place.make_user("owner");
        place.make_user("member");
        let began = Instant::now();
        place.run(&["seed", "--user", "owner", "--count", &asked.count], "");
        eprintln!("seeded {} in {:.0} s", place.name, began.elapsed().as_secs_f64());
        let coffer = place.serve();
        coffer.answers("/healthz").await;
        let (owner, member) = (coffer.signed_in("owner").await, coffer.signed_in("member").await);
        if asked.wants("search") {
            for (who, visitor) in [("owner", &owner), ("member", &member), ("visitor", &coffer.visitor())] {
                let what = format!("search: {}, {who}", place.name);
                table.add(what, "ms", search(visitor, asked.each).await, Some(Goal::P95(20.0)));
            }
        }
        if asked.wants("list") {
            for (what, path) in [("page of 50", "/resources"), ("JSON of 50", "/api/v1/resources")] {
                let cpu = cpu(&coffer, &owner, path).await;
                table.add(format!("list: {}, {what}, CPU", place.name), "ms", cpu, Some(Goal::Median(3.0)));
            }
        }
        if asked.wants("write") {
            write(table, &place, &owner).await;
        }
    }
}

/// With its own default settings, `fsync` included.
pub async fn postgres() -> PostgresServer {
    PostgresServer::with(&["listen_addresses=127.0.0.1", "unix_socket_directories="]).await
}

async fn search(visitor: &Visitor, each: bool) -> Vec<f64> {
    let day = day_before(200);
    let queries = QUERIES.iter().map(|query| ((*query).to_owned(), ""));
    let dated = DATED.iter().map(|query| (query.replace("DAY", &day), ""));
    let sorted = SORTED.iter().map(|(query, sort)| ((*query).to_owned(), *sort));
    let mut all = Vec::new();
    for (query, sort) in queries.chain(dated).chain(sorted) {
        let mut samples = Vec::new();
        for round in 0..=ROUNDS {
            // Spaces before it make it another question to coffer's cache, with the same answer.
            let q = format!("{}{query}", " ".repeat(round));
            let request = visitor.get("/resources").query(&[("q", q.as_str()), ("sort", sort)]);
            let took = timed(request, 200).await;
            // The first fills the databases' caches.
            if round > 0 {
                samples.push(millis(took));
            }
        }
        if each {
            eprintln!("{:>8.1} {:>8.1}  {query} {sort}", at(&samples, 0.5), at(&samples, 1.0));
        }
        all.extend(samples);
    }
    all
}

/// coffer's own CPU time for one request, without the client's and PostgreSQL's.
async fn cpu(coffer: &Coffer, owner: &Visitor, path: &str) -> Vec<f64> {
    let mut samples = Vec::new();
    for _ in 0..5 {
        let before = coffer.cpu_seconds();
        for _ in 0..LISTS {
            timed(owner.get(path), 200).await;
        }
        samples.push((coffer.cpu_seconds() - before) * 1e3 / f64::from(LISTS));
    }
    samples
}

async fn write(table: &mut Table, place: &Place, owner: &Visitor) {
    let (mut creates, mut updates) = (Vec::new(), Vec::new());
    for number in 0..WRITES {
        let draft = json!({
            "title": format!("Written {number}"),
            "url": format!("https://written.example.org/{number}"),
            "body": "A few words about it, as a person would write them.",
            "tags": ["oslo", "written", format!("written/{number}")],
        });
        creates.push(millis(timed(owner.send(Method::POST, "/api/v1/resources").json(&draft), 201).await));
    }
    let list = owner.get("/api/v1/resources?q=tag:written&limit=100").header("accept-encoding", "identity");
    let list: Value = list.send().await.expect("an answer").json().await.expect("JSON");
    for item in list["items"].as_array().expect("items") {
        let path = format!("/api/v1/resources/{}", item["id"].as_str().expect("an id"));
        let change = json!({ "tags": ["oslo", "rewritten"] });
        let request = owner.send(Method::PATCH, &path).header(IF_MATCH, "*").json(&change);
        updates.push(millis(timed(request, 200).await));
    }
    let goal = Some(Goal::Median(10.0));
    table.add(format!("write: {}, create", place.name), "ms", creates, goal);
    table.add(format!("write: {}, change tags", place.name), "ms", updates, goal);
}

/// As a filter writes it.
fn day_before(days: u64) -> String {
    #[expect(clippy::disallowed_methods, reason = "what is seeded is dated back from now")]
    let day = time::OffsetDateTime::now_utc() - Duration::from_hours(24 * days);
    day.date().to_string()
}
