//! The library's SQL: single resources here, lists in `list`, `ranked` and `criteria`, changes in `write`, and the
//! columns that all of them share in `columns`.

pub(super) mod columns;
mod criteria;
pub mod first_rows;
mod latest;
pub mod list;
pub mod matches;
pub mod matching;
pub mod owners;
pub mod parts;
mod ranked;
mod sample;
pub(super) mod samples;
mod sizes;
pub mod tags;
mod texts;
mod words;
pub mod write;

use uuid::Uuid;

use self::columns::{resource_where, revision_columns};
pub use self::criteria::Statement;
#[cfg(feature = "test-internals")]
pub use self::sample::numbers;
#[cfg(feature = "test-internals")]
pub use self::sizes::{Size, Sizes};
use super::{Resource, Revision};
use crate::db::{Db, Tx, on};

pub const FIND: &str = resource_where!("r.id = $1");
pub const TRASHED: &str = resource_where!(
    "r.owner_id = $1 AND r.trashed_at IS NOT NULL ORDER BY r.trashed_at DESC, r.id DESC LIMIT 500"
);
pub const NEWEST_TITLES: &str = "SELECT title FROM resources WHERE owner_id = $1 AND trashed_at IS NULL
        ORDER BY created_at DESC, id DESC LIMIT 2000";
pub const FIND_BY_URL: &str =
    "SELECT id FROM resources WHERE owner_id = $1 AND url_key = $2 AND trashed_at IS NULL";
pub const FIND_IN_TRASH: &str = "SELECT id FROM resources r
        WHERE owner_id = $1 AND url_key = $2 AND trashed_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM resources k
            WHERE k.owner_id = r.owner_id AND k.url_key = r.url_key AND k.trashed_at IS NULL)
        ORDER BY trashed_at DESC, id DESC LIMIT 1";
pub const REVISIONS: &str = concat!(
    "SELECT ",
    revision_columns!(),
    ", '' AS body, COALESCE(v.body <> LAG(v.body) OVER (ORDER BY v.version), FALSE) AS text_changed
        FROM revisions v JOIN users u ON u.id = v.saved_by
        WHERE v.resource_id = $1 ORDER BY v.version DESC LIMIT 500"
);
pub const REVISION: &str = concat!(
    "SELECT ",
    revision_columns!(),
    ", v.body FROM revisions v JOIN users u ON u.id = v.saved_by WHERE v.resource_id = $1 AND v.version = $2"
);

pub async fn find(db: &Db, id: Uuid) -> sqlx::Result<Option<Resource>> {
    on!(db.read(), pool => sqlx::query_as(FIND).bind(id).fetch_optional(pool).await)
}

pub async fn find_within(tx: &mut Tx, id: Uuid) -> sqlx::Result<Option<Resource>> {
    on!(tx.conn(), conn => sqlx::query_as(FIND).bind(id).fetch_optional(conn).await)
}

pub async fn trashed(db: &Db, owner: Uuid) -> sqlx::Result<Vec<Resource>> {
    on!(db.read(), pool => sqlx::query_as(TRASHED).bind(owner).fetch_all(pool).await)
}

/// Titles of the person's entries, the newest first.
pub async fn newest_titles(db: &Db, owner: Uuid) -> sqlx::Result<Vec<String>> {
    on!(db.read(), pool => sqlx::query_scalar(NEWEST_TITLES).bind(owner).fetch_all(pool).await)
}

pub async fn find_by_url(db: &Db, owner: Uuid, url_key: &[u8]) -> sqlx::Result<Option<Uuid>> {
    on!(db.read(), pool => sqlx::query_scalar(FIND_BY_URL).bind(owner).bind(url_key).fetch_optional(pool).await)
}

pub async fn find_in_trash(db: &Db, owner: Uuid, url_key: &[u8]) -> sqlx::Result<Option<Uuid>> {
    on!(db.read(), pool => sqlx::query_scalar(FIND_IN_TRASH).bind(owner).bind(url_key).fetch_optional(pool).await)
}

pub async fn revisions(db: &Db, id: Uuid) -> sqlx::Result<Vec<Revision>> {
    on!(db.read(), pool => sqlx::query_as(REVISIONS).bind(id).fetch_all(pool).await)
}

pub async fn revision(db: &Db, id: Uuid, version: i64) -> sqlx::Result<Option<Revision>> {
    on!(db.read(), pool => sqlx::query_as(REVISION).bind(id).bind(version).fetch_optional(pool).await)
}
