//! The cache, the limiter, the database, and whatever else coffer asks.

use super::{is, now, real, values_of};
use crate::admin::report::{Cache, Database, Dependency, Policy, PoolUse, Query};
use crate::history::Window;
use crate::history::key::label;
use crate::history::sample::Sample;

pub fn caches(window: &Window, total: &Sample) -> Vec<Cache> {
    let names = values_of(total, "coffer_cache_capacity_bytes", "cache");
    names.into_iter().map(|name| cache(window, total, name)).collect()
}

fn cache(window: &Window, total: &Sample, name: String) -> Cache {
    const REQUESTS: &str = "coffer_cache_requests_total";
    let this = is("cache", &name);
    let requests = |tier: &str, outcome: &str| {
        let (tier, outcome) = (is("tier", tier), is("outcome", outcome));
        total.count(REQUESTS, &[&this, &tier, &outcome])
    };
    let count = |family: &str| total.count(family, &[&this]);
    let loads = total.timing(&format!("load {name}"));
    Cache {
        memory_hits: requests("l1", "hit") + requests("l1", "stale"),
        memory_requests: total.count(REQUESTS, &[&this, &is("tier", "l1")]),
        redis_hits: requests("l2", "hit") + requests("l2", "stale"),
        redis_requests: total.count(REQUESTS, &[&this, &is("tier", "l2")]),
        redis_errors: requests("l2", "error"),
        stale: requests("l1", "stale") + requests("l2", "stale"),
        loads: loads.count(),
        load_p99: loads.quantile(0.99),
        coalesced: count("coffer_cache_coalesced_total"),
        evicted: count("coffer_cache_evictions_total"),
        invalidated: count("coffer_cache_invalidations_total"),
        entries: now(window, "coffer_cache_entries", &[&this]),
        weight_bytes: now(window, "coffer_cache_weight_bytes", &[&this]),
        capacity_bytes: now(window, "coffer_cache_capacity_bytes", &[&this]),
        name,
    }
}

pub fn limits(total: &Sample) -> Vec<Policy> {
    const DECISIONS: &str = "coffer_rate_limit_decisions_total";
    let policy = |name: String| {
        let this = is("policy", &name);
        let count = |label: &str, value: &str| total.count(DECISIONS, &[&this, &is(label, value)]);
        let mode = match (count("mode", "exact") > 0.0, count("mode", "local") > 0.0) {
            (true, true) => "mixed",
            (true, false) => "exact",
            (false, true) => "local",
            (false, false) => "",
        };
        Policy {
            allowed: count("decision", "allowed"),
            blocked: count("decision", "blocked"),
            shadow_blocked: count("decision", "shadow_blocked"),
            mode,
            name,
        }
    };
    values_of(total, DECISIONS, "policy").into_iter().map(policy).collect()
}

pub fn database(window: &Window, total: &Sample) -> Database {
    let pools = window
        .latest
        .iter()
        .map(|(_, sample)| sample)
        .flat_map(|sample| values_of(sample, "coffer_db_pool_max", "pool"));
    let pools: std::collections::BTreeSet<String> = pools.collect();
    let mut queries: Vec<Query> = total
        .timings("query ")
        .map(|(name, summary)| Query {
            name: name.to_owned(),
            count: summary.count(),
            total: summary.total(),
            p50: summary.quantile(0.5),
            p99: summary.quantile(0.99),
            errors: total.count("coffer_db_errors_total", &[&is("db_query_summary", name)]),
        })
        .collect();
    queries.sort_by(|a, b| b.total.total_cmp(&a.total));
    Database {
        pools: pools.into_iter().map(|name| pool(window, total, name)).collect(),
        queries,
        slow: total.slow_queries.iter().rev().take(20).cloned().collect(),
    }
}

fn pool(window: &Window, total: &Sample, name: String) -> PoolUse {
    let this = is("pool", &name);
    let connections = |state: &str| now(window, "coffer_db_pool_connections", &[&this, &is("state", state)]);
    PoolUse {
        used: connections("used"),
        idle: connections("idle"),
        max: now(window, "coffer_db_pool_max", &[&this]),
        waiting: now(window, "coffer_db_pool_waiting", &[&this]),
        acquire_p99: total.timing(&format!("acquire {name}")).quantile(0.99),
        timeouts: total.count("coffer_db_pool_acquire_timeouts_total", &[&this]),
        name,
    }
}

pub fn dependencies(window: &Window, total: &Sample) -> Vec<Dependency> {
    const UP: &str = "coffer_dependency_up";
    let latest = window.latest.iter().flat_map(|(_, sample)| sample.gauges(UP));
    let names: std::collections::BTreeSet<String> =
        latest.map(|(key, _)| label(key, "dependency").to_owned()).collect();
    let dependency = |name: String| {
        let (this, open) = (is("dependency", &name), is("state", "open"));
        let answers = total.timing(&format!("dependency {name}"));
        let asked =
            window.latest.iter().filter(|(_, sample)| sample.gauges(UP).any(|(key, _)| key.contains(&this)));
        let trouble = |sample: &Sample| {
            let down = sample.gauges(UP).any(|(key, up)| key.contains(&this) && up < 1.0);
            down || sample.gauge("coffer_circuit_breaker_state", &[&this, &open]) > 0.0
        };
        Dependency {
            up: now(window, UP, &[&this]),
            asked: real(asked.count()),
            open: now(window, "coffer_circuit_breaker_state", &[&this, &open]),
            transitions: total.count("coffer_circuit_breaker_transitions_total", &[&this]),
            rejections: total.count("coffer_circuit_breaker_rejections_total", &[&this]),
            p50: answers.quantile(0.5),
            p99: answers.quantile(0.99),
            memory_bytes: Some(now(window, "coffer_dependency_memory_bytes", &[&this]))
                .filter(|bytes| *bytes > 0.0),
            invalidation_p99: (name == "redis")
                .then(|| total.timing("invalidation lag").quantile(0.99))
                .flatten(),
            trouble: window
                .points
                .iter()
                .map(|samples| {
                    (!samples.is_empty())
                        .then(|| f64::from(u8::from(samples.iter().any(|sample| trouble(sample)))))
                })
                .collect(),
            name,
        }
    };
    names.into_iter().map(dependency).collect()
}
