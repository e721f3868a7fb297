//! A connection checked out of its pool. It goes back only in a known state.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt as _};
use sqlx::pool::PoolConnection;
use sqlx::{Database, PgConnection, Postgres, Sqlite, SqliteConnection};
use tokio::sync::OwnedSemaphorePermit;

use super::failure::{silence, spoils_connection};
use super::pool::PoolState;

/// For one statement of a request, `BEGIN` and `COMMIT` included.
pub const REQUEST_LIMIT: Duration = Duration::from_secs(3);
/// For one statement of an unhurried load on SQLite, where no server ends it earlier.
const UNHURRIED_LIMIT: Duration = Duration::from_mins(1);
/// For one statement of an import or other bulk work.
pub const BULK_LIMIT: Duration = Duration::from_mins(1);
/// For the rollback and the ping before a connection goes back to its pool.
const RETURN_LIMIT: Duration = Duration::from_secs(1);

tokio::task_local! {
    static IS_UNHURRIED: ();
}

/// Runs what is useful even when its reader has gone.
pub async fn unhurried<F: Future>(load: F) -> F::Output {
    IS_UNHURRIED.scope((), load).await
}

pub(super) fn pool_limit<DB: Transactional>() -> Duration {
    let is_unhurried = IS_UNHURRIED.try_with(|()| ()).is_ok();
    if is_unhurried { DB::UNHURRIED_LIMIT } else { REQUEST_LIMIT }
}

pub trait Transactional: Database {
    const BEGIN: &'static str;
    const UNHURRIED_LIMIT: Duration;
    const BEGIN_BULK: &'static str;
    const BEGIN_READING: &'static str;
    /// Whether it plans a statement for the values that are bound to it.
    const PLANS_FOR_VALUES: bool;

    /// Runs a statement that binds nothing and returns nothing.
    fn run<'c>(connection: &'c mut Self::Connection, sql: &'static str) -> BoxFuture<'c, sqlx::Result<()>>;
}

impl Transactional for Postgres {
    const BEGIN: &'static str = "BEGIN";
    const UNHURRIED_LIMIT: Duration = REQUEST_LIMIT;
    const BEGIN_BULK: &'static str =
        "BEGIN; SET LOCAL statement_timeout = '60s'; SET LOCAL lock_timeout = '60s'";
    const BEGIN_READING: &'static str = Self::BEGIN_BULK;
    const PLANS_FOR_VALUES: bool = true;

    fn run<'c>(connection: &'c mut PgConnection, sql: &'static str) -> BoxFuture<'c, sqlx::Result<()>> {
        async move { sqlx::raw_sql(sql).execute(connection).await.map(drop) }.boxed()
    }
}

impl Transactional for Sqlite {
    const BEGIN: &'static str = "BEGIN IMMEDIATE";
    const UNHURRIED_LIMIT: Duration = UNHURRIED_LIMIT;
    const BEGIN_BULK: &'static str = Self::BEGIN;
    const BEGIN_READING: &'static str = "BEGIN";
    const PLANS_FOR_VALUES: bool = false;

    fn run<'c>(connection: &'c mut SqliteConnection, sql: &'static str) -> BoxFuture<'c, sqlx::Result<()>> {
        async move { sqlx::raw_sql(sql).execute(connection).await.map(drop) }.boxed()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// No transaction is open.
    Clean,
    /// A transaction is open; dropping it rolls back.
    Open,
    /// Its state is unknown; dropping it closes the connection.
    Doubtful,
}

#[derive(Debug)]
pub struct Checkout<DB: Transactional> {
    /// `None` while it is dropped.
    connection: Option<PoolConnection<DB>>,
    pool: Arc<PoolState>,
    state: State,
    /// Given back with the connection.
    turn: Option<OwnedSemaphorePermit>,
}

impl<DB: Transactional> Checkout<DB> {
    pub(super) fn new(connection: PoolConnection<DB>, pool: Arc<PoolState>) -> Self {
        Self { connection: Some(connection), pool, state: State::Clean, turn: None }
    }

    pub(super) fn with_turn(mut self, turn: Option<OwnedSemaphorePermit>) -> Self {
        self.turn = turn;
        self
    }

    pub(super) fn bare(&mut self) -> sqlx::Result<&mut DB::Connection> {
        self.connection.as_deref_mut().ok_or(sqlx::Error::WorkerCrashed)
    }

    pub(super) fn pool(&self) -> &PoolState {
        &self.pool
    }

    /// Marks the connection for closing if the error leaves it in an unknown state.
    pub(super) fn judge<T>(&mut self, answer: sqlx::Result<T>) -> sqlx::Result<T> {
        if let Err(error) = &answer
            && spoils_connection(error)
        {
            self.state = State::Doubtful;
            self.pool.failed(error);
        }
        answer
    }

    pub(super) async fn begin(&mut self, sql: &'static str, limit: Duration) -> sqlx::Result<()> {
        self.change(sql, limit, State::Open).await
    }

    pub(super) async fn commit(&mut self, limit: Duration) -> sqlx::Result<()> {
        self.change("COMMIT", limit, State::Clean).await
    }

    /// A cancellation leaves an unknown state, and so does any error but a constraint's, which leaves the transaction open.
    async fn change(&mut self, sql: &'static str, limit: Duration, after: State) -> sqlx::Result<()> {
        self.state = State::Doubtful;
        let changed = within(limit, DB::run(self.bare()?, sql)).await;
        self.state = if changed.is_ok() { after } else { State::Open };
        self.judge(changed)
    }

    pub(super) fn is_doubtful(&self) -> bool {
        self.state == State::Doubtful
    }

    pub(super) fn throw_away(&mut self) {
        self.state = State::Doubtful;
    }
}

pub(super) async fn within<T>(
    limit: Duration,
    answer: impl Future<Output = sqlx::Result<T>>,
) -> sqlx::Result<T> {
    tokio::time::timeout(limit, answer).await.unwrap_or_else(|_| Err(silence(limit)))
}

impl<DB: Transactional> Drop for Checkout<DB> {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else { return };
        let is_open = self.state == State::Open;
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) if self.state != State::Doubtful => {
                runtime.spawn(give_back(connection, is_open));
            }
            // Without a goodbye, since the server may be gone. The pool opens another.
            _ => drop(connection.detach()),
        }
    }
}

async fn give_back<DB: Transactional>(mut connection: PoolConnection<DB>, is_open: bool) {
    if is_open && within(RETURN_LIMIT, DB::run(&mut connection, "ROLLBACK")).await.is_err() {
        drop(connection.detach());
        return;
    }
    // sqlx pings it without a limit. After the timeout the connection is closed.
    let _closed = tokio::time::timeout(RETURN_LIMIT, connection.return_to_pool()).await;
}
