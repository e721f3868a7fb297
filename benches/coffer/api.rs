//! What a client of the API waits for: its first copy of a library, a poll, a thousand entries of its own.

use std::time::{Duration, Instant};

use reqwest::header::AUTHORIZATION;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::coffer::{Coffer, Place, timed};
use crate::library::postgres;
use crate::table::{Goal, Table, millis};

const ENTRIES: usize = 1_000;
const MIRRORS: usize = 7;
const POLLS: usize = 50;
/// Each is a round; a token allows two whole batches at once.
const WRITERS: [&str; 3] = ["writer-one", "writer-two", "writer-three"];
/// In one request.
const BATCH: usize = 500;

pub async fn measure(table: &mut Table, count: &str) {
    let server = postgres().await;
    for place in [Place::sqlite(), Place::postgres(&server.url("postgres"))] {
        let small = ENTRIES.to_string();
        let writers = WRITERS.map(|user| (user, "1"));
        for (user, entries) in [("small", small.as_str()), ("large", count)].into_iter().chain(writers) {
            place.make_user(user);
            place.run(&["seed", "--user", user, "--count", entries], "");
        }
        let coffer = place.serve_with(&[]);
        coffer.answers("/readyz").await;
        let small = Client::new(&coffer, "small").await;
        mirror(table, place.name, &small).await;
        poll(table, place.name, &small).await;
        create(table, place.name, &coffer).await;
        drop(coffer);
        // A walk through all pages is more than the default limits allow at once.
        let coffer = place.serve();
        coffer.answers("/readyz").await;
        walk(table, place.name, &Client::new(&coffer, "large").await).await;
    }
}

/// A program with a token.
struct Client {
    token: String,
    visitor: crate::coffer::Visitor,
}

struct Page {
    items: usize,
    cursor: String,
    has_more: bool,
    took: Duration,
}

impl Client {
    async fn new(coffer: &Coffer, user: &str) -> Self {
        let person = coffer.signed_in(user).await;
        let draft = json!({ "name": "bench", "scopes": ["resources:read", "resources:write"] });
        let made = person.send(Method::POST, "/api/v1/me/tokens").json(&draft).send().await;
        let made: Value = made.expect("an answer").json().await.expect("JSON");
        let token = format!("Bearer {}", made["token"].as_str().expect("a token"));
        Self { token, visitor: coffer.plain_visitor() }
    }

    fn get(&self, path: &str) -> RequestBuilder {
        self.visitor.get(path).header(AUTHORIZATION, &self.token)
    }

    async fn changes(&self, after: &str) -> Page {
        let began = Instant::now();
        let answer = self.get(&format!("/api/v1/resources/changes?limit=200&after={after}")).send().await;
        let answer = answer.expect("an answer").error_for_status().expect("changes");
        let bytes = answer.bytes().await.expect("a whole answer");
        let took = began.elapsed();
        let page: Value = serde_json::from_slice(&bytes).expect("JSON");
        Page {
            items: page["items"].as_array().expect("items").len(),
            cursor: page["next_cursor"].as_str().expect("a cursor").to_owned(),
            has_more: page["has_more"] == true,
            took,
        }
    }

    /// All entries, page by page.
    async fn all(&self) -> Vec<Page> {
        let mut pages = vec![self.changes("").await];
        while let Some(last) = pages.last().filter(|page| page.has_more) {
            let next = self.changes(&last.cursor).await;
            pages.push(next);
        }
        pages
    }
}

async fn mirror(table: &mut Table, name: &str, client: &Client) {
    let mut samples = Vec::new();
    for _ in 0..MIRRORS {
        let began = Instant::now();
        let pages = client.all().await;
        samples.push(millis(began.elapsed()));
        assert_eq!(
            (pages.len(), pages.iter().map(|page| page.items).sum()),
            (5, ENTRIES),
            "pages and entries"
        );
    }
    let what = format!("first copy of 1,000 entries, 5 requests: {name}");
    table.add(what, "ms", samples, Some(Goal::Median(1_000.0)));
}

async fn poll(table: &mut Table, name: &str, client: &Client) {
    let cursor = client.all().await.pop().expect("a page").cursor;
    let mut samples = Vec::new();
    for _ in 0..POLLS {
        let page = client.changes(&cursor).await;
        assert_eq!(page.items, 0);
        samples.push(millis(page.took));
    }
    table.add(format!("nothing has changed: {name}"), "ms", samples, Some(Goal::Median(2.0)));
}

async fn create(table: &mut Table, name: &str, coffer: &Coffer) {
    let mut samples = Vec::new();
    for user in WRITERS {
        samples.push(create_all(&Client::new(coffer, user).await).await);
    }
    let what = format!("1,000 creations with dates, 2 requests: {name}");
    table.add(what, "ms", samples, Some(Goal::Median(3_000.0)));
}

/// In milliseconds.
async fn create_all(client: &Client) -> f64 {
    let began = Instant::now();
    for part in 0..ENTRIES / BATCH {
        let operations: Vec<Value> = (0..BATCH)
            .map(|number| {
                let url = format!("https://site{number}.example/{part}");
                let resource = json!({ "url": url, "title": format!("Entry {number}"), "tags": ["bench"],
                    "created_at": "2020-05-03T14:05:00Z" });
                json!({ "do": "create", "resource": resource })
            })
            .collect();
        let request = client.visitor.send(Method::POST, "/api/v1/resources/batch");
        let request = request.header(AUTHORIZATION, &client.token);
        timed(request.json(&json!({ "operations": operations })), 200).await;
    }
    let took = millis(began.elapsed());
    let found = client.get("/api/v1/resources?mine=true&count=true&tag=bench").send().await;
    let found: Value = found.expect("an answer").json().await.expect("JSON");
    assert_eq!(found["total"], ENTRIES, "all were made");
    took
}

async fn walk(table: &mut Table, name: &str, client: &Client) {
    let pages = client.all().await;
    let entries: usize = pages.iter().map(|page| page.items).sum();
    let samples = pages.iter().map(|page| millis(page.took)).collect();
    table.add(format!("a page of 200 changes of {entries}: {name}"), "ms", samples, Some(Goal::Median(5.0)));
}
