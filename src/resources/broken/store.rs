//! The SQL of the check for dead links.

use uuid::Uuid;

use super::Verdict;
use crate::cache::Write;
use crate::db::{Db, Tx, on};
use crate::timestamp::Timestamp;

pub const NEXT_SITE: &str = "SELECT site FROM link_sites WHERE next_at <= $1 ORDER BY next_at LIMIT 1";
pub const NEXT_CHECK: &str =
    "SELECT resource_id, next_at, by_get, CAST(failures AS BIGINT) AS failures, failed_since, broken_since
        FROM link_checks WHERE site = $1 ORDER BY next_at LIMIT 1";

/// What is known of a link.
#[derive(Clone, Copy, Debug, sqlx::FromRow)]
pub struct Check {
    pub resource_id: Uuid,
    pub next_at: Timestamp,
    /// `HEAD` was no success.
    pub by_get: bool,
    pub failures: i64,
    pub failed_since: Option<Timestamp>,
    pub broken_since: Option<Timestamp>,
}

/// Takes in links that are not checked yet, at most `most`.
pub async fn enrol(db: &Db, now: Timestamp, most: i64) -> sqlx::Result<()> {
    const CHECKS: &str =
        "INSERT INTO link_checks (resource_id, site, next_at) SELECT r.id, r.site, $1 FROM resources r
        WHERE r.trashed_at IS NULL AND r.site IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM link_checks c WHERE c.resource_id = r.id) LIMIT $2
        ON CONFLICT (resource_id) DO NOTHING";
    const SITES: &str = "INSERT INTO link_sites (site, next_at)
        SELECT DISTINCT c.site, $1 FROM link_checks c WHERE c.next_at = $1 ON CONFLICT (site) DO NOTHING";
    let mut tx = db.begin_bulk().await?;
    on!(tx.conn(), conn => sqlx::query(CHECKS).bind(now).bind(most).execute(conn).await.map(drop))?;
    on!(tx.conn(), conn => sqlx::query(SITES).bind(now).execute(conn).await.map(drop))?;
    tx.commit().await
}

pub async fn is_any_due(db: &Db, now: Timestamp) -> sqlx::Result<bool> {
    let site: Option<String> =
        on!(db.read(), pool => sqlx::query_scalar(NEXT_SITE).bind(now).fetch_optional(pool).await?);
    Ok(site.is_some())
}

/// Claims the site that waits longest, until `again`. `None` if there is none or another node was faster.
pub async fn claim_site(tx: &mut Tx, now: Timestamp, again: Timestamp) -> sqlx::Result<Option<String>> {
    const SQL: &str = "UPDATE link_sites SET next_at = $2 WHERE next_at <= $1
            AND site = (SELECT site FROM link_sites WHERE next_at <= $1 ORDER BY next_at LIMIT 1)
        RETURNING site";
    on!(tx.conn(), conn => sqlx::query_scalar(SQL).bind(now).bind(again).fetch_optional(conn).await)
}

/// The site's link that waits longest, due or not.
pub async fn next_check(tx: &mut Tx, site: &str) -> sqlx::Result<Option<Check>> {
    on!(tx.conn(), conn => sqlx::query_as(NEXT_CHECK).bind(site).fetch_optional(conn).await)
}

pub async fn set_site(tx: &mut Tx, site: &str, next_at: Timestamp) -> sqlx::Result<()> {
    const SQL: &str = "UPDATE link_sites SET next_at = $2 WHERE site = $1";
    on!(tx.conn(), conn => sqlx::query(SQL).bind(site).bind(next_at).execute(conn).await.map(drop))
}

pub async fn forget_site(tx: &mut Tx, site: &str) -> sqlx::Result<()> {
    const SQL: &str = "DELETE FROM link_sites WHERE site = $1";
    on!(tx.conn(), conn => sqlx::query(SQL).bind(site).execute(conn).await.map(drop))
}

pub async fn save(tx: &mut Tx, resource: Uuid, verdict: &Verdict) -> sqlx::Result<()> {
    const SQL: &str = "UPDATE link_checks SET next_at = $2, by_get = $3, failures = $4, failed_since = $5,
            broken_since = $6 WHERE resource_id = $1";
    let Verdict { next_at, by_get, failures, failed_since, broken_since } = *verdict;
    on!(tx.conn(), conn => sqlx::query(SQL).bind(resource).bind(next_at).bind(by_get).bind(failures)
        .bind(failed_since).bind(broken_since).execute(conn).await.map(drop))
}

/// A new address is a new link.
pub async fn forget(tx: &mut Write, resource: Uuid) -> sqlx::Result<()> {
    const SQL: &str = "DELETE FROM link_checks WHERE resource_id = $1";
    on!(tx.conn(), conn => sqlx::query(SQL).bind(resource).execute(conn).await.map(drop))
}

/// Returns how many there were.
pub async fn clear(tx: &mut Write) -> sqlx::Result<u64> {
    on!(tx.conn(), conn => sqlx::query("DELETE FROM link_sites").execute(conn).await.map(drop))?;
    on!(tx.conn(), conn => Ok(sqlx::query("DELETE FROM link_checks").execute(conn).await?.rows_affected()))
}
