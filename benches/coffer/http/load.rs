//! Requests in numbers, and what they cost a server and its database.

use std::path::Path;
use std::time::Instant;

use futures::stream::{FuturesUnordered, StreamExt as _};
use reqwest::header::ACCEPT_ENCODING;
use serde_json::Value;

use crate::coffer::{Visitor, cpu_seconds};
use crate::keep_alive::KeepAlive;
use crate::postgres::PostgresServer;

const CONNECTIONS: usize = 64;
/// One request in so many of the mix is a write.
const WRITES: usize = 20;

/// A server under load: its process, and PostgreSQL's if it asks one.
pub struct Subject<'a> {
    pub process: u32,
    pub authority: &'a str,
    pub postgres: Option<&'a PostgresServer>,
}

pub struct Load {
    /// Microseconds a request.
    pub cpu: f64,
    pub per_second: f64,
}

impl Subject<'_> {
    fn cpu(&self) -> f64 {
        let postgres = self.postgres.map_or(Vec::new(), PostgresServer::processes);
        let asked = [self.process.to_string()].into_iter().chain(postgres);
        // Some of PostgreSQL's end by themselves.
        let running = asked.filter(|id| Path::new("/proc").join(id).exists());
        running.map(|id| cpu_seconds(&id)).sum()
    }

    /// `total` of these requests, each connection beginning elsewhere among them.
    pub async fn load(&self, requests: &[Vec<u8>], total: usize) -> Load {
        let mut clients = Vec::new();
        for _ in 0..CONNECTIONS {
            clients.push(KeepAlive::connect(self.authority).await);
        }
        let (before, began, share) = (self.cpu(), Instant::now(), total / CONNECTIONS);
        let asking: FuturesUnordered<_> = clients
            .iter_mut()
            .enumerate()
            .map(|(number, client)| async move {
                for at in 0..share {
                    let request = &requests[(number * share + at) % requests.len()];
                    let answer = client.ask(request).await.expect("an answer");
                    assert!(answer.status < 300, "{}: {}", answer.status, String::from_utf8_lossy(request));
                }
            })
            .collect();
        asking.collect::<()>().await;
        #[expect(clippy::cast_precision_loss, reason = "few")]
        let count = (share * CONNECTIONS) as f64;
        Load { cpu: (self.cpu() - before) * 1e6 / count, per_second: count / began.elapsed().as_secs_f64() }
    }
}

/// Reads, and among them writes.
pub fn mix<'a>(
    count: usize,
    ids: &'a [String],
    read: impl Fn(&'a String) -> Vec<u8>,
    write: impl Fn(&'a String, usize) -> Vec<u8>,
) -> Vec<Vec<u8>> {
    let hot = &ids[..ids.len().min(1_000)];
    let requests = (0..count).map(|at| {
        if at.is_multiple_of(WRITES) {
            // Each of another entry, so that none conflicts.
            write(&hot[at / WRITES % hot.len()], at)
        } else {
            read(&hot[at * 31 % hot.len()])
        }
    });
    requests.collect()
}

/// So many ids that this person sees.
pub async fn ids(person: &Visitor, count: usize) -> Vec<String> {
    let (mut ids, mut cursor) = (Vec::new(), String::new());
    while ids.len() < count {
        let request = person.get(&format!("/api/v1/resources?limit=200&cursor={cursor}"));
        let request = request.header(ACCEPT_ENCODING, "identity");
        let page: Value = request.send().await.expect("an answer").json().await.expect("JSON");
        let items = page["items"].as_array().expect("a list");
        ids.extend(items.iter().filter_map(|item| item["id"].as_str().map(str::to_owned)));
        match page["next_cursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => break,
        }
    }
    ids.truncate(count);
    ids
}
