//! The report's drawings, with the words and numbers around them.

use super::chart::{self, Series, ceiling};
use super::format::{self, clock, duration, maybe, number};
use super::report::{Report, RouteDetail, Traffic};

/// The objective for the slowest answer in a hundred, in seconds.
const OBJECTIVE: f64 = 0.25;
const ROWS: usize = 16;

pub struct Charts {
    pub traffic: Chart,
    pub latency: Chart,
    pub flight: Chart,
    /// In the tiles' order: requests, errors, p95, p99, in flight.
    pub sparks: [String; 5],
}

pub struct Chart {
    pub id: &'static str,
    pub title: &'static str,
    /// The chart in words, for screen readers.
    pub description: String,
    pub svg: String,
    pub top: String,
    pub from: String,
    pub until: String,
    pub legend: &'static [(&'static str, &'static str)],
    pub heads: &'static [&'static str],
    pub rows: Vec<(String, Vec<String>)>,
}

pub fn charts(report: &Report) -> Charts {
    let of = |value: fn(&Traffic) -> Option<f64>| -> Vec<Option<f64>> {
        report.traffic.iter().map(|step| step.as_ref().and_then(value)).collect()
    };
    let values = [
        of(|step| Some(step.total())),
        of(|step| (step.total() > 0.0).then(|| step.failed / step.total())),
        of(|step| step.p95),
        of(|step| step.p99),
        of(|step| Some(step.in_flight)),
    ];
    Charts {
        sparks: values.each_ref().map(|values| chart::spark(&thinned(values))),
        traffic: traffic(report, &of),
        latency: latency(report, &of),
        flight: flight(report, &of),
    }
}

/// A bar of time, filled where something was wrong.
#[must_use]
pub fn timeline(trouble: &[Option<f64>]) -> String {
    let bad = chart::stack(&[Series { class: "failed", values: trouble.to_vec() }], 1.0);
    let steps = trouble.iter().flatten().filter(|trouble| **trouble > 0.0).count();
    let words = if steps == 0 {
        "no problems".to_owned()
    } else {
        format!("problems in {steps} of {} intervals", trouble.len())
    };
    format!(
        r#"<svg class="timeline" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{words}" focusable="false">{bad}</svg>"#,
        chart::WIDTH,
        chart::HEIGHT
    )
}

/// Seconds where each part ends, its requests, and the width of its bar out of 100.
#[must_use]
pub fn octaves(route: &RouteDetail) -> Vec<(f64, u64, String)> {
    let most = route.durations.iter().map(|octave| octave.requests).max().unwrap_or(1);
    let width = |count: u64| format::width(format::real(count), format::real(most));
    route.durations.iter().map(|octave| (octave.seconds, octave.requests, width(octave.requests))).collect()
}

type Values<'a> = dyn Fn(fn(&Traffic) -> Option<f64>) -> Vec<Option<f64>> + 'a;

fn traffic(report: &Report, of: &Values) -> Chart {
    let series = [
        Series { class: "ok", values: of(|step| Some(step.success)) },
        Series { class: "redirect", values: of(|step| Some(step.redirect)) },
        Series { class: "refused", values: of(|step| Some(step.refused)) },
        Series { class: "limited", values: of(|step| Some(step.limited)) },
        Series { class: "failed", values: of(|step| Some(step.failed)) },
    ];
    let most = ceiling(report.traffic.iter().flatten().map(Traffic::total));
    Chart {
        id: "traffic",
        title: "Requests per second",
        description: format!("Requests per second by status class, up to {}.", number(most)),
        svg: chart::grid() + &chart::stack(&series, most) + &starts(report),
        top: format!("{}/s", number(most)),
        legend: &[
            ("ok", "2xx"),
            ("redirect", "3xx"),
            ("refused", "4xx"),
            ("limited", "429"),
            ("failed", "5xx"),
        ],
        heads: &["2xx", "3xx", "4xx", "429", "5xx"],
        rows: rows(report, &|step| {
            [step.success, step.redirect, step.refused, step.limited, step.failed].map(number).to_vec()
        }),
        ..frame(report)
    }
}

fn latency(report: &Report, of: &Values) -> Chart {
    let series = [
        Series { class: "p50", values: of(|step| step.p50) },
        Series { class: "p95", values: of(|step| step.p95) },
        Series { class: "p99", values: of(|step| step.p99) },
    ];
    let most = ceiling(report.traffic.iter().flatten().filter_map(|step| step.p99));
    Chart {
        id: "latency",
        title: "Response time",
        description: format!(
            "Median, 95th and 99th percentile of the response time, up to {}.",
            duration(most)
        ),
        svg: chart::grid()
            + &chart::lines(&series, most)
            + &chart::level("objective", OBJECTIVE, most)
            + &starts(report),
        top: duration(most),
        legend: &[("p99", "p99"), ("p95", "p95"), ("p50", "median"), ("objective", "objective")],
        heads: &["median", "p95", "p99"],
        rows: rows(report, &|step| [step.p50, step.p95, step.p99].map(maybe).to_vec()),
        ..frame(report)
    }
}

fn flight(report: &Report, of: &Values) -> Chart {
    let series = [Series { class: "flight", values: of(|step| Some(step.in_flight)) }];
    let most = ceiling(report.traffic.iter().flatten().map(|step| step.in_flight));
    Chart {
        id: "flight",
        title: "Requests in flight",
        description: format!("Requests in flight at the end of each interval, up to {}.", number(most)),
        svg: chart::grid() + &chart::lines(&series, most) + &starts(report),
        top: number(most),
        legend: &[("flight", "in flight"), ("start", "coffer started")],
        heads: &["in flight"],
        rows: rows(report, &|step| vec![number(step.in_flight)]),
        ..frame(report)
    }
}

fn frame(report: &Report) -> Chart {
    let steps = i64::try_from(report.traffic.len()).unwrap_or(0);
    Chart {
        id: "",
        title: "",
        description: String::new(),
        svg: String::new(),
        top: String::new(),
        from: clock(report.from)[..5].to_owned(),
        until: clock(report.from + steps * report.step)[..5].to_owned(),
        legend: &[],
        heads: &[],
        rows: Vec::new(),
    }
}

fn starts(report: &Report) -> String {
    let steps = i32::try_from(report.traffic.len()).unwrap_or(1);
    let width = f64::from(steps) * f64::from(i32::try_from(report.step).unwrap_or(1));
    let after = report.starts.iter().filter_map(|start| i32::try_from(start - report.from).ok());
    let shown = after.map(|after| f64::from(after) / width).filter(|share| (0.0..=1.0).contains(share));
    shown.map(|share| chart::mark("start", share)).collect()
}

/// Up to `ROWS` steps at equal distances, the latest first.
fn rows(report: &Report, cells: &dyn Fn(&Traffic) -> Vec<String>) -> Vec<(String, Vec<String>)> {
    let every = report.traffic.len().div_ceil(ROWS).max(1);
    let steps = report.traffic.iter().enumerate().rev().step_by(every);
    let known = steps.filter_map(|(place, step)| Some((step.as_ref()?, place)));
    let at = |place: usize| clock(report.from + i64::try_from(place).unwrap_or(0) * report.step);
    known.map(|(step, place)| (at(place), cells(step))).collect()
}

/// A small drawing has few points: the highest value of each group.
fn thinned(values: &[Option<f64>]) -> Vec<Option<f64>> {
    let chunk = values.len().div_ceil(60).max(1);
    values.chunks(chunk).map(|part| part.iter().flatten().copied().reduce(f64::max)).collect()
}
