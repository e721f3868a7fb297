//! The rate limiter: exact across nodes by one script in Redis, on its own when Redis is away, and never open.
//!
//! Reading order: [`gcra`] is the algorithm, [`batch`] all policies of a request, [`policy`] every limit there is;
//! [`key`] says who a client is; [`table`] and [`local`] are this process' memory, [`exact`] is Redis, [`flights`] how
//! requests ask it together, [`nodes`] what nodes tell one another.

pub mod accounts;
pub mod batch;
pub mod blocked;
pub mod counts;
pub mod exact;
mod flights;
pub mod gcra;
pub mod headers;
pub mod key;
pub mod layer;
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

use self::batch::{Answer, Ask};
use self::blocked::BlockedList;
use self::exact::{Exact, Taken};
use self::flights::Flights;
use self::gcra::Micros;
use self::key::{Key, Keyring, micros};
use self::meter::Meter;
use self::policy::{Policy, Rule};
use self::settings::Settings;
use self::table::Table;
use self::verdict::{Tier, Verdict};
use crate::context::Context;
use crate::keys::Keys;
use crate::redis::Redis;
use crate::telemetry::metrics::Metrics;

/// One policy for one client.
#[derive(Clone, Copy, Debug)]
pub struct Charge {
    pub policy: Policy,
    pub key: Key,
    pub ask: Ask,
}

impl AsRef<Ask> for Charge {
    fn as_ref(&self) -> &Ask {
        &self.ask
    }
}

/// Cheap to clone.
#[derive(Clone)]
pub struct Limiter(Arc<Inner>);

struct Inner {
    context: Context,
    keyring: Keyring,
    rules: [Rule; Policy::ALL.len()],
    table: Table,
    exact: Option<Exact>,
    flights: Option<Flights>,
    node: String,
    /// The live nodes as this one last heard.
    nodes: AtomicU32,
    heard: Mutex<String>,
    /// Whom Redis has still to be told of.
    released: Mutex<Vec<Key>>,
    blocked: BlockedList,
    meter: Meter,
}

/// Units that were taken, to be given back after a success.
#[derive(Debug, Default)]
#[must_use = "a success gives back what was reserved"]
pub struct Reservation {
    /// With the state by this node's clock, once it was taken.
    here: Vec<(Charge, Micros)>,
    in_redis: Vec<Taken>,
}

impl Limiter {
    /// With Redis the limits are exact for all nodes that share it and the secret key.
    #[must_use]
    pub fn new(
        settings: &Settings,
        keys: &Keys,
        redis: Option<&Redis>,
        context: &Context,
        metrics: &Metrics,
    ) -> Self {
        let rules = Policy::ALL.map(|policy| settings.rule(policy));
        let longest = rules.iter().filter_map(|rule| rule.quota).map(gcra::Quota::memory).max();
        let patience = Duration::from_millis(settings.patience.into());
        let exact = redis.filter(|_| longest.is_some()).map(|redis| Exact::new(redis.clone(), patience));
        let (flights, questions) = exact.is_some().then(crate::redis::flights::flights).unzip();
        let limiter = Self(Arc::new(Inner {
            keyring: Keyring::new(
                keys,
                longest.unwrap_or(0),
                redis.is_some_and(|redis| redis.pool().is_clustered()),
            ),
            rules,
            table: Table::new(usize::from(settings.memory) << 20),
            exact,
            flights,
            node: HEXLOWER.encode(&context.random::<8>()),
            nodes: AtomicU32::new(1),
            heard: Mutex::new("0".to_owned()),
            released: Mutex::default(),
            blocked: BlockedList::default(),
            meter: Meter::new(metrics),
            context: context.clone(),
        }));
        if let Some(questions) = questions {
            tokio::spawn(flights::fly(Arc::downgrade(&limiter.0), questions));
        }
        limiter
    }

    /// Tells the other nodes each second that this one lives, as long as the limiter is in use.
    pub fn pulses(&self) -> impl Future<Output = ()> + use<> {
        nodes::pulses(Arc::downgrade(&self.0))
    }

    /// Sets the gauges of the table.
    pub fn look_at_table(&self) {
        self.0.meter.look_at(&self.0.table);
    }

    #[must_use]
    pub fn keyring(&self) -> &Keyring {
        &self.0.keyring
    }

    /// Takes a unit of every policy, or of none. What a client is known to be refused costs no round trip.
    pub async fn check(&self, asked: &[(Policy, Key)]) -> Verdict {
        let began = Instant::now();
        let verdict = self.decide(asked).await;
        self.note(&verdict, began);
        verdict
    }

    /// Gives back what a success need not have cost.
    pub async fn refund(&self, reservation: Reservation) {
        let now = self.now();
        for (charge, taken) in &reservation.here {
            local::refund(&self.0.table, charge, *taken, now);
        }
        if let Some(exact) = &self.0.exact
            && !reservation.in_redis.is_empty()
        {
            // Without Redis the units come back with time.
            let _ = exact.refund(&reservation.in_redis).await;
        }
    }

    /// Whether Redis decides, and else for how many nodes this one takes its part.
    #[must_use]
    pub fn tier(&self) -> (Tier, u32) {
        let tier = if self.0.exact.as_ref().is_some_and(Exact::is_asked) { Tier::Exact } else { Tier::Local };
        (tier, self.0.nodes())
    }

    async fn decide(&self, asked: &[(Policy, Key)]) -> Verdict {
        let (charges, now) = (self.charges(asked), self.now());
        let Some(flights) = self.0.flights.as_ref().filter(|_| !charges.is_empty()) else {
            let answers = local::decide(&self.0.table, &charges, now);
            return Verdict::of(Tier::Local, now, charges, answers);
        };
        match self.0.known_refusal(&charges, now) {
            Some(known) => Verdict::of(Tier::Remembered, now, charges, known),
            None => flights.ask(charges).await.unwrap_or_else(|| self.0.decide_part(self.charges(asked))),
        }
    }

    /// The refusal that this node knows of, without taking anything.
    fn remembered(&self, asked: &[(Policy, Key)]) -> Option<Verdict> {
        let (began, charges, now) = (Instant::now(), self.charges(asked), self.now());
        let answers = self.0.known_refusal(&charges, now)?;
        let verdict = Verdict::of(Tier::Remembered, now, charges, answers);
        self.note(&verdict, began);
        Some(verdict)
    }

    /// For administrators and the log.
    fn note(&self, verdict: &Verdict, began: Instant) {
        self.0.meter.decided(verdict, self.tier().0, began.elapsed());
        for (charge, answer) in &verdict.answers {
            if answer.is_refused() {
                let until = micros(self.0.context.now()) + answer.decision.retry_after;
                self.0.blocked.note(charge.policy, charge.key, until, charge.ask.shadow);
            }
        }
    }

    fn charges(&self, asked: &[(Policy, Key)]) -> Vec<Charge> {
        let rule = |policy: Policy| self.0.rules[policy.index()];
        let is_on = |(policy, _): &&(Policy, Key)| rule(*policy).quota.is_some();
        let position = |wanted| asked.iter().filter(is_on).position(|(policy, _)| *policy == wanted);
        let charge = |(policy, key): &(Policy, Key)| {
            let Rule { quota, shadow } = rule(*policy);
            let only_if_new = policy.only_if_new_to().and_then(position);
            Some(Charge { policy: *policy, key: *key, ask: Ask { quota: quota?, shadow, only_if_new } })
        };
        asked.iter().filter_map(charge).collect()
    }

    fn reservation(&self, verdict: &Verdict) -> Reservation {
        let now = self.now();
        let here = verdict.taken().map(|(c, state)| (c, c.ask.quota.moved(state, verdict.now, now)));
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
    /// While the nodes can't agree, each gives out its part.
    fn decide_part(&self, mut charges: Vec<Charge>) -> Verdict {
        let now = self.now();
        for charge in &mut charges {
            charge.ask.quota = charge.ask.quota.shared_by(self.nodes());
        }
        let answers = local::decide(&self.table, &charges, now);
        Verdict::of(Tier::Local, now, charges, answers)
    }

    /// Time alone ends a refusal, so Redis would say the same; except where other nodes give units back.
    fn known_refusal(&self, charges: &[Charge], now: Micros) -> Option<Vec<Answer>> {
        let answers = local::look(charges, &local::states(&self.table, charges), now);
        let refused = || charges.iter().zip(&answers).filter(|(_, answer)| answer.is_refused());
        if !refused().any(|(charge, _)| !charge.ask.shadow && !charge.policy.is_refunded()) {
            return None;
        }
        refused().for_each(|(charge, _)| local::clamp(&self.table, charge, now));
        Some(answers)
    }

    /// By a clock that nobody sets back: else whoever was here before would seem to have used all of a limit.
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
