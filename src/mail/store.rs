//! The queue's SQL.

use uuid::Uuid;

use crate::db::{Db, Tx, on};

use crate::timestamp::Timestamp;

pub const DUE: &str = "SELECT id FROM mails WHERE next_at <= $1 ORDER BY next_at LIMIT 1";

#[derive(Debug, sqlx::FromRow)]
pub struct ClaimedEmail {
    pub id: Uuid,
    /// Empty for a decoy.
    pub recipient: String,
    /// Subject, text and HTML.
    pub sealed: Vec<u8>,
    pub created_at: Timestamp,
    /// With this one.
    pub attempts: i64,
}

pub async fn insert(tx: &mut Tx, id: Uuid, to: &str, sealed: &[u8], now: Timestamp) -> sqlx::Result<()> {
    const SQL: &str = "INSERT INTO mails (id, recipient, sealed, created_at, next_at)
        VALUES ($1, $2, $3, $4, $4)";
    on!(tx.conn(), conn => sqlx::query(SQL).bind(id).bind(to).bind(sealed).bind(now).execute(conn).await.map(drop))
}

pub async fn is_any_due(db: &Db, now: Timestamp) -> sqlx::Result<bool> {
    let found: Option<Uuid> =
        on!(db.read(), pool => sqlx::query_scalar(DUE).bind(now).fetch_optional(pool).await?);
    Ok(found.is_some())
}

pub async fn count(db: &Db) -> sqlx::Result<i64> {
    on!(db.read(), pool => sqlx::query_scalar("SELECT COUNT(*) FROM mails").fetch_one(pool).await)
}

/// The email that is due longest. `None` if none is due or another node was faster: `next_at` is checked again then.
pub async fn claim(db: &Db, now: Timestamp, lease: Timestamp) -> sqlx::Result<Option<ClaimedEmail>> {
    const SQL: &str = "UPDATE mails SET next_at = $2, attempts = attempts + 1
        WHERE next_at <= $1 AND id = (SELECT id FROM mails WHERE next_at <= $1 ORDER BY next_at LIMIT 1)
        RETURNING id, recipient, sealed, created_at, CAST(attempts AS BIGINT) AS attempts";
    let mut tx = db.begin().await?;
    let claimed =
        on!(tx.conn(), conn => sqlx::query_as(SQL).bind(now).bind(lease).fetch_optional(conn).await?);
    tx.commit().await?;
    Ok(claimed)
}

pub async fn remove(db: &Db, id: Uuid) -> sqlx::Result<()> {
    let mut tx = db.begin().await?;
    remove_in(&mut tx, id).await?;
    tx.commit().await
}

pub async fn postpone(db: &Db, id: Uuid, next_at: Timestamp, error: &str) -> sqlx::Result<()> {
    const SQL: &str = "UPDATE mails SET next_at = $2, last_error = $3 WHERE id = $1";
    let mut tx = db.begin().await?;
    on!(tx.conn(), conn => sqlx::query(SQL).bind(id).bind(next_at).bind(error).execute(conn).await.map(drop))?;
    tx.commit().await
}

#[derive(sqlx::FromRow)]
pub struct SealedEmail {
    pub id: Uuid,
    pub sealed: Vec<u8>,
}

pub async fn sealed(tx: &mut Tx) -> sqlx::Result<Vec<SealedEmail>> {
    on!(tx.conn(), conn => sqlx::query_as("SELECT id, sealed FROM mails").fetch_all(conn).await)
}

pub async fn update_sealed(tx: &mut Tx, id: Uuid, sealed: &[u8]) -> sqlx::Result<()> {
    const SQL: &str = "UPDATE mails SET sealed = $2 WHERE id = $1";
    on!(tx.conn(), conn => sqlx::query(SQL).bind(id).bind(sealed).execute(conn).await.map(drop))
}

pub async fn remove_in(tx: &mut Tx, id: Uuid) -> sqlx::Result<()> {
    const SQL: &str = "DELETE FROM mails WHERE id = $1";
    on!(tx.conn(), conn => sqlx::query(SQL).bind(id).execute(conn).await.map(drop))
}
