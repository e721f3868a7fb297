//! The SQL of the queue and of icons.

use uuid::Uuid;

use super::icon::Icon;
use crate::cache::Write;
use crate::db::{Db, on};
use crate::resources::store::write::note_change;
use crate::timestamp::Timestamp;

pub const DUE: &str = "SELECT resource_id FROM fetches WHERE due_at <= $1 LIMIT 1";
pub const ICON: &str = "SELECT id, media_type, content FROM icons WHERE id = $1";

/// A link whose page this node may fetch until its lease ends.
#[derive(Debug, sqlx::FromRow)]
pub struct Job {
    pub resource_id: Uuid,
    /// The version whose title may be replaced even if it was typed.
    pub replaces_version: Option<i64>,
    pub leased_until: Timestamp,
    /// With this one.
    pub attempts: i64,
}

/// The jobs of one person.
#[derive(sqlx::FromRow)]
pub struct Queued {
    pub count: i64,
    pub last_due: Option<Timestamp>,
}

pub async fn queued(tx: &mut Write, owner: Uuid) -> sqlx::Result<Queued> {
    const SQL: &str = "SELECT COUNT(*) AS count, MAX(due_at) AS last_due FROM fetches WHERE owner_id = $1";
    on!(tx.conn(), conn => sqlx::query_as(SQL).bind(owner).fetch_one(conn).await)
}

pub async fn insert(
    tx: &mut Write,
    resource: Uuid,
    owner: Uuid,
    replaces_version: Option<i64>,
    due: Timestamp,
) -> sqlx::Result<()> {
    const SQL: &str =
        "INSERT INTO fetches (resource_id, owner_id, replaces_version, due_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (resource_id) DO UPDATE SET replaces_version = excluded.replaces_version,
            due_at = excluded.due_at, leased_until = NULL, attempts = 0";
    on!(tx.conn(), conn => sqlx::query(SQL).bind(resource).bind(owner).bind(replaces_version).bind(due)
        .execute(conn).await.map(drop))
}

pub async fn count(db: &Db) -> sqlx::Result<i64> {
    on!(db.read(), pool => sqlx::query_scalar("SELECT COUNT(*) FROM fetches").fetch_one(pool).await)
}

pub async fn is_any_due(db: &Db, now: Timestamp) -> sqlx::Result<bool> {
    let found: Option<Uuid> =
        on!(db.read(), pool => sqlx::query_scalar(DUE).bind(now).fetch_optional(pool).await?);
    Ok(found.is_some())
}

/// Claims the job that is due longest, of a person with fewer than `most` at work. `None` if there is none or another
/// node was faster: the lease is checked again once the other node's is written.
pub async fn claim(db: &Db, now: Timestamp, lease: Timestamp, most: i64) -> sqlx::Result<Option<Job>> {
    const SQL: &str = "UPDATE fetches SET leased_until = $2, attempts = attempts + 1
        WHERE (leased_until IS NULL OR leased_until <= $1) AND resource_id = (SELECT f.resource_id FROM fetches f
            WHERE f.due_at <= $1 AND (f.leased_until IS NULL OR f.leased_until <= $1)
                AND (SELECT COUNT(*) FROM fetches o WHERE o.owner_id = f.owner_id AND o.leased_until > $1) < $3
            ORDER BY f.due_at LIMIT 1)
        RETURNING resource_id, replaces_version, leased_until, CAST(attempts AS BIGINT) AS attempts";
    let mut tx = db.begin().await?;
    let claimed = on!(tx.conn(), conn => sqlx::query_as(SQL).bind(now).bind(lease).bind(most)
        .fetch_optional(conn).await?);
    tx.commit().await?;
    Ok(claimed)
}

/// Ends a job, unless it was queued again meanwhile.
pub async fn finish(tx: &mut Write, job: &Job) -> sqlx::Result<()> {
    const SQL: &str = "DELETE FROM fetches WHERE resource_id = $1 AND leased_until = $2";
    on!(tx.conn(), conn => sqlx::query(SQL).bind(job.resource_id).bind(job.leased_until)
        .execute(conn).await.map(drop))
}

/// Returns how many there were.
pub async fn clear(tx: &mut Write) -> sqlx::Result<u64> {
    on!(tx.conn(), conn => Ok(sqlx::query("DELETE FROM fetches").execute(conn).await?.rows_affected()))
}

/// Gives a resource its icon, and notes that the resource has changed.
pub async fn set_icon(tx: &mut Write, resource: Uuid, icon: &Icon) -> sqlx::Result<()> {
    const KEEP: &str =
        "INSERT INTO icons (id, media_type, content) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING";
    const GIVE: &str =
        "INSERT INTO resource_icons (resource_id, icon_id) SELECT id, $2 FROM resources WHERE id = $1
        ON CONFLICT (resource_id) DO UPDATE SET icon_id = excluded.icon_id";
    on!(tx.conn(), conn => sqlx::query(KEEP).bind(icon.id).bind(&icon.media_type).bind(&icon.content)
        .execute(conn).await.map(drop))?;
    on!(tx.conn(), conn => sqlx::query(GIVE).bind(resource).bind(icon.id).execute(conn).await.map(drop))?;
    note_change(tx, resource).await
}

pub async fn icon(db: &Db, id: Uuid) -> sqlx::Result<Option<Icon>> {
    on!(db.read(), pool => sqlx::query_as(ICON).bind(id).fetch_optional(pool).await)
}

/// Deletes icons that no resource has any more.
pub async fn delete_unused_icons(db: &Db) -> sqlx::Result<()> {
    const SQL: &str = "DELETE FROM icons
        WHERE NOT EXISTS (SELECT 1 FROM resource_icons ri WHERE ri.icon_id = icons.id)";
    let mut tx = db.begin().await?;
    on!(tx.conn(), conn => sqlx::query(SQL).execute(conn).await.map(drop))?;
    tx.commit().await
}
