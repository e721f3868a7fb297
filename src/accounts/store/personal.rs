//! One-time tokens that belong to an account.

use uuid::Uuid;

use super::Purpose;
use crate::db::{Db, Tx, on};
use crate::timestamp::Timestamp;

/// A stored token; `user_id` is `None` for a decoy.
pub struct Personal<'a> {
    pub purpose: Purpose,
    pub hash: &'a [u8],
    pub user_id: Option<Uuid>,
    /// The address it is bound to.
    pub payload: Option<&'a str>,
    pub expires_at: Timestamp,
}

#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Promise {
    pub user_id: Uuid,
    pub payload: String,
    pub changes: bool,
}

/// The user's only token for this purpose: earlier ones stop working.
pub async fn put(tx: &mut Tx, token: &Personal<'_>, now: Timestamp) -> sqlx::Result<()> {
    const SQL: &str =
        "INSERT INTO one_time_tokens (token_hash, purpose, user_id, payload, created_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6)";
    clear(tx, token.purpose, token.user_id.unwrap_or_default()).await?;
    on!(tx.conn(), conn => sqlx::query(SQL).bind(token.hash).bind(token.purpose.as_str()).bind(token.user_id)
        .bind(token.payload).bind(now).bind(token.expires_at).execute(conn).await.map(drop))
}

pub async fn clear(tx: &mut Tx, purpose: Purpose, user: Uuid) -> sqlx::Result<()> {
    const SQL: &str = "DELETE FROM one_time_tokens WHERE user_id = $1 AND purpose = $2";
    on!(tx.conn(), conn => sqlx::query(SQL).bind(user).bind(purpose.as_str()).execute(conn).await.map(drop))
}

pub async fn promised_address(db: &Db, hash: &[u8], now: Timestamp) -> sqlx::Result<Option<Promise>> {
    const SQL: &str = "SELECT user_id, payload, purpose = 'email' AS changes FROM one_time_tokens
        WHERE token_hash = $1 AND purpose IN ('verify', 'email') AND expires_at > $2
        AND user_id IS NOT NULL AND payload IS NOT NULL";
    on!(db.read(), pool => sqlx::query_as(SQL).bind(hash).bind(now).fetch_optional(pool).await)
}

/// The user whose password the link changes, if the link went to the address that their account still has.
pub async fn resettable(db: &Db, hash: &[u8], now: Timestamp) -> sqlx::Result<Option<Uuid>> {
    const SQL: &str = "SELECT u.id FROM one_time_tokens t JOIN users u ON u.id = t.user_id
        WHERE t.token_hash = $1 AND t.purpose = 'reset' AND t.expires_at > $2 AND u.disabled_at IS NULL
        AND (t.payload IS NULL OR t.payload = u.email_key)";
    on!(db.read(), pool => sqlx::query_scalar(SQL).bind(hash).bind(now).fetch_optional(pool).await)
}

pub async fn delete_expired(db: &Db, now: Timestamp) -> sqlx::Result<()> {
    const SQL: &str = "DELETE FROM one_time_tokens WHERE expires_at <= $1";
    let mut tx = db.begin().await?;
    on!(tx.conn(), conn => sqlx::query(SQL).bind(now).execute(conn).await.map(drop))?;
    tx.commit().await
}
