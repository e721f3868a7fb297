//! The webhooks' SQL.

use uuid::Uuid;

use super::State;
use super::deliver::{AT_ONCE, PER_PERSON};
use crate::db::{Db, Tx, Value, bind_all, on};
use crate::timestamp::Timestamp;

/// A webhook as its owner sees it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Webhook {
    pub id: Uuid,
    pub url: String,
    pub created_at: Timestamp,
}

#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Delivery {
    pub id: Uuid,
    pub state: String,
    pub attempts: i64,
    pub created_at: Timestamp,
    /// While it waits.
    pub next_at: Timestamp,
    /// Of the latest answer.
    pub status: Option<i64>,
    /// A sentence on the latest attempt, if it failed.
    pub error: Option<String>,
    pub body: String,
}

/// A webhook with changes that it was not told of.
#[derive(Clone, sqlx::FromRow)]
pub struct Behind {
    pub id: Uuid,
    pub owner_id: Uuid,
    pub seq: i64,
    pub latest: i64,
}

/// A delivery that this node may send until its lease ends.
#[derive(sqlx::FromRow)]
pub struct Claimed {
    pub id: Uuid,
    pub webhook_id: Uuid,
    pub owner_id: Uuid,
    pub body: String,
    /// With this one.
    pub attempts: i64,
    pub begun_at: Timestamp,
    pub url: String,
    pub sealed: Vec<u8>,
}

/// Why an attempt failed.
pub struct Reason<'a> {
    pub status: Option<u16>,
    pub error: &'a str,
}

#[derive(sqlx::FromRow)]
pub struct SealedSecret {
    pub id: Uuid,
    pub sealed: Vec<u8>,
}

pub const BEHIND: &str = "SELECT w.id, w.owner_id, w.seq, c.seq AS latest
    FROM webhooks w JOIN change_counters c ON c.owner_id = w.owner_id
    JOIN users u ON u.id = w.owner_id AND u.disabled_at IS NULL WHERE c.seq > w.seq";
/// A disabled account's wait until it is enabled again.
pub const DUE: &str = "SELECT id FROM webhook_deliveries WHERE state = 'waiting' AND next_at <= $1
    AND webhook_id NOT IN ($2, $3, $4, $5, $6, $7, $8, $9)
    AND webhook_id NOT IN (SELECT id FROM webhooks WHERE owner_id IN ($10, $11, $12, $13))
    AND EXISTS (SELECT 1 FROM webhooks w JOIN users u ON u.id = w.owner_id
        WHERE w.id = webhook_id AND u.disabled_at IS NULL)
    ORDER BY next_at LIMIT 1";

/// What [`DUE`] passes over; the rest of each is nil.
#[derive(Default)]
pub struct Busy {
    pub hooks: [Uuid; AT_ONCE],
    pub owners: [Uuid; AT_ONCE / PER_PERSON],
}

/// It is told of what changes from now on.
pub async fn insert(tx: &mut Tx, owner: Uuid, webhook: &Webhook, sealed: &[u8]) -> sqlx::Result<()> {
    const SQL: &str =
        "INSERT INTO webhooks (id, owner_id, url, sealed, created_at, seq) VALUES ($1, $2, $3, $4, $5,
        COALESCE((SELECT seq FROM change_counters WHERE owner_id = $2), 0))";
    on!(tx.conn(), conn => sqlx::query(SQL).bind(webhook.id).bind(owner).bind(&webhook.url).bind(sealed)
        .bind(webhook.created_at).execute(conn).await.map(drop))
}

pub async fn of_user(db: &Db, owner: Uuid) -> sqlx::Result<Vec<Webhook>> {
    const SQL: &str = "SELECT id, url, created_at FROM webhooks WHERE owner_id = $1 ORDER BY id DESC";
    on!(db.read(), pool => sqlx::query_as(SQL).bind(owner).fetch_all(pool).await)
}

/// Whether there was such a webhook of theirs.
pub async fn delete(tx: &mut Tx, owner: Uuid, id: Uuid) -> sqlx::Result<bool> {
    const SQL: &str = "DELETE FROM webhooks WHERE owner_id = $1 AND id = $2";
    let rows =
        on!(tx.conn(), conn => sqlx::query(SQL).bind(owner).bind(id).execute(conn).await?.rows_affected());
    Ok(rows == 1)
}

pub async fn delete_any(tx: &mut Tx, id: Uuid) -> sqlx::Result<()> {
    const SQL: &str = "DELETE FROM webhooks WHERE id = $1";
    on!(tx.conn(), conn => sqlx::query(SQL).bind(id).execute(conn).await.map(drop))
}

pub async fn sealed(tx: &mut Tx) -> sqlx::Result<Vec<SealedSecret>> {
    on!(tx.conn(), conn => sqlx::query_as("SELECT id, sealed FROM webhooks").fetch_all(conn).await)
}

pub async fn put_sealed(tx: &mut Tx, id: Uuid, sealed: &[u8]) -> sqlx::Result<()> {
    const SQL: &str = "UPDATE webhooks SET sealed = $2 WHERE id = $1";
    on!(tx.conn(), conn => sqlx::query(SQL).bind(id).bind(sealed).execute(conn).await.map(drop))
}

pub async fn behind(db: &Db) -> sqlx::Result<Vec<Behind>> {
    on!(db.read(), pool => sqlx::query_as(BEHIND).fetch_all(pool).await)
}

/// Whether no other node has done it meanwhile.
pub async fn advance(tx: &mut Tx, behind: &Behind, to: i64) -> sqlx::Result<bool> {
    const SQL: &str = "UPDATE webhooks SET seq = $3 WHERE id = $1 AND seq = $2";
    let rows = on!(tx.conn(), conn => sqlx::query(SQL).bind(behind.id).bind(behind.seq).bind(to)
        .execute(conn).await?.rows_affected());
    Ok(rows == 1)
}

pub async fn insert_delivery(
    tx: &mut Tx,
    id: Uuid,
    webhook: Uuid,
    body: &str,
    now: Timestamp,
) -> sqlx::Result<()> {
    const SQL: &str = "INSERT INTO webhook_deliveries
        (id, webhook_id, state, attempts, body, created_at, begun_at, next_at)
        VALUES ($1, $2, 'waiting', 0, $3, $4, $4, $4)";
    on!(tx.conn(), conn => sqlx::query(SQL).bind(id).bind(webhook).bind(body).bind(now)
        .execute(conn).await.map(drop))
}

/// The delivery that is due longest.
pub async fn due(db: &Db, now: Timestamp, busy: &Busy) -> sqlx::Result<Option<Uuid>> {
    let mut values = vec![Value::At(now)];
    values.extend(busy.hooks.into_iter().chain(busy.owners).map(Value::Id));
    on!(db.read(), pool => bind_all!(sqlx::query_scalar(DUE), values).fetch_optional(pool).await)
}

/// `None` if another node was faster: `next_at` is checked again once the other node's lease is written.
pub async fn claim(db: &Db, id: Uuid, now: Timestamp, lease: Timestamp) -> sqlx::Result<Option<Claimed>> {
    const SQL: &str = "UPDATE webhook_deliveries SET next_at = $3, attempts = attempts + 1
        WHERE id = $1 AND state = 'waiting' AND next_at <= $2
        RETURNING id, webhook_id, body, attempts, begun_at,
            (SELECT owner_id FROM webhooks w WHERE w.id = webhook_id) AS owner_id,
            (SELECT url FROM webhooks w WHERE w.id = webhook_id) AS url,
            (SELECT sealed FROM webhooks w WHERE w.id = webhook_id) AS sealed";
    let mut tx = db.begin().await?;
    let claimed = on!(tx.conn(), conn => sqlx::query_as(SQL).bind(id).bind(now).bind(lease).fetch_optional(conn).await?);
    tx.commit().await?;
    Ok(claimed)
}

pub async fn delivered(db: &Db, id: Uuid, status: u16, now: Timestamp) -> sqlx::Result<()> {
    const SQL: &str =
        "UPDATE webhook_deliveries SET state = 'delivered', status = $2, error = NULL, next_at = $3
        WHERE id = $1";
    let mut tx = db.begin().await?;
    on!(tx.conn(), conn => sqlx::query(SQL).bind(id).bind(i64::from(status)).bind(now)
        .execute(conn).await.map(drop))?;
    tx.commit().await
}

pub async fn failed(
    db: &Db,
    id: Uuid,
    state: State,
    next_at: Timestamp,
    reason: Reason<'_>,
) -> sqlx::Result<()> {
    const SQL: &str = "UPDATE webhook_deliveries SET state = $2, next_at = $3, status = $4, error = $5
        WHERE id = $1";
    let mut tx = db.begin().await?;
    on!(tx.conn(), conn => sqlx::query(SQL).bind(id).bind(state.as_str()).bind(next_at)
        .bind(reason.status.map(i64::from)).bind(reason.error).execute(conn).await.map(drop))?;
    tx.commit().await
}

pub async fn deliveries(db: &Db, webhook: Uuid, most: i64) -> sqlx::Result<Vec<Delivery>> {
    const SQL: &str = "SELECT id, state, attempts, created_at, next_at, status, error, body
        FROM webhook_deliveries WHERE webhook_id = $1 ORDER BY id DESC LIMIT $2";
    on!(db.read(), pool => sqlx::query_as(SQL).bind(webhook).bind(most).fetch_all(pool).await)
}

/// The webhook of the delivery, if it is theirs.
pub async fn replay(db: &Db, owner: Uuid, id: Uuid, now: Timestamp) -> sqlx::Result<Option<Uuid>> {
    const SQL: &str = "UPDATE webhook_deliveries SET state = 'waiting', begun_at = $3, next_at = $3
        WHERE id = $2 AND webhook_id IN (SELECT id FROM webhooks WHERE owner_id = $1) RETURNING webhook_id";
    let mut tx = db.begin().await?;
    let webhook = on!(tx.conn(), conn => sqlx::query_scalar(SQL).bind(owner).bind(id).bind(now)
        .fetch_optional(conn).await?);
    tx.commit().await?;
    Ok(webhook)
}

pub async fn forget(db: &Db, before: Timestamp) -> sqlx::Result<()> {
    const SQL: &str = "DELETE FROM webhook_deliveries WHERE created_at < $1 AND state <> 'waiting'";
    let mut tx = db.begin().await?;
    on!(tx.conn(), conn => sqlx::query(SQL).bind(before).execute(conn).await.map(drop))?;
    tx.commit().await
}
