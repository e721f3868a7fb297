//! The SQL of the key that a database belongs to, and of earlier keys.

use crate::db::{Db, Tx, on};

#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Row {
    pub key_id: Vec<u8>,
    /// The last event of the audit log under this key.
    pub audit_until: i64,
    /// `None`: the key was lost.
    pub sealed: Option<Vec<u8>>,
}

const RETIRED: &str = "SELECT key_id, audit_until, sealed FROM retired_keys ORDER BY audit_until";

/// The id of the current key; empty before the first start.
pub async fn key_id(db: &Db) -> sqlx::Result<Vec<u8>> {
    const SQL: &str = "SELECT key_id FROM audit_head";
    on!(db.read(), pool => sqlx::query_scalar(SQL).fetch_one(pool).await)
}

/// Does nothing if the database belongs to a key already.
pub async fn claim(db: &Db, key_id: &[u8]) -> sqlx::Result<()> {
    const SQL: &str = "UPDATE audit_head SET key_id = $1 WHERE key_id = $2";
    let mut tx = db.begin().await?;
    let none: &[u8] = &[];
    on!(tx.conn(), conn => sqlx::query(SQL).bind(key_id).bind(none).execute(conn).await.map(drop))?;
    tx.commit().await
}

/// Replaces the current key and returns the number of its last event. Locks the log's head until the transaction ends.
pub async fn replace(tx: &mut Tx, key_id: &[u8]) -> sqlx::Result<i64> {
    const SQL: &str = "UPDATE audit_head SET key_id = $1 RETURNING seq";
    on!(tx.conn(), conn => sqlx::query_scalar(SQL).bind(key_id).fetch_one(conn).await)
}

pub async fn retired(db: &Db) -> sqlx::Result<Vec<Row>> {
    on!(db.read(), pool => sqlx::query_as(RETIRED).fetch_all(pool).await)
}

pub async fn retired_in(tx: &mut Tx) -> sqlx::Result<Vec<Row>> {
    on!(tx.conn(), conn => sqlx::query_as(RETIRED).fetch_all(conn).await)
}

pub async fn put_retired(tx: &mut Tx, row: &Row) -> sqlx::Result<()> {
    const SQL: &str = "INSERT INTO retired_keys (key_id, audit_until, sealed) VALUES ($1, $2, $3)
        ON CONFLICT (key_id) DO UPDATE SET sealed = excluded.sealed, audit_until = excluded.audit_until";
    on!(tx.conn(), conn => sqlx::query(SQL).bind(&row.key_id).bind(row.audit_until).bind(&row.sealed)
        .execute(conn).await.map(drop))
}

/// Connections of other processes to this database. An SQLite file belongs to one process.
pub async fn others(db: &Db) -> sqlx::Result<i64> {
    const SQL: &str = "SELECT COUNT(*) FROM pg_stat_activity
        WHERE application_name = 'coffer' AND datname = current_database() AND pid <> pg_backend_pid()";
    match db {
        Db::Postgres(pool) => {
            sqlx::query_scalar(SQL).fetch_one(pool.executor().named("coffer::keys::others")).await
        }
        Db::Sqlite { .. } => Ok(0),
    }
}
