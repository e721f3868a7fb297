//! A pool of connections, its state, and its metrics.

use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use sqlx::{Database, Pool};
use tokio::sync::Semaphore;

use super::checkout::Transactional;
use super::{Checkout, Db, MeteredExecutor, is_silence};
use crate::erased::Erased;
use crate::telemetry::metrics::{Metrics, PoolMeter};
use crate::waits;

pub const ACQUIRE_LIMIT: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub struct PoolState {
    /// Whether a prepared statement may outlive its transaction.
    pub(super) keeps_statements: bool,
    /// Empty until an application opens.
    meters: OnceLock<Meters>,
    /// When a query last ran into its limit.
    silent: Mutex<Option<Instant>>,
    /// The last attempt to write failed.
    is_failing: AtomicBool,
}

#[derive(Debug)]
pub(super) struct Meters {
    pub metrics: Metrics,
    pool: PoolMeter,
    pub system: &'static str,
}

impl PoolState {
    pub(super) fn new(keeps_statements: bool) -> Self {
        Self {
            keeps_statements,
            meters: OnceLock::new(),
            silent: Mutex::new(None),
            is_failing: AtomicBool::new(false),
        }
    }

    pub(super) fn meters(&self) -> Option<&Meters> {
        self.meters.get()
    }

    /// The error closes a connection.
    pub(super) fn failed(&self, error: &sqlx::Error) {
        self.is_failing.store(true, Ordering::Relaxed);
        if is_silence(error) {
            *self.silent.lock() = Some(Instant::now());
        }
    }

    pub(super) fn wrote(&self) {
        self.is_failing.store(false, Ordering::Relaxed);
    }

    pub(super) fn is_failing(&self) -> bool {
        self.is_failing.load(Ordering::Relaxed)
    }

    /// Whether a query ran into its limit within this time.
    pub(super) fn fell_silent_within(&self, idle: Duration) -> bool {
        self.silent.lock().is_some_and(|at| at.elapsed() <= idle)
    }
}

#[derive(Debug)]
pub struct MeteredPool<DB: Database> {
    pool: Erased<Pool<DB>>,
    pub(super) state: Arc<PoolState>,
    /// Connections that searches may have at once. They can take seconds, and other requests need some meanwhile.
    searches: Arc<Semaphore>,
}

/// How much a statement may read: some rows, or the whole library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    Rows,
    Library,
}

impl<DB: Database> Clone for MeteredPool<DB> {
    fn clone(&self) -> Self {
        Self { pool: self.pool.clone(), state: self.state.clone(), searches: self.searches.clone() }
    }
}

impl<DB: Database> Deref for MeteredPool<DB> {
    type Target = Pool<DB>;

    fn deref(&self) -> &Pool<DB> {
        &self.pool
    }
}

/// Counts as waiting until it is dropped.
struct Waiting<'a>(&'a PoolMeter);

impl<'a> Waiting<'a> {
    fn new(pool: &'a PoolMeter) -> Self {
        pool.waiting.increment(1.0);
        Self(pool)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.decrement(1.0);
    }
}

impl<DB: Transactional> MeteredPool<DB> {
    pub(super) fn new(pool: Pool<DB>, state: Arc<PoolState>) -> Self {
        let most = usize::try_from(pool.options().get_max_connections()).unwrap_or(1);
        let searches = Arc::new(Semaphore::new(most.saturating_sub((most / 4).max(1)).max(1)));
        Self { pool: Erased::new(pool), state, searches }
    }

    pub fn executor(&self) -> MeteredExecutor<'_, DB> {
        MeteredExecutor::pool(self)
    }

    pub(super) async fn checkout(&self) -> sqlx::Result<Checkout<DB>> {
        Ok(Checkout::new(self.pool.acquire().await?, self.state.clone()))
    }

    /// Measures the wait. Boxed, since the future of `acquire` is large.
    pub(super) async fn connection(&self, reach: Reach) -> sqlx::Result<Checkout<DB>> {
        let had = async {
            let turn = match reach {
                Reach::Rows => None,
                Reach::Library => self.searches.clone().acquire_owned().await.ok(),
            };
            Ok(self.checkout().await?.with_turn(turn))
        };
        self.wait(Box::pin(had)).await
    }

    pub(super) async fn wait<T>(&self, had: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
        let had = async { waits::within(had).await.unwrap_or(Err(sqlx::Error::PoolTimedOut)) };
        let Some(Meters { pool, .. }) = self.state.meters() else { return had.await };
        let (waiting, started) = (Waiting::new(pool), Instant::now());
        let had = had.await;
        drop(waiting);
        pool.acquire.record(started.elapsed());
        if matches!(had, Err(sqlx::Error::PoolTimedOut)) {
            pool.timeouts.increment(1);
        }
        had
    }

    fn measure_for(&self, metrics: &Metrics, name: &str, system: &'static str) {
        let meters = Meters { metrics: metrics.clone(), pool: metrics.database.pool(name), system };
        let _ = self.state.meters.set(meters);
    }

    fn look(&self) {
        let Some(Meters { pool, .. }) = self.state.meters() else { return };
        let idle = self.pool.num_idle();
        let open = usize::try_from(self.pool.size()).unwrap_or(usize::MAX);
        pool.idle.set(count(idle));
        pool.used.set(count(open.saturating_sub(idle)));
        pool.max.set(self.pool.options().get_max_connections());
    }
}

impl Db {
    pub fn measure_for(&self, metrics: &Metrics) {
        match self {
            Self::Postgres(pool) => pool.measure_for(metrics, "postgres", "postgresql"),
            Self::Sqlite { read, write, .. } => {
                read.measure_for(metrics, "sqlite_read", "sqlite");
                write.measure_for(metrics, "sqlite_write", "sqlite");
            }
        }
        self.look_at_pools();
    }

    pub fn look_at_pools(&self) {
        match self {
            Self::Postgres(pool) => pool.look(),
            Self::Sqlite { read, write, .. } => {
                read.look();
                write.look();
            }
        }
    }
}

fn count(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::sqlite;
    use super::*;

    #[tokio::test]
    async fn searches_leave_a_connection_to_others() {
        let folder = tempfile::tempdir().expect("a folder");
        let db = sqlite::open(&folder.path().join("coffer.db"), 4).await.expect("a database");
        let Db::Sqlite { read, .. } = db else { panic!("SQLite") };
        let mut searches = Vec::new();
        for _ in 0..3 {
            searches.push(read.connection(Reach::Library).await.expect("a connection"));
        }
        let mut fourth = Box::pin(read.connection(Reach::Library));
        assert!(futures_util::poll!(&mut fourth).is_pending(), "it waits for the end of another search");
        read.connection(Reach::Rows).await.expect("the last connection");
        drop(searches.pop());
        fourth.await.expect("its turn");
    }
}
