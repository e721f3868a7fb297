//! The families' SQL.

use uuid::Uuid;

use crate::accounts::store::ACTIVE;
use crate::db::{Db, Tx, on};
use crate::identity::Member;
use crate::timestamp::Timestamp;

#[derive(sqlx::FromRow)]
pub struct Family {
    pub id: Uuid,
    pub user_id: Uuid,
    pub kind: String,
    pub scopes: String,
    pub browser: String,
    /// As the program named it; may be empty.
    pub name: String,
    pub expires_at: Timestamp,
    pub revoked_at: Option<Timestamp>,
    pub used_at: Option<Timestamp>,
}

#[derive(sqlx::FromRow)]
pub struct AccessRow {
    #[sqlx(flatten)]
    pub member: Member,
    pub family: Uuid,
    pub family_until: Timestamp,
    pub scopes: String,
    pub created_at: Timestamp,
    pub is_revoked: bool,
    pub name: String,
}

pub const ACCESS: &str = "SELECT u.id, u.email, u.username, u.display_name, u.role, u.auth_epoch,
    u.factor_epoch, u.verified_at IS NOT NULL AS verified, u.totp_secret IS NOT NULL AS second_factor,
    f.id AS family, f.expires_at AS family_until, f.scopes, t.created_at,
    f.revoked_at IS NOT NULL AS is_revoked, f.name
    FROM refresh_tokens t JOIN refresh_families f ON f.id = t.family_id JOIN users u ON u.id = f.user_id
    WHERE t.access_hash = $1 AND f.kind = 'api' AND u.disabled_at IS NULL";

/// By an unused refresh token.
const UNUSED: &str = "SELECT u.id, u.email, u.username, u.display_name, u.role, u.auth_epoch,
    u.factor_epoch, u.verified_at IS NOT NULL AS verified, u.totp_secret IS NOT NULL AS second_factor,
    f.id AS family, f.expires_at AS family_until, f.scopes, t.created_at,
    f.revoked_at IS NOT NULL AS is_revoked, f.name
    FROM refresh_tokens t JOIN refresh_families f ON f.id = t.family_id JOIN users u ON u.id = f.user_id
    WHERE t.token_hash = $1 AND t.used_at IS NULL AND f.kind = 'api' AND u.disabled_at IS NULL";

pub async fn insert_family(
    tx: &mut Tx,
    family: &Family,
    network: Option<&[u8; 16]>,
    now: Timestamp,
) -> sqlx::Result<()> {
    const SQL: &str = "INSERT INTO refresh_families
        (id, user_id, kind, scopes, browser, network, created_at, seen_at, expires_at, name)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8, $9)";
    on!(tx.conn(), conn => sqlx::query(SQL).bind(family.id).bind(family.user_id).bind(&family.kind)
        .bind(&family.scopes).bind(&family.browser).bind(network.map(|network| network.to_vec())).bind(now)
        .bind(family.expires_at).bind(&family.name).execute(conn).await.map(drop))
}

pub async fn insert_token(
    tx: &mut Tx,
    family: Uuid,
    token_hash: &[u8],
    access_hash: &[u8],
    now: Timestamp,
) -> sqlx::Result<()> {
    const SQL: &str = "INSERT INTO refresh_tokens (token_hash, access_hash, family_id, created_at)
        VALUES ($1, $2, $3, $4)";
    on!(tx.conn(), conn => sqlx::query(SQL).bind(token_hash).bind(access_hash).bind(family).bind(now)
        .execute(conn).await.map(drop))
}

/// Returns `true` for the first use of a token, to only one of several requests at once.
pub async fn use_up(tx: &mut Tx, token_hash: &[u8], now: Timestamp) -> sqlx::Result<bool> {
    const SQL: &str = "UPDATE refresh_tokens SET used_at = $2 WHERE token_hash = $1 AND used_at IS NULL";
    let rows = on!(tx.conn(), conn => sqlx::query(SQL).bind(token_hash).bind(now).execute(conn).await?
        .rows_affected());
    Ok(rows == 1)
}

const FAMILY_OF: &str =
    "SELECT f.id, f.user_id, f.kind, f.scopes, f.browser, f.name, f.expires_at, f.revoked_at, t.used_at
    FROM refresh_tokens t JOIN refresh_families f ON f.id = t.family_id WHERE t.token_hash = $1";
const FAMILY_OF_ACCESS: &str =
    "SELECT f.id, f.user_id, f.kind, f.scopes, f.browser, f.name, f.expires_at, f.revoked_at, t.used_at
    FROM refresh_tokens t JOIN refresh_families f ON f.id = t.family_id WHERE t.access_hash = $1";

pub async fn family_of(tx: &mut Tx, token_hash: &[u8]) -> sqlx::Result<Option<Family>> {
    on!(tx.conn(), conn => sqlx::query_as(FAMILY_OF).bind(token_hash).fetch_optional(conn).await)
}

/// By a refresh token or an access token.
pub async fn family_of_any(tx: &mut Tx, token_hash: &[u8]) -> sqlx::Result<Option<Family>> {
    for sql in [FAMILY_OF, FAMILY_OF_ACCESS] {
        let found: Option<Family> =
            on!(tx.conn(), conn => sqlx::query_as(sql).bind(token_hash).fetch_optional(conn).await?);
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

pub async fn touch(
    tx: &mut Tx,
    family: Uuid,
    browser: &str,
    network: Option<&[u8; 16]>,
    now: Timestamp,
) -> sqlx::Result<()> {
    const SQL: &str = "UPDATE refresh_families SET seen_at = $2, browser = $3, network = $4 WHERE id = $1";
    on!(tx.conn(), conn => sqlx::query(SQL).bind(family).bind(now).bind(browser)
        .bind(network.map(|network| network.to_vec())).execute(conn).await.map(drop))
}

/// `None` if the account is disabled.
pub async fn member(tx: &mut Tx, user: Uuid) -> sqlx::Result<Option<Member>> {
    on!(tx.conn(), conn => sqlx::query_as(ACTIVE).bind(user).fetch_optional(conn).await)
}

pub async fn access(db: &Db, access_hash: &[u8]) -> sqlx::Result<Option<AccessRow>> {
    on!(db.read(), pool => sqlx::query_as(ACCESS).bind(access_hash).fetch_optional(pool).await)
}

pub async fn unused(db: &Db, token_hash: &[u8]) -> sqlx::Result<Option<AccessRow>> {
    on!(db.read(), pool => sqlx::query_as(UNUSED).bind(token_hash).fetch_optional(pool).await)
}
