//! The program under measurement: its commands, its server, and a visitor.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::header::{ACCEPT_ENCODING, HeaderMap, HeaderName, HeaderValue, ORIGIN, SET_COOKIE};
use reqwest::{Client, RequestBuilder, Response};

use crate::server::free_port;

pub const PASSWORD: &str = "quiet harbour at nine";
/// Of the kernel's clock in `/proc/PID/stat`, on every Linux there is.
const TICKS_PER_SECOND: f64 = 100.0;
const START_LIMIT: Duration = Duration::from_secs(10);

/// Where coffer keeps its things: a data directory, and a database elsewhere or not.
pub struct Place {
    pub name: &'static str,
    pub folder: tempfile::TempDir,
    pub postgres: Option<String>,
    pub redis: Option<String>,
}

impl Place {
    pub fn sqlite() -> Self {
        Self { name: "SQLite", folder: folder(), postgres: None, redis: None }
    }

    pub fn postgres(url: &str) -> Self {
        Self { name: "PostgreSQL", folder: folder(), postgres: Some(url.to_owned()), redis: None }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_coffer"));
        command.current_dir(self.folder.path()).env_clear().stdin(Stdio::null()).stdout(Stdio::null());
        command.args(arguments).args(["--data-dir", "data"]);
        if let Some(url) = &self.postgres {
            command.env("COFFER_DATABASE_URL", url);
        }
        if let Some(url) = &self.redis {
            command.env("COFFER_REDIS_URL", url);
        }
        command
    }

    /// Runs a command to its end; the time it took.
    pub fn run(&self, arguments: &[&str], input: &str) -> Duration {
        let began = Instant::now();
        let mut child = self.command(arguments).stdin(Stdio::piped()).spawn().expect("coffer starts");
        child.stdin.take().expect("stdin is piped").write_all(input.as_bytes()).expect("coffer reads");
        assert!(child.wait().expect("coffer ends").success(), "coffer {}", arguments.join(" "));
        began.elapsed()
    }

    pub fn make_user(&self, name: &str) {
        let email = format!("{name}@example.org");
        self.run(&["user", "create", "--username", name, "--email", &email], PASSWORD);
    }

    /// Starts the server; it may not answer yet.
    pub fn serve(&self) -> Coffer {
        // The limits are at work, but allow everything that is measured.
        let all = [
            "pages", "api", "session", "token", "login-address", "login-account", "login-pair",
            "login-accounts", "login-device",
        ];
        let settings = all.map(|name| format!("--rate-limit-{name}=100000/s"));
        self.serve_with(&settings.each_ref().map(String::as_str))
    }

    pub fn serve_with(&self, settings: &[&str]) -> Coffer {
        let port = free_port();
        let mut command = self.command(&["serve", "--port", &port.to_string()]);
        Coffer::start(command.args(settings), port)
    }
}

fn folder() -> tempfile::TempDir {
    tempfile::Builder::new().prefix("coffer-bench.").tempdir().expect("a temporary folder")
}

/// A running server, which ends with its owner.
pub struct Coffer {
    child: Child,
    base: String,
    pub began: Instant,
}

impl Drop for Coffer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Coffer {
    fn start(command: &mut Command, port: u16) -> Self {
        let child = command.spawn().expect("the server starts");
        Self { child, base: format!("http://localhost:{port}"), began: Instant::now() }
    }

    /// A server of this program's own that does nothing, to compare with.
    pub fn bare() -> Self {
        let port = free_port();
        let program = std::env::current_exe().expect("this program has a name");
        Self::start(Command::new(program).arg(format!("--bare={port}")), port)
    }

    /// A visitor without compression.
    pub fn plain_visitor(&self) -> Visitor {
        let client = Client::builder().no_proxy().build().expect("a client");
        Visitor { client, base: self.base.clone(), csrf: String::new(), cookies: Vec::new() }
    }

    /// Waits until it answers 200, without a pause that could be measured.
    pub async fn answers(&self, path: &str) {
        let visitor = self.visitor();
        let mut tick = tokio::time::interval(Duration::from_millis(1));
        while self.began.elapsed() < START_LIMIT {
            tick.tick().await;
            if visitor.get(path).send().await.is_ok_and(|answer| answer.status() == 200) {
                return;
            }
        }
        panic!("coffer does not answer {path}");
    }

    /// Host and port.
    pub fn authority(&self) -> &str {
        self.base.trim_start_matches("http://")
    }

    pub fn visitor(&self) -> Visitor {
        // As browsers have it: pages are compressed for them.
        let headers = HeaderMap::from_iter([
            (ACCEPT_ENCODING, HeaderValue::from_static("gzip, deflate, br")),
            (ORIGIN, HeaderValue::from_str(&self.base).expect("an ASCII address")),
        ]);
        let client = Client::builder()
            .cookie_store(true)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .default_headers(headers);
        Visitor {
            client: client.build().expect("a client"),
            base: self.base.clone(),
            csrf: String::new(),
            cookies: Vec::new(),
        }
    }

    pub async fn signed_in(&self, name: &str) -> Visitor {
        let visitor = self.visitor();
        let form = [("login", name), ("password", PASSWORD)];
        let request = visitor.client.post(format!("{}/login", self.base)).form(&form);
        let answer = request.send().await.expect("an answer");
        let lines = answer.headers().get_all(SET_COOKIE).iter().filter_map(|line| line.to_str().ok());
        let pairs = lines.filter_map(|line| Some(line.split(';').next()?.to_owned()));
        let cookies = pairs.filter(|pair| !pair.starts_with("coffer-notice")).collect();
        let me = visitor.get("/api/v1/me").header(ACCEPT_ENCODING, "identity");
        let me: serde_json::Value = me.send().await.expect("an answer").json().await.expect("JSON");
        let csrf = me["csrf"].as_str().unwrap_or_else(|| panic!("{name} is not signed in: {me}"));
        Visitor { csrf: csrf.to_owned(), cookies, ..visitor }
    }

    /// The process' number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Seconds that the process has spent on a processor.
    pub fn cpu_seconds(&self) -> f64 {
        cpu_seconds(&self.child.id().to_string())
    }

    /// Resident memory in MB.
    pub fn rss(&self) -> f64 {
        let status = self.proc("status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
        let kib: f64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
        kib * 1024.0 / 1e6
    }

    fn proc(&self, file: &str) -> String {
        proc(&self.child.id().to_string(), file)
    }
}

/// Seconds that a process has spent on a processor, by its number or `self`.
pub fn cpu_seconds(process: &str) -> f64 {
    let stat = proc(process, "stat");
    // Behind the program's name, which may hold anything: utime and stime are fields 14 and 15.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    fields[11..13].iter().map(|ticks| ticks.parse::<f64>().expect("ticks")).sum::<f64>() / TICKS_PER_SECOND
}

fn proc(process: &str, file: &str) -> String {
    fs::read_to_string(Path::new("/proc").join(process).join(file)).expect("Linux")
}

/// One browser or API client, on one connection.
pub struct Visitor {
    client: Client,
    base: String,
    csrf: String,
    cookies: Vec<String>,
}

impl Visitor {
    /// As the header has it.
    pub fn cookie(&self) -> String {
        self.cookies.join("; ")
    }

    pub fn csrf(&self) -> &str {
        &self.csrf
    }

    pub fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("{}{path}", self.base))
    }

    pub fn send(&self, method: reqwest::Method, path: &str) -> RequestBuilder {
        let token = HeaderName::from_static("x-csrf-token");
        self.client.request(method, format!("{}{path}", self.base)).header(token, &self.csrf)
    }
}

/// Sends the request and reads the whole answer; the time that took.
pub async fn timed(request: RequestBuilder, status: u16) -> Duration {
    let began = Instant::now();
    let answer: Response = request.send().await.expect("an answer");
    let (found, address) = (answer.status().as_u16(), answer.url().clone());
    answer.bytes().await.expect("a whole answer");
    let took = began.elapsed();
    assert_eq!(found, status, "{address}");
    took
}
