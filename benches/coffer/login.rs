//! What a login costs beside one bare hash, and what two hundred at once do to the rest.

use std::time::{Duration, Instant};

use argon2::{Algorithm, Argon2, Params, Version};
use futures::future::join_all;
use tokio::sync::oneshot;

use crate::coffer::{Coffer, PASSWORD, Place, Visitor, cpu_seconds, timed};
use crate::table::{Goal, Table, at, millis};

const ROUNDS: usize = 7;
const LOGINS: u32 = 40;
const AT_ONCE: usize = 200;
/// What one hash takes, in MB.
const ARENA: f64 = 19.0 * 1.048_576;

pub async fn measure(table: &mut Table) {
    let place = Place::sqlite();
    place.make_user("owner");
    let coffer = place.serve();
    coffer.answers("/healthz").await;
    one_after_another(table, &coffer).await;
    at_once(table, &coffer).await;
}

/// CPU time in ms, in turns with as many bare hashes, so that both meet the same machine.
async fn one_after_another(table: &mut Table, coffer: &Coffer) {
    let params = Params::new(19_456, 2, 1, None).expect("parameters");
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let (mut hashes, mut logins, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let before = cpu_seconds("self");
        for _ in 0..LOGINS {
            argon2.hash_password_into(PASSWORD.as_bytes(), &[7; 16], &mut [0; 32]).expect("a hash");
        }
        let hash = (cpu_seconds("self") - before) * 1e3 / f64::from(LOGINS);
        let before = coffer.cpu_seconds();
        for _ in 0..LOGINS {
            timed(login(&coffer.visitor()), 303).await;
        }
        let login = (coffer.cpu_seconds() - before) * 1e3 / f64::from(LOGINS);
        hashes.push(hash);
        logins.push(login);
        ratios.push(login / hash);
    }
    table.add("login: one hash by argon2, CPU", "ms", hashes, None);
    table.add("login: CPU of one", "ms", logins, None);
    table.add("login: CPU of one, over the hash", "x", ratios, Some(Goal::Median(1.15)));
}

async fn at_once(table: &mut Table, coffer: &Coffer) {
    let owner = coffer.signed_in("owner").await;
    let visitors: Vec<Visitor> = (0..AT_ONCE).map(|_| coffer.visitor()).collect();
    // As browsers do: the page first. Two hundred connections take their memory whatever is sent over them.
    join_all(visitors.iter().map(|visitor| timed(visitor.get("/login"), 200))).await;
    timed(owner.get("/resources"), 200).await;
    idle(7).await;
    let base = coffer.rss();
    let (done, mut told) = oneshot::channel();
    let meanwhile = async {
        let (mut pages, mut most) = (Vec::new(), base);
        while told.try_recv().is_err() {
            pages.push(millis(timed(owner.get("/resources"), 200).await));
            most = most.max(coffer.rss());
            let mut pause = tokio::time::interval(Duration::from_millis(5));
            pause.tick().await;
            pause.tick().await;
        }
        (pages, most)
    };
    let storm = async {
        let began = Instant::now();
        join_all(visitors.iter().map(|visitor| timed(login(visitor), 303))).await;
        let _ = done.send(());
        began.elapsed()
    };
    let ((pages, most), took) = tokio::join!(meanwhile, storm);
    let hashes = u32::try_from(std::thread::available_parallelism().map_or(1, usize::from)).unwrap_or(1);
    let limit = (base + f64::from(hashes) * ARENA) * 1.2;
    table.add("login: memory with 200 on the page", "MB", vec![base], None);
    table.add("login: memory at most meanwhile", "MB", vec![most], Some(Goal::Median(limit)));
    let slowest = at(&pages, 0.99);
    table.add("login: pages meanwhile", "ms", pages, None);
    table.add("login: pages meanwhile, 99th percentile", "ms", vec![slowest], Some(Goal::Median(250.0)));
    table.add("login: until all 200 are in", "ms", vec![millis(took)], None);
}

/// For as long as a hash's memory is kept.
async fn idle(seconds: u64) {
    let mut pause = tokio::time::interval(Duration::from_secs(seconds));
    pause.tick().await;
    pause.tick().await;
}

fn login(visitor: &Visitor) -> reqwest::RequestBuilder {
    let form = [("login", "owner"), ("password", PASSWORD)];
    visitor.send(reqwest::Method::POST, "/login").form(&form)
}
