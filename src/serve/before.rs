//! Serving before there is an application: few paths, and one request for each connection.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tower::ServiceExt as _;

use super::pause;
use crate::config::Config;
use crate::pipeline::base_path;
use crate::public_url;
use crate::tls::{self, Tls};

/// For a whole connection.
const CONNECTION_LIMIT: Duration = Duration::from_secs(5);

/// Serves these paths until `until` resolves.
pub async fn serve_until<T>(
    listener: &TcpListener,
    config: &Config,
    router: Router,
    until: impl Future<Output = T>,
) -> T {
    let path = config.base_url.as_ref().and_then(public_url::path).unwrap_or_default();
    let router = base_path::mount(&path, router);
    let permits = Arc::new(Semaphore::new(config.max_connections));
    let mut connections = JoinSet::new();
    let tls = Tls::load(&config.tls, config.base_url.as_ref()).ok().flatten();
    let accept_all = async {
        while let Ok(permit) = permits.clone().acquire_owned().await {
            while connections.try_join_next().is_some() {}
            let Ok((stream, _)) = listener.accept().await else {
                pause().await;
                continue;
            };
            let service = TowerToHyperService::new(
                router.clone().map_request(|request: hyper::Request<_>| request.map(Body::new)),
            );
            let tls = tls.clone();
            connections.spawn(async move {
                let mut builder = http1::Builder::new();
                builder.timer(TokioTimer::new()).keep_alive(false);
                let serving = async {
                    let stream = tls::accept(tls.as_ref(), stream).await.ok()?;
                    builder.serve_connection(TokioIo::new(stream), service).await.ok()
                };
                let _ended = timeout(CONNECTION_LIMIT, serving).await;
                drop(permit);
            });
        }
        std::future::pending().await
    };
    let done = tokio::select! {
        never = accept_all => never,
        done = until => done,
    };
    // Requests in flight get their answer, within the connection's limit.
    connections.detach_all();
    done
}
