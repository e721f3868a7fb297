//! The one Redis client: connect, time limits, circuit breaker, health.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use fred::prelude::*;
use fred::types::InfoKind;
use fred::types::config::UnresponsiveConfig;
use tokio::sync::broadcast::error::RecvError;

use crate::context::Context;
use crate::telemetry::metrics::{Breaker as BreakerState, DependencyMeter, Metrics};

/// No request waits longer for Redis than this before it goes on without.
const COMMAND_LIMIT: Duration = Duration::from_millis(250);
const FAILURES_TO_OPEN: u32 = 3;
const OPEN_FOR: Duration = Duration::from_secs(1);

/// Redis, or the knowledge that it can't be had just now; cheap to clone.
#[derive(Clone, Debug)]
pub struct Redis {
    pool: Pool,
    breaker: Arc<Breaker>,
    /// Counts failures and new connections: after each, Redis may not be what it was.
    doubts: Arc<AtomicU64>,
    context: Context,
    meter: Option<DependencyMeter>,
}

/// Redis did not answer, or is not being asked while the breaker is open.
#[derive(Debug, thiserror::Error)]
#[error("Redis is not available")]
pub struct RedisDown;

#[derive(Debug, Default)]
struct Breaker {
    failures: AtomicU32,
    /// Microseconds since 1970 until which no command is sent; 0 when closed.
    open_until: AtomicI64,
}

impl Redis {
    /// Makes the pool and starts connecting in the background: a Redis that is down delays nothing.
    ///
    /// # Errors
    /// A sentence, when the address itself is wrong.
    pub fn connect(url: &str, context: &Context) -> Result<Self, String> {
        let bad_url = |e: fred::error::Error| {
            format!(
                "COFFER_REDIS_URL is not a Redis address ({e}). Give redis://host:6379 or rediss://… for TLS."
            )
        };
        // fred would take any scheme for its own.
        if !url.starts_with("redis") {
            return Err(bad_url(fred::error::Error::new(ErrorKind::Url, "another scheme")));
        }
        let mut config = Config::from_url(url).map_err(bad_url)?;
        // Otherwise one that is down when coffer starts would never be tried again.
        config.fail_fast = false;
        let pool = Builder::from_config(config)
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
                performance.default_command_timeout = COMMAND_LIMIT;
                performance.max_feed_count = 200;
            })
            .set_policy(ReconnectPolicy::new_exponential(0, 50, 1000, 2))
            .build_pool(4)
            .map_err(bad_url)?;
        let doubts: Arc<AtomicU64> = Arc::default();
        for client in pool.clients() {
            let (doubts, mut lost, mut found) = (doubts.clone(), client.error_rx(), client.reconnect_rx());
            tokio::spawn(async move {
                loop {
                    let closed = tokio::select! {
                        event = lost.recv() => matches!(event, Err(RecvError::Closed)),
                        event = found.recv() => matches!(event, Err(RecvError::Closed)),
                    };
                    if closed {
                        break;
                    }
                    doubts.fetch_add(1, Ordering::AcqRel);
                }
            });
        }
        let _ = pool.connect_pool();
        Ok(Self { pool, breaker: Arc::default(), doubts, context: context.clone(), meter: None })
    }

    /// The same, counted by an application's metrics.
    #[must_use]
    pub fn measured_by(self, metrics: &Metrics) -> Self {
        Self { meter: Some(metrics.dependencies.of("redis")), ..self }
    }

    /// Changes whenever a command failed or a connection was made anew: what was known of this Redis by then
    /// must be found out again.
    #[must_use]
    pub fn doubts(&self) -> u64 {
        self.doubts.load(Ordering::Acquire)
    }

    /// The identity of the running Redis process, another after each restart or failover.
    pub async fn run_id(&self) -> Result<String, RedisDown> {
        let info: String = self.run(self.pool.info(Some(InfoKind::Server))).await?;
        info.lines()
            .find_map(|line| line.strip_prefix("run_id:"))
            .map(|id| id.trim().to_owned())
            .ok_or(RedisDown)
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

    /// The same for who knows better how long to wait; fred's own limit must be as long.
    pub async fn run_within<T, E: std::fmt::Display>(
        &self,
        limit: Duration,
        command: impl Future<Output = Result<T, E>>,
    ) -> Result<T, RedisDown> {
        if self.is_open() {
            self.meter.as_ref().inspect(|meter| meter.rejected());
            return Err(RedisDown);
        }
        let started = Instant::now();
        let answer = tokio::time::timeout(limit, command).await;
        self.meter.as_ref().inspect(|meter| meter.answered(started.elapsed()));
        match answer {
            Ok(Ok(value)) => {
                self.succeeded();
                Ok(value)
            }
            Ok(Err(error)) => Err(self.failed(&error.to_string())),
            Err(_) => Err(self.failed("no answer in time")),
        }
    }

    /// Asks for an answer whatever the breaker says, for `/readyz`.
    pub async fn ping(&self) -> Result<(), RedisDown> {
        let ping = self.pool.next().ping::<()>(None);
        match tokio::time::timeout(COMMAND_LIMIT, ping).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(RedisDown),
        }
    }

    pub async fn close(&self) {
        let _ = tokio::time::timeout(Duration::from_secs(1), self.pool.quit()).await;
    }

    fn is_open(&self) -> bool {
        let now = self.context.now();
        // A clock that was set back leaves it open for no longer.
        (now.micros() + 1..=now.plus(OPEN_FOR).micros())
            .contains(&self.breaker.open_until.load(Ordering::Relaxed))
    }

    fn succeeded(&self) {
        self.breaker.failures.store(0, Ordering::Relaxed);
        self.meter.as_ref().inspect(|meter| meter.breaker(BreakerState::Closed));
        if self.breaker.open_until.swap(0, Ordering::Relaxed) != 0 {
            tracing::info!(event = "redis_back", "Redis answers again");
        }
    }

    fn failed(&self, reason: &str) -> RedisDown {
        self.doubts.fetch_add(1, Ordering::AcqRel);
        if self.breaker.failures.fetch_add(1, Ordering::Relaxed) + 1 >= FAILURES_TO_OPEN {
            self.meter.as_ref().inspect(|meter| meter.breaker(BreakerState::Open));
            let until = self.context.now().plus(OPEN_FOR).micros();
            if self.breaker.open_until.swap(until, Ordering::Relaxed) == 0 {
                tracing::warn!(event = "redis_down", reason, "Redis does not answer; going on without it");
            }
        }
        RedisDown
    }
}
