//! `/metrics` on an address of its own, so that it is neither public nor limited nor counted.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use secrecy::ExposeSecret as _;
use subtle::ConstantTimeEq as _;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tower::ServiceExt as _;
use tower_http::compression::CompressionLayer;

use super::figures;
use crate::app::App;
use crate::config::Config;
use crate::telemetry::metrics::TEXT_FORMAT;
use crate::telemetry::settings::MetricsAddress;

/// Further scrapers wait.
const CONNECTIONS: usize = 16;
const HEADER_LIMIT: Duration = Duration::from_secs(5);

/// `None` when it is off, or when only the default address is taken.
pub async fn bind(config: &Config) -> Result<Option<TcpListener>, String> {
    let MetricsAddress::At(address) = config.metrics.listen() else { return Ok(None) };
    match TcpListener::bind(address).await {
        Ok(listener) => {
            warn_when_open(address, config);
            Ok(Some(listener))
        }
        Err(error) if config.metrics.metrics_address.is_none() => {
            tracing::warn!(event = "metrics_off", %address, %error,
                "no metrics are served. Set COFFER_METRICS_ADDRESS to a free address, or to off.");
            Ok(None)
        }
        Err(error) => Err(format!(
            "Cannot listen on {address} for metrics: {error}. Set COFFER_METRICS_ADDRESS to a free address, or to off."
        )),
    }
}

fn warn_when_open(address: SocketAddr, config: &Config) {
    if !address.ip().is_loopback() && config.metrics.metrics_token.is_none() {
        tracing::warn!(event = "metrics_open", %address,
            "anyone who reaches this address may read the metrics. Set COFFER_METRICS_TOKEN, or keep the port private.");
    }
}

pub async fn serve(listener: TcpListener, app: Arc<App>) {
    let router = Router::new()
        .route("/metrics", get(metrics))
        .layer(from_fn_with_state(app.clone(), check_token))
        .layer(CompressionLayer::new())
        .with_state(app);
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEADER_LIMIT);
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    while let Ok(place) = places.clone().acquire_owned().await {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::task::yield_now().await;
            continue;
        };
        let service = router.clone().map_request(|request: hyper::Request<_>| request.map(Body::new));
        let connection = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
        tokio::spawn(async move {
            let _ = connection.await;
            drop(place);
        });
    }
}

async fn metrics(State(app): State<Arc<App>>) -> Response {
    figures::refresh(&app);
    ([(header::CONTENT_TYPE, TEXT_FORMAT)], app.metrics.text()).into_response()
}

async fn check_token(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let Some(token) = &app.config.metrics.metrics_token else { return next.run(request).await };
    let sent = request.headers().get(header::AUTHORIZATION).map(HeaderValue::as_bytes);
    let wanted = format!("Bearer {}", token.expose_secret());
    if sent.is_some_and(|sent| sent.ct_eq(wanted.as_bytes()).into()) {
        return next.run(request).await;
    }
    let headers = [(header::WWW_AUTHENTICATE, "Bearer")];
    (StatusCode::UNAUTHORIZED, headers, "Send COFFER_METRICS_TOKEN as a bearer token.\n").into_response()
}
