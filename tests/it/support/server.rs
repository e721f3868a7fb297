//! A server that the tests start and own: it ends, with its temporary folder, when its owner or the test
//! process does.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use super::wait::eventually;

const START_LIMIT: Duration = Duration::from_mins(1);
const PORTS_TO_TRY: u32 = 10;

pub struct Server {
    folder: PathBuf,
    watchdog: Mutex<Watchdog>,
}

struct Watchdog {
    process: Child,
    answers: BufReader<ChildStdout>,
}

impl Server {
    /// Prepares `command` to run in a new folder of its own; `last_signal` (`KILL`, `QUIT`) is what ends it.
    pub fn new(name: &str, last_signal: &str, command: &[&str]) -> Self {
        let mut process = Command::new("bash")
            .args(["-c", include_str!("watchdog.sh"), "watchdog", name, last_signal])
            .args(command)
            .env("LC_ALL", "C.UTF-8")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("bash starts");
        let answers = BufReader::new(process.stdout.take().expect("stdout is piped"));
        let mut watchdog = Watchdog { process, answers };
        let folder = PathBuf::from(watchdog.answer());
        Self { folder, watchdog: Mutex::new(watchdog) }
    }

    /// Starts what `command` makes of a free port, and takes another port when another program was quicker.
    pub async fn on_free_port(
        name: &str,
        last_signal: &str,
        ready: &str,
        command: impl Fn(&str) -> Vec<String>,
    ) -> (Self, u16) {
        for _ in 0..PORTS_TO_TRY {
            let port = free_port();
            let command = command(&port.to_string());
            let server =
                Self::new(name, last_signal, &command.iter().map(String::as_str).collect::<Vec<_>>());
            match server.start(ready).await {
                Ok(_) => return (server, port),
                Err(log) if log.contains("Address already in use") => {}
                Err(log) => panic!("{name} doesn't start (bin/setup installs what is missing): {log}"),
            }
        }
        panic!("{name} found {PORTS_TO_TRY} ports taken, one after the other");
    }

    /// Starts the server and waits until its log says `ready`. The log, or what was wrong.
    pub async fn start(&self, ready: &str) -> Result<String, String> {
        self.order("start");
        eventually(START_LIMIT, async || {
            let alive = self.send("0");
            let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            match (log.contains(ready), alive) {
                (true, true) => Ok(Ok(log)),
                (_, false) => Ok(Err(format!("it ended at once:\n{}", tail(&log)))),
                (false, true) => Err(format!("no {ready:?} in its log:\n{}", tail(&log))),
            }
        })
        .await?
    }

    /// Sends a signal (`STOP`, `CONT`, `KILL`) to the server and its children; `false` when it has ended.
    pub fn send(&self, signal: &str) -> bool {
        self.order(&format!("send {signal}")) == "sent"
    }

    /// Ends the server and keeps its folder, so that it can start again.
    pub fn end(&self) {
        self.order("end");
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn order(&self, order: &str) -> String {
        let mut watchdog = self.watchdog.lock();
        let orders = watchdog.process.stdin.as_mut().expect("stdin is piped");
        writeln!(orders, "{order}").expect("the watchdog reads its orders");
        watchdog.answer()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let watchdog = self.watchdog.get_mut();
        drop(watchdog.process.stdin.take());
        let _ = watchdog.process.wait();
    }
}

impl Watchdog {
    fn answer(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("the watchdog answers");
        assert!(!line.is_empty(), "the watchdog has ended; its standard error says why");
        line.trim_end().to_owned()
    }
}

/// A port that no one listens on, below the range that the kernel gives to clients: in there a client that calls
/// a stopped server again and again gets the server's own port one day, connects to itself and blocks the restart.
pub fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let first = std::process::id().wrapping_mul(64);
    loop {
        let offset = first.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % 12_000;
        let port = 20_000 + u16::try_from(offset).expect("less than 12,000");
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

fn tail(log: &str) -> String {
    let lines: Vec<_> = log.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}
