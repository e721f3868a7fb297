//! The second factor's SQL.

use uuid::Uuid;

use crate::db::{Db, Tx, on};

use crate::timestamp::Timestamp;

pub const READ: &str = "SELECT totp_secret, totp_last_step,
    (SELECT COUNT(*) FROM recovery_codes c WHERE c.user_id = u.id AND c.used_at IS NULL) AS codes_left
    FROM users u WHERE id = $1";

#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Factor {
    /// Sealed.
    pub totp_secret: Option<Vec<u8>>,
    pub totp_last_step: Option<i64>,
    pub codes_left: i64,
}

pub async fn read(db: &Db, user: Uuid) -> sqlx::Result<Option<Factor>> {
    on!(db.read(), pool => sqlx::query_as(READ).bind(user).fetch_optional(pool).await)
}

/// Takes one of `most` tries since `since`; `false` when they are used up.
pub async fn take_try(
    db: &Db,
    user: Uuid,
    most: i64,
    since: Timestamp,
    now: Timestamp,
) -> sqlx::Result<bool> {
    const SQL: &str = "UPDATE users SET totp_tried_at = $4,
        totp_tries = CASE WHEN totp_tried_at > $3 THEN totp_tries + 1 ELSE 1 END
        WHERE id = $1 AND (totp_tries < $2 OR totp_tried_at IS NULL OR totp_tried_at <= $3)";
    let mut tx = db.begin().await?;
    let rows = on!(tx.conn(), conn => sqlx::query(SQL).bind(user).bind(most).bind(since).bind(now)
        .execute(conn).await?.rows_affected());
    tx.commit().await?;
    Ok(rows == 1)
}

pub async fn forget_tries(tx: &mut Tx, user: Uuid) -> sqlx::Result<()> {
    const SQL: &str = "UPDATE users SET totp_tries = 0 WHERE id = $1";
    on!(tx.conn(), conn => sqlx::query(SQL).bind(user).execute(conn).await.map(drop))
}

/// Uses a step's code up; `false` when it, or a later one, was used already.
pub async fn use_step(db: &Db, user: Uuid, sealed: &[u8], step: i64) -> sqlx::Result<bool> {
    const SQL: &str = "UPDATE users SET totp_last_step = $3, totp_tries = 0
        WHERE id = $1 AND totp_secret = $2 AND (totp_last_step IS NULL OR totp_last_step < $3)";
    let mut tx = db.begin().await?;
    let rows = on!(tx.conn(), conn => sqlx::query(SQL).bind(user).bind(sealed).bind(step)
        .execute(conn).await?.rows_affected());
    tx.commit().await?;
    Ok(rows == 1)
}

/// Uses a recovery code up; `false` when there is no such code any more.
pub async fn use_code(tx: &mut Tx, user: Uuid, hash: &[u8], now: Timestamp) -> sqlx::Result<bool> {
    const SQL: &str = "UPDATE recovery_codes SET used_at = $3
        WHERE user_id = $1 AND code_hash = $2 AND used_at IS NULL";
    let rows = on!(tx.conn(), conn => sqlx::query(SQL).bind(user).bind(hash).bind(now)
        .execute(conn).await?.rows_affected());
    Ok(rows == 1)
}

/// Whether this recovery code has been used.
pub async fn is_used(db: &Db, user: Uuid, hash: &[u8]) -> sqlx::Result<bool> {
    const SQL: &str = "SELECT EXISTS (SELECT 1 FROM recovery_codes
        WHERE user_id = $1 AND code_hash = $2 AND used_at IS NOT NULL)";
    on!(db.read(), pool => sqlx::query_scalar(SQL).bind(user).bind(hash).fetch_one(pool).await)
}

/// Ends the sudo mode of every session, by the epoch that it returns.
pub async fn bump_epoch(tx: &mut Tx, user: Uuid) -> sqlx::Result<i64> {
    const SQL: &str = "UPDATE users SET factor_epoch = factor_epoch + 1 WHERE id = $1 RETURNING factor_epoch";
    on!(tx.conn(), conn => sqlx::query_scalar(SQL).bind(user).fetch_one(conn).await)
}

/// `step`: of the code that proved the secret.
pub async fn switch_on(
    tx: &mut Tx,
    user: Uuid,
    sealed: &[u8],
    step: i64,
    now: Timestamp,
) -> sqlx::Result<()> {
    const SQL: &str = "UPDATE users SET totp_secret = $2, totp_last_step = $3, totp_tries = 0,
        totp_tried_at = NULL, updated_at = $4 WHERE id = $1";
    on!(tx.conn(), conn => sqlx::query(SQL).bind(user).bind(sealed).bind(step).bind(now)
        .execute(conn).await.map(drop))
}

pub async fn switch_off(tx: &mut Tx, user: Uuid, now: Timestamp) -> sqlx::Result<()> {
    const SQL: &str =
        "UPDATE users SET totp_secret = NULL, totp_last_step = NULL, updated_at = $2 WHERE id = $1";
    on!(tx.conn(), conn => sqlx::query(SQL).bind(user).bind(now).execute(conn).await.map(drop))?;
    put_codes(tx, user, &[]).await
}

/// These recovery codes in place of all earlier ones.
pub async fn put_codes(tx: &mut Tx, user: Uuid, hashes: &[Vec<u8>]) -> sqlx::Result<()> {
    const CLEAR: &str = "DELETE FROM recovery_codes WHERE user_id = $1";
    const PUT: &str = "INSERT INTO recovery_codes (user_id, code_hash) VALUES ($1, $2)";
    on!(tx.conn(), conn => sqlx::query(CLEAR).bind(user).execute(conn).await.map(drop))?;
    for hash in hashes {
        on!(tx.conn(), conn => sqlx::query(PUT).bind(user).bind(hash).execute(conn).await.map(drop))?;
    }
    Ok(())
}

/// All apps' secrets, sealed, with their users.
pub async fn sealed(tx: &mut Tx) -> sqlx::Result<Vec<(Uuid, Vec<u8>)>> {
    const SQL: &str = "SELECT id, totp_secret FROM users WHERE totp_secret IS NOT NULL";
    on!(tx.conn(), conn => sqlx::query_as(SQL).fetch_all(conn).await)
}

pub async fn put_sealed(tx: &mut Tx, user: Uuid, sealed: &[u8]) -> sqlx::Result<()> {
    const SQL: &str = "UPDATE users SET totp_secret = $2 WHERE id = $1";
    on!(tx.conn(), conn => sqlx::query(SQL).bind(user).bind(sealed).execute(conn).await.map(drop))
}
