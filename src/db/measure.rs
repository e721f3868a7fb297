//! Measures every query by the name of the function that asks it, and every wait for a connection.

use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::{BoxFuture, FutureExt as _, ready};
use futures_util::stream::{BoxStream, StreamExt as _, TryStreamExt as _, iter, once};
use sqlx::{Database, Either, Execute, Executor, Pool, Postgres, SqlStr, Sqlite};

use super::checkout::{REQUEST_LIMIT, Transactional, within};
use super::{Checkout, Db, is_silence};
use crate::telemetry::metrics::{Metrics, PoolMeter, QueryMeter};
use crate::waits;

/// What is known of a pool.
#[derive(Debug, Default)]
pub struct PoolState {
    /// None until an application is opened on it.
    meters: OnceLock<Meters>,
    /// When a connection did not answer within its limit.
    silent: Mutex<Option<Instant>>,
    /// The last attempt to write failed.
    is_failing: AtomicBool,
}

impl PoolState {
    /// A connection can't be used any more, for this reason.
    pub(super) fn failed(&self, error: &sqlx::Error) {
        self.is_failing.store(true, Ordering::Relaxed);
        if is_silence(error) {
            *self.silent.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        }
    }

    /// A transaction was committed.
    pub(super) fn wrote(&self) {
        self.is_failing.store(false, Ordering::Relaxed);
    }

    pub(super) fn is_failing(&self) -> bool {
        self.is_failing.load(Ordering::Relaxed)
    }

    /// Whether another connection fell silent while one was idle for this long.
    pub(super) fn fell_silent_within(&self, idle: Duration) -> bool {
        let silent = self.silent.lock().unwrap_or_else(PoisonError::into_inner);
        silent.is_some_and(|at| at.elapsed() <= idle)
    }
}

#[derive(Debug)]
struct Meters {
    metrics: Metrics,
    pool: PoolMeter,
    system: &'static str,
}

/// A pool that measures what is asked of it.
#[derive(Debug)]
pub struct Measured<DB: Database> {
    pool: Pool<DB>,
    pub(super) state: Arc<PoolState>,
}

impl<DB: Database> Clone for Measured<DB> {
    fn clone(&self) -> Self {
        Self { pool: self.pool.clone(), state: self.state.clone() }
    }
}

impl<DB: Database> Deref for Measured<DB> {
    type Target = Pool<DB>;

    fn deref(&self) -> &Pool<DB> {
        &self.pool
    }
}

/// A pool or connection that is asked one query, the query's name, and how long it may take.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a, C> {
    on: C,
    state: &'a PoolState,
    name: &'static str,
    limit: Duration,
}

impl<'a, C> Asked<'a, C> {
    pub(super) fn new(on: C, state: &'a PoolState) -> Self {
        Self { on, state, name: "unnamed", limit: REQUEST_LIMIT }
    }

    /// Under this name, as [`std::any::type_name`] tells the place.
    #[must_use]
    pub fn named(self, name: &'static str) -> Self {
        Self { name, ..self }
    }

    #[must_use]
    pub(super) fn within(self, limit: Duration) -> Self {
        Self { limit, ..self }
    }
}

/// A query that runs; what it took is counted when this goes, also when nobody waits for the answer any more.
pub(super) struct Timer {
    meter: Option<(Arc<QueryMeter>, Metrics)>,
    started: Instant,
}

impl Timer {
    pub(super) fn start(state: &PoolState, name: &'static str, sql: &str) -> Self {
        let meter = state.meters.get().map(|meters| {
            let operation =
                sql.trim_start().split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
            (meters.metrics.database.query(meters.system, operation, name), meters.metrics.clone())
        });
        Self { meter, started: Instant::now() }
    }

    pub(super) fn done<T>(&self, result: sqlx::Result<T>) -> sqlx::Result<T> {
        if let Err(error) = &result {
            self.failed(error);
        }
        result
    }

    fn failed(&self, error: &sqlx::Error) {
        if let Some((meter, _)) = &self.meter
            && !matches!(error, sqlx::Error::RowNotFound)
        {
            meter.failed(error);
        }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        if let Some((meter, metrics)) = &self.meter {
            let took = self.started.elapsed();
            meter.took(took);
            metrics.database.slow(meter, took);
        }
    }
}

/// Counts as waiting until it goes.
struct Waiting<'a>(&'a PoolMeter);

impl<'a> Waiting<'a> {
    fn new(pool: &'a PoolMeter) -> Self {
        pool.waiting.inc();
        Self(pool)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.dec();
    }
}

impl<DB: Database> Measured<DB> {
    pub(super) fn new(pool: Pool<DB>, state: Arc<PoolState>) -> Self {
        Self { pool, state }
    }

    fn measure_for(&self, metrics: &Metrics, name: &str, system: &'static str) {
        let meters = Meters { metrics: metrics.clone(), pool: metrics.database.pool(name), system };
        let _ = self.state.meters.set(meters);
    }

    /// Sets the gauges.
    fn look(&self) {
        let Some(Meters { pool, .. }) = self.state.meters.get() else { return };
        let idle = self.pool.num_idle();
        let open = usize::try_from(self.pool.size()).unwrap_or(usize::MAX);
        pool.idle.set(count(idle));
        pool.used.set(count(open.saturating_sub(idle)));
        pool.max.set(i64::from(self.pool.options().get_max_connections()));
    }

    /// Measures the wait for a connection or a transaction.
    pub(super) async fn wait<T>(&self, had: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
        let had = async { waits::within(had).await.unwrap_or(Err(sqlx::Error::PoolTimedOut)) };
        let Some(Meters { pool, .. }) = self.state.meters.get() else { return had.await };
        let (waiting, started) = (Waiting::new(pool), Instant::now());
        let had = had.await;
        drop(waiting);
        pool.acquire.record(started.elapsed());
        if matches!(had, Err(sqlx::Error::PoolTimedOut)) {
            pool.timeouts.inc();
        }
        had
    }
}

impl<DB: Transactional> Measured<DB> {
    pub(super) async fn checkout(&self) -> sqlx::Result<Checkout<DB>> {
        Ok(Checkout::new(self.pool.acquire().await?, self.state.clone()))
    }

    /// The same, and the wait is measured. In a box, as waiting for one is large.
    async fn connection(&self) -> sqlx::Result<Checkout<DB>> {
        self.wait(Box::pin(self.checkout())).await
    }
}

impl Db {
    /// Lets the queries and pools be counted by this application's metrics.
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

    /// Sets the gauges of the pools.
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

type Taken<DB> = (SqlStr, Option<<DB as Database>::Arguments>);

/// The query's text, which it gives away only whole, and what it binds.
fn taken<'q, DB: Database, E: Execute<'q, DB>>(mut query: E) -> sqlx::Result<Taken<DB>> {
    let arguments = query.take_arguments().map_err(sqlx::Error::Encode)?;
    Ok((query.sql(), arguments))
}

type Answer<'e, T> = BoxFuture<'e, sqlx::Result<T>>;
type Rows<'e, DB> = BoxStream<'e, sqlx::Result<Either<<DB as Database>::QueryResult, <DB as Database>::Row>>>;

/// One way of asking: every statement of a request comes through here, where its limit is.
macro_rules! measured {
    ($method:ident -> $answer:ty, $this:ident => $connection:expr) => {
        fn $method<'e, 'q: 'e, E>($this, query: E) -> Answer<'e, $answer>
        where
            'c: 'e,
            E: 'q + Execute<'q, Self::Database>,
        {
            let query = match taken::<Self::Database, E>(query) {
                Ok(query) => query,
                Err(error) => return ready(Err(error)).boxed(),
            };
            Box::pin(async move {
                let (state, name, limit) = ($this.state, $this.name, $this.limit);
                let checkout = $connection;
                let timer = Timer::start(state, name, query.0.as_str());
                let answer = within(limit, checkout.bare()?.$method(query)).await;
                timer.done(checkout.judge(answer))
            })
        }
    };
}

/// Every way of asking. A stream is read to its end before its first row is given out, so that nobody holds the
/// connection longer than its statement takes.
macro_rules! measured_executor {
    (<$lifetime:lifetime> $on:ty, $db:ty, $this:ident => $connection:expr) => {
        impl<$lifetime> Executor<$lifetime> for Asked<$lifetime, $on> {
            type Database = $db;

            measured!(execute -> <$db as Database>::QueryResult, $this => $connection);
            measured!(fetch_all -> Vec<<$db as Database>::Row>, $this => $connection);
            measured!(fetch_one -> <$db as Database>::Row, $this => $connection);
            measured!(fetch_optional -> Option<<$db as Database>::Row>, $this => $connection);

            fn fetch_many<'e, 'q: 'e, E>($this, query: E) -> Rows<'e, $db>
            where
                'c: 'e,
                E: 'q + Execute<'q, $db>,
            {
                let query = match taken::<$db, E>(query) {
                    Ok(query) => query,
                    Err(error) => return once(ready(Err(error))).boxed(),
                };
                let rows = async move {
                    let (state, name, limit) = ($this.state, $this.name, $this.limit);
                    let checkout = $connection;
                    let timer = Timer::start(state, name, query.0.as_str());
                    let rows = checkout.bare()?.fetch_many(query).try_collect::<Vec<_>>();
                    let rows = within(limit, rows).await;
                    timer.done(checkout.judge(rows))
                };
                once(rows).map_ok(|rows| iter(rows.into_iter().map(Ok))).try_flatten().boxed()
            }

            fn prepare_with<'e>(
                $this,
                sql: SqlStr,
                parameters: &'e [<$db as Database>::TypeInfo],
            ) -> Answer<'e, <$db as Database>::Statement>
            where
                'c: 'e,
            {
                Box::pin(async move {
                    let checkout = $connection;
                    let answer = within($this.limit, checkout.bare()?.prepare_with(sql, parameters)).await;
                    checkout.judge(answer)
                })
            }

            fn describe<'e>($this, sql: SqlStr) -> Answer<'e, sqlx::Describe<$db>>
            where
                'c: 'e,
            {
                Box::pin(async move {
                    let checkout = $connection;
                    let answer = within($this.limit, checkout.bare()?.describe(sql)).await;
                    checkout.judge(answer)
                })
            }
        }
    };
}

measured_executor!(<'c> &'c Measured<Postgres>, Postgres, self => &mut self.on.connection().await?);
measured_executor!(<'c> &'c Measured<Sqlite>, Sqlite, self => &mut self.on.connection().await?);
measured_executor!(<'c> &'c mut Checkout<Postgres>, Postgres, self => self.on);
measured_executor!(<'c> &'c mut Checkout<Sqlite>, Sqlite, self => self.on);

/// A measured pool is asked under no name.
macro_rules! plain_executor {
    ($db:ty) => {
        impl<'c> Executor<'c> for &'c Measured<$db> {
            type Database = $db;

            fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> Rows<'e, $db>
            where
                'c: 'e,
                E: 'q + Execute<'q, $db>,
            {
                Asked::new(self, &self.state).fetch_many(query)
            }

            fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> Answer<'e, Option<<$db as Database>::Row>>
            where
                'c: 'e,
                E: 'q + Execute<'q, $db>,
            {
                Asked::new(self, &self.state).fetch_optional(query)
            }

            fn prepare_with<'e>(
                self,
                sql: SqlStr,
                parameters: &'e [<$db as Database>::TypeInfo],
            ) -> Answer<'e, <$db as Database>::Statement>
            where
                'c: 'e,
            {
                Asked::new(self, &self.state).prepare_with(sql, parameters)
            }

            fn describe<'e>(self, sql: SqlStr) -> Answer<'e, sqlx::Describe<$db>>
            where
                'c: 'e,
            {
                Asked::new(self, &self.state).describe(sql)
            }
        }
    };
}

plain_executor!(Postgres);
plain_executor!(Sqlite);

fn count(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
