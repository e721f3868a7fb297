//! Who gets in, mails, the processes, what went wrong, and the logs.

use std::collections::BTreeMap;

use super::{is, now, real, shared_now, values_of};
use crate::admin::report::{Access, Dropped, FailureGroup, LevelCount, Logs, Mails, Process, SignIns};
use crate::history::key::label;
use crate::history::sample::Sample;
use crate::history::{FINE, Window};
use crate::timestamp::Timestamp;

pub fn access(window: &Window, total: &Sample) -> Access {
    const ATTEMPTS: &str = "coffer_auth_attempts_total";
    let loads = |outcome: &str| {
        total.count("coffer_session_operations_total", &[&is("operation", "load"), &is("outcome", outcome)])
    };
    let sign_ins = values_of(total, ATTEMPTS, "method").into_iter().map(|method| {
        let this = is("method", &method);
        let count = |outcome: &str| total.count(ATTEMPTS, &[&this, &is("outcome", outcome)]);
        SignIns { success: count("success"), failure: count("failure"), limited: count("limited"), method }
    });
    Access {
        sessions_active: shared_now(window, "coffer_sessions_active"),
        session_loads_redis: loads("redis"),
        session_loads_database: loads("database"),
        sign_ins: sign_ins.collect(),
        decision_p99: total.timing_of_all("check ").quantile(0.99),
        tracked_keys: now(window, "coffer_rate_limit_tracked_keys", &[]),
        forgotten_early: total.count("coffer_rate_limit_evictions_total", &[]),
    }
}

pub fn mails(window: &Window, total: &Sample) -> Mails {
    let count = |outcome: &str| total.count("coffer_mail_attempts_total", &[&is("outcome", outcome)]);
    Mails {
        sent: count("sent"),
        postponed: count("postponed"),
        given_up: count("given_up"),
        waiting: shared_now(window, "coffer_mails_waiting"),
    }
}

pub fn processes(window: &Window, at: Timestamp) -> Vec<Process> {
    let process = |sample: &Sample, instance: &str, started: i64| {
        let gauge = |family: &str| sample.gauge(family, &[]);
        let workers = gauge("tokio_workers");
        let span = real(FINE);
        Process {
            instance: instance.to_owned(),
            uptime_seconds: (at.micros() - started) / 1_000_000,
            cpu: sample.count("process_cpu_seconds_total", &[]) / span,
            memory_bytes: gauge("process_resident_memory_bytes"),
            open_fds: gauge("process_open_fds"),
            max_fds: gauge("process_max_fds"),
            workers,
            busy: sample.count("tokio_worker_busy_seconds_total", &[]) / span / workers.max(1.0),
            tasks: gauge("tokio_alive_tasks"),
            lag_p99: sample.timing("lag loop").quantile(0.99),
            disk_free: gauge("coffer_disk_free_bytes") / gauge("coffer_disk_size_bytes").max(1.0),
        }
    };
    let latest = window.latest.iter();
    latest.map(|(source, sample)| process(sample, &source.instance, source.started)).collect()
}

pub fn failures(total: &Sample) -> Vec<FailureGroup> {
    let mut groups = BTreeMap::<(String, u16, String), FailureGroup>::new();
    for failure in &total.failures {
        let key = (failure.route.clone(), failure.status, failure.code.clone());
        let group = groups.entry(key).or_insert_with(|| FailureGroup {
            route: failure.route.clone(),
            status: failure.status,
            code: failure.code.clone(),
            count: 0,
            first: failure.at,
            latest: failure.clone(),
            logql: String::new(),
        });
        group.count += 1;
        group.latest = failure.clone();
        group.logql = format!("{{service_name=\"coffer\"}} |= \"{}\"", failure.request_id);
    }
    let mut groups: Vec<_> = groups.into_values().collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.latest.at));
    groups
}

pub fn logs(total: &Sample) -> Logs {
    let lines = total
        .counts("coffer_log_events_total")
        .map(|(key, lines)| LevelCount { level: label(key, "level").to_owned(), lines });
    let dropped = total.counts("coffer_log_dropped_total").map(|(key, lines)| Dropped {
        sink: label(key, "sink").to_owned(),
        reason: label(key, "reason").to_owned(),
        lines,
    });
    Logs { lines: lines.collect(), dropped: dropped.collect() }
}
