//! The SQL of changes. The triggers of the database write them.

use sqlx::{AssertSqlSafe, ColumnIndex, Decode, FromRow, Type};
use uuid::Uuid;

use crate::cache::Write;
use crate::db::{Db, Engine, on};
use crate::resources::Resource;
use crate::resources::store::columns::resource_columns;
use crate::timestamp::Timestamp;

/// One row without a change where there is none. With the limit as a value, PostgreSQL would plan it anew each time.
pub fn after_sql(limit: i64) -> String {
    const COLUMNS: &str = resource_columns!();
    format!(
        "SELECT n.seq AS latest, n.forgotten, c.resource_id, c.seq, c.deleted_at IS NOT NULL AS is_deleted, {COLUMNS}, r.body
        FROM change_counters n JOIN users u ON u.id = n.owner_id
        LEFT JOIN (SELECT * FROM changes WHERE owner_id = $1 AND seq > $2 ORDER BY seq LIMIT {limit}) c ON TRUE
        LEFT JOIN resources r ON r.id = c.resource_id WHERE n.owner_id = $1 ORDER BY c.seq"
    )
}

#[derive(Clone, Copy, Default, sqlx::FromRow)]
pub struct Counter {
    /// The number of the latest change.
    #[sqlx(rename = "latest")]
    pub seq: i64,
    /// The highest number that was forgotten.
    pub forgotten: i64,
}

/// A change and the entry as it is now; without one it is gone.
pub struct Row {
    pub seq: i64,
    pub resource_id: Uuid,
    pub resource: Option<Resource>,
}

impl<'r, R: sqlx::Row> FromRow<'r, R> for Row
where
    &'static str: ColumnIndex<R>,
    i64: Decode<'r, R::Database> + Type<R::Database>,
    bool: Decode<'r, R::Database> + Type<R::Database>,
    Uuid: Decode<'r, R::Database> + Type<R::Database>,
    Resource: FromRow<'r, R>,
{
    fn from_row(row: &'r R) -> sqlx::Result<Self> {
        let is_deleted: bool = row.try_get("is_deleted")?;
        Ok(Self {
            seq: row.try_get("seq")?,
            resource_id: row.try_get("resource_id")?,
            resource: (!is_deleted).then(|| Resource::from_row(row)).transpose()?,
        })
    }
}

/// The counter beside each change: one question to the database for both.
struct Counted(Counter, Option<Row>);

impl<'r, R: sqlx::Row> FromRow<'r, R> for Counted
where
    &'static str: ColumnIndex<R>,
    Option<i64>: Decode<'r, R::Database> + Type<R::Database>,
    Counter: FromRow<'r, R>,
    Row: FromRow<'r, R>,
{
    fn from_row(row: &'r R) -> sqlx::Result<Self> {
        let seq: Option<i64> = row.try_get("seq")?;
        let found = seq.map(|_| Row::from_row(row)).transpose()?;
        Ok(Self(Counter::from_row(row)?, found))
    }
}

pub async fn latest(db: &Db, owner: Uuid) -> sqlx::Result<i64> {
    const SQL: &str = "SELECT seq FROM change_counters WHERE owner_id = $1";
    let seq: Option<i64> =
        on!(db.read(), pool => sqlx::query_scalar(SQL).bind(owner).fetch_optional(pool).await?);
    Ok(seq.unwrap_or_default())
}

/// At most `limit` changes after `seq`, in their order, with the counter of that moment.
pub async fn after(db: &Db, owner: Uuid, seq: i64, limit: i64) -> sqlx::Result<(Counter, Vec<Row>)> {
    let sql = AssertSqlSafe(after_sql(limit));
    let found: Vec<Counted> =
        on!(db.read(), pool => sqlx::query_as(sql).bind(owner).bind(seq).fetch_all(pool).await?);
    let counter = found.first().map(|Counted(counter, _)| *counter).unwrap_or_default();
    Ok((counter, found.into_iter().filter_map(|Counted(_, row)| row).collect()))
}

/// Numbers the changes of entries that are saved together, in one statement. What is not numbered by the commit, the triggers
/// number entry by entry; SQLite's are fast enough.
pub async fn note(tx: &mut Write, owner: Uuid, ids: &[Uuid]) -> sqlx::Result<()> {
    if let Engine::Postgres(conn) = tx.conn() {
        sqlx::query("SELECT note_changes($1, $2)").bind(owner).bind(ids).execute(conn).await?;
    }
    Ok(())
}

pub async fn forget_before(db: &Db, limit: Timestamp) -> sqlx::Result<()> {
    const NOTE: &str = "UPDATE change_counters SET forgotten = old.seq
        FROM (SELECT owner_id, MAX(seq) AS seq FROM changes WHERE deleted_at < $1 GROUP BY owner_id) AS old
        WHERE old.owner_id = change_counters.owner_id AND old.seq > change_counters.forgotten";
    const FORGET: &str = "DELETE FROM changes WHERE deleted_at < $1";
    let mut tx = db.begin_bulk().await?;
    for sql in [NOTE, FORGET] {
        on!(tx.conn(), conn => sqlx::query(sql).bind(limit).execute(conn).await.map(drop))?;
    }
    tx.commit().await
}
