//! The SQL of changes. The triggers of the database write them.

use std::collections::HashMap;

use sqlx::AssertSqlSafe;
use uuid::Uuid;

use crate::cache::Write;
use crate::db::{Db, Engine, Value, bind_all, on};
use crate::resources::Resource;
use crate::resources::store::columns::resource_where;
use crate::timestamp::Timestamp;

pub const AFTER: &str = "SELECT resource_id, seq, deleted_at IS NOT NULL AS is_deleted FROM changes
    WHERE owner_id = $1 AND seq > $2 ORDER BY seq LIMIT $3";

#[derive(Default, sqlx::FromRow)]
pub struct Counter {
    /// The number of the latest change.
    pub seq: i64,
    /// The highest number that was forgotten.
    pub forgotten: i64,
}

#[derive(sqlx::FromRow)]
pub struct Row {
    pub resource_id: Uuid,
    pub seq: i64,
    pub is_deleted: bool,
}

pub async fn counter(db: &Db, owner: Uuid) -> sqlx::Result<Option<Counter>> {
    const SQL: &str = "SELECT seq, forgotten FROM change_counters WHERE owner_id = $1";
    on!(db.read(), pool => sqlx::query_as(SQL).bind(owner).fetch_optional(pool).await)
}

pub async fn after(db: &Db, owner: Uuid, seq: i64, limit: i64) -> sqlx::Result<Vec<Row>> {
    on!(db.read(), pool => sqlx::query_as(AFTER).bind(owner).bind(seq).bind(limit).fetch_all(pool).await)
}

pub async fn resources(db: &Db, ids: &[Uuid]) -> sqlx::Result<HashMap<Uuid, Resource>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let places: Vec<String> = (1..=ids.len()).map(|place| format!("${place}")).collect();
    let sql = format!("{}({})", resource_where!("r.id IN "), places.join(", "));
    let values: Vec<Value> = ids.iter().copied().map(Value::Id).collect();
    let found: Vec<Resource> =
        on!(db.read(), pool => bind_all!(sqlx::query_as(AssertSqlSafe(sql)), values).fetch_all(pool).await?);
    Ok(found.into_iter().map(|resource| (resource.id, resource)).collect())
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
