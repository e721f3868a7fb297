//! The outbox's SQL: the scopes that writes have touched, in the order of insertion.

use uuid::Uuid;

use super::scope::{Scope, join, split};
use crate::db::{Db, Tx, on};
use crate::installation::store::keep_position;
use crate::timestamp::Timestamp;

pub const ROWS_AFTER: &str =
    "SELECT seq, payload FROM outbox WHERE topic = 'cache' AND seq > $1 ORDER BY seq";
pub const DELETE: &str = "DELETE FROM outbox WHERE topic = 'cache' AND seq <= $1";

#[derive(Debug)]
pub struct Row {
    pub seq: i64,
    pub scopes: Vec<Scope>,
}

/// Adds the transaction's last statement, and returns the row's number.
pub async fn insert(tx: &mut Tx, id: Uuid, scopes: &[Scope], now: Timestamp) -> sqlx::Result<i64> {
    const SQL: &str =
        "INSERT INTO outbox (id, topic, payload, created_at) VALUES ($1, 'cache', $2, $3) RETURNING seq";
    on!(tx.conn(), conn => sqlx::query_scalar(SQL).bind(id).bind(join(scopes)).bind(now).fetch_one(conn).await)
}

pub async fn rows_after(db: &Db, seq: i64) -> sqlx::Result<Vec<Row>> {
    let rows: Vec<(i64, String)> =
        on!(db.read(), pool => sqlx::query_as(ROWS_AFTER).bind(seq).fetch_all(pool).await?);
    Ok(rows.into_iter().map(|(seq, payload)| Row { seq, scopes: split(&payload) }).collect())
}

/// Deletes the rows up to this number, which every node has seen.
pub async fn delete(db: &Db, seq: i64) -> sqlx::Result<()> {
    let mut tx = db.begin().await?;
    keep_position(&mut tx, seq).await?;
    on!(tx.conn(), conn => sqlx::query(DELETE).bind(seq).execute(conn).await.map(drop))?;
    tx.commit().await
}
