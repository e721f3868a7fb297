//! What users change of their own accounts: name, address, password.

use uuid::Uuid;

use crate::cache::Write;
use crate::db::{Db, Tx, is_duplicate, on};
use crate::timestamp::Timestamp;

pub const BY_ADDRESS: &str =
    "SELECT id, email FROM users WHERE email_key = $1 AND verified_at IS NOT NULL AND disabled_at IS NULL";

/// The part of an account that only its user sees.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Profile {
    pub email: String,
    pub confirmed: bool,
    /// The address is this account's alone.
    pub owned: bool,
    /// A new address that is not confirmed yet.
    pub pending: Option<String>,
}

pub async fn read(db: &Db, id: Uuid, now: Timestamp) -> sqlx::Result<Option<Profile>> {
    const SQL: &str = "SELECT email, verified_at IS NOT NULL AS confirmed, email_key IS NOT NULL AS owned,
        (SELECT MAX(t.payload) FROM one_time_tokens t
         WHERE t.user_id = u.id AND t.purpose = 'email' AND t.expires_at > $2) AS pending
        FROM users u WHERE id = $1";
    on!(db.read(), pool => sqlx::query_as(SQL).bind(id).bind(now).fetch_optional(pool).await)
}

/// The account with this confirmed address, and the address as it was given.
pub async fn by_address(db: &Db, email_key: &str) -> sqlx::Result<Option<(Uuid, String)>> {
    on!(db.read(), pool => sqlx::query_as(BY_ADDRESS).bind(email_key).fetch_optional(pool).await)
}

/// The account's confirmed address, for emails about it: any other may be a stranger's.
pub async fn letters_go_to(tx: &mut Tx, id: Uuid) -> sqlx::Result<Option<String>> {
    const SQL: &str = "SELECT email FROM users WHERE id = $1 AND verified_at IS NOT NULL";
    on!(tx.conn(), conn => sqlx::query_scalar(SQL).bind(id).fetch_optional(conn).await)
}

pub async fn rename(tx: &mut Write, id: Uuid, display_name: &str, now: Timestamp) -> sqlx::Result<()> {
    const SQL: &str = "UPDATE users SET display_name = $2, updated_at = $3 WHERE id = $1";
    on!(tx.conn(), conn => sqlx::query(SQL).bind(id).bind(display_name).bind(now).execute(conn).await.map(drop))
}

/// Makes the address the account's own; `false` when it is another's.
pub async fn confirm_address(tx: &mut Tx, id: Uuid, email: &str, now: Timestamp) -> sqlx::Result<bool> {
    const SQL: &str =
        "UPDATE users SET email = $2, email_key = $3, verified_at = $4, updated_at = $4 WHERE id = $1";
    let key = crate::names::key(email);
    let updated = on!(tx.conn(), conn => sqlx::query(SQL).bind(id).bind(email).bind(key).bind(now)
        .execute(conn).await.map(drop));
    match updated {
        Ok(()) => Ok(true),
        Err(error) if is_duplicate(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Ends every session. Returns the epoch in which the next ones begin.
pub async fn set_password(tx: &mut Tx, id: Uuid, hash: &str, now: Timestamp) -> sqlx::Result<i64> {
    const SQL: &str = "UPDATE users SET password_hash = $2, auth_epoch = auth_epoch + 1, updated_at = $3
        WHERE id = $1 RETURNING auth_epoch";
    on!(tx.conn(), conn => sqlx::query_scalar(SQL).bind(id).bind(hash).bind(now).fetch_one(conn).await)
}

/// The same password under another hash, unless it was changed meanwhile.
pub async fn renew_hash(db: &Db, id: Uuid, old: &str, new: &str) -> sqlx::Result<()> {
    const SQL: &str = "UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2";
    let mut tx = db.begin().await?;
    on!(tx.conn(), conn => sqlx::query(SQL).bind(id).bind(old).bind(new).execute(conn).await.map(drop))?;
    tx.commit().await
}
