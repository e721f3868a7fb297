//! The queue's SQL.

use uuid::Uuid;

use super::letter::Written;
use crate::db::{Timestamp, Tx, on};

pub async fn insert(tx: &mut Tx, id: Uuid, to: &str, written: &Written, now: Timestamp) -> sqlx::Result<()> {
    const SQL: &str = "INSERT INTO mails (id, recipient, subject, plain, html, created_at, next_at)
        VALUES ($1, $2, $3, $4, $5, $6, $6)";
    on!(tx.conn(), conn => sqlx::query(SQL).bind(id).bind(to).bind(written.subject).bind(&written.plain)
        .bind(&written.html).bind(now).execute(conn).await.map(drop))
}
