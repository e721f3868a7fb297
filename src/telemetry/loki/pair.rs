//! tracing-loki's layer and task, and what the task says of its failures.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use futures_util::FutureExt as _;
use parking_lot::Mutex;
use tokio::task::{Unconstrained, unconstrained};
use tokio::time::Instant;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Dispatch, Event, Subscriber, dispatcher};
use tracing_loki::{BackgroundTask, BackgroundTaskController};
use tracing_subscriber::Registry;
use tracing_subscriber::layer::{self, Layered, SubscriberExt as _};
use url::Url;

use super::shipper::TICK;

/// It has a registry of its own, so that a line has the fields of its event and of no span.
pub(super) type Layer = Layered<tracing_loki::Layer, Registry>;

pub(super) struct Target {
    url: Url,
    environment: String,
}

impl Target {
    pub(super) fn new(url: &str, environment: &str) -> Result<Self, String> {
        let bad = |why| format!("COFFER_LOKI_URL {why}. Use http://host:3100 or https://user:password@host.");
        let mut url: Url = url.parse().map_err(|_| bad("is not an address"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(bad("is neither http nor https"));
        }
        url.set_path("/");
        Ok(Self { url, environment: environment.to_owned() })
    }

    pub(super) fn pair(&self) -> Result<(Layer, Task), tracing_loki::Error> {
        let (layer, controller, task) = tracing_loki::builder()
            .label("service_name", "coffer")?
            .label("env", &self.environment)?
            .build_controller_url(self.url.clone())?;
        Ok((tracing_subscriber::registry().with(layer), Task::new(task, controller)))
    }
}

pub fn check(url: &str) -> Result<(), String> {
    Target::new(url, "").map(drop)
}

/// Sends what the layer took. The shipper polls it by its own clock only, so that lines gather.
pub(super) struct Task {
    /// Without tokio's budget, which would end a poll before the channel is empty.
    background: Unconstrained<BackgroundTask>,
    /// Kept to the end: a poll of a closed channel never returns.
    controller: BackgroundTaskController,
    is_told: bool,
    failures: Failures,
    listener: Dispatch,
    tries_again: Instant,
    pub(super) error: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Sent,
    Failed,
}

impl Task {
    fn new(task: BackgroundTask, controller: BackgroundTaskController) -> Self {
        let failures = Failures::default();
        let listener = tracing_subscriber::registry().with(LevelFilter::ERROR).with(failures.clone());
        Self {
            background: unconstrained(task),
            controller,
            is_told: false,
            failures,
            listener: Dispatch::new(listener),
            tries_again: Instant::now(),
            error: "no answer".to_owned(),
        }
    }

    /// Ends the task after its last lines. While it waits to try again, it would end at once and lose them.
    pub(super) fn end(&mut self) {
        if !self.is_told && Instant::now() >= self.tries_again {
            self.is_told = self.controller.shutdown().now_or_never().is_some();
        }
    }

    pub(super) fn step(&mut self) -> Option<End> {
        let mut context = Context::from_waker(Waker::noop());
        let polled =
            dispatcher::with_default(&self.listener, || Pin::new(&mut self.background).poll(&mut context));
        let failure = self.failures.0.lock().take();
        let end = if failure.is_some() { End::Failed } else { End::Sent };
        if let Some(failure) = failure {
            self.tries_again = Instant::now() + failure.pause();
            self.error = failure.error;
        }
        polled.is_ready().then_some(end)
    }
}

#[derive(Default)]
struct Failure {
    /// In a row.
    count: u32,
    error: String,
}

impl Failure {
    /// At least as long as tracing-loki 0.2.7 waits before it tries again.
    fn pause(&self) -> Duration {
        let doublings = self.count.saturating_sub(2);
        TICK + Duration::from_millis(500) * 2_u32.saturating_pow(doublings)
    }
}

/// Reads failed requests from the task's log, as it reports them nowhere else.
#[derive(Clone, Default)]
struct Failures(Arc<Mutex<Option<Failure>>>);

impl<S: Subscriber> layer::Layer<S> for Failures {
    fn on_event(&self, event: &Event<'_>, _: layer::Context<'_, S>) {
        let mut failure = Failure::default();
        event.record(&mut failure);
        if failure.count > 0 {
            *self.0.lock() = Some(failure);
        }
    }
}

impl Visit for Failure {
    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "error_count" {
            self.count = u32::try_from(value).unwrap_or(u32::MAX);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "error" {
            self.error = format!("{value:?}");
        }
    }
}
