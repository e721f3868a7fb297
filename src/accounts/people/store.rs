//! The SQL of what admins do with accounts.

use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::invites::Invite;
use super::{Person, Role};
use crate::cache::Write;
use crate::db::{Db, Tx, Value, bind_all, on};
use crate::timestamp::Timestamp;

const PERSON: &str = "SELECT id, email, username, username_key, display_name, role, created_at, verified_at,
    disabled_at, totp_secret IS NOT NULL AS second_factor,
    (SELECT MAX(s.seen_at) FROM sessions s WHERE s.user_id = users.id) AS seen_at FROM users";
const HOLDS: &str = "AND (username_key LIKE $3 ESCAPE '\\' OR LOWER(email) LIKE $3 ESCAPE '\\'
    OR LOWER(display_name) LIKE $3 ESCAPE '\\')";

/// By username, from the first one after `after`; an empty `text` matches all.
pub async fn page(db: &Db, text: &str, after: &str, limit: i64) -> sqlx::Result<Vec<Person>> {
    let (sql, values) = page_statement(text, after, limit);
    on!(db.read(), pool => bind_all!(sqlx::query_as(AssertSqlSafe(sql)), values).fetch_all(pool).await)
}

#[must_use]
pub fn page_statement(text: &str, after: &str, limit: i64) -> (String, Vec<Value>) {
    let text = text.replace('\0', "").replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    let mut values = vec![Value::Text(after.to_owned()), Value::Int(limit)];
    let holds = if text.is_empty() { "" } else { HOLDS };
    if !text.is_empty() {
        values.push(Value::Text(format!("%{text}%")));
    }
    (format!("{PERSON} WHERE username_key > $1 {holds} ORDER BY username_key LIMIT $2"), values)
}

pub async fn find(db: &Db, id: Uuid) -> sqlx::Result<Option<Person>> {
    let sql = format!("{PERSON} WHERE id = $1");
    on!(db.read(), pool => sqlx::query_as(AssertSqlSafe(sql)).bind(id).fetch_optional(pool).await)
}

pub async fn find_in(tx: &mut Tx, id: Uuid) -> sqlx::Result<Option<Person>> {
    let sql = format!("{PERSON} WHERE id = $1");
    on!(tx.conn(), conn => sqlx::query_as(AssertSqlSafe(sql)).bind(id).fetch_optional(conn).await)
}

/// By username or e-mail address.
pub async fn id_of(db: &Db, key: &str) -> sqlx::Result<Option<Uuid>> {
    const SQL: &str = "SELECT id FROM users WHERE username_key = $1 OR email_key = $1";
    if key.contains('\0') {
        return Ok(None);
    }
    on!(db.read(), pool => sqlx::query_scalar(SQL).bind(key).fetch_optional(pool).await)
}

pub async fn enabled_admins(tx: &mut Tx) -> sqlx::Result<i64> {
    const SQL: &str = "SELECT COUNT(*) FROM users WHERE role = 'admin' AND disabled_at IS NULL";
    on!(tx.conn(), conn => sqlx::query_scalar(SQL).fetch_one(conn).await)
}

pub async fn set_role(tx: &mut Tx, id: Uuid, role: Role, now: Timestamp) -> sqlx::Result<()> {
    const SQL: &str = "UPDATE users SET role = $2, updated_at = $3 WHERE id = $1";
    on!(tx.conn(), conn => sqlx::query(SQL).bind(id).bind(role.as_str()).bind(now).execute(conn).await.map(drop))
}

/// Also ends the sessions of the old epoch.
pub async fn set_disabled(tx: &mut Write, id: Uuid, disabled: bool, now: Timestamp) -> sqlx::Result<()> {
    const SQL: &str =
        "UPDATE users SET disabled_at = $2, updated_at = $3, auth_epoch = auth_epoch + 1 WHERE id = $1";
    on!(tx.conn(), conn => sqlx::query(SQL).bind(id).bind(disabled.then_some(now)).bind(now).execute(conn)
        .await.map(drop))
}

pub async fn bump_epoch(tx: &mut Tx, id: Uuid, now: Timestamp) -> sqlx::Result<()> {
    const SQL: &str = "UPDATE users SET auth_epoch = auth_epoch + 1, updated_at = $2 WHERE id = $1";
    on!(tx.conn(), conn => sqlx::query(SQL).bind(id).bind(now).execute(conn).await.map(drop))
}

pub async fn put_invite(
    tx: &mut Tx,
    maker: Option<Uuid>,
    hash: &[u8],
    now: Timestamp,
    expires_at: Timestamp,
) -> sqlx::Result<()> {
    const SQL: &str = "INSERT INTO one_time_tokens (token_hash, purpose, user_id, created_at, expires_at)
        VALUES ($1, 'invite', $2, $3, $4)";
    on!(tx.conn(), conn => sqlx::query(SQL).bind(hash).bind(maker).bind(now).bind(expires_at).execute(conn)
        .await.map(drop))
}

/// The invitations that still work, the one that ends soonest first.
pub async fn invites(db: &Db, now: Timestamp) -> sqlx::Result<Vec<Invite>> {
    const SQL: &str = "SELECT t.token_hash, u.username AS maker, t.created_at, t.expires_at
        FROM one_time_tokens t LEFT JOIN users u ON u.id = t.user_id
        WHERE t.purpose = 'invite' AND t.expires_at > $1 ORDER BY t.expires_at, t.token_hash";
    on!(db.read(), pool => sqlx::query_as(SQL).bind(now).fetch_all(pool).await)
}

/// Returns whether there was such an invitation.
pub async fn delete_invite(tx: &mut Tx, hash: &[u8]) -> sqlx::Result<bool> {
    const SQL: &str = "DELETE FROM one_time_tokens WHERE purpose = 'invite' AND token_hash = $1";
    let rows = on!(tx.conn(), conn => sqlx::query(SQL).bind(hash).execute(conn).await?.rows_affected());
    Ok(rows == 1)
}

/// Voids the links that an admin has made: invitations, and links for new passwords, whose makers are not kept.
pub async fn void_links(tx: &mut Tx, maker: Uuid) -> sqlx::Result<()> {
    const SQL: &str = "DELETE FROM one_time_tokens WHERE (purpose = 'invite' AND user_id = $1)
        OR (purpose = 'reset' AND payload IS NULL)";
    on!(tx.conn(), conn => sqlx::query(SQL).bind(maker).execute(conn).await.map(drop))
}
