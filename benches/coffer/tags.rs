//! What tidying a large library takes: completing, renaming and adding tags, and saving links whose titles are fetched.

use std::time::{Duration, Instant};

use reqwest::Method;
use reqwest::header::LOCATION;
use serde_json::json;

use crate::coffer::{Coffer, Place, Visitor, timed};
use crate::http::ids;
use crate::library::postgres;
use crate::table::{Goal, Table, at, millis};
use crate::wait::eventually;

/// Entries of one change.
const ENTRIES: usize = 1_000;
const ROUNDS: usize = 5;
const PREFIXES: [&str; 10] = ["", "o", "os", "oslo", "har", "harbour/q", "quiet", "comp", "z", "lantern/sil"];
const SAVES: usize = 100;
const LIMIT: Duration = Duration::from_mins(1);

pub async fn measure(table: &mut Table, count: &str) {
    let server = postgres().await;
    for place in [Place::sqlite(), Place::postgres(&server.url("postgres"))] {
        place.make_user("owner");
        place.make_user("other");
        place.run(&["seed", "--user", "owner", "--count", count], "");
        let coffer = place.serve();
        coffer.answers("/healthz").await;
        let (owner, other) = (coffer.signed_in("owner").await, coffer.signed_in("other").await);
        let mut add = |what: &str, unit, samples, goal| {
            table.add(format!("tags: {}, {what}", place.name), unit, samples, Some(goal));
        };
        add("completion", "ms", completion(&owner).await, Goal::Median(5.0));
        let Changes { adding, renaming, beside } = changes(&owner, &other).await;
        add("adding a tag to 1,000 entries", "ms", adding, Goal::Median(2_000.0));
        add("renaming a tag on 1,000 entries", "ms", renaming, Goal::Median(1_000.0));
        add("another writer's save meanwhile", "ms", beside, Goal::P95(50.0));
        add("saving without a title, over saving with one", "x", saving(&owner).await, Goal::Median(1.2));
        add("memory of 1,000 queued fetches", "MB", vec![queued(&coffer, &owner).await], Goal::Median(10.0));
    }
}

async fn completion(owner: &Visitor) -> Vec<f64> {
    let mut samples = Vec::new();
    for prefix in PREFIXES.repeat(ROUNDS) {
        let request = owner.get("/tags/names").query(&[("q", prefix)]);
        samples.push(millis(timed(request, 200).await));
    }
    samples
}

struct Changes {
    adding: Vec<f64>,
    renaming: Vec<f64>,
    /// What another writer waited for each save.
    beside: Vec<f64>,
}

async fn changes(owner: &Visitor, other: &Visitor) -> Changes {
    let picked = ids(owner, ENTRIES).await;
    let (mut adding, mut renaming, mut beside) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let tag = format!("bench/round{round}");
        let mut form: Vec<(String, String)> =
            picked.iter().map(|id| (format!("pick-{id}"), "yes".to_owned())).collect();
        form.extend([("act", "add-tags"), ("tags", &tag)].map(|(name, value)| (name.into(), value.into())));
        let rename = [("tag", tag.clone()), ("to", format!("{tag}-renamed"))].map(|(k, v)| (k.to_owned(), v));
        for (path, form, took) in
            [("/resources/many", form, &mut adding), ("/tags/change", rename.into(), &mut renaming)]
        {
            let change = change(owner, path, &form);
            let (done, waits) = beside_saves(change, other).await;
            took.push(millis(done));
            beside.extend(waits);
        }
    }
    Changes { adding, renaming, beside }
}

/// Until every entry is changed: what takes longer than a reader waits goes on behind a page.
async fn change(owner: &Visitor, path: &str, form: &[(String, String)]) -> Duration {
    let began = Instant::now();
    let answer = owner.send(Method::POST, path).form(form).send().await.expect("an answer");
    assert_eq!(answer.status(), 303, "{path}");
    let place = answer.headers()[LOCATION].to_str().expect("an address").to_owned();
    if place.starts_with("/changes/") {
        let is_done = async || {
            let page =
                owner.get(&place).header("accept-encoding", "identity").send().await.expect("an answer");
            let is_open = page.text().await.expect("a page").contains("<h1>In progress</h1>");
            if is_open { Err("in progress") } else { Ok(()) }
        };
        eventually(LIMIT, is_done).await.expect("it ends");
    }
    began.elapsed()
}

/// How long the change took, and each of the saves of another person beside it.
async fn beside_saves(change: impl Future<Output = Duration>, other: &Visitor) -> (Duration, Vec<f64>) {
    let mut waits = Vec::new();
    let saving = async {
        loop {
            let note = json!({ "title": "Beside", "body": "what is saved meanwhile" });
            waits.push(millis(timed(other.send(Method::POST, "/api/v1/resources").json(&note), 201).await));
        }
    };
    let took = tokio::select! {
        took = change => took,
        () = saving => unreachable!("it saves until the change is over"),
    };
    (took, waits)
}

/// The median without a title over the median with one, of saves in turns.
async fn saving(owner: &Visitor) -> Vec<f64> {
    let mut ratios = Vec::new();
    for round in 0..ROUNDS {
        let (mut with, mut without) = (Vec::new(), Vec::new());
        for number in 0..SAVES / ROUNDS {
            let url = |kind: &str| format!("https://{kind}.example.org/{round}/{number}");
            with.push(save(owner, json!({ "url": url("with"), "title": "A title" })).await);
            without.push(save(owner, json!({ "url": url("without") })).await);
        }
        ratios.push(at(&without, 0.5) / at(&with, 0.5));
    }
    ratios
}

async fn save(owner: &Visitor, draft: serde_json::Value) -> f64 {
    millis(timed(owner.send(Method::POST, "/api/v1/resources").json(&draft), 201).await)
}

/// How much more the server's memory grows with links that wait for their titles than with as many that have one.
async fn queued(coffer: &Coffer, owner: &Visitor) -> f64 {
    let mut grown = [0.0; 2];
    for (index, title) in ["A title", ""].into_iter().enumerate() {
        let before = coffer.rss();
        for number in 0..ENTRIES {
            save(
                owner,
                json!({ "url": format!("https://queued{index}.example.org/{number}"), "title": title }),
            )
            .await;
        }
        grown[index] = coffer.rss() - before;
    }
    let [with, without] = grown;
    without - with
}
