//! The trail's SQL.

use uuid::Uuid;

use crate::db::{Timestamp, Tx, on};

#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Row {
    pub seq: i64,
    pub at: Timestamp,
    pub actor_id: Option<Uuid>,
    pub action: String,
    pub target: String,
    pub outcome: String,
    pub network: Option<Vec<u8>>,
    pub request_id: String,
    pub previous: Vec<u8>,
    pub hash: Vec<u8>,
}

/// The next event's number and the last one's hash; holds the head until the transaction ends.
pub async fn advance(tx: &mut Tx) -> sqlx::Result<(i64, Vec<u8>)> {
    const SQL: &str = "UPDATE audit_head SET seq = seq + 1 RETURNING seq, hash";
    on!(tx.conn(), conn => sqlx::query_as(SQL).fetch_one(conn).await)
}

pub async fn append(tx: &mut Tx, row: &Row) -> sqlx::Result<()> {
    const EVENT: &str = "INSERT INTO audit_events
        (seq, at, actor_id, action, target, outcome, network, request_id, previous, hash)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    const HEAD: &str = "UPDATE audit_head SET hash = $1";
    on!(tx.conn(), conn => sqlx::query(EVENT).bind(row.seq).bind(row.at).bind(row.actor_id).bind(&row.action)
        .bind(&row.target).bind(&row.outcome).bind(&row.network).bind(&row.request_id).bind(&row.previous)
        .bind(&row.hash).execute(conn).await.map(drop))?;
    on!(tx.conn(), conn => sqlx::query(HEAD).bind(&row.hash).execute(conn).await.map(drop))
}
