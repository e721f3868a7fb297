//! Measures every query by the name of the function that asks it, and every wait for a connection.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use futures_util::future::{BoxFuture, FutureExt as _, ready};
use futures_util::stream::{BoxStream, StreamExt as _, TryStreamExt as _, once};
use sqlx::pool::PoolConnection;
use sqlx::{
    Database, Either, Execute, Executor, PgConnection, Pool, Postgres, SqlStr, Sqlite, SqliteConnection,
};

use super::Db;
use crate::telemetry::metrics::{Metrics, PoolMeter, QueryMeter};
use crate::waits;

/// Where a pool's figures go; nowhere until an application is opened on it.
pub type Gauge = Arc<OnceLock<Meters>>;

#[derive(Debug)]
pub struct Meters {
    metrics: Metrics,
    pool: PoolMeter,
    system: &'static str,
}

/// A pool that measures what is asked of it.
#[derive(Debug)]
pub struct Measured<DB: Database> {
    pool: Pool<DB>,
    pub(super) gauge: Gauge,
}

impl<DB: Database> Clone for Measured<DB> {
    fn clone(&self) -> Self {
        Self { pool: self.pool.clone(), gauge: self.gauge.clone() }
    }
}

impl<DB: Database> Deref for Measured<DB> {
    type Target = Pool<DB>;

    fn deref(&self) -> &Pool<DB> {
        &self.pool
    }
}

/// A pool or connection that is asked one query, and the query's name.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a, C> {
    on: C,
    gauge: &'a Gauge,
    name: &'static str,
}

impl<'a, C> Asked<'a, C> {
    pub(super) fn new(on: C, gauge: &'a Gauge) -> Self {
        Self { on, gauge, name: "unnamed" }
    }

    /// Under this name, as [`std::any::type_name`] tells the place.
    #[must_use]
    pub fn named(self, name: &'static str) -> Self {
        Self { name, ..self }
    }
}

impl<C: Deref> Deref for Asked<'_, C> {
    type Target = C::Target;

    fn deref(&self) -> &C::Target {
        &self.on
    }
}

impl<C: DerefMut> DerefMut for Asked<'_, C> {
    fn deref_mut(&mut self) -> &mut C::Target {
        &mut self.on
    }
}

/// A query that runs; what it took is counted when this goes, also when nobody waits for the answer any more.
struct Timer {
    meter: Option<(Arc<QueryMeter>, Metrics)>,
    started: Instant,
}

impl Timer {
    fn start(gauge: &Gauge, name: &'static str, sql: &str) -> Self {
        let meter = gauge.get().map(|meters| {
            let operation =
                sql.trim_start().split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
            (meters.metrics.database.query(meters.system, operation, name), meters.metrics.clone())
        });
        Self { meter, started: Instant::now() }
    }

    fn done<T>(&self, result: sqlx::Result<T>) -> sqlx::Result<T> {
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
    pub(super) fn new(pool: Pool<DB>) -> Self {
        Self { pool, gauge: Arc::default() }
    }

    fn measure_for(&self, metrics: &Metrics, name: &str, system: &'static str) {
        let meters = Meters { metrics: metrics.clone(), pool: metrics.database.pool(name), system };
        let _ = self.gauge.set(meters);
    }

    /// Sets the gauges.
    fn look(&self) {
        let Some(Meters { pool, .. }) = self.gauge.get() else { return };
        let idle = self.pool.num_idle();
        let open = usize::try_from(self.pool.size()).unwrap_or(usize::MAX);
        pool.idle.set(count(idle));
        pool.used.set(count(open.saturating_sub(idle)));
        pool.max.set(i64::from(self.pool.options().get_max_connections()));
    }

    /// In a box, as waiting for one is large.
    async fn connection(&self) -> sqlx::Result<PoolConnection<DB>> {
        self.wait(Box::pin(self.pool.acquire())).await
    }

    /// Measures the wait for a connection or a transaction.
    pub(super) async fn wait<T>(&self, had: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
        let had = async { waits::within(had).await.unwrap_or(Err(sqlx::Error::PoolTimedOut)) };
        let Some(Meters { pool, .. }) = self.gauge.get() else { return had.await };
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
                let (gauge, name) = ($this.gauge, $this.name);
                let connection = $connection;
                let timer = Timer::start(gauge, name, query.0.as_str());
                timer.done((&mut *{ connection }).$method(query).await)
            })
        }
    };
}

/// Every way of asking but the stream, whose connection outlives no future that could own it.
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
                let timer = Timer::start($this.gauge, $this.name, query.0.as_str());
                let rows = Bare::bare($this.on).fetch_many(query);
                rows.inspect_err(move |error| timer.failed(error)).boxed()
            }

            fn prepare_with<'e>(
                $this,
                sql: SqlStr,
                parameters: &'e [<$db as Database>::TypeInfo],
            ) -> Answer<'e, <$db as Database>::Statement>
            where
                'c: 'e,
            {
                Bare::bare($this.on).prepare_with(sql, parameters)
            }

            fn describe<'e>($this, sql: SqlStr) -> Answer<'e, sqlx::Describe<$db>>
            where
                'c: 'e,
            {
                Bare::bare($this.on).describe(sql)
            }
        }
    };
}

type Rows<'e, DB> = BoxStream<'e, sqlx::Result<Either<<DB as Database>::QueryResult, <DB as Database>::Row>>>;

/// What sqlx itself asks.
trait Bare<'c> {
    type On: Executor<'c>;

    fn bare(self) -> Self::On;
}

impl<'c> Bare<'c> for &'c mut PgConnection {
    type On = Self;

    fn bare(self) -> Self {
        self
    }
}

impl<'c> Bare<'c> for &'c mut SqliteConnection {
    type On = Self;

    fn bare(self) -> Self {
        self
    }
}

impl<'c> Bare<'c> for &'c Measured<Postgres> {
    type On = &'c Pool<Postgres>;

    fn bare(self) -> Self::On {
        &self.pool
    }
}

impl<'c> Bare<'c> for &'c Measured<Sqlite> {
    type On = &'c Pool<Sqlite>;

    fn bare(self) -> Self::On {
        &self.pool
    }
}

measured_executor!(<'c> &'c Measured<Postgres>, Postgres, self => self.on.connection().await?);
measured_executor!(<'c> &'c Measured<Sqlite>, Sqlite, self => self.on.connection().await?);
measured_executor!(<'c> &'c mut PgConnection, Postgres, self => self.on);
measured_executor!(<'c> &'c mut SqliteConnection, Sqlite, self => self.on);

/// A measured pool where nothing needs measuring: the schema, the pings.
macro_rules! plain_executor {
    ($db:ty) => {
        impl<'c> Executor<'c> for &'c Measured<$db> {
            type Database = $db;

            fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> Rows<'e, $db>
            where
                'c: 'e,
                E: 'q + Execute<'q, $db>,
            {
                (&self.pool).fetch_many(query)
            }

            fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> Answer<'e, Option<<$db as Database>::Row>>
            where
                'c: 'e,
                E: 'q + Execute<'q, $db>,
            {
                (&self.pool).fetch_optional(query)
            }

            fn prepare_with<'e>(
                self,
                sql: SqlStr,
                parameters: &'e [<$db as Database>::TypeInfo],
            ) -> Answer<'e, <$db as Database>::Statement>
            where
                'c: 'e,
            {
                (&self.pool).prepare_with(sql, parameters)
            }

            fn describe<'e>(self, sql: SqlStr) -> Answer<'e, sqlx::Describe<$db>>
            where
                'c: 'e,
            {
                (&self.pool).describe(sql)
            }
        }
    };
}

plain_executor!(Postgres);
plain_executor!(Sqlite);

fn count(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
