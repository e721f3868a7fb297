//! The SQL of imports as batches: previews with their files, and what an undo takes back.

use uuid::Uuid;

use super::File;
use super::batch::{KeptEntry, State};
use crate::cache::Write;
use crate::db::{Db, on};
use crate::timestamp::Timestamp;

#[derive(sqlx::FromRow)]
pub struct ImportRow {
    pub state: String,
    pub report: String,
    pub created_at: Timestamp,
}

/// A file that waits for the commit, with what was chosen for it.
#[derive(sqlx::FromRow)]
pub struct KeptFile {
    pub visibility: String,
    /// Empty for what the file says.
    pub charset: String,
    pub bytes: Vec<u8>,
}

impl From<&File<'_>> for KeptFile {
    fn from(file: &File<'_>) -> Self {
        Self {
            visibility: file.visibility.as_str().to_owned(),
            charset: file.charset.map(|charset| charset.name().to_owned()).unwrap_or_default(),
            bytes: file.bytes.clone(),
        }
    }
}

pub async fn find(db: &Db, owner: Uuid, id: Uuid) -> sqlx::Result<Option<ImportRow>> {
    const SQL: &str = "SELECT state, report, created_at FROM imports WHERE id = $1 AND owner_id = $2";
    on!(db.read(), pool => sqlx::query_as(SQL).bind(id).bind(owner).fetch_optional(pool).await)
}

/// Whether it was in that state.
pub async fn advance(tx: &mut Write, id: Uuid, from: State, to: State) -> sqlx::Result<bool> {
    const SQL: &str = "UPDATE imports SET state = $3 WHERE id = $1 AND state = $2";
    let rows = on!(tx.conn(), conn => sqlx::query(SQL).bind(id).bind(from.as_str()).bind(to.as_str())
        .execute(conn).await?.rows_affected());
    Ok(rows == 1)
}

pub async fn keep_file(tx: &mut Write, id: Uuid, file: &KeptFile) -> sqlx::Result<()> {
    const SQL: &str =
        "INSERT INTO import_files (import_id, visibility, charset, bytes) VALUES ($1, $2, $3, $4)";
    on!(tx.conn(), conn => sqlx::query(SQL).bind(id).bind(&file.visibility).bind(&file.charset).bind(&file.bytes)
        .execute(conn).await.map(drop))
}

pub async fn kept_file(db: &Db, id: Uuid) -> sqlx::Result<Option<KeptFile>> {
    const SQL: &str = "SELECT visibility, charset, bytes FROM import_files WHERE import_id = $1";
    on!(db.read(), pool => sqlx::query_as(SQL).bind(id).fetch_optional(pool).await)
}

pub async fn drop_file(tx: &mut Write, id: Uuid) -> sqlx::Result<()> {
    const SQL: &str = "DELETE FROM import_files WHERE import_id = $1";
    on!(tx.conn(), conn => sqlx::query(SQL).bind(id).execute(conn).await.map(drop))
}

/// Deletes what came in and was not changed since, and the tags that nothing has then.
pub async fn delete_unchanged(tx: &mut Write, id: Uuid, owner: Uuid) -> sqlx::Result<()> {
    const DELETE: &str = "DELETE FROM resources WHERE import_id = $1 AND version = 1 AND trashed_at IS NULL";
    const SWEEP: &str = "DELETE FROM tags
        WHERE owner_id = $1 AND NOT EXISTS (SELECT 1 FROM resource_tags rt WHERE rt.tag_id = tags.id)";
    on!(tx.conn(), conn => sqlx::query(DELETE).bind(id).execute(conn).await.map(drop))?;
    on!(tx.conn(), conn => sqlx::query(SWEEP).bind(owner).execute(conn).await.map(drop))
}

/// What an undo has left alone: entries that came in, and others that the import gave tags to.
pub async fn kept_entries(db: &Db, id: Uuid, most: i64) -> sqlx::Result<Vec<KeptEntry>> {
    const SQL: &str = "SELECT id, title FROM resources r WHERE import_id = $1
            OR id IN (SELECT resource_id FROM bulk_items WHERE bulk_id = $1 AND state = 'kept')
        ORDER BY id LIMIT $2";
    on!(db.read(), pool => sqlx::query_as(SQL).bind(id).bind(most).fetch_all(pool).await)
}

pub async fn forget_previews(db: &Db, before: Timestamp) -> sqlx::Result<()> {
    const SQL: &str = "DELETE FROM imports WHERE state = 'previewed' AND created_at < $1";
    let mut tx = db.begin().await?;
    on!(tx.conn(), conn => sqlx::query(SQL).bind(before).execute(conn).await.map(drop))?;
    tx.commit().await
}
