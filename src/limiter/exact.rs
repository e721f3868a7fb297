//! The exact tier: one script in Redis decides for all nodes, by Redis' clock made monotonic.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use fred::prelude::*;
use futures_util::future::BoxFuture;
use futures_util::future::try_join_all;
use tokio::time::timeout;

use super::Charge;
use super::batch::{Answer, Outcome};
use super::gcra::{Micros, Quota};
use super::key::{ClientId, ClientKey};
use super::nodes::Report;
use super::wire::{Part, all_names, clock_name, decode, encode, name, number, part_of, slots, spared};
use crate::redis::script::Script;
use crate::redis::{Redis, RedisDown};

/// After this many time-outs in a row, requests stop asking Redis.
const FAILURES_TO_PAUSE: u32 = 3;
const PAUSE: Duration = Duration::from_secs(1);
/// A timer that fires later than this shows that this node is busy, and does not count against Redis.
const LATE: Duration = Duration::from_millis(4);
const LONGEST_WAIT: Duration = Duration::from_secs(2);
const NODE_LIFE: Duration = Duration::from_secs(5);
const RELEASE_LIFE: Duration = Duration::from_hours(1);

pub struct Exact {
    redis: Redis,
    patience: Duration,
    /// The limit for a wait whose timers fire late.
    longest: Duration,
    take: Script,
    refund: Script,
    failures: AtomicU32,
    began: Instant,
    /// In microseconds since `began`; 0 while Redis is asked.
    paused_until: AtomicU64,
}

/// `now`: the script's time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    pub now: Micros,
    pub answers: Vec<Answer>,
}

pub struct HeartbeatReply {
    pub now: String,
    pub nodes: u32,
    pub released: Vec<ClientId>,
}

#[derive(Clone, Copy, Debug)]
pub struct Taken {
    pub charge: Charge,
    /// By Redis' clock, after the unit was taken.
    pub state: Micros,
}

impl Exact {
    pub fn new(redis: Redis, patience: Duration) -> Self {
        Self {
            redis,
            patience,
            longest: LONGEST_WAIT.max(patience),
            take: Script::new(concat!(include_str!("clock.lua"), include_str!("script.lua"))),
            refund: Script::new(concat!(include_str!("clock.lua"), include_str!("refund.lua"))),
            failures: AtomicU32::new(0),
            began: Instant::now(),
            paused_until: AtomicU64::new(0),
        }
    }

    /// One round trip for all requests; in a cluster, one for each request and hash slot.
    pub async fn take(&self, requests: &[&[Charge]]) -> Result<Vec<Reply>, RedisDown> {
        if self.redis.pool().is_clustered() {
            try_join_all(requests.iter().map(|charges| self.take_from_slots(charges))).await
        } else {
            self.take_from_one(requests).await
        }
    }

    /// Gives back the units of the first slots when another slot refuses.
    async fn take_from_slots(&self, charges: &[Charge]) -> Result<Reply, RedisDown> {
        let mut reply = Reply { now: 0, answers: spared(charges) };
        let mut taken = Vec::new();
        for slot in slots(charges) {
            let Part { positions, charges } = part_of(charges, slot);
            let partial = self.take_from_one(&[&charges]).await?.pop().ok_or(RedisDown)?;
            reply.now = partial.now;
            let refused = partial
                .answers
                .iter()
                .zip(&charges)
                .any(|(answer, charge)| answer.is_refused() && !charge.check.shadow);
            for ((position, answer), charge) in positions.into_iter().zip(partial.answers).zip(charges) {
                reply.answers[position] = answer;
                if answer.outcome == Outcome::Taken {
                    taken.push(Taken { charge, state: answer.decision.state });
                }
            }
            if refused {
                self.refund(&taken).await?;
                reply.answers.iter_mut().for_each(Answer::spare);
                break;
            }
        }
        Ok(reply)
    }

    async fn take_from_one(&self, requests: &[&[Charge]]) -> Result<Vec<Reply>, RedisDown> {
        let (keys, args) = encode(&self.redis.installation(), requests);
        let numbers: Vec<i64> = self.ask(self.take.run(&*self.redis.first(), keys, args)).await?;
        decode(&numbers, requests).ok_or(RedisDown)
    }

    /// If this fails, the units come back with time.
    pub async fn refund(&self, taken: &[Taken]) -> Result<(), RedisDown> {
        let charges: Vec<Charge> = taken.iter().map(|taken| taken.charge).collect();
        let installation = self.redis.installation();
        for slot in slots(&charges) {
            let part = || taken.iter().filter(|taken| taken.charge.key.slot == slot);
            let mut keys = vec![clock_name(&installation, slot)];
            keys.extend(part().map(|taken| name(&installation, &taken.charge, taken.charge.key.today)));
            let interval = |quota| if let Quota::Rate { .. } = quota { quota.interval() } else { 0 };
            let args =
                part().flat_map(|taken| [number(interval(taken.charge.check.quota)), number(taken.state)]);
            self.ask(self.refund.run::<i64>(&*self.redis.pool(), keys, args.collect())).await?;
        }
        Ok(())
    }

    pub async fn heartbeat(
        &self,
        node: &str,
        since: &str,
        report: &Report,
        released: &[ClientKey],
    ) -> Result<HeartbeatReply, RedisDown> {
        let (pool, installation) = (self.redis.pool(), self.redis.installation());
        for key in released {
            let names = all_names(&installation, *key);
            self.redis.run_within(self.longest, pool.del::<i64, _>(names)).await?;
        }
        let lives = [micros(NODE_LIFE), micros(RELEASE_LIFE)].map(number);
        let mut args = vec![Value::from(node), Value::from(since)];
        args.extend(lives);
        args.push(serde_json::to_string(report).unwrap_or_default().into());
        args.extend(released.iter().copied().flat_map(ClientKey::ids).map(|id| Value::from(id.hex())));
        let script = concat!(include_str!("clock.lua"), include_str!("heartbeat.lua"));
        let answer = pool.eval(script, heartbeat_keys(&installation).to_vec(), args);
        let answer = self.redis.run_within(self.longest, answer).await?;
        let (now, nodes, released): (String, u32, Vec<String>) = answer;
        Ok(HeartbeatReply {
            now,
            nodes,
            released: released.iter().filter_map(|hex| ClientId::parse(hex)).collect(),
        })
    }

    pub async fn reports(&self, but: &str) -> Result<Vec<Report>, RedisDown> {
        let (pool, [_, _, reports, _]) = (self.redis.pool(), heartbeat_keys(&self.redis.installation()));
        let answer = self.redis.run(pool.hgetall(reports)).await?;
        let answer: HashMap<String, String> = answer;
        let others = answer.into_iter().filter(|(node, _)| node != but);
        // A node of another version may send a report that this one can't parse.
        Ok(others.filter_map(|(_, report)| serde_json::from_str(&report).ok()).collect())
    }

    pub fn is_asked(&self) -> bool {
        self.paused_until.load(Ordering::Relaxed) == 0
    }

    /// Waits for `patience`. While Redis is paused, one request a second tries.
    async fn ask<T>(&self, command: BoxFuture<'_, FredResult<T>>) -> Result<T, RedisDown> {
        if !self.may_ask() {
            return Err(RedisDown);
        }
        let answer = self.patiently(self.redis.run_within(self.longest, command)).await;
        if answer.is_ok() {
            self.failures.store(0, Ordering::Relaxed);
            if self.paused_until.swap(0, Ordering::Relaxed) != 0 {
                tracing::info!(event = "limits_exact", "limits are exact across nodes again");
            }
        } else if self.failures.fetch_add(1, Ordering::Relaxed) + 1 >= FAILURES_TO_PAUSE {
            let until = micros(self.began.elapsed() + PAUSE);
            if self.paused_until.swap(until, Ordering::Relaxed) == 0 {
                tracing::warn!(
                    event = "limits_local",
                    "Redis is slow or away: each node limits its own part"
                );
            }
        }
        answer
    }

    fn may_ask(&self) -> bool {
        let until = self.paused_until.load(Ordering::Relaxed);
        let now = self.began.elapsed();
        let next = micros(now + PAUSE);
        let swap = || self.paused_until.compare_exchange(until, next, Ordering::Relaxed, Ordering::Relaxed);
        until == 0 || (micros(now) >= until && swap().is_ok())
    }

    async fn patiently<T>(
        &self,
        command: impl Future<Output = Result<T, RedisDown>>,
    ) -> Result<T, RedisDown> {
        let mut command = pin!(command);
        let began = Instant::now();
        loop {
            let started = Instant::now();
            match timeout(self.patience, &mut command).await {
                Ok(answer) => return answer,
                Err(_) if started.elapsed() > self.patience + LATE && began.elapsed() < self.longest => {}
                Err(_) => return Err(RedisDown),
            }
        }
    }
}

/// In one hash slot, as a cluster needs it for a script.
fn heartbeat_keys(installation: &str) -> [String; 4] {
    ["", ":released", ":reports", ":clock"].map(|what| format!("coffer:limit:{installation}:{{nodes}}{what}"))
}

fn micros(duration: Duration) -> Micros {
    u64::try_from(duration.as_micros()).unwrap_or(Micros::MAX)
}

#[cfg(test)]
mod tests {
    use fred::error::{Error, ErrorKind};
    use futures_util::future::{FutureExt as _, ready};

    use super::*;
    use crate::system::System;

    #[tokio::test]
    async fn three_failures_in_a_row_pause_redis_and_no_others() {
        // No Redis answers here; the test's commands are ready at once.
        let redis = Redis::connect("redis://127.0.0.1:1", &System::real()).unwrap();
        let exact = Exact::new(redis, Duration::from_secs(5));
        for (broken, asked) in
            [(true, true), (true, true), (false, true), (true, true), (true, true), (true, false)]
        {
            let answer = if broken { Err(Error::new(ErrorKind::Unknown, "broken")) } else { Ok(1) };
            assert_eq!(exact.ask(ready(answer).boxed()).await.is_ok(), !broken);
            assert_eq!(exact.is_asked(), asked);
        }
    }
}
