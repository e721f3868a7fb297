//! What the cache costs and spares: a hit in memory beside bare moka, whole requests beside a bare handler that sends
//! the same bytes, a miss beside a handler that only asks sqlx, other nodes' delay, a Redis that is killed under load.

use std::hint::black_box;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::IntoResponse as _;
use axum::routing::get as route;
use coffer::cache::{Cache, Cached, Capacity, Deps, Key, Kind, Scope, Scopes, Ttl};
use coffer::config::Config;
use coffer::db::Db;
use coffer::keys::Keys;
use coffer::redis::Redis;
use coffer::resources::store;
use coffer::system::System;
use futures::stream::{self, FuturesUnordered, StreamExt as _};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use serde::{Deserialize, Serialize};
use tempfile::TempDir;
use uuid::Uuid;

use crate::coffer::{Coffer, Place, cpu_seconds};
use crate::keep_alive::{KeepAlive, get};
use crate::postgres::{Database, PostgresServer};
use crate::redis::RedisServer;
use crate::server::free_port;
use crate::table::{Goal, Table, at, millis};

const ROUNDS: usize = 5;
const REQUESTS: u32 = 8_000;
/// Few at once pay for their wake-ups alone, many share them.
const CONNECTIONS: [usize; 2] = [8, 64];
const LOOKS: u32 = 10_000;
const WRITES: u64 = 10_000;

/// With as much text as a resource of some length has.
#[derive(Clone, Deserialize, Serialize)]
struct Number(u64, String);

impl Number {
    fn of(number: u64) -> Self {
        Self(number, format!("{number:1000}"))
    }
}

impl Cached for Number {
    fn weight(&self) -> usize {
        1024
    }

    fn is_for(&self, _: Option<Uuid>) -> bool {
        true
    }
}

static NUMBER: Kind<Number> = Kind {
    name: "any",
    schema: 1,
    ttl: Ttl { soft: Duration::from_hours(1), hard: Duration::from_hours(2) },
    is_shared: true,
    is_composed: false,
    value: std::marker::PhantomData,
};

pub async fn measure(table: &mut Table) {
    hits(table).await;
    requests(table).await;
    looks(table).await;
    delays(table).await;
    killed(table).await;
}

fn config(folder: &std::path::Path) -> (System, Keys) {
    let config = Config::parse([format!("--data-dir={}", folder.display())]).expect("a configuration");
    let context = System::real();
    let keys = Keys::load(config.key_source(), &context).expect("a key");
    (context, keys)
}

/// A hit in memory, beside moka's own.
async fn hits(table: &mut Table) {
    const HITS: u32 = 1_000_000;
    let folder = tempfile::tempdir().expect("a folder");
    let (context, keys) = config(folder.path());
    let db =
        Db::open(&format!("sqlite:{}", folder.path().join("x.db").display()), 2).await.expect("a database");
    let deps = Deps { db: &db, context: &context, redis: None, keys: &keys, metrics: None, kinds: &[] };
    let cache = Cache::new(deps, Capacity { memory: 64 << 20, loads: 4 });
    let bare: moka::sync::Cache<Uuid, Arc<Number>> =
        moka::sync::Cache::builder().max_capacity(10_000).build();
    let ids: Vec<Uuid> = (0..1000_u128).map(Uuid::from_u128).collect();
    let scopes = Scopes::two(Scope::User(ids[0]), Scope::Shared);
    for id in &ids {
        bare.insert(*id, Arc::new(Number::of(1)));
    }
    let nanos = |took: Duration| took.as_secs_f64() * 1e9 / f64::from(HITS);
    let (mut ours, mut theirs, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let began = Instant::now();
        for id in ids.iter().cycle().take(HITS as usize) {
            black_box(bare.get(id));
        }
        let moka = nanos(began.elapsed());
        let began = Instant::now();
        for id in ids.iter().cycle().take(HITS as usize) {
            let load = |_| async { Ok(Some(Number::of(1))) };
            let _ = black_box(cache.get(&NUMBER, Key::public(*id.as_bytes()), scopes, load).await);
        }
        let cached = nanos(began.elapsed());
        if round > 0 {
            theirs.push(moka);
            ours.push(cached);
            ratios.push(cached / moka);
        }
    }
    table.add("cache: a bare moka get", "ns", theirs, None);
    table.add("cache: a hit in memory", "ns", ours, None);
    table.add("cache: a hit in memory, over moka", "x", ratios, Some(Goal::Median(1.5)));
}

/// Serves these bytes, or rows by id from a database, and nothing else: what there is to beat.
pub async fn bare(body: PathBuf) {
    let body = Bytes::from(std::fs::read(body).expect("the body"));
    let kind = std::env::var("BARE_KIND").unwrap_or_default();
    let mut router =
        Router::new().route("/", route(async move || ([("content-type", kind)], body).into_response()));
    if let Ok(url) = std::env::var("BARE_DATABASE") {
        let db = Db::open(&url, 10).await.expect("a database");
        router = router.merge(Router::new().route("/{id}", route(row).patch(change)).with_state(db));
    }
    let port = std::env::var("BARE_PORT").expect("a port");
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await.expect("a free port");
    loop {
        let (stream, _) = listener.accept().await.expect("a connection");
        let _ = stream.set_nodelay(true);
        let service = TowerToHyperService::new(router.clone());
        tokio::spawn(async move {
            let builder = auto::Builder::new(TokioExecutor::new());
            let _ = builder.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn row(State(db): State<Db>, Path(id): Path<Uuid>) -> axum::response::Response {
    match store::find(&db, id).await {
        Ok(Some(found)) => axum::Json(found).into_response(),
        _ => axum::http::StatusCode::NOT_FOUND.into_response(),
    }
}

#[derive(Deserialize)]
struct Change {
    title: String,
}

async fn change(
    State(db): State<Db>,
    Path(id): Path<Uuid>,
    axum::Json(change): axum::Json<Change>,
) -> axum::http::StatusCode {
    const SQL: &str = "UPDATE resources SET title = $2, version = version + 1 WHERE id = $1";
    let changed = match &db {
        Db::Postgres(pool) => {
            sqlx::query(SQL).bind(id).bind(change.title).execute(pool.executor()).await.map(drop)
        }
        Db::Sqlite { write, .. } => {
            sqlx::query(SQL).bind(id).bind(change.title).execute(write.executor()).await.map(drop)
        }
    };
    changed.map_or(axum::http::StatusCode::SERVICE_UNAVAILABLE, |()| axum::http::StatusCode::OK)
}

/// A bare server as a process of its own, which ends with its owner.
pub struct Bare {
    pub child: Child,
    pub authority: String,
}

impl Bare {
    pub fn start(folder: &std::path::Path, kind: &str, body: &[u8], database: Option<&str>) -> Self {
        let (port, file) = (free_port(), folder.join("bare-body"));
        std::fs::write(&file, body).expect("a file");
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.env("BARE_BODY", file).env("BARE_PORT", port.to_string()).env("BARE_KIND", kind);
        command.envs(database.map(|url| ("BARE_DATABASE", url))).stdin(Stdio::null());
        Self { child: command.spawn().expect("it starts"), authority: format!("localhost:{port}") }
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// CPU microseconds of that process for each request, when so many ask at once.
async fn cpu((process, authority): (u32, &str), requests: &[Vec<u8>], connections: usize, total: u32) -> f64 {
    let mut clients = Vec::new();
    for _ in 0..connections {
        clients.push(KeepAlive::connect(authority).await);
    }
    let before = cpu_seconds(&process.to_string());
    let share = total as usize / connections;
    // A connection is looked at only once it has an answer, so that the server never waits.
    let asking: FuturesUnordered<_> = clients
        .iter_mut()
        .enumerate()
        .map(|(number, client)| async move {
            for at in 0..share {
                let request = &requests[(number * share + at) % requests.len()];
                let answer = client.ask(request).await.expect("an answer");
                assert!(answer.status == 200 || answer.status == 304, "{}", answer.status);
            }
        })
        .collect();
    asking.collect::<()>().await;
    (cpu_seconds(&process.to_string()) - before) * 1e6 / f64::from(total)
}

/// Whole requests with everything on, each beside a bare handler that sends the same bytes.
async fn requests(table: &mut Table) {
    let redis = RedisServer::start().await;
    let place = Place { redis: Some(redis.url()), ..Place::sqlite() };
    place.make_user("owner");
    place.run(&["seed", "--user", "owner", "--count", "20000"], "");
    let coffer = place.serve();
    coffer.answers("/healthz").await;
    let owner = coffer.signed_in("owner").await;
    let cookie = owner.cookie();
    let listed: serde_json::Value = json(&owner, "/api/v1/resources?limit=200").await;
    let found = |wanted: &str| {
        let items = listed["items"].as_array().expect("a list");
        let item = items.iter().find(|item| item["visibility"] == wanted).expect("one of each");
        item["id"].as_str().expect("an id").to_owned()
    };
    let (private, public) = (found("private"), found("public"));
    let signed_in = format!("Cookie: {cookie}\r\n");
    let cases = [
        ("signed-in page", format!("/resources/{private}"), signed_in.as_str(), "text/html", [6.5, 5.0]),
        (
            "signed-in JSON",
            format!("/api/v1/resources/{private}"),
            &signed_in,
            "application/json",
            [6.5, 5.0],
        ),
        (
            "public page, anonymous",
            format!("/resources/{public}"),
            "Accept-Encoding: gzip\r\n",
            "text/html",
            [5.0, 4.0],
        ),
        ("list of 20, signed in", "/resources?limit=20".to_owned(), &signed_in, "text/html", [6.0, 4.0]),
    ];
    for (what, path, headers, kind, goals) in cases {
        let request = [get(coffer.authority(), &path, headers)];
        let mut client = KeepAlive::connect(coffer.authority()).await;
        client.ask(&request[0]).await.expect("an answer");
        client.ask(&request[0]).await.expect("an answer");
        let bare = Bare::start(place.folder.path(), kind, client.body(), None);
        let plain = [get(&bare.authority, "/", headers)];
        pause().await;
        let (we, they) = ((coffer.id(), coffer.authority()), (bare.child.id(), bare.authority.as_str()));
        for (at_once, goal) in CONNECTIONS.into_iter().zip(goals) {
            let (mut ours, mut theirs, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
            for round in 0..=ROUNDS {
                let least = cpu(they, &plain, at_once, REQUESTS).await;
                let cached = cpu(we, &request, at_once, REQUESTS).await;
                if round > 0 {
                    theirs.push(least);
                    ours.push(cached);
                    ratios.push(cached / least);
                }
            }
            let what = format!("{what}, {at_once} at once");
            table.add(format!("cache: {what}, bare handler"), "us", theirs, None);
            table.add(format!("cache: {what}"), "us", ours, None);
            let over = format!("cache: {what}, over the bare handler");
            table.add(over, "x", ratios, Some(Goal::Median(goal)));
        }
    }
    misses(table, &place, &coffer, &owner, &signed_in).await;
}

/// Resources that no one has asked for yet, beside a handler that does nothing but ask sqlx.
async fn misses(
    table: &mut Table,
    place: &Place,
    coffer: &Coffer,
    owner: &crate::coffer::Visitor,
    headers: &str,
) {
    let mut ids: Vec<String> = Vec::new();
    let mut cursor = String::new();
    while ids.len() < 16_000 {
        let page = json(owner, &format!("/api/v1/resources?limit=200&cursor={cursor}")).await;
        let items = page["items"].as_array().expect("a list");
        ids.extend(items.iter().filter_map(|item| item["id"].as_str().map(str::to_owned)));
        page["next_cursor"].as_str().expect("a further page").clone_into(&mut cursor);
    }
    let copy = place.folder.path().join("copy.db");
    std::fs::copy(place.folder.path().join("data/coffer.db"), &copy).expect("a copy");
    let url = format!("sqlite:{}", copy.display());
    let bare = Bare::start(place.folder.path(), "", b"", Some(&url));
    pause().await;
    let (mut ours, mut theirs, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for part in ids.chunks(4_000).take(4) {
        let total = u32::try_from(part.len()).expect("few");
        let plain: Vec<_> = part.iter().map(|id| get(&bare.authority, &format!("/{id}"), "")).collect();
        let they = (bare.child.id(), bare.authority.as_str());
        let least = cpu(they, &plain, CONNECTIONS[0], total).await;
        let asked: Vec<_> = part
            .iter()
            .map(|id| get(coffer.authority(), &format!("/api/v1/resources/{id}"), headers))
            .collect();
        let missed = cpu((coffer.id(), coffer.authority()), &asked, CONNECTIONS[0], total).await;
        theirs.push(least);
        ours.push(missed);
        ratios.push(missed / least);
    }
    table.add("cache: a handler that only asks sqlx", "us", theirs, None);
    table.add("cache: a miss, with Redis", "us", ours, None);
    table.add("cache: a miss, over the handler that only asks", "x", ratios, Some(Goal::Median(1.8)));
}

/// What Redis itself counts while a node reads what another has filled.
async fn looks(table: &mut Table) {
    let nodes = Nodes::start().await;
    let scopes = Scopes::two(Scope::User(Uuid::from_u128(1)), Scope::Shared);
    let loads = Arc::new(AtomicU64::new(0));
    for node in &nodes.caches {
        nodes.redis.command("CONFIG RESETSTAT").expect("redis answers");
        loads.store(0, Ordering::SeqCst);
        let asked = (0..LOOKS).map(|number| {
            let loads = loads.clone();
            let load = move |_| async move {
                loads.fetch_add(1, Ordering::SeqCst);
                Ok(Some(Number::of(number.into())))
            };
            node.get(&NUMBER, Key::public(u128::from(number).to_le_bytes()), scopes, load)
        });
        let answers: Vec<_> = stream::iter(asked).buffer_unordered(CONNECTIONS[0]).collect().await;
        assert!(answers.iter().all(Result::is_ok));
    }
    assert!(loads.load(Ordering::SeqCst) < u64::from(LOOKS / 100), "the other node has filled them");
    let stats = nodes.redis.bulk("INFO commandstats").expect("redis answers");
    let line = stats.lines().find_map(|line| line.strip_prefix("cmdstat_mget:")).expect("looks");
    let figure = |name: &str| -> f64 {
        let found = line.split(',').find_map(|part| part.strip_prefix(name)?.strip_prefix('=')?.parse().ok());
        found.expect("a figure")
    };
    let trips = figure("calls") / f64::from(LOOKS);
    table.add("cache: looks a hit in Redis", "", vec![trips], Some(Goal::Median(1.01)));
    table.add(
        "cache: Redis' own time for a look",
        "us",
        vec![figure("usec_per_call")],
        Some(Goal::Median(1.0)),
    );
}

async fn json(visitor: &crate::coffer::Visitor, path: &str) -> serde_json::Value {
    let request = visitor.get(path).header(reqwest::header::ACCEPT_ENCODING, "identity");
    request.send().await.expect("an answer").json().await.expect("JSON")
}

/// Two nodes that have found each other, over a database and a Redis of their own.
struct Nodes {
    caches: Vec<Cache>,
    redis: RedisServer,
    _belongings: (PostgresServer, Database, TempDir),
}

impl Nodes {
    async fn start() -> Self {
        let (postgres, redis) = (PostgresServer::start().await, RedisServer::start().await);
        let database = postgres.database("template0");
        let folder = tempfile::tempdir().expect("a folder");
        let (context, keys) = config(folder.path());
        let mut caches = Vec::new();
        for _ in 0..2 {
            let db = Db::open(database.url(), 4).await.expect("a database");
            let redis = Redis::connect(&redis.url(), &context).expect("an address");
            let deps = Deps {
                db: &db,
                context: &context,
                redis: Some(&redis),
                keys: &keys,
                metrics: None,
                kinds: &[],
            };
            let cache = Cache::new(deps, Capacity { memory: 64 << 20, loads: 4 });
            tokio::spawn(cache.clone().maintain());
            caches.push(cache);
        }
        let began = Instant::now();
        while !caches.iter().all(Cache::is_ready) {
            assert!(began.elapsed() < Duration::from_secs(10), "the nodes find each other");
            tokio::task::yield_now().await;
        }
        Self { caches, redis, _belongings: (postgres, database, folder) }
    }
}

/// How long another node goes on showing what was before.
async fn delays(table: &mut Table) {
    let nodes = Nodes::start().await;
    let (key, scopes) = (Key::public([1; 16]), Scopes::one(Scope::Shared));
    let truth = Arc::new(AtomicU64::new(0));
    let mut samples = Vec::new();
    for value in 1..=WRITES {
        truth.store(value, Ordering::SeqCst);
        let write = nodes.caches[0].begin().await.expect("a transaction");
        write.commit([Scope::Shared]).await.expect("it commits");
        let written = Instant::now();
        loop {
            let truth = truth.clone();
            let load = |_| async move { Ok(Some(Number::of(truth.load(Ordering::SeqCst)))) };
            let seen = nodes.caches[1].get(&NUMBER, key.clone(), scopes, load).await.expect("an answer");
            if seen.is_some_and(|seen| seen.0 == value) {
                break;
            }
            tokio::task::yield_now().await;
        }
        samples.push(millis(written.elapsed()));
    }
    let (p99, worst) = (at(&samples, 0.99), at(&samples, 1.0));
    table.add("cache: until another node shows a write", "ms", samples, None);
    table.add("cache: the same, 99 %", "ms", vec![p99], Some(Goal::Median(50.0)));
    table.add("cache: the same, the worst", "ms", vec![worst], Some(Goal::Median(2000.0)));
}

/// Redis killed under load, and back six seconds later.
async fn killed(table: &mut Table) {
    let redis = RedisServer::start().await;
    let place = Place { redis: Some(redis.url()), ..Place::sqlite() };
    place.make_user("owner");
    place.run(&["seed", "--user", "owner", "--count", "500"], "");
    let coffer = place.serve();
    coffer.answers("/healthz").await;
    let owner = coffer.signed_in("owner").await;
    let headers = format!("Cookie: {}\r\n", owner.cookie());
    let listed = json(&owner, "/api/v1/resources?limit=200").await;
    let ids = listed["items"].as_array().expect("a list").iter().filter_map(|item| item["id"].as_str());
    let asked: Vec<_> =
        ids.map(|id| get(coffer.authority(), &format!("/api/v1/resources/{id}"), &headers)).collect();
    let began = Instant::now();
    let load = async {
        let mut clients = Vec::new();
        for _ in 0..4 {
            clients.push(KeepAlive::connect(coffer.authority()).await);
        }
        let asking = clients.iter_mut().enumerate().map(|(number, client)| {
            let asked = &asked;
            async move {
                let (mut seen, mut errors) = (Vec::new(), 0_u32);
                let mut tick = tokio::time::interval(Duration::from_millis(4));
                for at in 0_usize.. {
                    tick.tick().await;
                    if began.elapsed() > Duration::from_secs(20) {
                        break;
                    }
                    let since = began.elapsed().as_secs_f64();
                    match client.ask(&asked[(at + number * 37) % asked.len()]).await {
                        Ok(answer) if answer.status == 200 => seen.push((since, millis(answer.took))),
                        _ => errors += 1,
                    }
                }
                (seen, errors)
            }
        });
        futures::future::join_all(asking).await
    };
    let faults = async {
        wait(Duration::from_secs(5)).await;
        redis.kill();
        wait(Duration::from_secs(6)).await;
        redis.restart().await;
    };
    let (answers, ()) = tokio::join!(load, faults);
    let errors: u32 = answers.iter().map(|(_, errors)| errors).sum();
    let between = |from: f64, to: f64| -> Vec<f64> {
        let all = answers.iter().flat_map(|(seen, _)| seen);
        all.filter(|(since, _)| (from..to).contains(since)).map(|(_, took)| *took).collect()
    };
    let before = at(&between(1.0, 5.0), 0.99);
    for (what, from, to) in
        [("the first second", 5.0, 6.0), ("from then on", 6.0, 11.0), ("5 s after its return", 16.5, 20.0)]
    {
        let more = at(&between(from, to), 0.99) - before;
        table.add(
            format!("cache: Redis killed, {what}: more at 99 %"),
            "ms",
            vec![more],
            Some(Goal::Median(30.0)),
        );
    }
    table.add("cache: Redis killed: errors", "", vec![f64::from(errors)], Some(Goal::Median(1.0)));
}

pub async fn pause() {
    wait(Duration::from_millis(500)).await;
}

async fn wait(time: Duration) {
    let mut tick = tokio::time::interval(time);
    tick.tick().await;
    tick.tick().await;
}
