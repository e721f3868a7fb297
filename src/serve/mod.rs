//! Serving: limits on connections, headers and time, HTTP/1 and HTTP/2, and a stop with a deadline.

mod before;
mod connection;
pub mod figures;
pub mod metrics;
mod progress;
mod stream;

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, timeout};

pub use self::before::serve_until;
use self::connection::{Accepted, Connections};
use crate::app::{App, router};
use crate::client_ip::Peer;
use crate::installation;
use crate::tls::Tls;

/// After a failed accept, as when no file descriptor is left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// After a stop signal the listener still accepts for at least this long, so that it empties its queue.
const BACKLOG: Duration = Duration::from_millis(50);
/// Requests in flight have at least this long, however long the draining took.
const MIN_STOP: Duration = Duration::from_secs(1);
/// To close the connections to the database and Redis.
const CLOSE_LIMIT: Duration = Duration::from_secs(1);
const CLEANUP_EVERY: Duration = Duration::from_hours(1);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Serving,
    /// `/readyz` says no. New requests are still served, each as the last of its connection.
    Draining,
    /// Connections end with the requests in flight.
    Closing,
}

/// Serves until `stop` resolves, then finishes the requests in flight within the configured time.
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
        tokio::spawn(app.limiter.heartbeats()),
        tokio::spawn(hourly_cleanup(app.clone())),
        tokio::spawn(figures::measure_lag(app.metrics.clone())),
        tokio::spawn(figures::collect(app.clone())),
        tokio::spawn(watch_certificate(app.tls.clone())),
    ];
    let library = app.maintain_library();
    let (stage, changes) = watch::channel(Stage::Serving);
    let connections = Connections::new(&app, router(&app), changes);
    let permits = Arc::new(Semaphore::new(app.config.max_connections));
    tokio::select! {
        () = accept_all(&listener, &permits, &connections) => {}
        () = stop => {}
    }
    let stopped = Instant::now();
    app.health.begin_stop();
    let _ = stage.send(Stage::Draining);
    let _ = timeout(app.config.drain().max(BACKLOG), accept_all(&listener, &permits, &connections)).await;
    drop((listener, connections));
    let _ = stage.send(Stage::Closing);
    let limit = Duration::from_secs(app.config.stop_timeout).saturating_sub(stopped.elapsed()).max(MIN_STOP);
    // Closing is part of that time.
    let closing = CLOSE_LIMIT.min(limit / 4);
    if timeout(limit.saturating_sub(closing), stage.closed()).await.is_err() {
        tracing::warn!(
            event = "stop_forced",
            seconds = limit.as_secs(),
            "some requests did not finish in time"
        );
    }
    background.iter().chain(&library).for_each(tokio::task::JoinHandle::abort);
    if timeout(closing, app.close()).await.is_err() {
        tracing::warn!(event = "close_forced", "the database or Redis did not say goodbye in time");
    }
}

async fn accept_all(listener: &TcpListener, permits: &Arc<Semaphore>, connections: &Connections) {
    while let Ok(permit) = permits.clone().acquire_owned().await {
        match listener.accept().await {
            Ok((stream, peer)) => connections.spawn(Accepted { stream, peer: Peer(peer.ip()), permit }),
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

async fn hourly_cleanup(app: Arc<App>) {
    let mut tick = tokio::time::interval(CLEANUP_EVERY);
    loop {
        tick.tick().await;
        app.clean_library().await;
        if let Err(error) = app.tokens.forget_revoked().await {
            tracing::warn!(?error, "tokens that were revoked long ago could not be removed");
        }
        if let Err(error) = app.accounts.forget_what_is_over().await {
            tracing::warn!(?error, "links that are over could not be removed");
        }
        if let Err(error) = app.db.refresh_statistics().await {
            tracing::warn!(?error, "the database's statistics could not be refreshed");
        }
    }
}
