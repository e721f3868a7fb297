//! One connection: HTTP/1 or HTTP/2 with bounded headers, until the client leaves, it stalls, or coffer stops.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, Version, header};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{Instant, sleep_until, timeout};
use tower::ServiceExt as _;

use super::Stage;
use super::progress::{Activity, Progress, Timeouts};
use super::stream::{AnswerBody, Socket};
use crate::app::App;
use crate::client_ip::Peer;
use crate::config::Config;
use crate::health::Health;
use crate::tls::{self, Tls};

/// hyper's default for HTTP/2 too; for HTTP/1 it is 400 KiB.
const MAX_HEADER: usize = 16 << 10;
const MAX_HEADERS: usize = 100;

pub struct Accepted {
    pub stream: TcpStream,
    pub peer: Peer,
    pub permit: OwnedSemaphorePermit,
}

#[derive(Clone)]
pub struct Connections {
    health: Arc<Health>,
    router: Router,
    tls: Option<Tls>,
    builder: Arc<auto::Builder<TokioExecutor>>,
    timeouts: Timeouts,
    stage: watch::Receiver<Stage>,
}

impl Connections {
    pub fn new(app: &App, router: Router, stage: watch::Receiver<Stage>) -> Self {
        Self {
            health: app.health.clone(),
            router,
            tls: app.tls.clone(),
            builder: Arc::new(builder(&app.config)),
            timeouts: Timeouts {
                idle: Duration::from_secs(app.config.header_timeout),
                request: Duration::from_secs(app.config.request_timeout),
            },
            stage,
        }
    }

    pub fn spawn(&self, accepted: Accepted) {
        tokio::spawn(self.clone().serve(accepted));
    }

    async fn serve(self, Accepted { stream, peer, permit }: Accepted) {
        let _ = stream.set_nodelay(true);
        let progress = Arc::new(Progress::new());
        let socket = Socket { stream, progress: progress.clone() };
        let accepting = tls::accept(self.tls.as_ref(), socket);
        let Ok(Ok(stream)) = timeout(self.timeouts.idle, accepting).await else {
            tracing::debug!("a client did not speak TLS");
            return;
        };
        let socket = TokioIo::new(stream);
        let client =
            Arc::new(Client { health: self.health, router: self.router, peer, progress: progress.clone() });
        let service = service_fn(move |request| client.clone().answer(request));
        let mut connection = pin!(self.builder.serve_connection(socket, service));
        let mut stage = self.stage;
        let mut is_ending = false;
        let mut alarm = pin!(sleep_until(Instant::now() + self.timeouts.idle));
        loop {
            tokio::select! {
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(%error, "a connection ended early");
                    }
                    break;
                }
                () = alarm.as_mut() => match progress.activity(self.timeouts) {
                    Activity::Active(span) => alarm.as_mut().reset(Instant::now() + span),
                    Activity::Idle if !is_ending => {
                        connection.as_mut().graceful_shutdown();
                        is_ending = true;
                        alarm.as_mut().reset(Instant::now() + self.timeouts.request);
                    }
                    Activity::Idle | Activity::Stuck => {
                        progress.give_up();
                        break;
                    }
                },
                change = stage.changed(), if !is_ending => {
                    let stage = change.map_or(Stage::Closing, |()| *stage.borrow());
                    // HTTP/2 tells the client which requests it still takes. HTTP/1 closes after the next answer.
                    if stage == Stage::Closing || (stage == Stage::Draining && progress.is_http2()) {
                        connection.as_mut().graceful_shutdown();
                        is_ending = true;
                    }
                }
            }
        }
        drop(permit);
    }
}

struct Client {
    health: Arc<Health>,
    router: Router,
    peer: Peer,
    progress: Arc<Progress>,
}

impl Client {
    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Result<Response<AnswerBody>, Infallible> {
        let is_http2 = request.version() >= Version::HTTP_2;
        let in_flight = self.progress.begin(is_http2);
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(self.peer);
        let mut response = self.router.clone().oneshot(request).await?;
        let is_last = self.health.is_stopping() || response.status() == StatusCode::REQUEST_TIMEOUT;
        if is_last && !is_http2 {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        Ok(response.map(|body| AnswerBody::new(body, in_flight, is_http2)))
    }
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
