//! Serving: accept with a cap, bounded headers and time, HTTP/1 and HTTP/2, a stop with a deadline.

mod before;
mod connection;
mod progress;
mod stream;
pub mod tls;

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, timeout};

pub use self::before::serve_until;
use self::connection::{Accepted, Connections};
use self::tls::Tls;
use crate::app::{App, router};
use crate::installation;
use crate::telemetry::watch as figures;
use crate::web::client::Peer;

/// After a failed accept (no file descriptors left, say) the next try waits this long.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Told to stop, the listener takes what waits in its queue for this long at least before it closes.
const BACKLOG: Duration = Duration::from_millis(50);
/// Requests in flight have this long at least, however long the others were let in.
const LEAST_STOP: Duration = Duration::from_secs(1);
/// Time to say goodbye to the database and Redis.
const CLOSE_LIMIT: Duration = Duration::from_secs(1);
const MAINTENANCE: Duration = Duration::from_hours(1);

/// How far the stop has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Serving,
    /// Not ready any more; all that comes is still served, each on a connection that ends with it.
    Draining,
    /// Connections end with what is in flight on them.
    Closing,
}

/// Serves until `stop` resolves, then finishes what is in flight within the configured time.
pub async fn serve(listener: TcpListener, app: Arc<App>, stop: impl Future<Output = ()>) {
    if app.redis.is_none()
        && let Err(error) = installation::leave_redis(&app.db, &app.system).await
    {
        tracing::warn!(%error, "start coffer once more before you give it a Redis that it had before");
    }
    let background = [
        tokio::spawn(app.sessions.as_ref().clone().maintain()),
        tokio::spawn(app.cache.clone().maintain()),
        tokio::spawn(app.mail.clone().maintain()),
        tokio::spawn(app.limiter.pulses()),
        tokio::spawn(keep_house(app.clone())),
        tokio::spawn(figures::measure_lag(app.metrics.clone())),
        tokio::spawn(figures::look_around(app.clone())),
        tokio::spawn(watch_certificate(app.tls.clone())),
    ];
    let (stage, told) = watch::channel(Stage::Serving);
    let connections = Connections::new(&app, router(&app), told);
    let places = Arc::new(Semaphore::new(app.config.max_connections));
    tokio::select! {
        () = take_all(&listener, &places, &connections) => {}
        () = stop => {}
    }
    let stopped = Instant::now();
    app.health.begin_stop();
    let _ = stage.send(Stage::Draining);
    let _ = timeout(app.config.drain().max(BACKLOG), take_all(&listener, &places, &connections)).await;
    drop((listener, connections));
    let _ = stage.send(Stage::Closing);
    let limit =
        Duration::from_secs(app.config.stop_timeout).saturating_sub(stopped.elapsed()).max(LEAST_STOP);
    // Closing comes out of the same time.
    let closing = CLOSE_LIMIT.min(limit / 4);
    if timeout(limit.saturating_sub(closing), stage.closed()).await.is_err() {
        tracing::warn!(
            event = "stop_forced",
            seconds = limit.as_secs(),
            "some requests did not finish in time"
        );
    }
    background.iter().for_each(tokio::task::JoinHandle::abort);
    if timeout(closing, app.close()).await.is_err() {
        tracing::warn!(event = "close_forced", "the database or Redis did not say goodbye in time");
    }
}

/// Takes connections, each once there is a place for it, for ever.
async fn take_all(listener: &TcpListener, places: &Arc<Semaphore>, connections: &Connections) {
    while let Ok(place) = places.clone().acquire_owned().await {
        match listener.accept().await {
            Ok((stream, peer)) => connections.spawn(Accepted { stream, peer: Peer(peer.ip()), place }),
            Err(error) => {
                tracing::warn!(event = "accept_failed", %error, "a connection could not be accepted");
                pause().await;
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "trying again at once would only fail again")]
pub async fn pause() {
    tokio::time::sleep(ACCEPT_PAUSE).await;
}

async fn watch_certificate(tls: Option<Tls>) {
    if let Some(tls) = tls {
        tls.watch().await;
    }
}

async fn keep_house(app: Arc<App>) {
    let mut tick = tokio::time::interval(MAINTENANCE);
    loop {
        tick.tick().await;
        match app.resources.empty_old_trash().await {
            Ok(0) => {}
            Ok(count) => {
                tracing::info!(event = "trash_emptied", count, "deleted what the trash had kept for 30 days");
            }
            Err(error) => tracing::warn!(?error, "the trash could not be emptied"),
        }
        if let Err(error) = app.resources.forget_old_changes().await {
            tracing::warn!(?error, "changes that were told for 90 days could not be removed");
        }
        if let Err(error) = app.resources.requests.forget_old().await {
            tracing::warn!(?error, "answers that were kept for a day could not be removed");
        }
        if let Err(error) = app.accounts.forget_what_is_over().await {
            tracing::warn!(?error, "links that are over could not be removed");
        }
        if let Err(error) = app.resources.resume_bulk().await {
            tracing::warn!(?error, "changes of many entries could not go on");
        }
        if let Err(error) = app.db.refresh_statistics().await {
            tracing::warn!(?error, "the database's statistics could not be refreshed");
        }
    }
}
