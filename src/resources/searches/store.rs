//! The SQL of saved searches.

use serde::Serialize;
use uuid::Uuid;

use crate::cache::Write;
use crate::db::{Db, on};
use crate::timestamp::Timestamp;

#[derive(Clone, Debug, Serialize, sqlx::FromRow)]
pub struct SavedSearch {
    pub id: Uuid,
    pub name: String,
    /// The query string of its list, such as `q=tide&sort=title`.
    pub search: String,
    pub created_at: Timestamp,
}

pub const OF_USER: &str =
    "SELECT id, name, search, created_at FROM saved_searches WHERE owner_id = $1 ORDER BY place, id";

pub async fn of_user(db: &Db, owner: Uuid) -> sqlx::Result<Vec<SavedSearch>> {
    on!(db.read(), pool => sqlx::query_as(OF_USER).bind(owner).fetch_all(pool).await)
}

/// The ids in their order, as this transaction sees them.
pub async fn ids(tx: &mut Write, owner: Uuid) -> sqlx::Result<Vec<Uuid>> {
    const SQL: &str = "SELECT id FROM saved_searches WHERE owner_id = $1 ORDER BY place, id";
    on!(tx.conn(), conn => sqlx::query_scalar(SQL).bind(owner).fetch_all(conn).await)
}

pub async fn insert(tx: &mut Write, owner: Uuid, saved: &SavedSearch) -> sqlx::Result<()> {
    const SQL: &str = "INSERT INTO saved_searches (id, owner_id, name, search, created_at, place)
        VALUES ($1, $2, $3, $4, $5, (SELECT COALESCE(MAX(place) + 1, 0) FROM saved_searches WHERE owner_id = $2))";
    on!(tx.conn(), conn => sqlx::query(SQL).bind(saved.id).bind(owner).bind(&saved.name).bind(&saved.search)
        .bind(saved.created_at).execute(conn).await.map(drop))
}

pub async fn update(tx: &mut Write, owner: Uuid, saved: &SavedSearch) -> sqlx::Result<bool> {
    const SQL: &str = "UPDATE saved_searches SET name = $3, search = $4 WHERE owner_id = $1 AND id = $2";
    let rows = on!(tx.conn(), conn => sqlx::query(SQL).bind(owner).bind(saved.id).bind(&saved.name)
        .bind(&saved.search).execute(conn).await?.rows_affected());
    Ok(rows == 1)
}

pub async fn set_place(tx: &mut Write, owner: Uuid, id: Uuid, place: i64) -> sqlx::Result<()> {
    const SQL: &str = "UPDATE saved_searches SET place = $3 WHERE owner_id = $1 AND id = $2 AND place <> $3";
    on!(tx.conn(), conn => sqlx::query(SQL).bind(owner).bind(id).bind(place).execute(conn).await.map(drop))
}

/// Whether there was such a saved search of theirs.
pub async fn delete(tx: &mut Write, owner: Uuid, id: Uuid) -> sqlx::Result<bool> {
    const SQL: &str = "DELETE FROM saved_searches WHERE owner_id = $1 AND id = $2";
    let rows =
        on!(tx.conn(), conn => sqlx::query(SQL).bind(owner).bind(id).execute(conn).await?.rows_affected());
    Ok(rows == 1)
}
