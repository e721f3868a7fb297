//! Write transactions of either engine.

use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt as _, TryFutureExt as _};
use sqlx::{Postgres, Sqlite};

use super::checkout::{BULK_LIMIT, Checkout, REQUEST_LIMIT, Transactional};
use super::failure::of_commit;
use super::measure::{MeteredExecutor, Timer};
use super::pool::MeteredPool;
use super::{Db, Engine};
use crate::telemetry::request;

/// A write transaction. Dropped without `commit`, it rolls back.
pub enum Tx {
    Postgres(Transaction<Postgres>),
    Sqlite(Transaction<Sqlite>),
}

pub struct Transaction<DB: Transactional> {
    checkout: Checkout<DB>,
    /// For each statement.
    limit: Duration,
}

// Boxed: their futures are many kilobytes, and the compiler would look through them anew for each handler.
impl Db {
    /// Never call it while you hold another transaction: pass that one down.
    pub fn begin(&self) -> BoxFuture<'_, sqlx::Result<Tx>> {
        self.begin_within(REQUEST_LIMIT)
    }

    /// Each statement may take a minute, for writing very many rows.
    pub fn begin_bulk(&self) -> BoxFuture<'_, sqlx::Result<Tx>> {
        self.begin_within(BULK_LIMIT)
    }

    /// To read very many rows, each statement within a minute. Writes nothing on SQLite.
    pub fn begin_reading(&self) -> BoxFuture<'_, sqlx::Result<Tx>> {
        match self {
            Self::Postgres(pool) => {
                let tx = Transaction::begin_as(pool, Postgres::BEGIN_READING, BULK_LIMIT);
                tx.map_ok(Tx::Postgres).boxed()
            }
            Self::Sqlite { read, .. } => {
                Transaction::begin_as(read, Sqlite::BEGIN_READING, BULK_LIMIT).map_ok(Tx::Sqlite).boxed()
            }
        }
    }

    fn begin_within(&self, limit: Duration) -> BoxFuture<'_, sqlx::Result<Tx>> {
        match self {
            Self::Postgres(pool) => Transaction::begin(pool, limit).map_ok(Tx::Postgres).boxed(),
            Self::Sqlite { write, .. } => Transaction::begin(write, limit).map_ok(Tx::Sqlite).boxed(),
        }
    }
}

impl Tx {
    pub fn conn(&mut self) -> Engine<'_> {
        match self {
            Self::Postgres(tx) => Engine::Postgres(tx.conn()),
            Self::Sqlite(tx) => Engine::Sqlite(tx.conn()),
        }
    }

    /// [`super::is_outcome_unknown`] tells whether a failed commit may have succeeded.
    pub fn commit(self) -> BoxFuture<'static, sqlx::Result<()>> {
        async move {
            let saving = request::saving();
            let committed = match self {
                Self::Postgres(tx) => tx.commit().await,
                Self::Sqlite(tx) => tx.commit().await,
            };
            if committed.as_ref().is_err_and(|error| !super::is_outcome_unknown(error)) {
                saving.failed();
            }
            committed
        }
        .boxed()
    }
}

impl<DB: Transactional> Transaction<DB> {
    pub(super) async fn begin(pool: &MeteredPool<DB>, limit: Duration) -> sqlx::Result<Self> {
        let sql = if limit > REQUEST_LIMIT { DB::BEGIN_BULK } else { DB::BEGIN };
        Self::begin_as(pool, sql, limit).await
    }

    async fn begin_as(pool: &MeteredPool<DB>, sql: &'static str, limit: Duration) -> sqlx::Result<Self> {
        let begun = async {
            let mut checkout = pool.checkout().await?;
            let timer = Timer::start(&pool.state, "coffer::db::begin", "BEGIN");
            timer.done(checkout.begin(sql, limit).await)?;
            Ok(checkout)
        };
        let checkout = pool.wait(begun).await?;
        Ok(Self { checkout, limit })
    }

    pub fn conn(&mut self) -> MeteredExecutor<'_, DB> {
        MeteredExecutor::checkout(&mut self.checkout, self.limit)
    }

    pub(super) async fn commit(mut self) -> sqlx::Result<()> {
        if self.checkout.is_doubtful() {
            return Err(sqlx::Error::Protocol("the transaction failed before its commit".to_owned()));
        }
        let timer = Timer::start(self.checkout.pool(), "coffer::db::commit", "COMMIT");
        let committed = timer.done(self.checkout.commit(self.limit).await);
        if committed.is_ok() {
            self.checkout.pool().wrote();
        }
        committed.map_err(of_commit)
    }
}
