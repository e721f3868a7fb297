//! What seeing inside costs: recording, writing down, drawing the page, and the memory of a whole day.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use axum::http::{Method, StatusCode};
use coffer::accounts::NewAccount;
use coffer::admin::pages::{Held, fragment};
use coffer::admin::query::ReportQuery;
use coffer::app::App;
use coffer::config::Config;
use coffer::db::Opening;
use coffer::identity::{Role, Viewer};
use coffer::serve::figures;
use coffer::system::{Clock, System};
use coffer::timestamp::Timestamp;

use crate::coffer::PASSWORD;
use crate::table::{Goal, Table, millis};

const ROUTES: usize = 60;
/// A span of ten seconds at 1,000 requests a second.
const REQUESTS: usize = 10_000;
const SPANS_OF_A_DAY: usize = 8_640;

struct Day(AtomicI64);

impl Clock for Day {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::Relaxed))
    }
}

pub async fn measure(table: &mut Table) {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = Arc::new(Day(AtomicI64::new(1_800_000_000_000_000)));
    let context = System { clock: clock.clone(), entropy: System::real().entropy };
    let config = Config::parse([format!("--data-dir={}", folder.path().display())]).expect("settings");
    let app = App::open_as(config, context, SocketAddr::from(([127, 0, 0, 1], 3000)), Opening::Create)
        .await
        .expect("coffer opens");
    let viewer = admin(&app).await;
    let routes: Vec<String> = (0..ROUTES).map(|n| format!("/route/{n}/of/many")).collect();
    let before = rss();
    let (mut recording, mut writing) = (Vec::new(), Vec::new());
    for span in 0..SPANS_OF_A_DAY {
        // The whole load at times, a part of it else: what counts for memory is that all routes are busy.
        let full = span % 100 == 0;
        let began = Instant::now();
        record(&app, &routes, if full { REQUESTS } else { REQUESTS / 10 });
        let recorded = began.elapsed();
        clock.0.fetch_add(10_000_000, Ordering::Relaxed);
        let began = Instant::now();
        figures::record(&app).await;
        if full {
            recording.push(millis(recorded));
            writing.push(millis(began.elapsed()));
        }
    }
    let per_core: Vec<f64> =
        recording.iter().zip(&writing).map(|(one, other)| (one + other) / 100.0).collect();
    table.add("metrics: recording 10,000 requests", "ms", recording, None);
    table.add("metrics: writing down 10 s", "ms", writing, None);
    let mut drawing = Vec::new();
    for range in ["15m", "1h", "6h", "24h"] {
        let mut drawn = Vec::new();
        for _ in 0..50 {
            drawn.push(millis(draw(&app, &viewer, range).await));
        }
        drawing.extend(drawn.iter().filter(|_| range == "1h").copied());
        table.add(format!("metrics: the page over {range}"), "ms", drawn, Some(Goal::Median(5.0)));
    }
    // With what the page has added up by now.
    let memory = rss() - before;
    table.add("metrics: memory of a day, 60 busy routes", "MB", vec![memory], Some(Goal::Median(16.0)));
    let shares =
        per_core.iter().zip(drawing.iter().cycle()).map(|(recorded, drawn)| recorded + drawn / 100.0);
    table.add(
        "metrics: of a core at 1,000 requests/s, one viewer",
        "%",
        shares.collect(),
        Some(Goal::Median(1.0)),
    );
    app.close().await;
}

async fn admin(app: &App) -> Viewer {
    let new = NewAccount {
        email: "root@example.org".to_owned(),
        username: "root".to_owned(),
        display_name: String::new(),
        password: PASSWORD.to_owned(),
    };
    app.accounts.create(&new, Role::Admin).await.expect("an account");
    let member = app.accounts.by_username("root").await.expect("accounts").expect("root");
    Viewer::Member(Arc::new(member))
}

/// As the layers do it: each request with one query, durations as they are; and with the upkeep of twice a second.
fn record(app: &App, routes: &[String], requests: usize) {
    for n in 0..requests {
        if n % (requests / 20) == 0 {
            app.metrics.recorder.run_upkeep();
        }
        let took = Duration::from_micros(200 + (n as u64 * 7919) % 40_000);
        let status = if n % 50 == 0 { StatusCode::NOT_FOUND } else { StatusCode::OK };
        app.metrics.http.active.increment(1.0);
        app.metrics.http.meter(&Method::GET, &routes[n % routes.len()], status).took(took);
        app.metrics.http.active.decrement(1.0);
        app.metrics.database.query("sqlite", "SELECT", "coffer::resources::store::find::here").took(took / 2);
    }
}

async fn draw(app: &App, viewer: &Viewer, range: &str) -> Duration {
    let began = Instant::now();
    let query = ReportQuery { range: range.to_owned(), ..ReportQuery::default() };
    let drawn = fragment(&app.admin, viewer, query, Held::default()).await.expect("a page");
    assert!(drawn.contains("</svg>"));
    began.elapsed()
}

/// Resident memory in MB.
fn rss() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
    line.trim().trim_end_matches(" kB").parse::<f64>().expect("a number") * 1024.0 / 1e6
}
