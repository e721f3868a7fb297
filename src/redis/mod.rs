//! The one Redis client: commands, time limits, circuit breaker, health.

pub mod batcher;
mod breaker;
mod connection;
pub mod namespace;
pub mod script;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use fred::prelude::*;
use fred::types::{Expiration, InfoKind};
use futures_util::future::{BoxFuture, FutureExt as _, try_join_all};
use parking_lot::RwLock;

use self::breaker::{Breaker, Failure};
use self::connection::{EpochCounter, bad_url, builder, parse};
use self::namespace::Namespace;
use crate::erased::Erased;
use crate::system::System;
use crate::telemetry::metrics::{Breaker as BreakerState, DependencyMeter, Metrics};
use crate::waits;

/// A request waits no longer than this for Redis.
const COMMAND_LIMIT: Duration = Duration::from_millis(250);
/// An open breaker probes Redis after this time, or up to twice as long.
const PROBE_AFTER: Duration = Duration::from_secs(1);

/// Redis has one thread, and one connection carries the commands of many requests in one write.
const POOL: usize = 1;

#[derive(Clone, Debug)]
pub struct Redis {
    pool: Erased<Pool>,
    first: Erased<Client>,
    config: Erased<Config>,
    breaker: Arc<Breaker>,
    /// Counts failures and new connections. After each, another Redis process may answer.
    connection_epoch: Arc<AtomicU64>,
    namespace: Arc<RwLock<Option<Namespace>>>,
    context: System,
    meter: Option<DependencyMeter>,
}

/// Redis did not answer, or the breaker is open.
#[derive(Debug, thiserror::Error)]
#[error("Redis is not available")]
pub struct RedisDown;

impl Redis {
    /// Checks the address without connecting.
    pub fn check(url: &str) -> Result<(), String> {
        parse(url).map(drop)
    }

    /// Connects in the background, so that a Redis that is down delays nothing.
    pub fn connect(url: &str, context: &System) -> Result<Self, String> {
        let mut config = parse(url)?;
        // Otherwise coffer would never try again to reach a Redis that is down when it starts.
        config.fail_fast = false;
        let plain = config.clone();
        let connection_epoch: Arc<AtomicU64> = Arc::default();
        config.credential_provider = Some(Arc::new(EpochCounter {
            connection_epoch: connection_epoch.clone(),
            username: config.username.take(),
            password: config.password.take(),
        }));
        let pool = builder(config)
            .set_policy(ReconnectPolicy::new_exponential(0, 50, 1000, 2))
            .build_pool(POOL)
            .map_err(|e| bad_url(&e))?;
        let _ = pool.connect_pool();
        let first = pool.clients().first().unwrap_or_else(|| pool.next()).clone();
        Ok(Self {
            pool: Erased::new(pool),
            first: Erased::new(first),
            config: Erased::new(plain),
            breaker: Arc::default(),
            connection_epoch,
            namespace: Arc::default(),
            context: context.clone(),
            meter: None,
        })
    }

    pub fn with_metrics(self, metrics: &Metrics) -> Self {
        Self { meter: Some(metrics.dependencies.meter("redis")), ..self }
    }

    /// A connection of its own, for a subscription. It is not reconnected when it breaks.
    pub fn dedicated_client(&self) -> Result<Client, RedisDown> {
        let config = Config { fail_fast: true, ..(*self.config).clone() };
        builder(config).build().map_err(|_| RedisDown)
    }

    /// Rises whenever a command fails or a connection is made. What you knew of Redis before may be wrong then.
    pub fn connection_epoch(&self) -> u64 {
        self.connection_epoch.load(Ordering::Acquire)
    }

    pub fn bump_epoch(&self) {
        self.connection_epoch.fetch_add(1, Ordering::AcqRel);
    }

    /// `None` if the connection epoch has changed since the namespace was found out.
    pub fn namespace(&self) -> Option<Namespace> {
        let namespace = self.namespace.read().clone();
        namespace.filter(|namespace| namespace.epoch() == self.connection_epoch())
    }

    pub fn installation(&self) -> Arc<str> {
        let namespace = self.namespace.read();
        namespace.as_ref().map_or_else(Arc::default, |namespace| namespace.name.clone())
    }

    /// If two namespaces contradict each other within one epoch, a new epoch begins.
    pub fn set_namespace(&self, namespace: Namespace) -> Namespace {
        let mut known = self.namespace.write();
        let contradicts =
            |known: &Namespace| known.epoch() == namespace.epoch() && known.id() != namespace.id();
        let namespace = if known.as_ref().is_some_and(contradicts) {
            namespace.in_epoch(self.connection_epoch.fetch_add(1, Ordering::AcqRel) + 1)
        } else {
            namespace
        };
        *known = Some(namespace.clone());
        namespace
    }

    /// One run id, or one for each master of a cluster. A restart or failover brings other ids.
    pub async fn run_ids(&self) -> Result<Vec<String>, RedisDown> {
        const NAME: &str = "run_id:";
        let client = self.first();
        if !self.pool.is_clustered() {
            return Ok(vec![self.line_of(client.info(Some(InfoKind::Server)).boxed(), NAME).await?]);
        }
        // The masters that commands go to. They change only with a new connection, which begins a new epoch.
        let masters = client.cached_cluster_state().ok_or(RedisDown)?.unique_primary_nodes();
        let each = masters.into_iter().map(|master| {
            let master = client.with_cluster_node(master);
            async move { self.line_of(master.info(Some(InfoKind::Server)).boxed(), NAME).await }
        });
        let ids = try_join_all(each).await?;
        if ids.is_empty() { Err(RedisDown) } else { Ok(ids) }
    }

    pub async fn memory(&self) -> Result<i64, RedisDown> {
        let client = self.first();
        let info = client.info(Some(InfoKind::Memory)).boxed();
        self.line_of(info, "used_memory:").await?.parse().map_err(|_| RedisDown)
    }

    async fn line_of(
        &self,
        info: BoxFuture<'_, FredResult<String>>,
        name: &str,
    ) -> Result<String, RedisDown> {
        let info = self.run(info).await?;
        let found = info.lines().find_map(|line| line.strip_prefix(name));
        found.map(|value| value.trim().to_owned()).ok_or(RedisDown)
    }

    /// Always the same connection of the pool.
    pub fn first(&self) -> Erased<Client> {
        self.first.clone()
    }

    pub fn pool(&self) -> Erased<Pool> {
        self.pool.clone()
    }

    pub fn run<'a, T: 'a, E: std::fmt::Display + 'a>(
        &'a self,
        command: impl Future<Output = Result<T, E>> + Send + 'a,
    ) -> impl Future<Output = Result<T, RedisDown>> + 'a {
        self.run_within(COMMAND_LIMIT, command)
    }

    pub fn run_within<'a, T: 'a, E: std::fmt::Display + 'a>(
        &'a self,
        limit: Duration,
        command: impl Future<Output = Result<T, E>> + Send + 'a,
    ) -> impl Future<Output = Result<T, RedisDown>> + 'a {
        // Boxed: fred's futures are many kilobytes, and every request that may send a command would carry one.
        self.timed(limit, command.boxed())
    }

    async fn timed<T, E: std::fmt::Display>(
        &self,
        limit: Duration,
        command: BoxFuture<'_, Result<T, E>>,
    ) -> Result<T, RedisDown> {
        if self.breaker.is_open() {
            self.meter.as_ref().inspect(|meter| meter.rejected());
            return Err(RedisDown);
        }
        // This request may not wait any longer, so it sends nothing.
        if waits::left().is_zero() {
            return Err(RedisDown);
        }
        let started = Instant::now();
        let answer = waits::counted(tokio::time::timeout(limit, command)).await;
        self.meter.as_ref().inspect(|meter| meter.answered(started.elapsed()));
        match answer {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(self.failed(Failure::Refused, &error.to_string())),
            Err(_) => Err(self.failed(Failure::TimedOut, "no answer in time")),
        }
    }

    /// Asks even if the breaker is open, for `/readyz`.
    pub async fn ping(&self) -> Result<(), RedisDown> {
        let ping = self.pool.next().ping::<()>(None).boxed();
        match tokio::time::timeout(COMMAND_LIMIT, ping).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(RedisDown),
        }
    }

    /// Writes a short-lived key: a full Redis or a replica answers `PING` but refuses writes.
    async fn probe_write(&self) -> Result<(), RedisDown> {
        let (life, client) = (Some(Expiration::PX(1000)), self.pool.next());
        let write = client.set::<(), _, _>("coffer:probe", "", life, None, false).boxed();
        match tokio::time::timeout(COMMAND_LIMIT, write).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(RedisDown),
        }
    }

    pub async fn close(&self) {
        let _ = tokio::time::timeout(Duration::from_secs(1), self.pool.quit().boxed()).await;
    }

    pub fn is_breaker_open(&self) -> bool {
        self.breaker.is_open()
    }

    fn failed(&self, failure: Failure, reason: &str) -> RedisDown {
        self.connection_epoch.fetch_add(1, Ordering::AcqRel);
        if self.breaker.failed(failure, self.context.ticks()) {
            self.report_state(BreakerState::Open);
            tracing::warn!(event = "redis_down", reason, "Redis does not answer; going on without it");
            tokio::spawn(self.clone().probe());
        }
        RedisDown
    }

    fn report_state(&self, state: BreakerState) {
        self.meter.as_ref().inspect(|meter| meter.breaker(state));
    }

    /// Probes until Redis takes a write, so that no request has to try.
    async fn probe(self) {
        loop {
            self.pause().await;
            self.report_state(BreakerState::HalfOpen);
            if self.probe_write().await.is_ok() {
                break;
            }
            self.report_state(BreakerState::Open);
        }
        self.connection_epoch.fetch_add(1, Ordering::AcqRel);
        self.report_state(BreakerState::Closed);
        self.breaker.close();
        tracing::info!(event = "redis_back", "Redis answers again");
    }

    #[expect(clippy::disallowed_methods, reason = "asking at once would only fail again")]
    async fn pause(&self) {
        let jitter = f64::from(u32::from_le_bytes(self.context.random())) / f64::from(u32::MAX);
        tokio::time::sleep(PROBE_AFTER.mul_f64(1.0 + jitter)).await;
    }
}
