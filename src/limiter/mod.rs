//! The rate limiter: exact across nodes by a script in Redis, local when Redis is away, and never off.
//!
//! Read it in this order: [`gcra`] is the algorithm, [`batch`] decides all policies of a request, [`policy`] lists
//! every limit, [`key`] identifies clients, [`table`] and [`local`] are this process' memory, [`exact`] is Redis,
//! [`batches`] asks it for many requests at once, [`nodes`] exchanges reports between nodes.

pub mod accounts;
pub mod allowance;
pub mod batch;
mod batches;
pub mod blocked;
pub mod counts;
pub mod exact;
pub mod gcra;
pub mod headers;
pub mod key;
pub mod local;
mod meter;
pub mod nodes;
pub mod policy;
pub mod quota;
pub mod settings;
pub mod table;
#[cfg(test)]
mod tests;
pub mod verbs;
pub mod verdict;
mod wire;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use data_encoding::HEXLOWER;
use fred::interfaces::ClientLike as _;
use parking_lot::Mutex;

use self::batch::{Answer, Check};
use self::batches::Batcher;
use self::blocked::BlockedList;
use self::exact::{Exact, Taken};
use self::gcra::Micros;
use self::key::{ClientKey, Keyring, micros};
use self::meter::Meter;
use self::policy::{Policy, Rule};
use self::settings::Settings;
use self::table::Table;
use self::verdict::{Tier, Verdict};
use crate::keys::Keys;
use crate::redis::Redis;
use crate::system::System;
use crate::telemetry::metrics::Metrics;

#[derive(Clone, Copy, Debug)]
pub struct Target {
    pub policy: Policy,
    pub key: ClientKey,
}

/// A target with its configured quota.
#[derive(Clone, Copy, Debug)]
pub struct Charge {
    pub policy: Policy,
    pub key: ClientKey,
    pub check: Check,
}

impl AsRef<Check> for Charge {
    fn as_ref(&self) -> &Check {
        &self.check
    }
}

#[derive(Clone)]
pub struct Limiter(Arc<Inner>);

struct Inner {
    context: System,
    keyring: Keyring,
    rules: [Rule; Policy::ALL.len()],
    table: Table,
    exact: Option<Exact>,
    batcher: Option<Batcher>,
    node: String,
    nodes: AtomicU32,
    /// In Redis' time.
    last_heartbeat: Mutex<String>,
    /// Releases that Redis has not been told of.
    released: Mutex<Vec<ClientKey>>,
    blocked: BlockedList,
    meter: Meter,
}

#[derive(Debug, Default)]
#[must_use = "a success gives back what was reserved"]
pub struct Reservation {
    /// With the state by this node's clock, after the unit was taken.
    here: Vec<(Charge, Micros)>,
    in_redis: Vec<Taken>,
}

impl Limiter {
    pub fn new(
        settings: &Settings,
        keys: &Keys,
        redis: Option<&Redis>,
        context: &System,
        metrics: &Metrics,
    ) -> Self {
        let rules = Policy::ALL.map(|policy| settings.rule(policy));
        let longest = rules.iter().filter_map(|rule| rule.quota).map(gcra::Quota::memory).max();
        let patience = Duration::from_millis(settings.patience.into());
        let exact = redis.filter(|_| longest.is_some()).map(|redis| Exact::new(redis.clone(), patience));
        let (batcher, requests) = exact.is_some().then(crate::redis::batcher::batcher).unzip();
        let limiter = Self(Arc::new(Inner {
            keyring: Keyring::new(
                keys,
                longest.unwrap_or(0),
                redis.is_some_and(|redis| redis.pool().is_clustered()),
            ),
            rules,
            table: Table::new(usize::from(settings.memory) << 20),
            exact,
            batcher,
            node: HEXLOWER.encode(&context.random::<8>()),
            nodes: AtomicU32::new(1),
            last_heartbeat: Mutex::new("0".to_owned()),
            released: Mutex::default(),
            blocked: BlockedList::default(),
            meter: Meter::new(metrics),
            context: context.clone(),
        }));
        if let Some(requests) = requests {
            tokio::spawn(batches::run(Arc::downgrade(&limiter.0), requests));
        }
        limiter
    }

    /// Sends a heartbeat each second until the limiter is dropped.
    pub fn heartbeats(&self) -> impl Future<Output = ()> + use<> {
        nodes::heartbeats(Arc::downgrade(&self.0))
    }

    /// Sets the gauges of the table.
    pub fn look_at_table(&self) {
        self.0.meter.look_at(&self.0.table);
    }

    pub fn keyring(&self) -> &Keyring {
        &self.0.keyring
    }

    /// Takes a unit of every policy, or of none. A refusal that this node knows costs no round trip.
    pub async fn check(&self, targets: &[Target]) -> Verdict {
        self.take(1, targets).await
    }

    /// Takes these units of every policy, or of none.
    async fn take(&self, units: u32, targets: &[Target]) -> Verdict {
        let began = Instant::now();
        let verdict = self.decide(units, targets).await;
        self.record(&verdict, began);
        verdict
    }

    pub async fn refund(&self, reservation: Reservation) {
        let now = self.now();
        for (charge, taken) in &reservation.here {
            local::refund(&self.0.table, charge, *taken, now);
        }
        if let Some(exact) = &self.0.exact
            && !reservation.in_redis.is_empty()
        {
            // If Redis is away, the units come back with time.
            let _ = exact.refund(&reservation.in_redis).await;
        }
    }

    pub fn tier(&self) -> Tier {
        if self.0.exact.as_ref().is_some_and(Exact::is_asked) { Tier::Exact } else { Tier::Local }
    }

    pub fn nodes(&self) -> u32 {
        self.0.nodes()
    }

    async fn decide(&self, units: u32, targets: &[Target]) -> Verdict {
        let (charges, now) = (self.charges(units, targets), self.now());
        let Some(batcher) = self.0.batcher.as_ref().filter(|_| !charges.is_empty()) else {
            let answers = local::decide(&self.0.table, &charges, now);
            return Verdict::new(Tier::Local, now, charges, answers);
        };
        if let Some(known) = self.0.known_refusal(&charges, now) {
            return Verdict::new(Tier::Remembered, now, charges, known);
        }
        let answered = batcher.call(charges).await;
        answered.unwrap_or_else(|| self.0.decide_share(self.charges(units, targets)))
    }

    /// Takes nothing.
    fn remembered(&self, targets: &[Target]) -> Option<Verdict> {
        let (began, charges, now) = (Instant::now(), self.charges(1, targets), self.now());
        let answers = self.0.known_refusal(&charges, now)?;
        let verdict = Verdict::new(Tier::Remembered, now, charges, answers);
        self.record(&verdict, began);
        Some(verdict)
    }

    fn record(&self, verdict: &Verdict, began: Instant) {
        self.0.meter.decided(verdict, self.tier(), began.elapsed());
        for (charge, answer) in &verdict.answers {
            if answer.is_refused() {
                let until = micros(self.0.context.now()) + answer.decision.retry_after;
                self.0.blocked.record(charge.policy, charge.key, until, charge.check.shadow);
            }
        }
    }

    fn charges(&self, units: u32, targets: &[Target]) -> Vec<Charge> {
        let rule = |policy: Policy| self.0.rules[policy.index()];
        let is_on = |target: &&Target| rule(target.policy).quota.is_some();
        let position = |wanted| targets.iter().filter(is_on).position(|target| target.policy == wanted);
        let charge = |target: &Target| {
            let Target { policy, key } = *target;
            let Rule { quota, shadow } = rule(policy);
            let only_if_new = policy.only_if_new_to().and_then(position);
            Some(Charge { policy, key, check: Check { quota: quota?, shadow, units, only_if_new } })
        };
        targets.iter().filter_map(charge).collect()
    }

    fn reservation(&self, verdict: &Verdict) -> Reservation {
        let now = self.now();
        let here = verdict.taken().map(|(c, state)| (c, c.check.quota.rebased(state, verdict.now, now)));
        let in_redis = verdict.taken().filter(|_| verdict.tier == Tier::Exact);
        Reservation {
            here: here.collect(),
            in_redis: in_redis.map(|(charge, state)| Taken { charge, state }).collect(),
        }
    }

    fn now(&self) -> Micros {
        self.0.now()
    }
}

impl Inner {
    fn decide_share(&self, mut charges: Vec<Charge>) -> Verdict {
        let now = self.now();
        for charge in &mut charges {
            charge.check.quota = charge.check.quota.shared_by(self.nodes());
        }
        let answers = local::decide(&self.table, &charges, now);
        Verdict::new(Tier::Local, now, charges, answers)
    }

    /// Only time ends a refusal, so Redis would refuse too, unless another node gives units back.
    fn known_refusal(&self, charges: &[Charge], now: Micros) -> Option<Vec<Answer>> {
        let answers = local::peek(charges, &local::states(&self.table, charges), now);
        let refused = || charges.iter().zip(&answers).filter(|(_, answer)| answer.is_refused());
        if !refused().any(|(charge, _)| !charge.check.shadow && !charge.policy.is_refunded()) {
            return None;
        }
        refused().for_each(|(charge, _)| local::clamp(&self.table, charge, now));
        Some(answers)
    }

    /// Monotonic: after a clock is set back, clients would seem to have used up their limits.
    fn now(&self) -> Micros {
        u64::try_from(self.context.ticks()).unwrap_or(0)
    }

    fn nodes(&self) -> u32 {
        self.nodes.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for Limiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Limiter")
    }
}
