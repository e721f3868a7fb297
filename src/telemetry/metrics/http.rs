//! Requests by route: the pattern that the router matched, never the path that was sent.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::http::{Method, StatusCode};
use prometheus::{HistogramVec, IntGauge};

use super::family::Family;
use crate::telemetry::timing::{Sketches, Timing};

/// OpenTelemetry's advice for HTTP servers, with three finer ones below: most answers here take less than 5 ms.
const BUCKETS: [f64; 17] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];
/// What visitors can bring about by sending nonsense to every address gets so many combinations; the rest share the
/// route `_overflow`. Together with what the application itself answers this bounds the number of series.
const ERROR_COMBINATIONS: usize = 40;

#[derive(Debug)]
pub struct Http {
    durations: HistogramVec,
    pub active: IntGauge,
    sketches: Sketches,
    meters: RwLock<Meters>,
}

#[derive(Debug, Default)]
struct Meters {
    by_route: HashMap<Arc<str>, Vec<Arc<RouteMeter>>>,
    errors: usize,
}

/// One route with one method and one status.
#[derive(Debug)]
pub struct RouteMeter {
    pub method: &'static str,
    pub route: Arc<str>,
    pub status: u16,
    durations: Timing,
}

impl RouteMeter {
    pub fn took(&self, duration: Duration) {
        self.durations.record(duration);
    }
}

impl Http {
    pub(super) fn new(family: Family) -> Self {
        Self {
            durations: family.histograms(
                "http_server_request_duration_seconds",
                "Duration of HTTP server requests, by route as the router names it.",
                &["http_request_method", "http_route", "http_response_status_code"],
                &BUCKETS,
            ),
            active: family.gauge("http_server_active_requests", "Number of active HTTP server requests."),
            sketches: family.sketches.clone(),
            meters: RwLock::default(),
        }
    }

    /// The meter of a route, a pattern of the router or one of `_unmatched` and `_overflow`.
    #[must_use]
    pub fn meter(&self, method: &Method, route: &str, status: StatusCode) -> Arc<RouteMeter> {
        // What a method that the route does not have is called is the visitor's choice.
        let method = if status == StatusCode::METHOD_NOT_ALLOWED { "_OTHER" } else { method_name(method) };
        let status = status.as_u16();
        let meters = self.meters.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = meters.find(method, route, status) {
            return found;
        }
        drop(meters);
        self.admit(method, route, status)
    }

    fn admit(&self, method: &'static str, route: &str, status: u16) -> Arc<RouteMeter> {
        let mut meters = self.meters.write().unwrap_or_else(PoisonError::into_inner);
        let full = status >= 400 && meters.errors >= ERROR_COMBINATIONS;
        let (method, route) = if full { ("_OTHER", "_overflow") } else { (method, route) };
        if let Some(found) = meters.find(method, route, status) {
            return found;
        }
        meters.errors += usize::from(status >= 400 && !full);
        let histogram = self.durations.with_label_values(&[method, route, &status.to_string()]);
        let durations = Timing::new(histogram, self.sketches.of("http", &format!("{method} {route}")));
        let route: Arc<str> = route.into();
        let meter = Arc::new(RouteMeter { method, route: route.clone(), status, durations });
        meters.by_route.entry(route).or_default().push(meter.clone());
        meter
    }
}

impl Meters {
    fn find(&self, method: &str, route: &str, status: u16) -> Option<Arc<RouteMeter>> {
        let meters = self.by_route.get(route)?;
        meters.iter().find(|meter| meter.status == status && meter.method == method).cloned()
    }
}

/// The method, if it is one that servers know.
#[must_use]
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
