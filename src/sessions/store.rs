//! The sessions' SQL.

use std::collections::HashMap;

use data_encoding::HEXLOWER;
use tower_sessions::session::{Id, Record};
use uuid::Uuid;

use super::data::{Data, MEMBER, OWN};
use super::expiry;
use crate::db::{Db, Tx, on};
use crate::identity::{Member, Role};
use crate::installation::store::keep_position;
use crate::timestamp::Timestamp;

pub const OF_USER: &str = "SELECT id_hash FROM sessions WHERE user_id = $1";
pub const REVOCATIONS: &str = "SELECT seq, id, payload, told FROM outbox WHERE topic = 'session' AND seq > $1
    ORDER BY seq LIMIT 1000";
pub const DELETE: &str = "DELETE FROM outbox WHERE topic IN ('session', 'begun') AND seq <= $1";
pub const COUNT: &str = "SELECT COUNT(*) FROM sessions WHERE expires_at > $1";
pub const LOAD: &str = "SELECT s.record, s.expires_at, u.id, u.email, u.username, u.display_name, u.role,
    u.auth_epoch, u.factor_epoch, u.verified_at IS NOT NULL AS verified, u.totp_secret IS NOT NULL AS second_factor
    FROM sessions s LEFT JOIN users u ON u.id = s.user_id AND u.disabled_at IS NULL
    WHERE s.id_hash = $1 AND s.expires_at > $2";

#[derive(sqlx::FromRow)]
struct Row {
    record: String,
    expires_at: Timestamp,
    id: Option<Uuid>,
    email: Option<String>,
    username: Option<String>,
    display_name: Option<String>,
    role: Option<String>,
    auth_epoch: Option<i64>,
    factor_epoch: Option<i64>,
    verified: bool,
    second_factor: bool,
}

/// Returns `false` when the id is taken. `outbox_id` adds an outbox row too, so that an older backup has a lower position.
pub async fn insert(db: &Db, record: &Record, outbox_id: Option<Uuid>, now: Timestamp) -> sqlx::Result<bool> {
    const BEGUN: &str = "INSERT INTO outbox (id, topic, payload, created_at) VALUES ($1, 'begun', '', $2)";
    const SQL: &str = "INSERT INTO sessions (id_hash, user_id, public_id, family_id, record, browser, network,
        created_at, seen_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING";
    let Columns { user, id, family, own, browser, network, since } = Columns::from_record(record)?;
    let since = since.unwrap_or(now);
    let mut tx = db.begin().await?;
    let rows = on!(tx.conn(), conn => sqlx::query(SQL).bind(bytes(record.id)).bind(user).bind(id).bind(family)
        .bind(own).bind(browser).bind(network).bind(since).bind(now).bind(expiry(record))
        .execute(conn).await?.rows_affected());
    if let Some(id) = outbox_id {
        on!(tx.conn(), conn => sqlx::query(BEGUN).bind(id).bind(now).execute(conn).await.map(drop))?;
    }
    tx.commit().await?;
    Ok(rows == 1)
}

pub async fn update(tx: &mut Tx, record: &Record, now: Timestamp) -> sqlx::Result<bool> {
    const SQL: &str = "UPDATE sessions SET user_id = $2, public_id = $3, family_id = $4, record = $5,
        browser = $6, network = $7, seen_at = $8, expires_at = $9 WHERE id_hash = $1";
    let Columns { user, id, family, own, browser, network, .. } = Columns::from_record(record)?;
    let rows = on!(tx.conn(), conn => sqlx::query(SQL).bind(bytes(record.id)).bind(user).bind(id).bind(family)
        .bind(own).bind(browser).bind(network).bind(now).bind(expiry(record))
        .execute(conn).await?.rows_affected());
    Ok(rows == 1)
}

/// With its user, if the account is active.
pub async fn load(db: &Db, id: Id, now: Timestamp) -> sqlx::Result<Option<Record>> {
    let row: Option<Row> =
        on!(db.read(), pool => sqlx::query_as(LOAD).bind(bytes(id)).bind(now).fetch_optional(pool).await?);
    row.map(|row| {
        let own = serde_json::from_str(&row.record).map_err(decode)?;
        let mut data = HashMap::from([(OWN.to_owned(), own)]);
        let expiry_date = row.expires_at.datetime();
        if let Some(member) = member(row) {
            data.insert(MEMBER.to_owned(), serde_json::to_value(member).map_err(decode)?);
        }
        Ok(Record { id, data, expiry_date })
    })
    .transpose()
}

fn member(row: Row) -> Option<Member> {
    Some(Member {
        id: row.id?,
        email: row.email?,
        username: row.username?,
        display_name: row.display_name?,
        role: Role::try_from(row.role?).ok()?,
        auth_epoch: row.auth_epoch?,
        factor_epoch: row.factor_epoch?,
        verified: row.verified,
        second_factor: row.second_factor,
    })
}

pub async fn count(db: &Db, now: Timestamp) -> sqlx::Result<i64> {
    on!(db.read(), pool => sqlx::query_scalar(COUNT).bind(now).fetch_one(pool).await)
}

pub async fn delete(tx: &mut Tx, id: Id) -> sqlx::Result<()> {
    const SQL: &str = "DELETE FROM sessions WHERE id_hash = $1";
    on!(tx.conn(), conn => sqlx::query(SQL).bind(bytes(id)).execute(conn).await.map(drop))
}

/// Except the session of this public id, or those of this family.
pub async fn delete_of_user(tx: &mut Tx, user: Uuid, except: Option<Uuid>) -> sqlx::Result<()> {
    const SQL: &str = "DELETE FROM sessions WHERE user_id = $1
        AND (public_id IS NULL OR public_id <> $2) AND (family_id IS NULL OR family_id <> $2)";
    on!(tx.conn(), conn => sqlx::query(SQL).bind(user).bind(except.unwrap_or_default()).execute(conn).await
        .map(drop))
}

/// The session of this public id, or those of this family.
pub async fn delete_device(tx: &mut Tx, user: Uuid, device: Uuid) -> sqlx::Result<Vec<Id>> {
    const SQL: &str =
        "DELETE FROM sessions WHERE user_id = $1 AND (public_id = $2 OR family_id = $2) RETURNING id_hash";
    let rows: Vec<(Vec<u8>,)> =
        on!(tx.conn(), conn => sqlx::query_as(SQL).bind(user).bind(device).fetch_all(conn).await?);
    Ok(ids(rows))
}

/// Except this family, or that of the session of this public id.
pub async fn revoke_families(
    tx: &mut Tx,
    user: Uuid,
    except: Option<Uuid>,
    now: Timestamp,
) -> sqlx::Result<()> {
    const SQL: &str = "UPDATE refresh_families SET revoked_at = $3 WHERE user_id = $1 AND revoked_at IS NULL
        AND id <> $2 AND id NOT IN (SELECT family_id FROM sessions
            WHERE user_id = $1 AND public_id = $2 AND family_id IS NOT NULL)";
    on!(tx.conn(), conn => sqlx::query(SQL).bind(user).bind(except.unwrap_or_default()).bind(now)
        .execute(conn).await.map(drop))
}

pub async fn revoke_family(tx: &mut Tx, family: Uuid, user: Uuid, now: Timestamp) -> sqlx::Result<bool> {
    const SQL: &str =
        "UPDATE refresh_families SET revoked_at = $3 WHERE id = $1 AND user_id = $2 AND revoked_at IS NULL";
    let rows = on!(tx.conn(), conn => sqlx::query(SQL).bind(family).bind(user).bind(now).execute(conn).await?
        .rows_affected());
    Ok(rows == 1)
}

#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Revocation {
    pub seq: i64,
    pub id: Uuid,
    #[sqlx(rename = "payload")]
    session: String,
    pub told: Option<String>,
}

impl Revocation {
    pub fn session(&self) -> Option<Id> {
        self.session.parse().ok()
    }
}

pub async fn revocations(db: &Db, seq: i64) -> sqlx::Result<Vec<Revocation>> {
    on!(db.read(), pool => sqlx::query_as(REVOCATIONS).bind(seq).fetch_all(pool).await)
}

pub async fn mark_published(db: &Db, ids: &[Uuid], namespace: &str) -> sqlx::Result<()> {
    const SQL: &str = "UPDATE outbox SET told = $2 WHERE id = $1";
    let mut tx = db.begin().await?;
    for id in ids {
        on!(tx.conn(), conn => sqlx::query(SQL).bind(id).bind(namespace).execute(conn).await.map(drop))?;
    }
    tx.commit().await
}

pub async fn is_published(db: &Db, id: Uuid) -> sqlx::Result<bool> {
    const SQL: &str = "SELECT told IS NOT NULL FROM outbox WHERE id = $1";
    let published: Option<bool> =
        on!(db.read(), pool => sqlx::query_scalar(SQL).bind(id).fetch_optional(pool).await?);
    Ok(published.unwrap_or(true))
}

/// Deletes rows that every node has seen, or all rows if there is no Redis.
pub async fn delete_revocations(db: &Db, seq: i64) -> sqlx::Result<()> {
    let mut tx = db.begin().await?;
    keep_position(&mut tx, seq).await?;
    on!(tx.conn(), conn => sqlx::query(DELETE).bind(seq).execute(conn).await.map(drop))?;
    tx.commit().await
}

pub async fn of_user(tx: &mut Tx, user: Uuid) -> sqlx::Result<Vec<Id>> {
    let rows: Vec<(Vec<u8>,)> =
        on!(tx.conn(), conn => sqlx::query_as(OF_USER).bind(user).fetch_all(conn).await?);
    Ok(ids(rows))
}

pub async fn delete_expired(db: &Db, now: Timestamp) -> sqlx::Result<()> {
    const SESSIONS: &str = "DELETE FROM sessions WHERE expires_at <= $1";
    const FAMILIES: &str = "DELETE FROM refresh_families WHERE expires_at <= $1";
    let mut tx = db.begin().await?;
    for sql in [SESSIONS, FAMILIES] {
        on!(tx.conn(), conn => sqlx::query(sql).bind(now).execute(conn).await?.rows_affected());
    }
    tx.commit().await
}

pub async fn queue(tx: &mut Tx, id: Id, outbox_id: Uuid, now: Timestamp) -> sqlx::Result<()> {
    const SQL: &str = "INSERT INTO outbox (id, topic, payload, created_at) VALUES ($1, 'session', $2, $3)";
    on!(tx.conn(), conn => sqlx::query(SQL).bind(outbox_id).bind(id.to_string()).bind(now)
        .execute(conn).await.map(drop))
}

#[derive(sqlx::FromRow)]
pub struct DeviceRow {
    pub id: Uuid,
    pub family_id: Option<Uuid>,
    pub browser: String,
    pub network: Option<Vec<u8>>,
    pub created_at: Timestamp,
    pub seen_at: Timestamp,
    pub kind: String,
    /// As the program named it; may be empty.
    pub name: String,
}

pub const DEVICES: &str =
    "SELECT public_id AS id, family_id, browser, network, created_at, seen_at, 'browser' AS kind,
    '' AS name
    FROM sessions WHERE user_id = $1 AND expires_at > $2 AND public_id IS NOT NULL";
pub const FAMILIES: &str = "SELECT id, id AS family_id, browser, network, created_at, seen_at, kind, name
    FROM refresh_families WHERE user_id = $1 AND expires_at > $2 AND revoked_at IS NULL";

pub async fn devices(db: &Db, user: Uuid, now: Timestamp) -> sqlx::Result<Vec<DeviceRow>> {
    let mut all: Vec<DeviceRow> = Vec::new();
    for sql in [FAMILIES, DEVICES] {
        let rows: Vec<DeviceRow> =
            on!(db.read(), pool => sqlx::query_as(sql).bind(user).bind(now).fetch_all(pool).await?);
        all.extend(rows);
    }
    Ok(all)
}

fn ids(rows: Vec<(Vec<u8>,)>) -> Vec<Id> {
    rows.into_iter().filter_map(|(bytes,)| Some(Id(i128::from_le_bytes(bytes.try_into().ok()?)))).collect()
}

fn bytes(id: Id) -> Vec<u8> {
    id.0.to_le_bytes().to_vec()
}

struct Columns {
    user: Option<Uuid>,
    id: Option<Uuid>,
    family: Option<Uuid>,
    own: String,
    browser: String,
    network: Option<Vec<u8>>,
    since: Option<Timestamp>,
}

impl Columns {
    fn from_record(record: &Record) -> sqlx::Result<Self> {
        let data = Data::from_record(record);
        let own = serde_json::to_string(&data).map_err(|error| sqlx::Error::Encode(error.into()))?;
        let login = data.login;
        let network = login.as_ref().and_then(|login| login.network.as_ref());
        Ok(Self {
            own,
            user: login.as_ref().map(|login| login.user),
            id: login.as_ref().map(|login| login.id),
            family: login.as_ref().and_then(|login| login.family),
            network: network.and_then(|hex| HEXLOWER.decode(hex.as_bytes()).ok()),
            since: login.as_ref().map(|login| Timestamp::from_micros(login.since)),
            browser: login.map(|login| login.browser).unwrap_or_default(),
        })
    }
}

fn decode(error: serde_json::Error) -> sqlx::Error {
    sqlx::Error::Decode(error.into())
}
