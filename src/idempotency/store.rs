//! The SQL of requests that came with an `Idempotency-Key`.

use uuid::Uuid;

use crate::db::{Db, on};

use crate::timestamp::Timestamp;

pub struct Claim<'a> {
    pub owner: Uuid,
    pub key: &'a str,
    pub fingerprint: &'a [u8],
    pub id: Uuid,
    pub now: Timestamp,
    /// Requests from before this without an answer were cut off.
    pub stalled: Timestamp,
    /// Requests from before this are forgotten.
    pub over: Timestamp,
}

#[derive(sqlx::FromRow)]
pub struct First {
    pub fingerprint: Vec<u8>,
    pub answer: Option<String>,
}

/// Returns the id for what the request makes; `None` when it was carried out before, or is under way.
pub async fn claim(db: &Db, claim: &Claim<'_>) -> sqlx::Result<Option<Uuid>> {
    const OVER: &str = "DELETE FROM idempotency_keys WHERE owner_id = $1 AND key = $2 AND created_at < $3";
    const CLAIM: &str =
        "INSERT INTO idempotency_keys (owner_id, key, fingerprint, reserved_id, created_at, begun_at)
        VALUES ($1, $2, $3, $4, $5, $5)
        ON CONFLICT (owner_id, key) DO UPDATE SET begun_at = EXCLUDED.begun_at
            WHERE idempotency_keys.answer IS NULL AND idempotency_keys.begun_at < $6
                AND idempotency_keys.fingerprint = EXCLUDED.fingerprint
        RETURNING reserved_id";
    let mut tx = db.begin().await?;
    on!(tx.conn(), conn => sqlx::query(OVER).bind(claim.owner).bind(claim.key).bind(claim.over)
        .execute(conn).await.map(drop))?;
    let id = on!(tx.conn(), conn => sqlx::query_scalar(CLAIM).bind(claim.owner).bind(claim.key)
        .bind(claim.fingerprint).bind(claim.id).bind(claim.now).bind(claim.stalled)
        .fetch_optional(conn).await?);
    tx.commit().await?;
    Ok(id)
}

pub async fn find(db: &Db, owner: Uuid, key: &str) -> sqlx::Result<Option<First>> {
    const SQL: &str = "SELECT fingerprint, answer FROM idempotency_keys WHERE owner_id = $1 AND key = $2";
    on!(db.read(), pool => sqlx::query_as(SQL).bind(owner).bind(key).fetch_optional(pool).await)
}

pub async fn keep(db: &Db, owner: Uuid, key: &str, answer: &str) -> sqlx::Result<()> {
    const SQL: &str = "UPDATE idempotency_keys SET answer = $3 WHERE owner_id = $1 AND key = $2";
    let mut tx = db.begin().await?;
    on!(tx.conn(), conn => sqlx::query(SQL).bind(owner).bind(key).bind(answer).execute(conn).await.map(drop))?;
    tx.commit().await
}

/// The next request with this key takes it over.
pub async fn cut_off(db: &Db, owner: Uuid, key: &str) -> sqlx::Result<()> {
    const SQL: &str =
        "UPDATE idempotency_keys SET begun_at = $3 WHERE owner_id = $1 AND key = $2 AND answer IS NULL";
    let long_ago = Timestamp::from_micros(0);
    let mut tx = db.begin().await?;
    on!(tx.conn(), conn => sqlx::query(SQL).bind(owner).bind(key).bind(long_ago).execute(conn).await.map(drop))?;
    tx.commit().await
}

pub async fn free(db: &Db, owner: Uuid, key: &str) -> sqlx::Result<()> {
    const SQL: &str = "DELETE FROM idempotency_keys WHERE owner_id = $1 AND key = $2";
    let mut tx = db.begin().await?;
    on!(tx.conn(), conn => sqlx::query(SQL).bind(owner).bind(key).execute(conn).await.map(drop))?;
    tx.commit().await
}

pub async fn forget_before(db: &Db, limit: Timestamp) -> sqlx::Result<()> {
    const SQL: &str = "DELETE FROM idempotency_keys WHERE created_at < $1";
    let mut tx = db.begin().await?;
    on!(tx.conn(), conn => sqlx::query(SQL).bind(limit).execute(conn).await.map(drop))?;
    tx.commit().await
}
