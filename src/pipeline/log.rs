//! Around every request: its id, one log line, the headers of its answer.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use data_encoding::HEXLOWER;
use metrics::Gauge;
use tracing::field::display;

use crate::identity::{Address, IdentitySlot};
use crate::web::error::Cause;

use super::{Pipeline, compress, headers};
use crate::cache::status;
use crate::client_ip::Peer;
use crate::error::Error;
use crate::telemetry::metrics::{Metrics, method_name};
use crate::telemetry::recent::Failure;
use crate::telemetry::request::{Request as RequestContext, within};
use crate::web::assets;
use crate::web::request::{RequestId, Unrecorded};

pub const HEADER: &str = "x-request-id";
/// Only a sample of the refusals for too many requests has a line: a flood of requests must not become one of lines.
const SAMPLE: u64 = 100;

/// A request until its answer is sent, or its client has gone.
struct Active(Gauge);

impl Active {
    fn new(metrics: &Metrics) -> Self {
        let active = metrics.http.active.clone();
        active.increment(1.0);
        Self(active)
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}

struct RequestLog {
    method: &'static str,
    route: String,
    address: IpAddr,
    trace_id: Option<String>,
    slot: IdentitySlot,
}

pub async fn trace(State(pipeline): State<Arc<Pipeline>>, mut request: Request, next: Next) -> Response {
    let id = HEXLOWER.encode(&pipeline.deps.system.random::<8>());
    let record = RequestLog::new(&pipeline, &mut request);
    request.extensions_mut().insert(RequestId(id.clone()));
    request.extensions_mut().insert(record.slot.clone());
    let (method, accepted) = (request.method().clone(), compress::accepted(request.headers()));
    let context = Arc::new(RequestContext::new(id, format!("{} {}", record.method, record.route)));
    let (start, active) = (Instant::now(), Active::new(&pipeline.metrics));
    let (response, cached) = within(context.clone(), status::watch(next.run(request))).await;
    let mut response = compress::compress(accepted, response).await;
    drop(active);
    let took = start.elapsed();
    if response.extensions().get::<Unrecorded>().is_none() {
        pipeline.metrics.http.meter(&method, &record.route, response.status()).took(took);
    }
    if response.status().is_server_error() {
        remember(&pipeline, &context, &response);
    } else if response.status() < StatusCode::BAD_REQUEST {
        pipeline.metrics.failing.succeeded(&context.route);
    }
    record.log(&pipeline, &context.id, &response, took);
    headers::secure(&pipeline, &mut response, cached);
    if let Ok(value) = HeaderValue::from_str(&context.id) {
        response.headers_mut().insert(HEADER, value);
    }
    response
}

impl RequestLog {
    /// Also stores the user in the request.
    fn new(pipeline: &Pipeline, request: &mut Request) -> Self {
        let peer =
            request.extensions().get::<Peer>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0);
        let address = pipeline.deps.client_ip.address(peer, request.headers());
        request.extensions_mut().insert(Address(address));
        let route = request.extensions().get::<MatchedPath>().map_or("_unmatched", MatchedPath::as_str);
        Self {
            method: method_name(request.method()),
            route: route.to_owned(),
            address,
            trace_id: trace_id(request.headers()).filter(|_| pipeline.deps.client_ip.is_trusted(peer)),
            slot: IdentitySlot::default(),
        }
    }

    fn log(&self, pipeline: &Pipeline, request_id: &str, response: &Response, took: Duration) {
        static LIMITED: AtomicU64 = AtomicU64::new(0);
        let limited = response.status() == StatusCode::TOO_MANY_REQUESTS;
        if limited && !LIMITED.fetch_add(1, Ordering::Relaxed).is_multiple_of(SAMPLE) {
            return;
        }
        let Self { method, route, trace_id, slot, .. } = self;
        // As the limits know it: the beginning of a keyed hash of the address.
        let client = pipeline.limiter.keyring().name(self.address, pipeline.deps.system.now());
        let status = response.status().as_u16();
        let duration_ms = (took.as_secs_f64() * 1e6).round() / 1e3;
        let user = slot.get().viewer.id().map(display);
        let cause = response.extensions().get::<Cause>().map(|cause| &*cause.0);
        macro_rules! line {
            ($level:ident $(, $more:ident)?) => {
                tracing::$level!(
                    event = "request", request_id, trace_id, method, route, status, duration_ms, client, user $(, $more)?
                )
            };
        }
        if let Some(Error::Internal(reason) | Error::Unavailable(reason) | Error::OutcomeUnknown(reason)) =
            cause
        {
            line!(error, reason);
        } else if self.route == assets::ROUTE && response.status().is_success() {
            // A page brings a handful of them.
            line!(debug);
        } else {
            line!(info);
        }
    }
}

fn remember(pipeline: &Pipeline, context: &RequestContext, response: &Response) {
    let (cause, at) = (response.extensions().get::<Cause>(), pipeline.deps.system.now());
    pipeline.metrics.failures.push(Failure {
        at,
        since: pipeline.metrics.failing.failed(&context.route, at),
        route: context.route.clone(),
        status: response.status().as_u16(),
        code: cause.map_or("unknown", |cause| cause.0.code().as_str()).to_owned(),
        reason: cause.map(|cause| reason(&cause.0)).unwrap_or_default(),
        request_id: context.id.clone(),
    });
}

/// The database's own words, which hold no values when it can't be used.
fn reason(error: &Error) -> String {
    let (Error::Unavailable(reason) | Error::OutcomeUnknown(reason)) = error else { return String::new() };
    let said = reason.rsplit("from database: ").next().unwrap_or(reason);
    let said =
        said.strip_prefix("(code: ").and_then(|rest| rest.split_once(") ")).map_or(said, |(_, said)| said);
    said.chars().take(120).collect()
}

/// The part of `traceparent` (W3C Trace Context) that all services of a trace share.
fn trace_id(headers: &HeaderMap) -> Option<String> {
    let sent = headers.get("traceparent")?.to_str().ok()?;
    let id = sent.split('-').nth(1)?;
    let fits =
        id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    (fits && id.bytes().any(|byte| byte != b'0')).then(|| id.to_owned())
}
