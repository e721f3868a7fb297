//! What nodes report to each other every second: that they are alive, whom they refuse, whom they release.

use std::collections::BTreeMap;
use std::sync::Weak;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::{MissedTickBehavior, interval};

use super::blocked::Blocked;
use super::counts::Count;
use super::key::{ClientId, ClientKey};
use super::policy::{Policy, Rule};
use super::verdict::Tier;
use super::{Inner, Limiter};
use crate::redis::RedisDown;

const HEARTBEAT_EVERY: Duration = Duration::from_secs(1);
const MAX_NAMED: usize = 32;

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Report {
    pub counts: BTreeMap<Policy, Count>,
    pub blocked: Vec<Blocked>,
}

#[derive(Clone, Debug)]
pub struct Overview {
    /// This node's tier, and how many nodes it knows of.
    pub tier: Tier,
    pub nodes: u32,
    pub heard: usize,
    pub policies: Vec<(Policy, Rule, Count)>,
    /// The most refused first.
    pub blocked: Vec<Blocked>,
}

impl Limiter {
    /// From all nodes' reports; from this node alone while Redis is away.
    pub async fn overview(&self) -> Overview {
        let mut reports = match &self.0.exact {
            Some(exact) => exact.reports(&self.0.node).await.unwrap_or_default(),
            None => Vec::new(),
        };
        reports.push(self.0.report());
        let (tier, nodes) = (self.tier(), self.nodes());
        let policies = Policy::ALL.map(|policy| {
            let counts = reports.iter().filter_map(|report| report.counts.get(&policy));
            (policy, self.0.rules[policy.index()], counts.fold(Count::default(), |sum, count| sum + *count))
        });
        let mut blocked: Vec<Blocked> = Vec::new();
        let now = super::micros(self.0.context.now());
        for client in reports.iter().flat_map(|report| &report.blocked).filter(|b| b.until > now) {
            match blocked.iter_mut().find(|known| known.is_same(client)) {
                Some(known) => known.merge(client),
                None => blocked.push(client.clone()),
            }
        }
        blocked.sort_by_key(|client| std::cmp::Reverse(client.refusals));
        Overview { tier, nodes, heard: reports.len(), policies: policies.to_vec(), blocked }
    }

    /// `short`: the twelve digits on pages. Other nodes follow within a second of Redis being there.
    pub async fn release(&self, short: &str) -> bool {
        let blocked = self.overview().await.blocked;
        let keys: Vec<ClientKey> =
            blocked.iter().map(|b| b.key).filter(|key| key.today.short() == short).collect();
        self.forget(&keys).await;
        !keys.is_empty()
    }

    pub(super) async fn forget(&self, keys: &[ClientKey]) {
        keys.iter().copied().flat_map(ClientKey::ids).for_each(|id| self.0.release(id));
        self.0.released.lock().extend(keys);
        // If it fails, the next heartbeat tells Redis.
        let _ = self.0.heartbeat().await;
    }
}

impl Inner {
    /// Reports to Redis, and applies the releases of other nodes.
    async fn heartbeat(&self) -> Result<(), RedisDown> {
        let Some(exact) = &self.exact else { return Ok(()) };
        let since = self.last_heartbeat.lock().clone();
        let released = self.released.lock().clone();
        let reply = exact.heartbeat(&self.node, &since, &self.report(), &released).await?;
        self.nodes.store(reply.nodes.max(1), std::sync::atomic::Ordering::Relaxed);
        reply.released.into_iter().for_each(|id| self.release(id));
        *self.last_heartbeat.lock() = reply.now;
        self.released.lock().retain(|key| !released.contains(key));
        Ok(())
    }

    fn report(&self) -> Report {
        let counts = Policy::ALL.map(|policy| (policy, self.meter.count(policy)));
        let mut blocked = self.blocked.top(super::micros(self.context.now()));
        blocked.truncate(MAX_NAMED);
        Report {
            counts: counts.into_iter().filter(|(_, count)| *count != Count::default()).collect(),
            blocked,
        }
    }

    /// Forgets a client, and the clients that tried this account. The next heartbeat tells Redis of these.
    fn release(&self, id: ClientId) {
        for key in self.blocked.who_tried(id) {
            key.ids().for_each(|id| self.forget(id));
            self.released.lock().push(key);
        }
        self.forget(id);
    }

    fn forget(&self, id: ClientId) {
        for policy in Policy::ALL {
            self.table.update(id.cell_key(policy as u8), |_| (0, ()));
        }
        self.blocked.forget(id);
    }
}

pub(super) async fn heartbeats(inner: Weak<Inner>) {
    let mut tick = interval(HEARTBEAT_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        let Some(inner) = inner.upgrade().filter(|inner| inner.exact.is_some()) else { return };
        // If it fails, the known number of nodes stays.
        let _ = inner.heartbeat().await;
    }
}
