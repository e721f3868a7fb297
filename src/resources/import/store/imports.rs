//! The SQL of imports as batches: their files, how far each is, and what an undo takes back.

use uuid::Uuid;

use crate::cache::Write;
use crate::db::{Db, Engine, on};
use crate::file_buffer::file_buffer;
use crate::resources::import::Report;
use crate::resources::import::batch::{KeptEntry, State};
use crate::resources::import::choices::Choices;
use crate::resources::import::recent::RecentImport;
use crate::timestamp::Timestamp;

/// Bytes of a file that one row holds.
const PART: usize = 1 << 18;

pub struct NewImport<'a> {
    pub id: Uuid,
    pub owner: Uuid,
    pub file_name: &'a str,
    pub state: State,
    pub choices: &'a Choices,
    pub total: usize,
    pub now: Timestamp,
}

pub async fn begin(tx: &mut Write, import: &NewImport<'_>) -> sqlx::Result<()> {
    const SQL: &str =
        "INSERT INTO imports (id, owner_id, filename, state, report, choices, total, created_at, began_at, stepped_at)
            VALUES ($1, $2, $3, $4, '{}', $5, $6, $7, $7, $7)";
    let NewImport { id, owner, file_name, state, choices, total, now } = import;
    let choices = serde_json::to_string(choices).unwrap_or_default();
    let total = i64::try_from(*total).unwrap_or(i64::MAX);
    on!(tx.conn(), conn => sqlx::query(SQL).bind(id).bind(owner).bind(file_name).bind(state.as_str()).bind(choices)
        .bind(total).bind(now).execute(conn).await.map(drop))
}

pub async fn set_report(tx: &mut Write, id: Uuid, report: &Report) -> sqlx::Result<()> {
    const SQL: &str = "UPDATE imports SET report = $2 WHERE id = $1";
    let json = serde_json::to_string(report).unwrap_or_default();
    on!(tx.conn(), conn => sqlx::query(SQL).bind(id).bind(json).execute(conn).await.map(drop))
}

#[derive(sqlx::FromRow)]
pub struct ImportRow {
    pub owner_id: Uuid,
    #[sqlx(try_from = "String")]
    pub state: State,
    pub report: String,
    pub choices: String,
    /// Entries of the file.
    pub total: i64,
    pub done: i64,
    pub created_at: Timestamp,
    pub began_at: Timestamp,
}

pub async fn find(db: &Db, id: Uuid) -> sqlx::Result<Option<ImportRow>> {
    const SQL: &str = "SELECT owner_id, state, report, choices, total, done, created_at, began_at
        FROM imports WHERE id = $1";
    on!(db.read(), pool => sqlx::query_as(SQL).bind(id).fetch_optional(pool).await)
}

pub async fn recent(db: &Db, owner: Uuid, since: Timestamp) -> sqlx::Result<Vec<RecentImport>> {
    const SQL: &str = "SELECT id, state, filename AS file_name, total, created_at FROM imports
        WHERE owner_id = $1 AND created_at > $2 ORDER BY created_at DESC, id DESC LIMIT 50";
    on!(db.read(), pool => sqlx::query_as(SQL).bind(owner).bind(since).fetch_all(pool).await)
}

/// A move from one state to another.
#[derive(Clone, Copy)]
pub struct Advance {
    pub from: State,
    pub to: State,
    pub now: Timestamp,
}

/// Whether it was in that state.
pub async fn advance(tx: &mut Write, id: Uuid, Advance { from, to, now }: Advance) -> sqlx::Result<bool> {
    const SQL: &str = "UPDATE imports SET state = $3, stepped_at = $4 WHERE id = $1 AND state = $2";
    let rows = on!(tx.conn(), conn => sqlx::query(SQL).bind(id).bind(from.as_str()).bind(to.as_str()).bind(now)
        .execute(conn).await?.rows_affected());
    Ok(rows == 1)
}

/// From when links without a date count.
pub async fn set_beginning(tx: &mut Write, id: Uuid, now: Timestamp) -> sqlx::Result<()> {
    const SQL: &str = "UPDATE imports SET began_at = $2 WHERE id = $1";
    on!(tx.conn(), conn => sqlx::query(SQL).bind(id).bind(now).execute(conn).await.map(drop))
}

/// A step of an import: from how many entries to how many.
#[derive(Clone, Copy)]
pub struct Claim {
    pub from: usize,
    pub to: usize,
    pub now: Timestamp,
}

/// Takes the next entries of a file, so that no other node does. `false` when another one has, or the import is undone.
pub async fn claim(tx: &mut Write, id: Uuid, Claim { from, to, now }: Claim) -> sqlx::Result<bool> {
    const SQL: &str = "UPDATE imports SET done = $3, stepped_at = $4
        WHERE id = $1 AND done = $2 AND state = 'importing'";
    let [from, to] = [from, to].map(|count| i64::try_from(count).unwrap_or(i64::MAX));
    let rows = on!(tx.conn(), conn => sqlx::query(SQL).bind(id).bind(from).bind(to).bind(now)
        .execute(conn).await?.rows_affected());
    Ok(rows == 1)
}

/// Says that its undo goes on. `false` when it is over.
pub async fn is_undoing(tx: &mut Write, id: Uuid, now: Timestamp) -> sqlx::Result<bool> {
    const SQL: &str = "UPDATE imports SET stepped_at = $2 WHERE id = $1 AND state = 'undoing'";
    let rows =
        on!(tx.conn(), conn => sqlx::query(SQL).bind(id).bind(now).execute(conn).await?.rows_affected());
    Ok(rows == 1)
}

/// What stopped in the middle, and has made no step since.
pub async fn abandoned(db: &Db, before: Timestamp) -> sqlx::Result<Vec<Uuid>> {
    const SQL: &str = "SELECT id FROM imports WHERE state IN ('importing', 'undoing') AND stepped_at < $1";
    on!(db.read(), pool => sqlx::query_scalar(SQL).bind(before).fetch_all(pool).await)
}

/// Other choices for a file that is not imported yet, and what comes of them.
pub async fn choose(tx: &mut Write, id: Uuid, choices: &str, report: &str) -> sqlx::Result<bool> {
    const SQL: &str = "UPDATE imports SET choices = $2, report = $3 WHERE id = $1 AND state = 'previewed'";
    let rows = on!(tx.conn(), conn => sqlx::query(SQL).bind(id).bind(choices).bind(report)
        .execute(conn).await?.rows_affected());
    Ok(rows == 1)
}

/// Part by part, so that other writers wait for none of them long.
pub async fn keep_file(db: &Db, id: Uuid, bytes: &[u8]) -> sqlx::Result<()> {
    const SQL: &str = "INSERT INTO import_parts (import_id, part, bytes) VALUES ($1, $2, $3)";
    for (part, bytes) in (0_i64..).zip(bytes.chunks(PART)) {
        let mut tx = db.begin().await?;
        on!(tx.conn(), conn => sqlx::query(SQL).bind(id).bind(part).bind(bytes).execute(conn).await.map(drop))?;
        tx.commit().await?;
    }
    Ok(())
}

pub async fn kept_file(db: &Db, id: Uuid) -> sqlx::Result<Vec<u8>> {
    const LENGTH: &str = "SELECT COALESCE(SUM(length(bytes)), 0) FROM import_parts WHERE import_id = $1";
    const SQL: &str = "SELECT bytes FROM import_parts WHERE import_id = $1 AND part = $2";
    let length: i64 = on!(db.read(), pool => sqlx::query_scalar(LENGTH).bind(id).fetch_one(pool).await?);
    let mut file = file_buffer(usize::try_from(length).unwrap_or_default());
    for part in 0_i64.. {
        let bytes: Option<Vec<u8>> =
            on!(db.read(), pool => sqlx::query_scalar(SQL).bind(id).bind(part).fetch_optional(pool).await?);
        match bytes {
            Some(bytes) => file.extend(bytes),
            None => break,
        }
    }
    Ok(file)
}

pub async fn drop_file(db: &Db, id: Uuid) -> sqlx::Result<()> {
    const SQL: &str = "DELETE FROM import_parts WHERE import_id = $1
        AND part = (SELECT MAX(part) FROM import_parts WHERE import_id = $1)";
    loop {
        let mut tx = db.begin().await?;
        let rows = on!(tx.conn(), conn => sqlx::query(SQL).bind(id).execute(conn).await?.rows_affected());
        tx.commit().await?;
        if rows == 0 {
            return Ok(());
        }
    }
}

/// Some of what came in and was not changed since. They stay as they are until the transaction ends.
pub async fn unchanged(tx: &mut Write, id: Uuid, most: i64) -> sqlx::Result<Vec<Uuid>> {
    const SQL: &str = "SELECT id FROM resources r WHERE import_id = $1 AND version = import_version
        AND (trashed_at IS NULL OR trashed_at = (SELECT v.saved_at FROM revisions v
            WHERE v.resource_id = r.id AND v.version = r.version AND v.via = 'import'))
        ORDER BY id LIMIT $2";
    match tx.conn() {
        Engine::Postgres(conn) => {
            let sql = sqlx::AssertSqlSafe(format!("{SQL} FOR UPDATE"));
            sqlx::query_scalar(sql).bind(id).bind(most).fetch_all(conn).await
        }
        Engine::Sqlite(conn) => sqlx::query_scalar(SQL).bind(id).bind(most).fetch_all(conn).await,
    }
}

/// What an undo has left alone: entries that came in, and others that the import gave tags to.
pub async fn kept_entries(db: &Db, id: Uuid, most: i64) -> sqlx::Result<Vec<KeptEntry>> {
    const SQL: &str = "SELECT id, title FROM resources r WHERE import_id = $1
            OR id IN (SELECT resource_id FROM bulk_items WHERE bulk_id = $1 AND state = 'kept')
        ORDER BY id LIMIT $2";
    on!(db.read(), pool => sqlx::query_as(SQL).bind(id).bind(most).fetch_all(pool).await)
}

/// Also files of imports that are done: their node stopped before it could delete them.
pub async fn forget(db: &Db, before: Timestamp) -> sqlx::Result<()> {
    const OLD: &str = "DELETE FROM imports WHERE state = 'previewed' AND created_at < $1";
    const DONE: &str = "SELECT DISTINCT p.import_id FROM import_parts p JOIN imports i ON i.id = p.import_id
        WHERE i.state IN ('committed', 'undone')";
    let mut tx = db.begin().await?;
    on!(tx.conn(), conn => sqlx::query(OLD).bind(before).execute(conn).await.map(drop))?;
    tx.commit().await?;
    let done: Vec<Uuid> = on!(db.read(), pool => sqlx::query_scalar(DONE).fetch_all(pool).await?);
    for id in done {
        drop_file(db, id).await?;
    }
    Ok(())
}
