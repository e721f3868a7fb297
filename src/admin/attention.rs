//! Fixed rules that say, in plain sentences, what wants an operator's eyes.

use super::report::{Attention, Dependency, Report};
use super::sections::{by_route, failed, local_decisions, requests};
use super::words::{count, duration, percent, time};
use crate::telemetry::history::requests::Classes;
use crate::telemetry::history::slot::Slot;

/// More would be noise.
const MOST: usize = 5;
/// A burn rate of 14.4 uses up the 30-day budget in two days.
const FAST_BURN: f64 = 0.0144;
/// A route fails when so many of its answers are 5xx, and such a share.
const FEW: f64 = 3.0;
const FAILING: f64 = 0.1;
const SLOW: f64 = 0.25;

/// Judges the report by its last five minutes.
pub fn judge(report: &mut Report, recent: &Slot) {
    let mut found = Vec::new();
    dependencies(report, &mut found);
    routes(report, recent, &mut found);
    answers(report, recent, &mut found);
    stores(report, recent, &mut found);
    mails(report, recent, &mut found);
    processes(report, &mut found);
    found.sort_by_key(|attention| !attention.severe);
    found.truncate(MOST);
    report.attention = found;
    (report.status, report.reason) = match report.attention.first() {
        None if report.until == 0 => {
            ("well", "It has just started; the first figures come within ten seconds.".to_owned())
        }
        None => ("well", "Nothing wants your attention.".to_owned()),
        Some(first) if first.severe => ("failing", first.text.clone()),
        Some(first) => ("degraded", first.text.clone()),
    };
}

fn dependencies(report: &Report, found: &mut Vec<Attention>) {
    for dependency in &report.dependencies {
        let name = &dependency.name;
        let optional = name == "redis";
        if dependency.up < dependency.asked {
            let text = if optional {
                "Redis can’t be reached. Nothing fails without it, but requests cost more and limits are counted by each node alone."
                    .to_owned()
            } else {
                format!(
                    "The database ({name}) can’t be reached. Requests that need it are answered with 503."
                )
            };
            found.push(Attention { text, section: "dependencies", severe: !optional });
        } else if dependency.open > 0.0 {
            let text = format!(
                "The circuit breaker of {name} is open: it failed too often and is left alone for now."
            );
            found.push(Attention { text, section: "dependencies", severe: false });
        }
    }
}

/// Each by itself: one that always fails may be a thousandth of all answers.
fn routes(report: &Report, recent: &Slot, found: &mut Vec<Attention>) {
    let fails = |answers: &Classes| answers.failed >= FEW && answers.failed / answers.total() > FAILING;
    let mut failing: Vec<_> = by_route(recent).into_iter().filter(|(_, answers)| fails(answers)).collect();
    failing.sort_by(|(_, a), (_, b)| b.failed.total_cmp(&a.failed));
    for (name, answers) in failing {
        let mut known = report.failures.iter().filter(|group| group.route == name);
        let (cause, step) = known.next().map_or_else(Default::default, |group| {
            let failure = &group.latest;
            let said = if failure.reason.is_empty() { &failure.code } else { &failure.reason };
            let since = known.map(|group| group.first).fold(group.first, std::cmp::min);
            (format!(" since {} UTC: {said}", time(since)), next_step(said))
        });
        let text = format!(
            "{name} fails{cause}. {} of its {} answers of the last five minutes are 5xx. {step}{}",
            count(answers.failed),
            count(answers.total()),
            readiness(report),
        );
        found.push(Attention { text, section: "failures", severe: true });
    }
}

/// What helps against what the database said.
fn next_step(said: &str) -> &'static str {
    const STEPS: [(&str, &str); 4] = [
        ("locked", "Another program holds the database: end it. "),
        ("full", "Make room on the database’s disk. "),
        ("readonly", "Give coffer a database that takes changes. "),
        ("internal", "The log says more, under the requests named below. "),
    ];
    let found = STEPS.iter().find(|(word, _)| said.contains(word));
    found.map_or("See whether the database is up and can be reached. ", |(_, step)| step)
}

/// By what was found when it was last asked for the figures.
fn readiness(report: &Report) -> &'static str {
    let mut needed = report.dependencies.iter().filter(|dependency| dependency.name != "redis");
    if needed.all(Dependency::is_up) { "/readyz says ready." } else { "/readyz says not ready (503)." }
}

fn answers(report: &Report, recent: &Slot, found: &mut Vec<Attention>) {
    let (all, bad) = (requests(recent), failed(recent));
    if all >= 20.0 && bad / all > FAST_BURN {
        let text = format!("{} of the answers of the last five minutes are 5xx.", percent(bad / all));
        found.push(Attention { text, section: "failures", severe: true });
    } else if report.tiles.budget_left < 0.0 {
        let text = "More answers were 5xx in this range than the objective of 99.9 % allows.".to_owned();
        found.push(Attention { text, section: "failures", severe: false });
    }
    if let Some(p99) = report.tiles.p99_seconds.filter(|p99| *p99 > SLOW && all >= 20.0) {
        let text =
            format!("One answer in a hundred takes longer than {}; the objective is 250 ms.", duration(p99));
        found.push(Attention { text, section: "routes", severe: false });
    }
}

fn stores(report: &Report, recent: &Slot, found: &mut Vec<Attention>) {
    let timeouts = recent.count("coffer_db_pool_acquire_timeouts_total", &[]);
    if timeouts > 0.0 {
        let text =
            format!("{} requests got no database connection within the last five minutes.", count(timeouts));
        found.push(Attention { text, section: "database", severe: true });
    }
    let redis = report.dependencies.iter().any(|dependency| dependency.name == "redis");
    if redis && local_decisions(recent) > 0.0 {
        let text = "Limits are counted by each node alone, because Redis didn’t answer in time.".to_owned();
        found.push(Attention { text, section: "limits", severe: false });
    }
    let dropped = recent.count("coffer_log_dropped_total", &[]);
    if dropped > 0.0 {
        let text = format!(
            "{} log lines didn’t reach Loki within the last five minutes. They are on the standard output.",
            count(dropped)
        );
        found.push(Attention { text, section: "logs", severe: false });
    }
}

fn mails(report: &Report, recent: &Slot, found: &mut Vec<Attention>) {
    let count_of =
        |outcome: &str| recent.count("coffer_mail_attempts_total", &[&format!("outcome=\"{outcome}\"")]);
    let text = if count_of("given_up") > 0.0 {
        format!(
            "{} mails could not be sent and were given up; the log says why.",
            count(count_of("given_up"))
        )
    } else if count_of("postponed") > 0.0 && count_of("sent") < 1.0 {
        format!(
            "Mails can’t be sent: {} wait. `coffer doctor` says what is wrong with the mail server.",
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
                "{name} has {} of its file descriptors open.",
                percent(process.open_fds / process.max_fds)
            );
            found.push(Attention { text, section: "processes", severe: false });
        }
        if process.busy > 0.9 {
            let text = format!("The workers of {name} are busy {} of the time.", percent(process.busy));
            found.push(Attention { text, section: "processes", severe: false });
        }
        if process.disk_free > 0.0 && process.disk_free < 0.1 {
            let text = format!("{} of the disk with {name}’s data is free.", percent(process.disk_free));
            found.push(Attention { text, section: "processes", severe: false });
        }
    }
}
