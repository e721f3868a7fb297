//! Measures what coffer promises, on private servers in temporary folders: `bin/bench [NAME…] [FILE.html]`.

mod api;
mod cache;
mod chart;
mod coffer;
mod http;
mod import;
mod keep_alive;
mod large_import;
mod library;
mod limiter;
mod login;
mod metrics;
mod start;
mod table;
mod tags;

#[expect(dead_code, reason = "the tests also stop, restart and copy it")]
#[path = "../../tests/it/support/postgres.rs"]
mod postgres;
#[expect(dead_code, reason = "the tests do more to it")]
#[path = "../../tests/it/support/redis.rs"]
mod redis;
#[path = "../../tests/it/support/server.rs"]
mod server;
#[expect(dead_code, reason = "the tests cut it")]
#[path = "../../tests/it/support/tap.rs"]
mod tap;
#[path = "../../tests/it/support/wait.rs"]
mod wait;

use std::path::PathBuf;
use tokio::runtime::Builder;

use table::Table;

const NAMES: [&str; 14] = [
    "api", "cache", "http", "tags", "start", "memory", "login", "metrics", "search", "list", "write",
    "import", "large-import", "limiter",
];

/// What the command line asks for; nothing is everything.
struct Asked {
    names: Vec<String>,
    bookmarks: Option<PathBuf>,
    /// `--each`: the figures of every single query too.
    each: bool,
    count: String,
    /// `--chart=FILE.svg`: where to write the chart of `http`.
    chart: Option<PathBuf>,
}

impl Asked {
    fn read() -> Self {
        let count = "100000".to_owned();
        let mut asked = Self { names: Vec::new(), bookmarks: None, each: false, count, chart: None };
        for argument in std::env::args().skip(1) {
            match argument.as_str() {
                "--bench" => {} // from cargo
                "--each" => asked.each = true,
                chart if chart.starts_with("--chart=") => {
                    asked.chart = Some(chart["--chart=".len()..].into());
                }
                name if NAMES.contains(&name) => asked.names.push(argument),
                file if PathBuf::from(file).is_file() => asked.bookmarks = Some(file.into()),
                count if count.parse::<u32>().is_ok() => asked.count = argument,
                other => panic!("{other} is neither a file nor one of {}", NAMES.join(", ")),
            }
        }
        asked
    }

    fn wants(&self, name: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|wanted| wanted == name)
    }
}

fn main() {
    // What is measured beside coffer runs as coffer does.
    let is_bare =
        std::env::args().any(|first| first.starts_with("--bare=")) || std::env::var_os("BARE_BODY").is_some();
    let mut runtime = if is_bare { Builder::new_multi_thread() } else { Builder::new_current_thread() };
    runtime.enable_all().build().expect("a runtime").block_on(run());
}

async fn run() {
    if let Some(port) = std::env::args().nth(1).and_then(|first| first.strip_prefix("--bare=")?.parse().ok())
    {
        return limiter::serve_bare(port).await;
    }
    if let Some(body) = std::env::var_os("BARE_BODY") {
        return cache::bare(body.into()).await;
    }
    let asked = Asked::read();
    let mut table = Table::default();
    if asked.wants("start") {
        start::time(&mut table).await;
    }
    if asked.wants("memory") {
        start::memory(&mut table).await;
    }
    if asked.wants("login") {
        login::measure(&mut table).await;
    }
    if asked.wants("cache") {
        cache::measure(&mut table).await;
    }
    if asked.wants("http") {
        http::measure(&mut table, &asked).await;
    }
    if asked.wants("tags") {
        tags::measure(&mut table, &asked.count).await;
    }
    if asked.wants("metrics") {
        metrics::measure(&mut table).await;
    }
    if asked.wants("import") {
        import::import(&mut table, asked.bookmarks.as_deref()).await;
    }
    if asked.wants("large-import") {
        large_import::measure(&mut table).await;
    }
    if ["search", "list", "write"].iter().any(|name| asked.wants(name)) {
        library::measure(&mut table, &asked).await;
    }
    if asked.wants("limiter") {
        limiter::measure(&mut table).await;
    }
    if asked.wants("api") {
        api::measure(&mut table, &asked.count).await;
    }
    table.print();
}
