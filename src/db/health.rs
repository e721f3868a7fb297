//! Health checks and upkeep of the database.

use super::checkout::{BULK_LIMIT, REQUEST_LIMIT, within};
use super::{Db, MeteredPool, Transaction};
use crate::timestamp::Timestamp;
use sqlx::{Postgres, Row as _, Sqlite};

/// Flags: all tables (0x10000), those that need it (0x2), from samples (0x10).
pub const REFRESH_STATISTICS: &str = "PRAGMA optimize = 0x10012";
/// SQLite plans a statement anew for each value that it compares with samples of an index. All values of a key have the same plan.
/// `ANALYZE sqlite_schema` makes the tables of statistics, and reads them.
const FORGET_SAMPLES_OF_KEYS: &str = "ANALYZE sqlite_schema;
    DELETE FROM sqlite_stat4 WHERE idx LIKE 'sqlite_autoindex%'; ANALYZE sqlite_schema";

impl Db {
    /// For `/readyz`: the database answers and takes changes.
    pub async fn ping(&self) -> sqlx::Result<()> {
        match self {
            Self::Postgres(pool) => try_postgres(pool).await,
            Self::Sqlite { read, write, .. } => {
                sqlx::query("SELECT 1").execute(read.executor().named("coffer::db::ping")).await?;
                try_writer(write).await
            }
        }
    }

    /// The server's clock; SQLite has none.
    pub async fn clock(&self) -> sqlx::Result<Option<Timestamp>> {
        match self {
            Self::Postgres(pool) => {
                let pool = pool.executor().named("coffer::db::clock");
                sqlx::query_scalar("SELECT clock_timestamp()").fetch_one(pool).await.map(Some)
            }
            Self::Sqlite { .. } => Ok(None),
        }
    }

    /// PostgreSQL analyzes tables that have grown by itself.
    pub async fn refresh_statistics(&self) -> sqlx::Result<()> {
        if let Self::Sqlite { write, .. } = self {
            let mut checkout = write.checkout().await?;
            for sql in [REFRESH_STATISTICS, FORGET_SAMPLES_OF_KEYS] {
                let done = within(BULK_LIMIT, sqlx::raw_sql(sql).execute(checkout.bare()?)).await;
                checkout.judge(done)?;
            }
        }
        Ok(())
    }
}

/// A standby takes no changes. Its connection is closed, since the next one may reach the primary.
async fn try_postgres(pool: &MeteredPool<Postgres>) -> sqlx::Result<()> {
    let mut checkout = pool.checkout().await?;
    let asked = sqlx::raw_sql("SHOW transaction_read_only").fetch_one(checkout.bare()?);
    let answer = within(REQUEST_LIMIT, asked).await;
    if checkout.judge(answer)?.try_get::<String, _>(0)? == "on" {
        checkout.throw_away();
        return Err(sqlx::Error::Protocol("the server is a standby, which takes no changes".to_owned()));
    }
    Ok(())
}

/// A busy writer needs no check. After a failure, only a committed change shows that the disk has room again.
async fn try_writer(write: &MeteredPool<Sqlite>) -> sqlx::Result<()> {
    let is_busy = write.num_idle() == 0 && write.size() > 0;
    match (is_busy, write.state.is_failing()) {
        (true, false) => Ok(()),
        (false, false) => Transaction::begin(write, REQUEST_LIMIT).await.map(drop),
        (_, true) => {
            let mut tx = Transaction::begin(write, REQUEST_LIMIT).await?;
            sqlx::query("PRAGMA user_version = 0").execute(tx.conn().named("coffer::db::try_writer")).await?;
            tx.commit().await
        }
    }
}
