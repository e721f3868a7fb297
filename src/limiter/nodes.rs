//! What nodes tell one another each second: that they live, whom they refuse, and whom an administrator releases.

use std::collections::BTreeMap;
use std::sync::Weak;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::{MissedTickBehavior, interval};

use super::blocked::Blocked;
use super::counts::Count;
use super::key::{Id, Key};
use super::policy::{Policy, Rule};
use super::verdict::Tier;
use super::{Inner, Limiter};
use crate::redis::RedisDown;

const PULSE: Duration = Duration::from_secs(1);
/// Clients that a node names.
const NAMED: usize = 32;

/// What a node did since it started, and whom it refuses now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Report {
    pub counts: BTreeMap<Policy, Count>,
    pub blocked: Vec<Blocked>,
}

/// All nodes together.
#[derive(Clone, Debug)]
pub struct Overview {
    /// How this node decides, and how many nodes it knows of.
    pub tier: Tier,
    pub nodes: u32,
    /// How many of them the figures are of.
    pub heard: usize,
    pub policies: Vec<(Policy, Rule, Count)>,
    /// The most refused first.
    pub blocked: Vec<Blocked>,
}

impl Limiter {
    /// What all nodes have told; this one's alone while Redis is away.
    pub async fn overview(&self) -> Overview {
        let mut reports = match &self.0.exact {
            Some(exact) => exact.reports(&self.0.node).await.unwrap_or_default(),
            None => Vec::new(),
        };
        reports.push(self.0.report());
        let (tier, nodes) = self.tier();
        let policies = Policy::ALL.map(|policy| {
            let counts = reports.iter().filter_map(|report| report.counts.get(&policy));
            (policy, self.0.rules[policy.index()], counts.fold(Count::default(), |sum, count| sum + *count))
        });
        let mut blocked: Vec<Blocked> = Vec::new();
        let now = super::micros(self.0.context.now());
        for client in reports.iter().flat_map(|report| &report.blocked).filter(|b| b.until > now) {
            match blocked.iter_mut().find(|known| known.is_same(client)) {
                Some(known) => known.join(client),
                None => blocked.push(client.clone()),
            }
        }
        blocked.sort_by_key(|client| std::cmp::Reverse(client.refusals));
        Overview { tier, nodes, heard: reports.len(), policies: policies.to_vec(), blocked }
    }

    /// Forgets the clients that are shown by these twelve digits: here at once, at other nodes within a second, or a
    /// second after Redis is back. Whether there were any.
    pub async fn release(&self, short: &str) -> bool {
        let blocked = self.overview().await.blocked;
        let keys: Vec<Key> = blocked.iter().map(|b| b.key).filter(|key| key.today.short() == short).collect();
        self.forget(&keys).await;
        !keys.is_empty()
    }

    pub(super) async fn forget(&self, keys: &[Key]) {
        keys.iter().copied().flat_map(Key::ids).for_each(|id| self.0.let_go(id));
        self.0.released.lock().extend(keys);
        // One that fails is followed by the next.
        let _ = self.0.pulse().await;
    }
}

impl Inner {
    /// Tells Redis what there is to tell, and does what others have told.
    async fn pulse(&self) -> Result<(), RedisDown> {
        let Some(exact) = &self.exact else { return Ok(()) };
        let since = self.heard.lock().clone();
        let released = self.released.lock().clone();
        let pulse = exact.pulse(&self.node, &since, &self.report(), &released).await?;
        self.nodes.store(pulse.nodes.max(1), std::sync::atomic::Ordering::Relaxed);
        pulse.released.into_iter().for_each(|id| self.let_go(id));
        *self.heard.lock() = pulse.now;
        self.released.lock().retain(|key| !released.contains(key));
        Ok(())
    }

    fn report(&self) -> Report {
        let counts = Policy::ALL.map(|policy| (policy, self.meter.count(policy)));
        let mut blocked = self.blocked.top(super::micros(self.context.now()));
        blocked.truncate(NAMED);
        Report {
            counts: counts.into_iter().filter(|(_, count)| *count != Count::default()).collect(),
            blocked,
        }
    }

    /// Forgets a client, and those who have tried this account, of whom Redis is told with the next pulse.
    fn let_go(&self, id: Id) {
        for key in self.blocked.who_tried(id) {
            key.ids().for_each(|id| self.forget(id));
            self.released.lock().push(key);
        }
        self.forget(id);
    }

    fn forget(&self, id: Id) {
        for policy in Policy::ALL {
            self.table.update(id.place(policy as u8), |_| (0, ()));
        }
        self.blocked.forget(id);
    }
}

/// A pulse a second, as long as the limiter is in use.
pub(super) async fn pulses(inner: Weak<Inner>) {
    let mut tick = interval(PULSE);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        let Some(inner) = inner.upgrade().filter(|inner| inner.exact.is_some()) else { return };
        // The nodes stay as they were last known.
        let _ = inner.pulse().await;
    }
}
