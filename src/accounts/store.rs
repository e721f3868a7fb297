//! The accounts' SQL.

pub mod devices;
pub mod factor;
pub mod personal;
pub mod profile;

use uuid::Uuid;

use crate::db::{Db, Tx, is_duplicate, on};
use crate::identity::Member;
use crate::named::named;
use crate::timestamp::Timestamp;

macro_rules! member {
    () => {
        "id, email, username, display_name, role, auth_epoch, factor_epoch,
        verified_at IS NOT NULL AS verified, totp_secret IS NOT NULL AS second_factor"
    };
}

pub const ACTIVE: &str = concat!("SELECT ", member!(), " FROM users WHERE id = $1 AND disabled_at IS NULL");
pub const BY_USERNAME: &str =
    concat!("SELECT ", member!(), " FROM users WHERE username_key = $1 AND disabled_at IS NULL");
pub const CREDENTIALS: &str = concat!(
    "SELECT ",
    member!(),
    ", password_hash, EXISTS (SELECT 1 FROM known_devices WHERE user_id = users.id AND device = $2) AS at_home
    FROM users WHERE (email_key = $1 OR username_key = $1) AND disabled_at IS NULL"
);

pub struct Credentials {
    pub member: Member,
    pub password_hash: Option<String>,
    /// The user has logged in with this browser before.
    pub at_home: bool,
}

#[derive(sqlx::FromRow)]
struct CredentialsRow {
    #[sqlx(flatten)]
    member: Member,
    password_hash: Option<String>,
    at_home: bool,
}

pub async fn active(db: &Db, id: Uuid) -> sqlx::Result<Option<Member>> {
    on!(db.read(), pool => sqlx::query_as(ACTIVE).bind(id).fetch_optional(pool).await)
}

pub async fn by_username(db: &Db, username_key: &str) -> sqlx::Result<Option<Member>> {
    on!(db.read(), pool => sqlx::query_as(BY_USERNAME).bind(username_key).fetch_optional(pool).await)
}

pub async fn all(db: &Db) -> sqlx::Result<Vec<Member>> {
    const SQL: &str = concat!("SELECT ", member!(), " FROM users ORDER BY username_key");
    on!(db.read(), pool => sqlx::query_as(SQL).fetch_all(pool).await)
}

/// By e-mail or username; an e-mail address has an `@`, a username never does.
pub async fn credentials(
    db: &Db,
    login_key: &str,
    browser: Option<&[u8]>,
) -> sqlx::Result<Option<Credentials>> {
    // A NUL byte can be in no name, and PostgreSQL refuses it.
    if login_key.contains('\0') {
        return Ok(None);
    }
    let row: Option<CredentialsRow> = on!(db.read(), pool =>
        sqlx::query_as(CREDENTIALS).bind(login_key).bind(browser).fetch_optional(pool).await?);
    Ok(row.map(|row| Credentials {
        member: row.member,
        password_hash: row.password_hash,
        at_home: row.at_home,
    }))
}

pub async fn password_hash(db: &Db, id: Uuid) -> sqlx::Result<Option<String>> {
    const SQL: &str = "SELECT password_hash FROM users WHERE id = $1 AND disabled_at IS NULL";
    let hash: Option<Option<String>> =
        on!(db.read(), pool => sqlx::query_scalar(SQL).bind(id).fetch_optional(pool).await?);
    Ok(hash.flatten())
}

pub async fn is_anybody_there(db: &Db) -> sqlx::Result<bool> {
    const SQL: &str = "SELECT EXISTS (SELECT 1 FROM users)";
    on!(db.read(), pool => sqlx::query_scalar(SQL).fetch_one(pool).await)
}

/// How sure it is that the address is the account's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Address {
    /// Given but not confirmed; it may be another account's.
    Claimed,
    /// This account's alone, but never proved.
    Owned,
    /// This account's alone: the user has opened its link, or the operator vouches for it.
    Confirmed,
}

/// Returns the name of the field whose value is taken, if one is.
pub async fn insert(
    tx: &mut Tx,
    member: &Member,
    address: Address,
    password_hash: Option<String>,
    now: Timestamp,
) -> sqlx::Result<Option<&'static str>> {
    const SQL: &str = "INSERT INTO users (id, email, email_key, username, username_key, display_name, role,
        password_hash, verified_at, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)";
    let email_key = super::key(&member.email);
    if address != Address::Claimed && other_owner(tx, &email_key, member.id).await?.is_some() {
        return Ok(Some("email"));
    }
    let (owned, confirmed) = (address != Address::Claimed, address == Address::Confirmed);
    let inserted = on!(tx.conn(), conn => sqlx::query(SQL).bind(member.id).bind(&member.email)
        .bind(owned.then_some(&email_key)).bind(&member.username).bind(super::key(&member.username))
        .bind(&member.display_name).bind(member.role.as_str()).bind(password_hash)
        .bind(confirmed.then_some(now)).bind(now).execute(conn).await.map(drop));
    match inserted {
        Ok(()) => Ok(None),
        Err(error) if is_duplicate(&error) => Ok(Some("username")),
        Err(error) => Err(error),
    }
}

/// The address as its owner wrote it, if that is another account than `than`.
pub async fn other_owner(tx: &mut Tx, email_key: &str, than: Uuid) -> sqlx::Result<Option<String>> {
    const SQL: &str = "SELECT email FROM users WHERE email_key = $1 AND id <> $2";
    on!(tx.conn(), conn => sqlx::query_scalar(SQL).bind(email_key).bind(than).fetch_optional(conn).await)
}

named! {
    pub enum Purpose {
        Setup = "setup",
        Invite = "invite",
        /// The address in its payload is the account's.
        Verify = "verify",
        /// The address in its payload is to replace the account's.
        Email = "email",
        Reset = "reset",
    }
}

pub async fn put_token(
    db: &Db,
    purpose: Purpose,
    hash: &[u8],
    now: Timestamp,
    expires_at: Timestamp,
) -> sqlx::Result<()> {
    const SQL: &str = "INSERT INTO one_time_tokens (token_hash, purpose, created_at, expires_at)
        VALUES ($1, $2, $3, $4)";
    let mut tx = db.begin().await?;
    on!(tx.conn(), conn => sqlx::query(SQL).bind(hash).bind(purpose.as_str()).bind(now).bind(expires_at)
        .execute(conn).await.map(drop))?;
    tx.commit().await
}

pub async fn clear_tokens(db: &Db, purpose: Purpose) -> sqlx::Result<()> {
    const SQL: &str = "DELETE FROM one_time_tokens WHERE purpose = $1";
    let mut tx = db.begin().await?;
    on!(tx.conn(), conn => sqlx::query(SQL).bind(purpose.as_str()).execute(conn).await.map(drop))?;
    tx.commit().await
}

/// A setup token works only while there is no account.
pub async fn token_stands(db: &Db, purpose: Purpose, hash: &[u8], now: Timestamp) -> sqlx::Result<bool> {
    const SQL: &str =
        "SELECT COUNT(*) FROM one_time_tokens WHERE token_hash = $1 AND purpose = $2 AND expires_at > $3
        AND (purpose <> 'setup' OR NOT EXISTS (SELECT 1 FROM users))";
    let (count,): (i64,) = on!(db.read(), pool => sqlx::query_as(SQL).bind(hash).bind(purpose.as_str()).bind(now)
        .fetch_one(pool).await?);
    Ok(count == 1)
}

/// Returns `false` when the token was used before.
pub async fn take_token(tx: &mut Tx, purpose: Purpose, hash: &[u8], now: Timestamp) -> sqlx::Result<bool> {
    const SQL: &str = "DELETE FROM one_time_tokens WHERE token_hash = $1 AND purpose = $2 AND expires_at > $3
        AND (purpose <> 'setup' OR NOT EXISTS (SELECT 1 FROM users))";
    let taken = on!(tx.conn(), conn => sqlx::query(SQL).bind(hash).bind(purpose.as_str()).bind(now)
        .execute(conn).await?.rows_affected());
    Ok(taken == 1)
}
