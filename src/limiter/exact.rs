//! The exact tier: one script in Redis decides for all nodes, by a clock made of Redis' own that never goes back.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use fred::prelude::*;
use futures_util::future::try_join_all;
use tokio::time::timeout;

use super::Charge;
use super::batch::{Answer, Outcome};
use super::gcra::{Micros, Quota};
use super::key::{Id, Key};
use super::nodes::Report;
use super::wire::{all_names, clock_name, name, number, part_of, read, slots, untouched, words};
use crate::redis::script::Script;
use crate::redis::{Redis, RedisDown};

/// So many requests in a row must have waited in vain before others stop asking.
const FAILURES_TO_PAUSE: u32 = 3;
const PAUSE: Duration = Duration::from_secs(1);
/// A timer that goes off later than this shows that this node is busy, and says nothing of Redis.
const LATE: Duration = Duration::from_millis(4);
const LONGEST_WAIT: Duration = Duration::from_secs(2);
const NODE_LIVES: Duration = Duration::from_secs(5);
const RELEASE_TOLD: Duration = Duration::from_hours(1);

pub struct Exact {
    redis: Redis,
    patience: Duration,
    /// However late the timers go off.
    longest: Duration,
    take: Script,
    refund: Script,
    failures: AtomicU32,
    began: Instant,
    /// Microseconds since `began` until which Redis is not asked; 0 when it is.
    paused_until: AtomicU64,
}

/// What the script said, by its clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    pub now: Micros,
    pub answers: Vec<Answer>,
}

pub struct Pulse {
    /// When the next pulse shall say it last asked.
    pub now: String,
    pub nodes: u32,
    pub released: Vec<Id>,
}

/// A unit to give back.
#[derive(Clone, Copy, Debug)]
pub struct Taken {
    pub charge: Charge,
    /// The state by Redis' clock once it was taken.
    pub state: Micros,
}

impl Exact {
    #[must_use]
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

    /// One round trip for all these requests. In a cluster one for each request and hash slot.
    ///
    /// # Errors
    /// Redis is slow or away.
    pub async fn take(&self, requests: &[&[Charge]]) -> Result<Vec<Reply>, RedisDown> {
        if self.redis.pool().is_clustered() {
            try_join_all(requests.iter().map(|charges| self.take_from_slots(charges))).await
        } else {
            self.take_from_one(requests).await
        }
    }

    /// What the first slots gave is given back when another refuses.
    async fn take_from_slots(&self, charges: &[Charge]) -> Result<Reply, RedisDown> {
        let mut reply = Reply { now: 0, answers: untouched(charges) };
        let mut taken = Vec::new();
        for slot in slots(charges) {
            let (places, part) = part_of(charges, slot);
            let told = self.take_from_one(&[&part]).await?.pop().ok_or(RedisDown)?;
            reply.now = told.now;
            let refused = told
                .answers
                .iter()
                .zip(&part)
                .any(|(answer, charge)| answer.is_refused() && !charge.ask.shadow);
            for ((place, answer), charge) in places.into_iter().zip(told.answers).zip(part) {
                reply.answers[place] = answer;
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
        let (keys, args) = words(&self.redis.installation(), requests);
        let numbers: Vec<i64> = self.ask(self.take.run(&self.redis.first(), keys, args)).await?;
        read(&numbers, requests).ok_or(RedisDown)
    }

    /// Gives back what was taken.
    ///
    /// # Errors
    /// Redis is slow or away; the units come back with time.
    pub async fn refund(&self, taken: &[Taken]) -> Result<(), RedisDown> {
        let charges: Vec<Charge> = taken.iter().map(|taken| taken.charge).collect();
        let installation = self.redis.installation();
        for slot in slots(&charges) {
            let part = || taken.iter().filter(|taken| taken.charge.key.slot == slot);
            let mut keys = vec![clock_name(&installation, slot)];
            keys.extend(part().map(|taken| name(&installation, &taken.charge, taken.charge.key.today)));
            let interval = |quota| if let Quota::Rate { .. } = quota { quota.interval() } else { 0 };
            let args =
                part().flat_map(|taken| [number(interval(taken.charge.ask.quota)), number(taken.state)]);
            self.ask(self.refund.run::<i64>(&self.redis.pool(), keys, args.collect())).await?;
        }
        Ok(())
    }

    /// Says that this node lives, what it did and which clients it releases.
    ///
    /// # Errors
    /// Redis is slow or away.
    pub async fn pulse(
        &self,
        node: &str,
        since: &str,
        report: &Report,
        released: &[Key],
    ) -> Result<Pulse, RedisDown> {
        let (pool, installation) = (self.redis.pool(), self.redis.installation());
        for key in released {
            let names = all_names(&installation, *key);
            self.redis.run_within(self.longest, pool.del::<i64, _>(names)).await?;
        }
        let lives = [micros(NODE_LIVES), micros(RELEASE_TOLD)].map(number);
        let mut args = vec![Value::from(node), Value::from(since)];
        args.extend(lives);
        args.push(serde_json::to_string(report).unwrap_or_default().into());
        args.extend(released.iter().copied().flat_map(Key::ids).map(|id| Value::from(id.hex())));
        let script = concat!(include_str!("clock.lua"), include_str!("pulse.lua"));
        let told = pool.eval(script, pulse_keys(&installation).to_vec(), args);
        let told = self.redis.run_within(self.longest, told).await?;
        let (now, nodes, released): (String, u32, Vec<String>) = told;
        Ok(Pulse { now, nodes, released: released.iter().filter_map(|hex| Id::parse(hex)).collect() })
    }

    /// What the other nodes have told last.
    ///
    /// # Errors
    /// Redis is slow or away.
    pub async fn reports(&self, but: &str) -> Result<Vec<Report>, RedisDown> {
        let (pool, [_, _, reports, _]) = (self.redis.pool(), pulse_keys(&self.redis.installation()));
        let told = self.redis.run_within(self.longest, pool.hgetall(reports)).await?;
        let told: HashMap<String, String> = told;
        let others = told.into_iter().filter(|(node, _)| node != but);
        // A node of another version may say what this one doesn't understand.
        Ok(others.filter_map(|(_, report)| serde_json::from_str(&report).ok()).collect())
    }

    /// Whether Redis is asked just now.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.paused_until.load(Ordering::Relaxed) == 0
    }

    /// Within the patience, unless too many before had to wait in vain: then one request a second tries.
    async fn ask<T>(&self, command: impl Future<Output = FredResult<T>>) -> Result<T, RedisDown> {
        if !self.may_ask() {
            return Err(RedisDown);
        }
        let told = self.patiently(self.redis.run_within(self.longest, command)).await;
        if told.is_ok() {
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
        told
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
            let asked = Instant::now();
            match timeout(self.patience, &mut command).await {
                Ok(told) => return told,
                Err(_) if asked.elapsed() > self.patience + LATE && began.elapsed() < self.longest => {}
                Err(_) => return Err(RedisDown),
            }
        }
    }
}

/// In one hash slot, so that a cluster takes all in one script.
fn pulse_keys(installation: &str) -> [String; 4] {
    ["", ":released", ":reports", ":clock"].map(|what| format!("coffer:limit:{installation}:{{nodes}}{what}"))
}

fn micros(duration: Duration) -> Micros {
    u64::try_from(duration.as_micros()).unwrap_or(Micros::MAX)
}

#[cfg(test)]
mod tests {
    use fred::error::{Error, ErrorKind};

    use super::*;
    use crate::context::Context;

    #[tokio::test]
    async fn three_failures_in_a_row_pause_redis_and_no_others() {
        // No Redis answers here: the test only looks at the commands.
        let redis = Redis::connect("redis://127.0.0.1:1", &Context::system()).unwrap();
        let exact = Exact::new(redis, Duration::from_secs(5));
        for (broken, asked) in
            [(true, true), (true, true), (false, true), (true, true), (true, true), (true, false)]
        {
            let answer = if broken { Err(Error::new(ErrorKind::Unknown, "broken")) } else { Ok(1) };
            assert_eq!(exact.ask(std::future::ready(answer)).await.is_ok(), !broken);
            assert_eq!(exact.is_asked(), asked);
        }
    }
}
