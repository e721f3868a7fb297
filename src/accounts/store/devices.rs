//! Devices from which users have logged in.

use uuid::Uuid;

use crate::db::{Db, Tx, on};

use crate::timestamp::Timestamp;

/// Whether the user has logged in from this device before, and from any.
pub async fn known(tx: &mut Tx, user: Uuid, device: &[u8]) -> sqlx::Result<(bool, bool)> {
    const SQL: &str =
        "SELECT COUNT(*) FILTER (WHERE device = $2), COUNT(*) FROM known_devices WHERE user_id = $1";
    let (this, any): (i64, i64) =
        on!(tx.conn(), conn => sqlx::query_as(SQL).bind(user).bind(device).fetch_one(conn).await?);
    Ok((this > 0, any > 0))
}

pub async fn remember(tx: &mut Tx, user: Uuid, devices: [&[u8]; 2], now: Timestamp) -> sqlx::Result<()> {
    const SQL: &str = "INSERT INTO known_devices (user_id, device, seen_at) VALUES ($1, $2, $4), ($1, $3, $4)
        ON CONFLICT (user_id, device) DO UPDATE SET seen_at = excluded.seen_at";
    let [one, other] = devices;
    on!(tx.conn(), conn => sqlx::query(SQL).bind(user).bind(one).bind(other).bind(now).execute(conn).await.map(drop))
}

pub async fn forget(db: &Db, since: Timestamp) -> sqlx::Result<()> {
    const SQL: &str = "DELETE FROM known_devices WHERE seen_at < $1";
    let mut tx = db.begin().await?;
    on!(tx.conn(), conn => sqlx::query(SQL).bind(since).execute(conn).await.map(drop))?;
    tx.commit().await
}
