//! Figures that are looked up, not counted: pools, dependencies, sessions, and how late timers wake.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval, interval_at};

use crate::app::App;
use crate::history::FINE;
use crate::telemetry::metrics::{Metrics, real};

const LAG_EVERY: Duration = Duration::from_millis(500);
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// A dependency that takes longer to answer counts as down.
const PING_LIMIT: Duration = Duration::from_secs(1);

/// Measures how late a timer wakes, and sorts durations into buckets before they pile up, until the program ends.
pub async fn measure_lag(metrics: Metrics) {
    let mut tick = interval(LAG_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let due = tick.tick().await;
        metrics.runtime.lag.record(Instant::now().saturating_duration_since(due));
        metrics.recorder.run_upkeep();
    }
}

/// Collects all figures until the program ends.
pub async fn collect(app: Arc<App>) {
    if let Some(shared) = &app.shared_history
        && shared.learn_everything(app.system.now()).await.is_err()
    {
        tracing::info!(
            event = "history_alone",
            "the history of the time before the start can't be had from Redis"
        );
    }
    // At the boundaries of the spans, so that all nodes have the same spans.
    let now = app.system.now().micros().rem_euclid(1_000_000 * FINE);
    let ahead = Duration::from_micros(u64::try_from(1_000_000 * FINE - now).unwrap_or(0) + 50_000);
    let mut tick = interval_at(Instant::now() + ahead, LOOK_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
    ask(&app).await;
    loop {
        tick.tick().await;
        ask(&app).await;
        record(&app).await;
    }
}

pub async fn ask(app: &App) {
    refresh(app);
    let database = app.metrics.dependencies.meter(app.db.name());
    database.up(answers(app.db.ping()).await);
    if let Some(redis) = &app.redis {
        let meter = app.metrics.dependencies.meter("redis");
        meter.up(answers(redis.ping()).await);
        if let Ok(bytes) = redis.memory().await {
            meter.memory(bytes);
        }
    }
    if let Ok(count) = app.sessions.count().await {
        app.metrics.accounts.sessions_active.set(real(count));
    }
    if let Ok(count) = app.mail.waiting().await {
        app.metrics.accounts.mails_waiting.set(real(count));
    }
}

pub async fn record(app: &App) {
    let ended = app.history.record(&app.metrics, app.system.now());
    let Some(shared) = &app.shared_history else { return };
    for (span, at, slot) in ended {
        let _tried_again_at_no_time = shared.put(span, at, &slot).await;
    }
    let _next_time = shared.learn_latest(app.system.now()).await;
}

/// Only gauges that cost nothing to read.
pub fn refresh(app: &App) {
    app.db.look_at_pools();
    app.limiter.look_at_table();
    app.metrics.runtime.look_at_disk(&app.config.data_dir);
}

async fn answers<E>(ping: impl Future<Output = Result<(), E>>) -> bool {
    matches!(tokio::time::timeout(PING_LIMIT, ping).await, Ok(Ok(())))
}
