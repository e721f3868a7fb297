//! Runs queries within a time limit and measures them under the name of the function that asks.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::{BoxFuture, FutureExt as _};
use futures_util::stream::{BoxStream, StreamExt as _, TryStreamExt as _, iter, once};
use sqlx::error::BoxDynError;
use sqlx::{Database, Describe, Either, Execute, Executor, SqlStr};

use super::checkout::{Checkout, REQUEST_LIMIT, Transactional, pool_limit, within};
use super::failure;
use super::pool::{MeteredPool, PoolState, Reach};
use crate::telemetry::metrics::{Metrics, QueryMeter};

/// Runs one query on a pool or in a transaction.
#[derive(Debug)]
pub struct MeteredExecutor<'c, DB: Transactional> {
    on: On<'c, DB>,
    name: &'static str,
    limit: Duration,
}

#[derive(Debug)]
enum On<'c, DB: Transactional> {
    Pool(&'c MeteredPool<DB>),
    Checkout(&'c mut Checkout<DB>),
}

impl<'c, DB: Transactional> MeteredExecutor<'c, DB> {
    pub(super) fn pool(pool: &'c MeteredPool<DB>) -> Self {
        Self { on: On::Pool(pool), name: "unnamed", limit: pool_limit::<DB>() }
    }

    pub(super) fn checkout(checkout: &'c mut Checkout<DB>, limit: Duration) -> Self {
        Self { on: On::Checkout(checkout), name: "unnamed", limit }
    }

    /// `name` is a path as [`std::any::type_name`] writes it.
    pub fn named(self, name: &'static str) -> Self {
        Self { name, ..self }
    }
}

impl<'c, DB: Transactional> On<'c, DB> {
    /// `own` keeps a connection from the pool. Behind a pooler of transactions a statement needs a transaction of its own,
    /// which is rolled back, as what runs on a pool only reads.
    async fn checkout<'a>(
        self,
        own: &'a mut Option<Checkout<DB>>,
        reach: Reach,
    ) -> sqlx::Result<&'a mut Checkout<DB>>
    where
        'c: 'a,
    {
        match self {
            Self::Pool(pool) => {
                let checkout = own.insert(pool.connection(reach).await?);
                if !pool.state.keeps_statements {
                    checkout.begin(DB::BEGIN, REQUEST_LIMIT).await?;
                }
                Ok(checkout)
            }
            Self::Checkout(checkout) => Ok(checkout),
        }
    }
}

impl<'c, DB: Transactional> Executor<'c> for MeteredExecutor<'c, DB>
where
    for<'a> &'a mut DB::Connection: Executor<'a, Database = DB>,
{
    type Database = DB;

    /// Reads the stream to its end first, so that a slow reader of rows does not hold the connection.
    fn fetch_many<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> BoxStream<'e, sqlx::Result<Either<DB::QueryResult, DB::Row>>>
    where
        'c: 'e,
        E: 'q + Execute<'q, DB>,
    {
        let rows = async move {
            let query = Taken::new(query)?;
            let mut own = None;
            let checkout = self.on.checkout(&mut own, query.reach).await?;
            let timer = Timer::start(checkout.pool(), self.name, query.sql.as_str());
            let query = query.on(checkout.pool());
            let rows = checkout.bare()?.fetch_many(query).try_collect::<Vec<_>>();
            let rows = within(self.limit, rows).await;
            timer.done(checkout.judge(rows))
        };
        once(rows).map_ok(|rows| iter(rows.into_iter().map(Ok))).try_flatten().boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, sqlx::Result<Option<DB::Row>>>
    where
        'c: 'e,
        E: 'q + Execute<'q, DB>,
    {
        async move {
            let query = Taken::new(query)?;
            let mut own = None;
            let checkout = self.on.checkout(&mut own, query.reach).await?;
            let timer = Timer::start(checkout.pool(), self.name, query.sql.as_str());
            let query = query.on(checkout.pool());
            let row = within(self.limit, checkout.bare()?.fetch_optional(query)).await;
            timer.done(checkout.judge(row))
        }
        .boxed()
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [DB::TypeInfo],
    ) -> BoxFuture<'e, sqlx::Result<DB::Statement>>
    where
        'c: 'e,
    {
        async move {
            let mut own = None;
            let checkout = self.on.checkout(&mut own, Reach::Rows).await?;
            let statement = within(self.limit, checkout.bare()?.prepare_with(sql, parameters)).await;
            checkout.judge(statement)
        }
        .boxed()
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, sqlx::Result<Describe<DB>>>
    where
        'c: 'e,
    {
        async move {
            let mut own = None;
            let checkout = self.on.checkout(&mut own, Reach::Rows).await?;
            let description = within(self.limit, checkout.bare()?.describe(sql)).await;
            checkout.judge(description)
        }
        .boxed()
    }
}

/// A query taken apart, as [`Execute::sql`] consumes it.
struct Taken<DB: Database> {
    sql: SqlStr,
    arguments: Option<DB::Arguments>,
    is_kept: bool,
    reach: Reach,
}

impl<DB: Transactional> Taken<DB> {
    fn new<'q, E: Execute<'q, DB>>(mut query: E) -> sqlx::Result<Self> {
        let arguments = query.take_arguments().map_err(sqlx::Error::Encode)?;
        // What is planned for its values is a search.
        let reach = if query.persistent() { Reach::Rows } else { Reach::Library };
        let is_kept = query.persistent() || !DB::PLANS_FOR_VALUES;
        Ok(Self { reach, is_kept, arguments, sql: query.sql() })
    }

    fn on(self, state: &PoolState) -> Self {
        Self { is_kept: self.is_kept && state.keeps_statements, ..self }
    }
}

impl<DB: Database> Execute<'_, DB> for Taken<DB> {
    fn sql(self) -> SqlStr {
        self.sql
    }

    fn statement(&self) -> Option<&DB::Statement> {
        None
    }

    fn take_arguments(&mut self) -> Result<Option<DB::Arguments>, BoxDynError> {
        Ok(self.arguments.take())
    }

    fn persistent(&self) -> bool {
        self.is_kept
    }
}

/// Records the duration when it is dropped, also when the request was cancelled.
pub(super) struct Timer {
    meter: Option<(Arc<QueryMeter>, Metrics)>,
    started: Instant,
}

impl Timer {
    pub(super) fn start(state: &PoolState, name: &'static str, sql: &str) -> Self {
        let meter = state.meters().map(|meters| {
            let operation =
                sql.trim_start().split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
            (meters.metrics.database.query(meters.system, operation, name), meters.metrics.clone())
        });
        Self { meter, started: Instant::now() }
    }

    pub(super) fn done<T>(&self, result: sqlx::Result<T>) -> sqlx::Result<T> {
        if let (Err(error), Some((meter, _))) = (&result, &self.meter)
            && !matches!(error, sqlx::Error::RowNotFound)
        {
            meter.failed(failure::kind(error));
        }
        result
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
