//! The one Redis client: connect, time limits, circuit breaker, health.

mod breaker;
pub mod flights;
pub mod script;
pub mod space;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use fred::prelude::*;
use fred::types::config::{CredentialProvider, UnresponsiveConfig};
use fred::types::{Expiration, InfoKind};
use futures_util::future::try_join_all;
use parking_lot::RwLock;

use self::breaker::{Breaker, Failure};
use self::space::Space;
use crate::context::Context;
use crate::telemetry::metrics::{Breaker as BreakerState, DependencyMeter, Metrics};
use crate::waits;

/// No request waits longer for Redis than this before it goes on without.
const COMMAND_LIMIT: Duration = Duration::from_millis(250);
/// An open breaker asks for an answer this long after it opened or last asked, and up to as much later again.
const PROBE_AFTER: Duration = Duration::from_secs(1);

/// One connection carries what many requests ask at the same time in one write, and Redis has one thread.
const POOL: usize = 1;

/// Redis, or the knowledge that it can't be had just now; cheap to clone.
#[derive(Clone, Debug)]
pub struct Redis {
    pool: Pool,
    config: Config,
    breaker: Arc<Breaker>,
    /// Counts failures and new connections: after each, Redis may not be what it was.
    doubts: Arc<AtomicU64>,
    /// As last found out.
    space: Arc<RwLock<Option<Space>>>,
    context: Context,
    meter: Option<DependencyMeter>,
}

/// Redis did not answer, or is not being asked while the breaker is open.
#[derive(Debug, thiserror::Error)]
#[error("Redis is not available")]
pub struct RedisDown;

/// fred asks it for credentials before a new connection is used: no answer comes over one that was not counted.
#[derive(Debug)]
struct Counting {
    doubts: Arc<AtomicU64>,
    username: Option<String>,
    password: Option<String>,
}

#[async_trait]
impl CredentialProvider for Counting {
    async fn fetch(&self, _: Option<&Server>) -> Result<(Option<String>, Option<String>), Error> {
        self.doubts.fetch_add(1, Ordering::AcqRel);
        Ok((self.username.clone(), self.password.clone()))
    }
}

fn bad_url(error: &fred::error::Error) -> String {
    format!(
        "COFFER_REDIS_URL is not a Redis address ({error}). Give redis://host:6379 or rediss://… for TLS."
    )
}

fn parse(url: &str) -> Result<Config, String> {
    // fred would take any scheme for its own.
    if !url.starts_with("redis") {
        return Err(bad_url(&fred::error::Error::new(ErrorKind::Url, "another scheme")));
    }
    Config::from_url(url).map_err(|e| bad_url(&e))
}

impl Redis {
    /// Whether the address is one, without asking it.
    ///
    /// # Errors
    /// A sentence that says what to give.
    pub fn check(url: &str) -> Result<(), String> {
        parse(url).map(drop)
    }

    /// Makes the pool and starts connecting in the background: a Redis that is down delays nothing.
    ///
    /// # Errors
    /// A sentence, when the address itself is wrong.
    pub fn connect(url: &str, context: &Context) -> Result<Self, String> {
        let mut config = parse(url)?;
        // Otherwise one that is down when coffer starts would never be tried again.
        config.fail_fast = false;
        let plain = config.clone();
        let doubts: Arc<AtomicU64> = Arc::default();
        config.credential_provider = Some(Arc::new(Counting {
            doubts: doubts.clone(),
            username: config.username.take(),
            password: config.password.take(),
        }));
        let pool = builder(config)
            .set_policy(ReconnectPolicy::new_exponential(0, 50, 1000, 2))
            .build_pool(POOL)
            .map_err(|e| bad_url(&e))?;
        let _ = pool.connect_pool();
        Ok(Self {
            pool,
            config: plain,
            breaker: Arc::default(),
            doubts,
            space: Arc::default(),
            context: context.clone(),
            meter: None,
        })
    }

    /// The same, counted by an application's metrics.
    #[must_use]
    pub fn measured_by(self, metrics: &Metrics) -> Self {
        Self { meter: Some(metrics.dependencies.of("redis")), ..self }
    }

    /// A connection of its own, not yet made, that ends when it breaks.
    pub fn lone_client(&self) -> Result<Client, RedisDown> {
        let config = Config { fail_fast: true, ..self.config.clone() };
        builder(config).build().map_err(|_| RedisDown)
    }

    /// Changes whenever a command failed or a connection was made anew: what was known of this Redis by then
    /// must be found out again.
    #[must_use]
    pub fn doubts(&self) -> u64 {
        self.doubts.load(Ordering::Acquire)
    }

    /// Something is not as it was taken to be.
    pub fn doubt(&self) {
        self.doubts.fetch_add(1, Ordering::AcqRel);
    }

    /// What keys are named after, unless there has been a doubt since that was found out.
    #[must_use]
    pub fn space(&self) -> Option<Space> {
        let space = self.space.read().clone();
        space.filter(|space| space.doubts() == self.doubts())
    }

    /// The installation's name as it was last known; empty before.
    #[must_use]
    pub fn installation(&self) -> Arc<str> {
        let space = self.space.read();
        space.as_ref().map_or_else(Arc::default, |space| space.name.clone())
    }

    /// From now on keys are named after this. What was known otherwise without a doubt is in doubt now.
    pub fn settle(&self, space: Space) -> Space {
        let mut known = self.space.write();
        let contradicts = |known: &Space| known.doubts() == space.doubts() && known.id() != space.id();
        let space = if known.as_ref().is_some_and(contradicts) {
            space.at(self.doubts.fetch_add(1, Ordering::AcqRel) + 1)
        } else {
            space
        };
        *known = Some(space.clone());
        space
    }

    /// What the running Redis processes are called, others after each restart or failover: all masters of a cluster.
    pub async fn run_ids(&self) -> Result<Vec<String>, RedisDown> {
        const NAME: &str = "run_id:";
        let client = self.first();
        if !self.pool.is_clustered() {
            return Ok(vec![self.told(&client, InfoKind::Server, NAME).await?]);
        }
        // Those to which commands go; where they go changes with a new connection only, which is a doubt.
        let masters = client.cached_cluster_state().ok_or(RedisDown)?.unique_primary_nodes();
        let each = masters.into_iter().map(|master| {
            let master = client.with_cluster_node(master);
            async move { self.told(&master, InfoKind::Server, NAME).await }
        });
        let ids = try_join_all(each).await?;
        if ids.is_empty() { Err(RedisDown) } else { Ok(ids) }
    }

    /// Bytes that its values and buffers take.
    pub async fn memory(&self) -> Result<i64, RedisDown> {
        let client = self.first();
        self.told(&client, InfoKind::Memory, "used_memory:").await?.parse().map_err(|_| RedisDown)
    }

    /// What Redis says of itself.
    async fn told(
        &self,
        client: &impl ServerInterface,
        section: InfoKind,
        name: &str,
    ) -> Result<String, RedisDown> {
        let info: String = self.run(client.info(Some(section))).await?;
        let found = info.lines().find_map(|line| line.strip_prefix(name));
        found.map(|value| value.trim().to_owned()).ok_or(RedisDown)
    }

    /// One of the pool's connections, always the same.
    #[must_use]
    pub fn first(&self) -> Client {
        self.pool.clients().first().cloned().unwrap_or_else(|| self.pool.next().clone())
    }

    #[must_use]
    pub fn pool(&self) -> Pool {
        self.pool.clone()
    }

    /// Runs a command unless the breaker is open, within the time limit.
    pub fn run<T, E: std::fmt::Display>(
        &self,
        command: impl Future<Output = Result<T, E>>,
    ) -> impl Future<Output = Result<T, RedisDown>> {
        self.run_within(COMMAND_LIMIT, command)
    }

    /// The same for who knows better how long to wait.
    pub fn run_within<T, E: std::fmt::Display>(
        &self,
        limit: Duration,
        command: impl Future<Output = Result<T, E>>,
    ) -> impl Future<Output = Result<T, RedisDown>> {
        // In a box, as fred's commands are many kilobytes, which every request that might send one would carry.
        self.timed(limit, Box::pin(command))
    }

    async fn timed<T, E: std::fmt::Display>(
        &self,
        limit: Duration,
        command: impl Future<Output = Result<T, E>>,
    ) -> Result<T, RedisDown> {
        if self.breaker.is_open() {
            self.meter.as_ref().inspect(|meter| meter.rejected());
            return Err(RedisDown);
        }
        // Nothing is sent that nobody can wait for.
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

    /// Asks for an answer whatever the breaker says, for `/readyz`.
    pub async fn ping(&self) -> Result<(), RedisDown> {
        let ping = Box::pin(self.pool.next().ping::<()>(None));
        match tokio::time::timeout(COMMAND_LIMIT, ping).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(RedisDown),
        }
    }

    /// Writes a key that is soon gone. A Redis that is full or a replica answers a `PING`, and refuses what comes next.
    async fn takes_writes(&self) -> Result<(), RedisDown> {
        let (life, client) = (Some(Expiration::PX(1000)), self.pool.next());
        let write = Box::pin(client.set::<(), _, _>("coffer:probe", "", life, None, false));
        match tokio::time::timeout(COMMAND_LIMIT, write).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(RedisDown),
        }
    }

    pub async fn close(&self) {
        let _ = tokio::time::timeout(Duration::from_secs(1), self.pool.quit()).await;
    }

    /// Whether commands are sent at all.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.breaker.is_open()
    }

    fn failed(&self, failure: Failure, reason: &str) -> RedisDown {
        self.doubts.fetch_add(1, Ordering::AcqRel);
        if self.breaker.failed(failure, self.context.ticks()) {
            self.stands(BreakerState::Open);
            tracing::warn!(event = "redis_down", reason, "Redis does not answer; going on without it");
            tokio::spawn(self.clone().probe());
        }
        RedisDown
    }

    fn stands(&self, state: BreakerState) {
        self.meter.as_ref().inspect(|meter| meter.breaker(state));
    }

    /// Asks now and then until Redis takes a write, so that nobody's request has to find out.
    async fn probe(self) {
        loop {
            self.pause().await;
            self.stands(BreakerState::HalfOpen);
            if self.takes_writes().await.is_ok() {
                break;
            }
            self.stands(BreakerState::Open);
        }
        self.doubts.fetch_add(1, Ordering::AcqRel);
        self.stands(BreakerState::Closed);
        self.breaker.close();
        tracing::info!(event = "redis_back", "Redis answers again");
    }

    #[expect(clippy::disallowed_methods, reason = "asking at once would only fail again")]
    async fn pause(&self) {
        let share = f64::from(u32::from_le_bytes(self.context.random())) / f64::from(u32::MAX);
        tokio::time::sleep(PROBE_AFTER.mul_f64(1.0 + share)).await;
    }
}

fn builder(config: Config) -> Builder {
    let mut builder = Builder::from_config(config);
    builder
        .with_connection_config(|connection| {
            connection.connection_timeout = Duration::from_secs(2);
            connection.internal_command_timeout = Duration::from_secs(2);
            connection.max_command_attempts = 1;
            connection.unresponsive = UnresponsiveConfig {
                max_timeout: Some(Duration::from_secs(2)),
                interval: Duration::from_secs(1),
            };
        })
        .with_performance_config(|performance| {
            // Whoever asks says how long to wait; a second clock for each command would cost, and could be the shorter.
            performance.default_command_timeout = Duration::ZERO;
            performance.max_feed_count = 200;
        });
    builder
}
