//! The installation's SQL: its name, and how far its database has come.

use crate::db::{Db, Tx, on};

/// Numbers of the outbox only rise, and a restored backup brings lower ones back.
pub const POSITION: &str = "SELECT name, (SELECT MAX(ends) FROM (SELECT position AS ends FROM installation
        UNION ALL SELECT MAX(seq) FROM outbox WHERE topic = 'cache'
        UNION ALL SELECT MAX(seq) FROM outbox WHERE topic = 'session'
        UNION ALL SELECT MAX(seq) FROM outbox WHERE topic = 'begun') AS of_all) AS at
    FROM installation";

#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Position {
    pub name: String,
    /// The highest number that a committed row of the outbox ever had.
    pub at: i64,
}

pub async fn position(db: &Db) -> sqlx::Result<Position> {
    on!(db.read(), pool => sqlx::query_as(POSITION).fetch_one(pool).await)
}

/// Keeps the highest number, before rows are removed from the outbox.
pub async fn keep_position(tx: &mut Tx) -> sqlx::Result<()> {
    const SQL: &str = "UPDATE installation SET position = (SELECT MAX(seq) FROM outbox)
        WHERE position < (SELECT MAX(seq) FROM outbox)";
    on!(tx.conn(), conn => sqlx::query(SQL).execute(conn).await.map(drop))
}

/// Takes another name, unless somebody else was quicker.
pub async fn rename(db: &Db, from: &str, to: &str) -> sqlx::Result<()> {
    const SQL: &str = "UPDATE installation SET name = $2 WHERE name = $1";
    let mut tx = db.begin().await?;
    on!(tx.conn(), conn => sqlx::query(SQL).bind(from).bind(to).execute(conn).await.map(drop))?;
    tx.commit().await
}
