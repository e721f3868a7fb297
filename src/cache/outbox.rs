//! The outbox's SQL: scopes that writes have touched, in the order of insertion.

use uuid::Uuid;

use super::scope::{Scope, join, split};
use crate::db::{Db, Timestamp, Tx, on};
use crate::installation::store::keep_position;

pub const SINCE: &str = "SELECT seq, payload FROM outbox WHERE topic = 'cache' AND seq > $1 ORDER BY seq";
pub const FORGET: &str = "DELETE FROM outbox WHERE topic = 'cache' AND seq <= $1";

/// Notes what the transaction touches, as its last statement; the row's number.
pub async fn note(tx: &mut Tx, id: Uuid, scopes: &[Scope], now: Timestamp) -> sqlx::Result<i64> {
    const SQL: &str =
        "INSERT INTO outbox (id, topic, payload, created_at) VALUES ($1, 'cache', $2, $3) RETURNING seq";
    on!(tx.conn(), conn => sqlx::query_scalar(SQL).bind(id).bind(join(scopes)).bind(now).fetch_one(conn).await)
}

/// What was touched by rows after this number.
pub async fn since(db: &Db, seq: i64) -> sqlx::Result<Vec<(i64, Vec<Scope>)>> {
    let rows: Vec<(i64, String)> =
        on!(db.read(), pool => sqlx::query_as(SINCE).bind(seq).fetch_all(pool).await?);
    Ok(rows.into_iter().map(|(seq, payload)| (seq, split(&payload))).collect())
}

/// Removes rows up to this number, which every node has seen.
pub async fn forget(db: &Db, seq: i64) -> sqlx::Result<()> {
    let mut tx = db.begin().await?;
    keep_position(&mut tx, seq).await?;
    on!(tx.conn(), conn => sqlx::query(FORGET).bind(seq).execute(conn).await.map(drop))?;
    tx.commit().await
}
