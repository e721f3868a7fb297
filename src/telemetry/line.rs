//! A log line: one JSON object with fields from a list, on standard output; Loki gets an event with the same fields.
//!
//! A field that is not on the list is left out, so that nothing gets into the logs by being in scope.

mod listed;

use std::cell::RefCell;
use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::Arc;

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

use self::listed::Listed;
use super::loki::Guard;
use crate::system::Clock;

/// Every field of every log call in `src`; a test holds the calls against it.
const FIELDS: [&str; 30] = [
    "message", "event", "request_id", "trace_id", "method", "route", "status", "duration_ms", "client",
    "user", "error", "reason", "address", "actor", "count", "database", "folder", "header", "id", "location",
    "redis", "seconds", "lines", "policy", "directive", "blocked", "page", "attempts", "file", "kind",
];

/// Crates that send the lines: their own lines are not sent, as each would cause another.
const SENDERS: [&str; 5] = ["hyper", "reqwest", "rustls", "tokio", "want"];

thread_local! {
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(Vec::with_capacity(512));
}

pub struct Lines {
    pub clock: Arc<dyn Clock>,
    /// Standard output, unless a terminal shows the same more readably.
    pub to_stdout: bool,
    pub to_loki: Option<Arc<Guard>>,
}

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        BUFFER.with_borrow_mut(|line| {
            line.clear();
            self.write(line, event);
            if self.to_stdout {
                let mut out = std::io::stdout().lock();
                let _ = out.write_all(line);
            }
            let target = event.metadata().target();
            if let Some(guard) = &self.to_loki
                && !SENDERS.iter().any(|sender| target.starts_with(sender))
            {
                Listed::from_event(event).with(|listed| guard.send(listed, line.len()));
            }
        });
    }
}

impl Lines {
    fn write(&self, line: &mut Vec<u8>, event: &Event<'_>) {
        let metadata = event.metadata();
        line.extend_from_slice(b"{\"ts\":");
        text(line, &self.clock.now().rfc3339());
        line.extend_from_slice(b",\"level\":");
        text(line, level(*metadata.level()));
        line.extend_from_slice(b",\"target\":");
        text(line, metadata.target());
        event.record(&mut Fields(line));
        line.extend_from_slice(b"}\n");
    }
}

#[must_use]
pub const fn level(level: Level) -> &'static str {
    match level {
        Level::ERROR => "error",
        Level::WARN => "warn",
        Level::INFO => "info",
        Level::DEBUG => "debug",
        Level::TRACE => "trace",
    }
}

struct Fields<'a>(&'a mut Vec<u8>);

impl Fields<'_> {
    fn name(&mut self, field: &Field) -> bool {
        let known = FIELDS.contains(&field.name());
        if known {
            self.0.push(b',');
            text(self.0, field.name());
            self.0.push(b':');
        }
        known
    }

    fn plain(&mut self, field: &Field, value: impl std::fmt::Display) {
        if self.name(field) {
            let _ = write!(self.0, "{value}");
        }
    }
}

impl Visit for Fields<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        if self.name(field) {
            text(self.0, value);
        }
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.plain(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.plain(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.plain(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        if value.is_finite() {
            self.plain(field, value);
        }
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        if self.name(field) {
            text(self.0, &chain(value));
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if self.name(field) {
            text(self.0, &format!("{value:?}"));
        }
    }
}

fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut chain = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let _ = write!(chain, ": {error}");
        source = error.source();
    }
    chain
}

fn text(line: &mut Vec<u8>, text: &str) {
    // Writing to memory doesn't fail.
    let _ = serde_json::to_writer(line, text);
}

#[cfg(test)]
mod tests;
