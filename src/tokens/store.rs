//! The tokens' SQL.

use uuid::Uuid;

use crate::db::{Db, Tx, on};
use crate::identity::Member;
use crate::timestamp::Timestamp;

/// A token as its owner sees it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Token {
    pub id: Uuid,
    pub name: String,
    pub scopes: String,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    pub last_used_at: Option<Timestamp>,
}

/// A token as a request shows it, with its owner.
#[derive(sqlx::FromRow)]
pub struct Known {
    #[sqlx(flatten)]
    pub member: Member,
    pub token_id: Uuid,
    pub scopes: String,
    pub expires_at: Timestamp,
    pub last_used_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
    pub name: String,
    pub created_at: Timestamp,
}

pub const KNOWN: &str = "SELECT u.id, u.email, u.username, u.display_name, u.role, u.auth_epoch,
    u.factor_epoch, u.verified_at IS NOT NULL AS verified, u.totp_secret IS NOT NULL AS second_factor,
    t.id AS token_id, t.scopes, t.expires_at, t.last_used_at, t.revoked_at, t.name, t.created_at
    FROM api_tokens t JOIN users u ON u.id = t.user_id WHERE t.token_hash = $1 AND u.disabled_at IS NULL";

pub async fn insert(tx: &mut Tx, owner: Uuid, token: &Token, token_hash: &[u8]) -> sqlx::Result<()> {
    const SQL: &str = "INSERT INTO api_tokens (id, user_id, name, token_hash, scopes, created_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    on!(tx.conn(), conn => sqlx::query(SQL).bind(token.id).bind(owner).bind(&token.name).bind(token_hash)
        .bind(&token.scopes).bind(token.created_at).bind(token.expires_at).execute(conn).await.map(drop))
}

pub async fn of_user(db: &Db, owner: Uuid) -> sqlx::Result<Vec<Token>> {
    const SQL: &str = "SELECT id, name, scopes, created_at, expires_at, last_used_at FROM api_tokens
        WHERE user_id = $1 AND revoked_at IS NULL ORDER BY created_at DESC, id DESC";
    on!(db.read(), pool => sqlx::query_as(SQL).bind(owner).fetch_all(pool).await)
}

/// Whether there was such a token of theirs.
pub async fn revoke(tx: &mut Tx, owner: Uuid, id: Uuid, at: Timestamp) -> sqlx::Result<bool> {
    const SQL: &str =
        "UPDATE api_tokens SET revoked_at = $3 WHERE user_id = $1 AND id = $2 AND revoked_at IS NULL";
    let rows = on!(tx.conn(), conn => sqlx::query(SQL).bind(owner).bind(id).bind(at).execute(conn).await?
        .rows_affected());
    Ok(rows == 1)
}

/// All of theirs, rotated ones too; which they were.
pub async fn revoke_all(tx: &mut Tx, owner: Uuid, now: Timestamp) -> sqlx::Result<Vec<Uuid>> {
    const SQL: &str = "UPDATE api_tokens SET revoked_at = $2
        WHERE user_id = $1 AND (revoked_at IS NULL OR revoked_at > $2) RETURNING id";
    on!(tx.conn(), conn => sqlx::query_scalar(SQL).bind(owner).bind(now).fetch_all(conn).await)
}

pub async fn forget_revoked(db: &Db, before: Timestamp) -> sqlx::Result<()> {
    const SQL: &str = "DELETE FROM api_tokens WHERE revoked_at < $1";
    let mut tx = db.begin().await?;
    on!(tx.conn(), conn => sqlx::query(SQL).bind(before).execute(conn).await.map(drop))?;
    tx.commit().await
}

pub async fn by_hash(tx: &mut Tx, token_hash: &[u8]) -> sqlx::Result<Option<Token>> {
    const SQL: &str = "SELECT id, name, scopes, created_at, expires_at, last_used_at FROM api_tokens
        WHERE token_hash = $1 AND revoked_at IS NULL";
    on!(tx.conn(), conn => sqlx::query_as(SQL).bind(token_hash).fetch_optional(conn).await)
}

pub async fn known(db: &Db, token_hash: &[u8]) -> sqlx::Result<Option<Known>> {
    on!(db.read(), pool => sqlx::query_as(KNOWN).bind(token_hash).fetch_optional(pool).await)
}

pub async fn note_use(db: &Db, id: Uuid, now: Timestamp) -> sqlx::Result<()> {
    const SQL: &str = "UPDATE api_tokens SET last_used_at = $2 WHERE id = $1";
    let mut tx = db.begin().await?;
    on!(tx.conn(), conn => sqlx::query(SQL).bind(id).bind(now).execute(conn).await.map(drop))?;
    tx.commit().await
}
