//! Logs: JSON lines, or easy to read in a terminal; copies of the lines for Loki.

use std::io::IsTerminal as _;
use std::panic::PanicHookInfo;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use clap::{Args, ValueEnum};
use metrics::Counter;
use secrecy::{ExposeSecret as _, SecretString};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Layer, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, fmt};

use super::line::Lines;
use super::loki::{self, Guard, Shipper};
use super::metrics::Recorder;
use super::request;
use crate::system::System;

/// The Redis client logs each lost connection many times over; `redis` says it once. The sessions' layers open a span
/// around every step, which no line of ours would show.
const QUIET: &str = "fred=off,tower_sessions=off,tower_sessions_core=warn";

#[expect(clippy::doc_markdown, reason = "clap prints these comments as they are")]
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Logs")]
pub struct LogSettings {
    /// What to log: error, warn, info, debug, trace, or a filter such as info,coffer=debug.
    #[arg(long, env = "COFFER_LOG", default_value = "info")]
    pub log: String,

    /// How log lines look. `auto` is pretty in a terminal and JSON elsewhere.
    #[arg(long, env = "COFFER_LOG_FORMAT", default_value = "auto")]
    pub log_format: LogFormat,

    /// http://host:3100 or https://user:password@host of a Loki server that receives a copy of every line.
    #[arg(long, env = "COFFER_LOKI_URL", hide_env_values = true)]
    pub loki_url: Option<SecretString>,

    /// Value of Loki's label `env`.
    #[arg(long, env = "COFFER_ENVIRONMENT", default_value = "production")]
    pub environment: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    Auto,
    Json,
    Pretty,
}

/// Close it last, so that all that happens before is logged.
pub struct Logs {
    shipper: Option<Shipper>,
    are_json: bool,
}

impl Logs {
    #[must_use]
    pub const fn are_json(&self) -> bool {
        self.are_json
    }

    /// Sends what Loki has not got yet, for two and a half seconds at most.
    pub async fn close(self) {
        if let Some(shipper) = self.shipper {
            shipper.stop().await;
        }
    }
}

pub fn init(settings: &LogSettings, context: &System) -> Result<Logs, String> {
    let filter = filter(settings)?;
    let pretty = match settings.log_format {
        LogFormat::Auto => std::io::stdout().is_terminal(),
        LogFormat::Pretty => true,
        LogFormat::Json => false,
    };
    let (guard, shipper) = copies(settings)?;
    let lines = Lines { clock: context.clock.clone(), to_stdout: !pretty, to_loki: guard };
    let readable = pretty.then(|| fmt::layer().compact().with_target(false));
    tracing_subscriber::registry().with(filter).with(Count).with(lines).with(readable).init();
    std::panic::set_hook(Box::new(log_panic));
    Ok(Logs { shipper, are_json: !pretty })
}

pub fn check(settings: &LogSettings) -> Result<(), String> {
    filter(settings)?;
    settings.loki_url.as_ref().map_or(Ok(()), |url| loki::check(url.expose_secret()))
}

fn filter(settings: &LogSettings) -> Result<EnvFilter, String> {
    EnvFilter::try_new(format!("{QUIET},{}", settings.log)).map_err(|e| {
        format!(
            "COFFER_LOG: {e}. Use error, warn, info, debug, trace, or a filter such as info,coffer=debug."
        )
    })
}

fn copies(settings: &LogSettings) -> Result<(Option<Arc<Guard>>, Option<Shipper>), String> {
    let Some(url) = &settings.loki_url else { return Ok((None, None)) };
    let guard = COPIES.get_or_init(Arc::default).clone();
    let shipper = Shipper::start(guard.clone(), url.expose_secret(), &settings.environment)?;
    Ok((Some(guard), Some(shipper)))
}

/// A panic as one line, with the request that it happened in.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let request_id = request::current().map(|request| request.id.clone()).unwrap_or_default();
    let location = panic.location().map(ToString::to_string).unwrap_or_default();
    let message = panic.payload_as_str().unwrap_or("a panic without words");
    tracing::error!(event = "panic", request_id, location, "{message}");
}

/// Lines by level. A process has one log, however many applications run in it.
static EVENTS: [AtomicU64; 5] = [const { AtomicU64::new(0) }; 5];
static COPIES: OnceLock<Arc<Guard>> = OnceLock::new();
const LEVELS: [(Level, &str); 5] = [
    (Level::ERROR, "error"),
    (Level::WARN, "warn"),
    (Level::INFO, "info"),
    (Level::DEBUG, "debug"),
    (Level::TRACE, "trace"),
];

struct Count;

impl<S: Subscriber> Layer<S> for Count {
    fn on_event(&self, event: &Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        let level = event.metadata().level();
        if let Some(place) = LEVELS.iter().position(|(known, _)| known == level) {
            EVENTS[place].fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[derive(Debug)]
pub(super) struct LogMeter {
    lines: [Counter; LEVELS.len()],
    dropped: [Counter; loki::REASONS.len()],
}

impl LogMeter {
    pub(super) fn new(recorder: &Recorder) -> Self {
        let lines = |(_, level)| {
            recorder.counter("coffer_log_events_total", "Log lines, by level.", &[("level", level)])
        };
        let dropped = |reason| {
            recorder.counter(
                "coffer_log_dropped_total",
                "Log lines that a sink besides standard output did not get, by reason.",
                &[("sink", "loki"), ("reason", reason)],
            )
        };
        Self { lines: LEVELS.map(lines), dropped: loki::REASONS.map(dropped) }
    }

    pub(super) fn collect(&self) {
        for (counter, events) in self.lines.iter().zip(&EVENTS) {
            counter.absolute(events.load(Ordering::Relaxed));
        }
        let Some(guard) = COPIES.get() else { return };
        for (counter, (_, count)) in self.dropped.iter().zip(guard.dropped()) {
            counter.absolute(count);
        }
    }
}
