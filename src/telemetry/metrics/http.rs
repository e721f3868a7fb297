//! Requests by route: the pattern that the router matched, never the path that was sent.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{Method, StatusCode};
use metrics::{Gauge, Histogram};
use parking_lot::RwLock;

use super::recorder::{Durations, Recorder};

/// OpenTelemetry's advice for HTTP servers, with three finer buckets below: most answers here take less than 5 ms.
pub(super) const REQUESTS: Durations = Durations {
    name: "http_server_request_duration_seconds",
    help: "Duration of HTTP server requests, by route as the router names it.",
    buckets: &[
        0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5,
        10.0,
    ],
    kind: "http",
    by: &["http_request_method", "http_route"],
};
/// Requests can cause errors with any method at any route. So many combinations have their own series, and the rest
/// share the route `_overflow`, which bounds the number of series.
const ERROR_COMBINATIONS: usize = 40;

#[derive(Debug)]
pub struct Http {
    recorder: Recorder,
    pub active: Gauge,
    meters: RwLock<Meters>,
}

#[derive(Debug, Default)]
struct Meters {
    by_route: HashMap<Arc<str>, Vec<Arc<RouteMeter>>>,
    errors: usize,
}

#[derive(Debug)]
pub struct RouteMeter {
    method: &'static str,
    status: u16,
    durations: Histogram,
}

impl RouteMeter {
    pub fn took(&self, duration: Duration) {
        self.durations.record(duration);
    }
}

impl Http {
    pub(super) fn new(recorder: &Recorder) -> Self {
        Self {
            recorder: recorder.clone(),
            active: recorder.gauge(
                "http_server_active_requests",
                "Number of active HTTP server requests.",
                &[],
            ),
            meters: RwLock::default(),
        }
    }

    /// The meter of a route, a pattern of the router or one of `_unmatched` and `_overflow`.
    pub fn meter(&self, method: &Method, route: &str, status: StatusCode) -> Arc<RouteMeter> {
        // The client chooses a method that the route does not have, so it is no label.
        let method = if status == StatusCode::METHOD_NOT_ALLOWED { "_OTHER" } else { method_name(method) };
        let status = status.as_u16();
        let found = self.meters.read().find(method, route, status);
        found.unwrap_or_else(|| self.admit(method, route, status))
    }

    fn admit(&self, method: &'static str, route: &str, status: u16) -> Arc<RouteMeter> {
        let mut meters = self.meters.write();
        let full = status >= 400 && meters.errors >= ERROR_COMBINATIONS;
        let (method, route) = if full { ("_OTHER", "_overflow") } else { (method, route) };
        if let Some(found) = meters.find(method, route, status) {
            return found;
        }
        meters.errors += usize::from(status >= 400 && !full);
        let labels = [
            ("http_request_method", method),
            ("http_route", route),
            ("http_response_status_code", &status.to_string()),
        ];
        let durations = self.recorder.durations(&REQUESTS, &labels);
        let meter = Arc::new(RouteMeter { method, status, durations });
        meters.by_route.entry(route.into()).or_default().push(meter.clone());
        meter
    }
}

impl Meters {
    fn find(&self, method: &str, route: &str, status: u16) -> Option<Arc<RouteMeter>> {
        let meters = self.by_route.get(route)?;
        meters.iter().find(|meter| meter.status == status && meter.method == method).cloned()
    }
}

pub fn method_name(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "_OTHER",
    }
}
