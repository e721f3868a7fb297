//! Fixed rules that tell the operator, in plain sentences, what needs attention.

use std::iter::repeat;

use super::format::{count, duration, percent, time};
use super::report::{Attention, Report};
use super::sections::{by_route, failed, local_decisions, requests};
use crate::health::Health;
use crate::history::requests::Classes;
use crate::history::sample::Sample;
use crate::timestamp::Timestamp;

/// More would be noise.
const MOST: usize = 5;
/// A burn rate of 14.4 uses up the 30-day budget in two days.
const FAST_BURN: f64 = 0.0144;
/// A route fails with at least this many answers of 5xx, and over this share.
const FEW: f64 = 3.0;
const FAILING: f64 = 0.1;
const SLOW: f64 = 0.25;
const HALF_A_DAY: i64 = 12 * 3_600;
/// The one dependency that nothing needs.
const REDIS: &str = "redis";

/// Judges the report by its last five minutes.
pub async fn judge(health: &Health, report: &mut Report, recent: &Sample) {
    // A disk that fills up stays among the first, as it makes the rest fail.
    let mut found = disks(report);
    found.extend(failures(health, report, recent).await);
    dependencies(report, &mut found);
    answers(report, recent, &mut found);
    stores(report, recent, &mut found);
    mails(report, recent, &mut found);
    processes(report, &mut found);
    found.sort_by_key(|attention| !attention.severe);
    found.truncate(MOST);
    report.attention = found;
    (report.status, report.reason) = match report.attention.first() {
        None if report.until == 0 => {
            ("well", "coffer has just started. The first figures appear within ten seconds.".to_owned())
        }
        None => ("well", "Nothing needs your attention.".to_owned()),
        Some(first) if first.severe => ("failing", first.text.clone()),
        Some(first) => ("degraded", first.text.clone()),
    };
}

/// While the database is away, the first sentence names it: the cause beside its effect.
async fn failures(health: &Health, report: &Report, recent: &Sample) -> Vec<Attention> {
    let away = report.dependencies.iter().find(|needed| needed.name != REDIS && !needed.is_up());
    let away = away.map(|database| format!("The database ({}) is unavailable", database.name));
    let failing = failing_routes(recent);
    if failing.is_empty() && away.is_none() {
        return Vec::new();
    }
    let is_ready = health.check().await.is_ready();
    let readyz = if is_ready { "/readyz says ready." } else { "/readyz says not ready (503)." };
    let severe = |text, section| Attention { text, section, severe: true };
    if let (true, Some(away)) = (failing.is_empty(), &away) {
        let text = format!("{away}. Requests that need it fail with 503. {readyz}");
        return vec![severe(text, "dependencies")];
    }
    let leads = away.map(|away| format!("{away}, and ")).into_iter().chain(repeat(String::new()));
    let routes = failing.iter().zip(leads);
    routes
        .map(|(route, lead)| severe(format!("{lead}{}{readyz}", sentences(report, route)), "failures"))
        .collect()
}

/// The worst first. Judged alone: a route that always fails may have a thousandth of all answers.
fn failing_routes(recent: &Sample) -> Vec<(String, Classes)> {
    let fails = |answers: &Classes| answers.failed >= FEW && answers.failed / answers.total() > FAILING;
    let mut failing: Vec<_> = by_route(recent).into_iter().filter(|(_, answers)| fails(answers)).collect();
    failing.sort_by(|(_, a), (_, b)| b.failed.total_cmp(&a.failed));
    failing
}

/// Since when, why, how often, and what to do.
fn sentences(report: &Report, (name, answers): &(String, Classes)) -> String {
    let latest = report.failures.iter().find(|group| group.route == *name).map(|group| &group.latest);
    let (cause, step) = latest.map_or_else(Default::default, |failure| {
        let said = if failure.reason.is_empty() { &failure.code } else { &failure.reason };
        (format!(" (since {} UTC: {said})", moment(report, failure.since)), next_step(said))
    });
    let (failed, all) = (count(answers.failed), count(answers.total()));
    format!(
        "{name} is failing{cause}. In the last five minutes, {failed} of {all} requests got server errors. {step}"
    )
}

/// The time of the day, with the date where the day is not clear.
fn moment(report: &Report, at: Timestamp) -> String {
    let age = report.until - at.micros() / 1_000_000;
    if age < HALF_A_DAY { time(at) } else { format!("{}, {}", at.day(), time(at)) }
}

fn next_step(said: &str) -> &'static str {
    const STEPS: [(&str, &str); 4] = [
        ("locked", "Another program has locked the database. Stop it. "),
        ("full", "Free up space on the database’s disk. "),
        ("readonly", "Connect coffer to a writable database. "),
        ("internal", "For details, see the log entries of the requests listed below. "),
    ];
    let found = STEPS.iter().find(|(word, _)| said.contains(word));
    found.map_or("Check that the database is running and reachable. ", |(_, step)| step)
}

fn dependencies(report: &Report, found: &mut Vec<Attention>) {
    for dependency in &report.dependencies {
        let name = &dependency.name;
        let text = if !dependency.is_up() && name == REDIS {
            "Redis is unreachable. Nothing fails without it, but requests are slower and each node counts limits on its own."
                .to_owned()
        } else if dependency.is_up() && dependency.open > 0.0 {
            format!(
                "The circuit breaker for {name} is open because of repeated failures. coffer doesn’t use it for now."
            )
        } else {
            continue;
        };
        found.push(Attention { text, section: "dependencies", severe: false });
    }
}

fn answers(report: &Report, recent: &Sample, found: &mut Vec<Attention>) {
    let (all, bad) = (requests(recent), failed(recent));
    if all >= 20.0 && bad / all > FAST_BURN {
        let text = format!("{} of requests in the last five minutes got server errors.", percent(bad / all));
        found.push(Attention { text, section: "failures", severe: true });
    } else if report.tiles.budget_left < 0.0 {
        let text = "The error rate in this range exceeds the objective of 99.9 % success.".to_owned();
        found.push(Attention { text, section: "failures", severe: false });
    }
    if let Some(p99) = report.tiles.p99_seconds.filter(|p99| *p99 > SLOW && all >= 20.0) {
        let text = format!("The p99 response time is {}; the objective is 250 ms.", duration(p99));
        found.push(Attention { text, section: "routes", severe: false });
    }
}

fn stores(report: &Report, recent: &Sample, found: &mut Vec<Attention>) {
    let timeouts = recent.count("coffer_db_pool_acquire_timeouts_total", &[]);
    if timeouts > 0.0 {
        let text = format!(
            "{} requests timed out waiting for a database connection in the last five minutes.",
            count(timeouts)
        );
        found.push(Attention { text, section: "database", severe: true });
    }
    let redis = report.dependencies.iter().any(|dependency| dependency.name == REDIS);
    if redis && local_decisions(recent) > 0.0 {
        let text = "Each node counts limits on its own because Redis didn’t respond in time.".to_owned();
        found.push(Attention { text, section: "limits", severe: false });
    }
    let dropped = recent.count("coffer_log_dropped_total", &[]);
    if dropped > 0.0 {
        let text = format!(
            "{} log lines didn’t reach Loki in the last five minutes. You can find them in standard output.",
            count(dropped)
        );
        found.push(Attention { text, section: "logs", severe: false });
    }
}

fn mails(report: &Report, recent: &Sample, found: &mut Vec<Attention>) {
    let count_of =
        |outcome: &str| recent.count("coffer_mail_attempts_total", &[&format!("outcome=\"{outcome}\"")]);
    let text = if count_of("given_up") > 0.0 {
        format!("{} emails could not be delivered. See the log for the reason.", count(count_of("given_up")))
    } else if count_of("postponed") > 0.0 && count_of("sent") < 1.0 {
        format!(
            "Emails can’t be sent; {} are queued. Run `coffer doctor` to see what is wrong with the mail server.",
            count(report.mails.waiting)
        )
    } else {
        return;
    };
    found.push(Attention { text, section: "mails", severe: false });
}

fn processes(report: &Report, found: &mut Vec<Attention>) {
    for process in &report.processes {
        let name = &process.instance;
        if process.max_fds > 0.0 && process.open_fds / process.max_fds > 0.8 {
            let text = format!(
                "{name} uses {} of its file descriptors.",
                percent(process.open_fds / process.max_fds)
            );
            found.push(Attention { text, section: "processes", severe: false });
        }
        if process.busy > 0.9 {
            let text =
                format!("The worker threads of {name} are busy {} of the time.", percent(process.busy));
            found.push(Attention { text, section: "processes", severe: false });
        }
    }
}

fn disks(report: &Report) -> Vec<Attention> {
    let filling =
        report.processes.iter().filter(|process| process.disk_free > 0.0 && process.disk_free < 0.1);
    filling
        .map(|process| {
            let (name, free) = (&process.instance, percent(process.disk_free));
            let text = format!("Only {free} of the disk with {name}’s data is free. Free up some space.");
            Attention { text, section: "processes", severe: process.disk_free < 0.03 }
        })
        .collect()
}
