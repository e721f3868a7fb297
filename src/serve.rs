//! Serving: accept with a cap, bounded headers and time, HTTP/1 and HTTP/2, a stop with a deadline.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::ServiceExt as _;

use crate::app::{App, router};
use crate::config::Config;
use crate::telemetry::watch;
use crate::web::client::Peer;

/// hyper's own default for HTTP/2 is 16 KiB too; for HTTP/1 it would be 400 KiB.
const MAX_HEADER: usize = 16 << 10;
const MAX_HEADERS: usize = 100;
/// After a failed accept (no file descriptors left, say) the next try waits this long.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Told to stop, the listener takes what waits in its queue for this long before it closes.
const BACKLOG: Duration = Duration::from_millis(50);
const MAINTENANCE: Duration = Duration::from_hours(1);

/// A connection that has a place.
struct Accepted {
    stream: TcpStream,
    peer: Peer,
    place: OwnedSemaphorePermit,
}

/// Serves until `stop` resolves, then finishes what is in flight within the configured time.
pub async fn serve(listener: TcpListener, app: App, stop: impl Future<Output = ()>) {
    let background = [
        tokio::spawn(app.sessions.clone().maintain()),
        tokio::spawn(app.cache.clone().maintain()),
        tokio::spawn(app.mail.clone().maintain()),
        tokio::spawn(keep_house(app.clone())),
        tokio::spawn(watch::measure_lag(app.metrics.clone())),
        tokio::spawn(watch::look_around(app.clone())),
    ];
    let router = router(&app);
    let builder = Arc::new(builder(&app.config));
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(app.config.max_connections));
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &places) => accepted,
            () = &mut stop => break,
        };
        if let Some(accepted) = accepted {
            spawn_connection(accepted, &builder, &graceful, router.clone());
        }
    }
    app.begin_stop();
    let backlog = async {
        loop {
            if let Some(accepted) = accept(&listener, &places).await {
                spawn_connection(accepted, &builder, &graceful, router.clone());
            }
        }
    };
    let _ = tokio::time::timeout(BACKLOG, backlog).await;
    drop(listener);
    let limit = Duration::from_secs(app.config.stop_timeout);
    if tokio::time::timeout(limit, graceful.shutdown()).await.is_err() {
        tracing::warn!(
            event = "stop_forced",
            seconds = limit.as_secs(),
            "some requests did not finish in time"
        );
    }
    background.iter().for_each(tokio::task::JoinHandle::abort);
    app.close().await;
}

/// The next connection, once there is a place for it.
async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> Option<Accepted> {
    let place = places.clone().acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => Some(Accepted { stream, peer: Peer(peer.ip()), place }),
        Err(error) => {
            tracing::warn!(event = "accept_failed", %error, "a connection could not be accepted");
            pause().await;
            None
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "trying again at once would only fail again")]
async fn pause() {
    tokio::time::sleep(ACCEPT_PAUSE).await;
}

fn builder(config: &Config) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(config.header_timeout))
        .max_buf_size(MAX_HEADER)
        .max_headers(MAX_HEADERS)
        .keep_alive(true);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(u32::try_from(MAX_HEADER).unwrap_or(u32::MAX))
        .max_concurrent_streams(100)
        .max_pending_accept_reset_streams(20)
        .keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(10));
    builder
}

fn spawn_connection(
    accepted: Accepted,
    builder: &Arc<auto::Builder<TokioExecutor>>,
    graceful: &GracefulShutdown,
    router: Router,
) {
    let Accepted { stream, peer, place } = accepted;
    let _ = stream.set_nodelay(true);
    let service = TowerToHyperService::new(router.map_request(move |mut request: hyper::Request<_>| {
        request.extensions_mut().insert(peer);
        request.map(Body::new)
    }));
    let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
    let watched = graceful.watch(connection);
    tokio::spawn(async move {
        if let Err(error) = watched.await {
            tracing::debug!(%error, "a connection ended early");
        }
        drop(place);
    });
}

async fn keep_house(app: App) {
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
        if let Err(error) = app.accounts.forget_what_is_over().await {
            tracing::warn!(?error, "links that are over could not be removed");
        }
        if let Err(error) = app.db.refresh_statistics().await {
            tracing::warn!(?error, "the database's statistics could not be refreshed");
        }
    }
}
