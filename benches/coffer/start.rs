//! How long coffer takes to start, and how much memory it holds.

use std::time::Duration;

use crate::coffer::Place;
use crate::table::{Goal, Table, millis};

const STARTS: usize = 31;

pub async fn time(table: &mut Table) {
    let place = Place::sqlite();
    place.make_user("owner");
    for path in ["/healthz", "/login"] {
        let mut samples = Vec::new();
        for _ in 0..STARTS {
            let coffer = place.serve();
            coffer.answers(path).await;
            samples.push(millis(coffer.began.elapsed()));
        }
        table.add(format!("start: to the first 200 on {path}"), "ms", samples, Some(Goal::Median(100.0)));
    }
}

pub async fn memory(table: &mut Table) {
    let place = Place::sqlite();
    place.make_user("owner");
    place.run(&["seed", "--user", "owner", "--count", "1000"], "");
    let (mut idle, mut page, mut list) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..5 {
        let coffer = place.serve();
        coffer.answers("/healthz").await;
        pause().await;
        idle.push(coffer.rss());
        coffer.answers("/login").await;
        page.push(coffer.rss());
        let owner = coffer.signed_in("owner").await;
        for _ in 0..20 {
            crate::coffer::timed(owner.get("/resources"), 200).await;
        }
        list.push(coffer.rss());
    }
    let goal = Some(Goal::Median(30.0));
    table.add("memory: after start", "MB", idle, goal);
    table.add("memory: after one page", "MB", page, goal);
    table.add("memory: after signing in and 20 list pages", "MB", list, None);
}

/// For what a server does once it has started.
async fn pause() {
    let mut tick = tokio::time::interval(Duration::from_millis(500));
    tick.tick().await;
    tick.tick().await;
}
