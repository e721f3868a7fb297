//! Requests: tiles, charts, routes.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use ahash::HashMap;

use super::{is, now, real};
use crate::admin::query::Sort;
use crate::admin::report::{Octave, Route, RouteDetail, Tiles, Traffic};
use crate::history::Window;
use crate::history::key::label;
use crate::history::requests::{COUNT, Classes};
use crate::history::sample::Sample;
use crate::telemetry::sketch::{Dense, Summary};

const SUM: &str = "http_server_request_duration_seconds_sum";
/// The share of answers that may be 5xx.
pub const OBJECTIVE: f64 = 0.001;

pub fn tiles(window: &Window, recent: &Sample, total: &Sample) -> Tiles {
    let classes = Classes::new(recent.counts(COUNT));
    let latency = recent.timing_of_all("http ");
    let all = Classes::new(total.counts(COUNT));
    let seconds = window.seconds().min(real(window.step.max(300)));
    Tiles {
        requests_per_second: classes.total() / seconds,
        errors: share(classes.failed, classes.total()),
        p95_seconds: latency.quantile(0.95),
        p99_seconds: latency.quantile(0.99),
        in_flight: now(window, "http_server_active_requests", &[]),
        budget_left: 1.0 - share(all.failed, all.total() * OBJECTIVE),
    }
}

pub fn traffic(window: &Window) -> Vec<Option<Traffic>> {
    window
        .points
        .iter()
        .map(|samples| (!samples.is_empty()).then(|| step(samples, real(window.step))))
        .collect()
}

fn step(samples: &[Arc<Sample>], seconds: f64) -> Traffic {
    let mut classes = Classes::default();
    for sample in samples {
        classes += sample.requests().classes;
    }
    let latency = latency(samples);
    Traffic {
        success: classes.success / seconds,
        redirect: classes.redirect / seconds,
        refused: classes.refused / seconds,
        limited: classes.limited / seconds,
        failed: classes.failed / seconds,
        p50: latency.quantile(0.5),
        p95: latency.quantile(0.95),
        p99: latency.quantile(0.99),
        in_flight: samples.iter().map(|sample| sample.gauge("http_server_active_requests", &[])).sum(),
    }
}

/// Borrowed where there is one instance, as nothing has to be added up.
fn latency(samples: &[Arc<Sample>]) -> Cow<'_, Summary> {
    if let [sample] = samples {
        return Cow::Borrowed(&sample.requests().latency);
    }
    let mut dense = Dense::default();
    for sample in samples {
        dense.add(&sample.requests().latency);
    }
    Cow::Owned(dense.summary())
}

#[must_use]
pub fn by_route(sample: &Sample) -> BTreeMap<String, Classes> {
    let mut classes = BTreeMap::<String, Classes>::new();
    for (key, count) in sample.counts(COUNT) {
        classes.entry(name(key)).or_default().add(label(key, "http_response_status_code"), count);
    }
    classes
}

pub fn routes(window: &Window, total: &Sample, sort: Sort) -> Vec<Route> {
    let classes = by_route(total);
    let mut times = BTreeMap::<String, f64>::new();
    for (key, sum) in total.counts(SUM) {
        *times.entry(name(key)).or_default() += sum;
    }
    let all: f64 = times.values().sum();
    let mut routes: Vec<Route> = classes
        .into_iter()
        .map(|(name, classes)| {
            let latency = total.timing(&format!("http {name}"));
            Route {
                requests: classes.total(),
                per_second: classes.total() / window.seconds(),
                share: share(times.get(&name).copied().unwrap_or(0.0), all),
                refused: classes.refused,
                limited: classes.limited,
                failed: classes.failed,
                p50: latency.quantile(0.5),
                p95: latency.quantile(0.95),
                p99: latency.quantile(0.99),
                max: latency.max(),
                trend: Vec::new(),
                name,
            }
        })
        .collect();
    let by = |route: &Route| match sort {
        Sort::Total => route.share,
        Sort::Rate => route.requests,
        Sort::Errors => route.failed * 1e9 + route.refused + route.limited,
        Sort::P99 => route.p99.unwrap_or(0.0),
    };
    routes.sort_by(|a, b| by(b).total_cmp(&by(a)));
    // The page shows no trends for the rest.
    let drawn = routes.len().min(TRENDS);
    let trends = trends(window, routes[..drawn].iter().map(|route| route.name.as_str()));
    routes.iter_mut().zip(trends).for_each(|(route, trend)| route.trend = trend);
    routes
}

const TRENDS: usize = 25;
const TREND_STEPS: usize = 30;

/// Requests per second of each route, in a few steps.
fn trends<'a>(window: &Window, names: impl Iterator<Item = &'a str>) -> Vec<Vec<Option<f64>>> {
    let places: HashMap<&str, usize> = names.zip(0..).collect();
    let chunk = window.points.len().div_ceil(TREND_STEPS).max(1);
    let mut trends = vec![Vec::with_capacity(TREND_STEPS); places.len()];
    for points in window.points.chunks(chunk) {
        let mut requests = vec![0_u64; places.len()];
        for (name, summary) in points.iter().flatten().flat_map(|sample| sample.timings("http ")) {
            if let Some(place) = places.get(name) {
                requests[*place] += summary.count();
            }
        }
        let there = points.iter().filter(|samples| !samples.is_empty()).count();
        let rate = |requests| (there > 0).then(|| real(requests) / (real(there) * real(window.step)));
        trends.iter_mut().zip(requests).for_each(|(trend, requests)| trend.push(rate(requests)));
    }
    trends
}

/// `None` when it was not asked for, or has never been seen.
pub fn route(total: &Sample, name: &str) -> Option<RouteDetail> {
    let latency = total.timing(&format!("http {name}"));
    if name.is_empty() || latency.is_empty() {
        return None;
    }
    let failures = total.failures.iter().rev().filter(|failure| failure.route == name);
    Some(RouteDetail {
        name: name.to_owned(),
        durations: latency
            .octaves()
            .into_iter()
            .map(|(seconds, requests)| Octave { seconds, requests })
            .collect(),
        failures: failures.take(10).cloned().collect(),
    })
}

fn name(key: &str) -> String {
    format!("{} {}", label(key, "http_request_method"), label(key, "http_route"))
}

pub fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

#[must_use]
pub fn failed(sample: &Sample) -> f64 {
    let failed =
        sample.counts(COUNT).filter(|(key, _)| label(key, "http_response_status_code").starts_with('5'));
    failed.map(|(_, count)| count).sum()
}

#[must_use]
pub fn requests(sample: &Sample) -> f64 {
    sample.count(COUNT, &[])
}

#[must_use]
pub fn local_decisions(sample: &Sample) -> f64 {
    sample.count("coffer_rate_limit_decisions_total", &[&is("mode", "local")])
}
