//! The sessions' SQL.

use std::collections::HashMap;

use serde_json::Value;
use tower_sessions::session::{Id, Record};
use uuid::Uuid;

use super::expiry;
use crate::db::{Db, Timestamp, Tx, on};

/// Where the signed-in person's id stands in a session's data.
pub const USER_KEY: &str = "user_id";

pub const OF_USER: &str = "SELECT id_hash FROM sessions WHERE user_id = $1";
pub const REVOCATIONS: &str =
    "SELECT id, payload FROM outbox WHERE topic = 'session' ORDER BY created_at LIMIT 1000";
pub const LOAD: &str = "SELECT record, expires_at FROM sessions WHERE id_hash = $1 AND expires_at > $2";

/// Whether the row was made; `false` when the id is taken.
pub async fn insert(db: &Db, record: &Record, now: Timestamp) -> sqlx::Result<bool> {
    const SQL: &str = "INSERT INTO sessions (id_hash, user_id, record, created_at, seen_at, expires_at)
        VALUES ($1, $2, $3, $4, $4, $5) ON CONFLICT DO NOTHING";
    let mut tx = db.begin().await?;
    let rows = on!(tx.conn(), conn => sqlx::query(SQL).bind(key(record.id)).bind(user(record))
        .bind(data(record)).bind(now).bind(expiry(record)).execute(conn).await?.rows_affected());
    tx.commit().await?;
    Ok(rows == 1)
}

/// Whether there was a row to update.
pub async fn update(db: &Db, record: &Record, now: Timestamp) -> sqlx::Result<bool> {
    const SQL: &str =
        "UPDATE sessions SET user_id = $2, record = $3, seen_at = $4, expires_at = $5 WHERE id_hash = $1";
    let mut tx = db.begin().await?;
    let rows = on!(tx.conn(), conn => sqlx::query(SQL).bind(key(record.id)).bind(user(record))
        .bind(data(record)).bind(now).bind(expiry(record)).execute(conn).await?.rows_affected());
    tx.commit().await?;
    Ok(rows == 1)
}

pub async fn load(db: &Db, id: Id, now: Timestamp) -> sqlx::Result<Option<Record>> {
    let row: Option<(String, Timestamp)> =
        on!(db.read(), pool => sqlx::query_as(LOAD).bind(key(id)).bind(now).fetch_optional(pool).await?);
    row.map(|(json, expires_at)| {
        let data: HashMap<String, Value> =
            serde_json::from_str(&json).map_err(|e| sqlx::Error::Decode(e.into()))?;
        Ok(Record { id, data, expiry_date: expires_at.datetime() })
    })
    .transpose()
}

pub async fn delete(db: &Db, id: Id) -> sqlx::Result<()> {
    let mut tx = db.begin().await?;
    delete_row(&mut tx, id).await?;
    tx.commit().await
}

/// Deletes the row and, in the same transaction, notes that Redis must be told.
pub async fn revoke(db: &Db, id: Id, outbox_id: Uuid, now: Timestamp) -> sqlx::Result<()> {
    let mut tx = db.begin().await?;
    delete_row(&mut tx, id).await?;
    queue(&mut tx, id, outbox_id, now).await?;
    tx.commit().await
}

/// Notes that Redis holds a copy which must go.
pub async fn queue_revocation(db: &Db, id: Id, outbox_id: Uuid, now: Timestamp) -> sqlx::Result<()> {
    let mut tx = db.begin().await?;
    queue(&mut tx, id, outbox_id, now).await?;
    tx.commit().await
}

pub async fn revocations(db: &Db) -> sqlx::Result<Vec<(Uuid, Id)>> {
    let rows: Vec<(Uuid, String)> =
        on!(db.read(), pool => sqlx::query_as(REVOCATIONS).fetch_all(pool).await?);
    Ok(rows.into_iter().filter_map(|(outbox, id)| Some((outbox, id.parse().ok()?))).collect())
}

pub async fn revocation_done(db: &Db, outbox_id: Uuid) -> sqlx::Result<()> {
    const SQL: &str = "DELETE FROM outbox WHERE id = $1";
    let mut tx = db.begin().await?;
    on!(tx.conn(), conn => sqlx::query(SQL).bind(outbox_id).execute(conn).await?.rows_affected());
    tx.commit().await
}

pub async fn of_user(db: &Db, user: Uuid) -> sqlx::Result<Vec<Id>> {
    let rows: Vec<(Vec<u8>,)> =
        on!(db.read(), pool => sqlx::query_as(OF_USER).bind(user).fetch_all(pool).await?);
    Ok(rows
        .into_iter()
        .filter_map(|(bytes,)| Some(Id(i128::from_le_bytes(bytes.try_into().ok()?))))
        .collect())
}

pub async fn delete_expired(db: &Db, now: Timestamp) -> sqlx::Result<()> {
    const SQL: &str = "DELETE FROM sessions WHERE expires_at <= $1";
    let mut tx = db.begin().await?;
    on!(tx.conn(), conn => sqlx::query(SQL).bind(now).execute(conn).await?.rows_affected());
    tx.commit().await
}

async fn delete_row(tx: &mut Tx, id: Id) -> sqlx::Result<()> {
    const SQL: &str = "DELETE FROM sessions WHERE id_hash = $1";
    on!(tx.conn(), conn => sqlx::query(SQL).bind(key(id)).execute(conn).await.map(drop))
}

async fn queue(tx: &mut Tx, id: Id, outbox_id: Uuid, now: Timestamp) -> sqlx::Result<()> {
    const SQL: &str = "INSERT INTO outbox (id, topic, payload, created_at) VALUES ($1, 'session', $2, $3)";
    on!(tx.conn(), conn => sqlx::query(SQL).bind(outbox_id).bind(id.to_string()).bind(now)
        .execute(conn).await.map(drop))
}

fn key(id: Id) -> Vec<u8> {
    id.0.to_le_bytes().to_vec()
}

fn user(record: &Record) -> Option<Uuid> {
    record.data.get(USER_KEY).and_then(|value| value.as_str()?.parse().ok())
}

fn data(record: &Record) -> String {
    serde_json::to_string(&record.data).unwrap_or_default()
}
