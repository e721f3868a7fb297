//! The SQL of exports: a library in batches, along its indexes.

use serde::Serialize;
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use crate::db::{Db, Value, bind_all, on};

use crate::resources::store::columns::{resource_where, revision_columns};
use crate::resources::{Resource, Revision};
use crate::timestamp::Timestamp;

pub const BATCH: usize = 500;

const LIVE: &str = resource_where!(
    "r.owner_id = $1 AND r.trashed_at IS NULL AND (r.created_at, r.id) > ($2, $3)
        ORDER BY r.created_at, r.id LIMIT 500"
);
const TRASHED: &str = resource_where!(
    "r.owner_id = $1 AND r.trashed_at IS NOT NULL AND (r.trashed_at, r.id) > ($2, $3)
        ORDER BY r.trashed_at, r.id LIMIT 500"
);

/// Where the last batch ended.
#[derive(Clone, Copy)]
pub struct After {
    in_trash: bool,
    at: Timestamp,
    id: Uuid,
}

impl After {
    pub fn start(in_trash: bool) -> Self {
        Self { in_trash, at: Timestamp::EARLIEST, id: Uuid::nil() }
    }

    /// Where the next batch begins; `None` after the last.
    pub fn following(self, batch: &[Resource]) -> Option<Self> {
        let last = batch.last().filter(|_| batch.len() == BATCH)?;
        let at = last.trashed_at.unwrap_or(last.created_at);
        Some(Self { at, id: last.id, ..self })
    }
}

/// The trash included.
pub async fn count(db: &Db, owner: Uuid) -> sqlx::Result<i64> {
    const SQL: &str = "SELECT COUNT(*) FROM resources WHERE owner_id = $1";
    on!(db.read(), pool => sqlx::query_scalar(SQL).bind(owner).fetch_one(pool).await)
}

pub async fn batch(db: &Db, owner: Uuid, after: After) -> sqlx::Result<Vec<Resource>> {
    let sql = if after.in_trash { TRASHED } else { LIVE };
    on!(db.read(), pool => sqlx::query_as(sql).bind(owner).bind(after.at).bind(after.id).fetch_all(pool).await)
}

/// Those of the owner's resources, in this order.
pub async fn chosen(db: &Db, owner: Uuid, ids: &[Uuid]) -> sqlx::Result<Vec<Resource>> {
    const SQL: &str = resource_where!("r.owner_id = $1 AND r.id IN (");
    let places: Vec<String> = (2..ids.len() + 2).map(|place| format!("${place}")).collect();
    let sql = format!("{SQL}{})", places.join(", "));
    let values: Vec<Value> = [owner].into_iter().chain(ids.iter().copied()).map(Value::Id).collect();
    let mut found: Vec<Resource> =
        on!(db.read(), pool => bind_all!(sqlx::query_as(AssertSqlSafe(sql)), values).fetch_all(pool).await?);
    found.sort_by_key(|resource| ids.iter().position(|id| *id == resource.id));
    Ok(found)
}

/// One version of one of many resources.
#[derive(Serialize, sqlx::FromRow)]
pub struct PastVersion {
    pub resource_id: Uuid,
    #[serde(flatten)]
    #[sqlx(flatten)]
    pub revision: Revision,
}

/// Every version of some resources.
pub async fn revisions(db: &Db, ids: &[Uuid]) -> sqlx::Result<Vec<PastVersion>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let places: Vec<String> = (1..=ids.len()).map(|place| format!("${place}")).collect();
    let sql = format!(
        "SELECT v.resource_id, {}, v.body FROM revisions v JOIN users u ON u.id = v.saved_by
        WHERE v.resource_id IN ({}) ORDER BY v.resource_id, v.version",
        revision_columns!(),
        places.join(", ")
    );
    let values: Vec<Value> = ids.iter().copied().map(Value::Id).collect();
    on!(db.read(), pool => bind_all!(sqlx::query_as(AssertSqlSafe(sql)), values).fetch_all(pool).await)
}
