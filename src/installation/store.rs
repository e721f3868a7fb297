//! The installation's SQL: its name, and the outbox's latest position.

use uuid::Uuid;

use crate::db::{Db, Tx, on};
use crate::redis::namespace::OutboxPosition;

/// Numbers of the outbox only rise, unless a backup brings lower ones back.
pub const POSITION: &str = "SELECT name, at, COALESCE((SELECT id FROM outbox
        WHERE topic IN ('cache', 'session', 'begun') AND seq = at), mark) AS row_id
    FROM (SELECT name, mark, (SELECT MAX(ends) FROM (SELECT position AS ends FROM installation
            UNION ALL SELECT MAX(seq) FROM outbox WHERE topic = 'cache'
            UNION ALL SELECT MAX(seq) FROM outbox WHERE topic = 'session'
            UNION ALL SELECT MAX(seq) FROM outbox WHERE topic = 'begun') AS of_all) AS at
        FROM installation) AS far";

/// Looks a row of the outbox up by its id. An unknown one was deleted, or never existed if no row that late was deleted
/// yet. While Redis can't be told, no row is deleted.
pub const KNOWS: &str = "SELECT CASE
    WHEN EXISTS (SELECT 1 FROM outbox WHERE topic IN ('cache', 'session', 'begun') AND seq = $1)
    THEN EXISTS (SELECT 1 FROM outbox WHERE topic IN ('cache', 'session', 'begun') AND seq = $1 AND id = $2)
    ELSE EXISTS (SELECT 1 FROM installation WHERE position > $1 OR (position = $1 AND mark = $2)) END";

#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Position {
    pub name: String,
    at: i64,
    row_id: Option<Uuid>,
}

impl Position {
    pub fn latest(&self) -> Option<OutboxPosition> {
        self.row_id.map(|row| OutboxPosition { seq: self.at, row })
    }
}

pub async fn position(db: &Db) -> sqlx::Result<Position> {
    on!(db.read(), pool => sqlx::query_as(POSITION).fetch_one(pool).await)
}

pub async fn knows(db: &Db, position: OutboxPosition) -> sqlx::Result<bool> {
    on!(db.read(), pool => sqlx::query_scalar(KNOWS).bind(position.seq).bind(position.row).fetch_one(pool).await)
}

/// Call it before the rows up to this one are deleted.
pub async fn keep_position(tx: &mut Tx, seq: i64) -> sqlx::Result<()> {
    const SQL: &str = "UPDATE installation SET position = latest.seq, mark = latest.id
        FROM (SELECT seq, id FROM outbox WHERE seq <= $1 ORDER BY seq DESC LIMIT 1) AS latest
        WHERE position < latest.seq";
    on!(tx.conn(), conn => sqlx::query(SQL).bind(seq).execute(conn).await.map(drop))
}

pub async fn rename(db: &Db, from: &str, to: &str) -> sqlx::Result<()> {
    const SQL: &str = "UPDATE installation SET name = $2 WHERE name = $1";
    let mut tx = db.begin().await?;
    on!(tx.conn(), conn => sqlx::query(SQL).bind(from).bind(to).execute(conn).await.map(drop))?;
    tx.commit().await
}
