//! `/metrics` on an address of its own, so that it is neither public nor limited nor counted.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use clap::Args;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use secrecy::{ExposeSecret as _, SecretString};
use subtle::ConstantTimeEq as _;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tower::ServiceExt as _;
use tower_http::compression::CompressionLayer;

use super::metrics::TEXT_FORMAT;
use super::watch;
use crate::app::App;
use crate::config::Config;

/// Scrapers at once; more wait.
const CONNECTIONS: usize = 16;
const HEADER_LIMIT: Duration = Duration::from_secs(5);

/// Where OpenTelemetry's exporters for Prometheus listen.
const METRICS_PORT: u16 = 9464;

#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Metrics")]
pub struct MetricsSettings {
    /// Address and port where Prometheus finds /metrics, apart from the pages; `off` for none.
    /// [default: 127.0.0.1:9464, or none where that is taken]
    #[arg(long, env = "COFFER_METRICS_ADDRESS")]
    pub metrics_address: Option<MetricsAddress>,

    /// What a scraper must send as a bearer token; without it whoever reaches the address may read.
    #[arg(long, env = "COFFER_METRICS_TOKEN", hide_env_values = true)]
    pub metrics_token: Option<SecretString>,
}

impl MetricsSettings {
    pub fn listen(&self) -> MetricsAddress {
        let usual = SocketAddr::from((Ipv4Addr::LOCALHOST, METRICS_PORT));
        self.metrics_address.unwrap_or(MetricsAddress::At(usual))
    }
}

/// Where `/metrics` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricsAddress {
    Off,
    At(SocketAddr),
}

impl FromStr for MetricsAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "off" {
            return Ok(Self::Off);
        }
        text.parse()
            .map(Self::At)
            .map_err(|_| "give an address and a port such as 127.0.0.1:9464, or off".to_owned())
    }
}

impl fmt::Display for MetricsAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("off"),
            Self::At(address) => write!(f, "{address}"),
        }
    }
}

/// Takes the address; `None` when it is off, or when it is only the usual one and taken already.
///
/// # Errors
/// A sentence, when the address was asked for and can't be had.
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
            "whoever reaches this address may read the metrics. Set COFFER_METRICS_TOKEN, or keep the port private.");
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
    watch::refresh(&app);
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
