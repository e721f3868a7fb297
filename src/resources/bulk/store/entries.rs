//! The SQL of the entries that a change is about. As their number differs, statements are not kept prepared.

use sqlx::AssertSqlSafe;
use uuid::Uuid;

use crate::cache::Write;
use crate::db::{Db, Engine, Value, bind_all, on};
use crate::resources::bulk::steps::Replaced;
use crate::resources::store::columns::{insert_revisions, resource_where};
use crate::resources::{Resource, Via, index_terms};
use crate::timestamp::Timestamp;

/// The owner's entries, which stay as they are until the transaction ends. Written like this, PostgreSQL does not read all of the
/// owner's entries for them, whatever it believes of their number.
pub async fn lock(tx: &mut Write, owner: Uuid, ids: &[Uuid]) -> sqlx::Result<Vec<Resource>> {
    const SQL: &str = resource_where!("(r.owner_id = $1) IS TRUE AND r.id IN (");
    let list = places(2, ids.len());
    if let Engine::Postgres(conn) = tx.conn() {
        let lock = format!(
            "SELECT id FROM resources WHERE (owner_id = $1) IS TRUE AND id IN ({list}) ORDER BY id FOR UPDATE"
        );
        let query = sqlx::query(AssertSqlSafe(lock)).persistent(false).bind(owner);
        ids.iter().fold(query, |query, id| query.bind(*id)).execute(conn).await?;
    }
    on!(tx.conn(), conn => {
        let query = sqlx::query_as(AssertSqlSafe(format!("{SQL}{list})"))).persistent(false).bind(owner);
        ids.iter().fold(query, |query, id| query.bind(*id)).fetch_all(conn).await
    })
}

/// Writes what a change of many entries can set, and none of their texts, which would be indexed anew.
pub async fn replace(tx: &mut Write, owner: Uuid, replaced: &[Replaced], now: Timestamp) -> sqlx::Result<()> {
    if replaced.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "WITH replaced (id, visibility, pinned, unread, fold_tags, marks) AS (VALUES {})
            UPDATE resources SET visibility = n.visibility, pinned = n.pinned, unread = n.unread,
                fold_tags = n.fold_tags, marks = n.marks, updated_at = $1, version = version + 1 FROM replaced n WHERE resources.id = n.id",
        rows(2, replaced.len(), 6)
    );
    on!(tx.conn(), conn => {
        let query = sqlx::query(AssertSqlSafe(sql)).persistent(false).bind(now);
        let query = replaced.iter().fold(query, |query, Replaced { id, checked, .. }| {
            query.bind(id).bind(checked.visibility.as_str()).bind(checked.pinned).bind(checked.unread)
                .bind(&checked.derived.fold_tags).bind(index_terms::of_resource(owner, checked))
        });
        query.execute(conn).await.map(drop)
    })
}

pub async fn trash(tx: &mut Write, ids: &[Uuid], now: Timestamp) -> sqlx::Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "UPDATE resources SET trashed_at = $1, version = version + 1 WHERE id IN ({}) AND trashed_at IS NULL",
        places(2, ids.len())
    );
    on!(tx.conn(), conn => {
        let query = sqlx::query(AssertSqlSafe(sql)).persistent(false).bind(now);
        ids.iter().fold(query, |query, id| query.bind(*id)).execute(conn).await.map(drop)
    })
}

/// Takes it back from the trash, unless its address is in use again.
pub async fn restore(tx: &mut Write, id: Uuid) -> sqlx::Result<bool> {
    const SQL: &str = "UPDATE resources SET trashed_at = NULL, version = version + 1 WHERE id = $1 AND trashed_at IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM resources k WHERE k.owner_id = resources.owner_id
            AND k.url_key = resources.url_key AND k.trashed_at IS NULL)";
    let rows = on!(tx.conn(), conn => sqlx::query(SQL).bind(id).execute(conn).await?.rows_affected());
    Ok(rows == 1)
}

/// Returns the tags that the resources had.
pub async fn clear_tags(tx: &mut Write, ids: &[Uuid]) -> sqlx::Result<Vec<Uuid>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let sql =
        format!("DELETE FROM resource_tags WHERE resource_id IN ({}) RETURNING tag_id", places(1, ids.len()));
    let mut tags: Vec<Uuid> = on!(tx.conn(), conn => {
        let query = sqlx::query_scalar(AssertSqlSafe(sql)).persistent(false);
        ids.iter().fold(query, |query, id| query.bind(*id)).fetch_all(conn).await?
    });
    tags.sort_unstable();
    tags.dedup();
    Ok(tags)
}

/// Takes tags from the replaced entries. Returns these tags.
pub async fn untie(tx: &mut Write, owner: Uuid, replaced: &[Replaced]) -> sqlx::Result<Vec<Uuid>> {
    let count = replaced.iter().map(|replaced| replaced.dropped.len()).sum();
    if count == 0 {
        return Ok(Vec::new());
    }
    let sql = format!(
        "WITH dropped (resource_id, folded) AS (VALUES {})
            DELETE FROM resource_tags WHERE (resource_id, tag_id) IN (SELECT d.resource_id, t.id FROM dropped d
                JOIN tags t ON t.owner_id = $1 AND t.folded = d.folded) RETURNING tag_id",
        rows(2, count, 2)
    );
    let mut tags: Vec<Uuid> = on!(tx.conn(), conn => {
        let mut query = sqlx::query_scalar(AssertSqlSafe(sql)).persistent(false).bind(owner);
        for Replaced { id, dropped, .. } in replaced {
            query = dropped.iter().fold(query, |query, folded| query.bind(id).bind(folded));
        }
        query.fetch_all(conn).await?
    });
    tags.sort_unstable();
    tags.dedup();
    Ok(tags)
}

/// Deletes those of the tags that no resource has.
pub async fn sweep_tags(tx: &mut Write, tags: &[Uuid]) -> sqlx::Result<()> {
    if tags.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "DELETE FROM tags WHERE id IN ({}) AND NOT EXISTS (SELECT 1 FROM resource_tags rt WHERE rt.tag_id = tags.id)",
        places(1, tags.len())
    );
    on!(tx.conn(), conn => {
        let query = sqlx::query(AssertSqlSafe(sql)).persistent(false);
        tags.iter().fold(query, |query, id| query.bind(*id)).execute(conn).await.map(drop)
    })
}

/// A revision of each, saved by its owner.
pub async fn add_revisions(
    tx: &mut Write,
    ids: &[Uuid],
    owner: Uuid,
    via: Via,
    now: Timestamp,
) -> sqlx::Result<()> {
    const SQL: &str = insert_revisions!("$1, $2, $3" where "r.id IN (");
    if ids.is_empty() {
        return Ok(());
    }
    let sql = AssertSqlSafe(format!("{SQL}{})", places(4, ids.len())));
    on!(tx.conn(), conn => {
        let query = sqlx::query(sql).persistent(false).bind(via.as_str()).bind(owner).bind(now);
        ids.iter().fold(query, |query, id| query.bind(*id)).execute(conn).await.map(drop)
    })
}

pub async fn respell(tx: &mut Write, owner: Uuid, folded: &str, name: &str) -> sqlx::Result<()> {
    const SQL: &str = "UPDATE tags SET name = $3 WHERE owner_id = $1 AND folded = $2";
    on!(tx.conn(), conn => sqlx::query(SQL).bind(owner).bind(folded).bind(name).execute(conn).await.map(drop))
}

pub async fn ids_in_trash(db: &Db, owner: Uuid) -> sqlx::Result<Vec<Uuid>> {
    const SQL: &str = "SELECT id FROM resources WHERE owner_id = $1 AND trashed_at IS NOT NULL
        ORDER BY trashed_at, id LIMIT 20000";
    on!(db.read(), pool => sqlx::query_scalar(SQL).bind(owner).fetch_all(pool).await)
}

/// Those that were not restored meanwhile; they stay in the trash until the transaction ends.
pub async fn still_in_trash(tx: &mut Write, owner: Uuid, ids: &[Uuid]) -> sqlx::Result<Vec<Uuid>> {
    let resources = lock(tx, owner, ids).await?;
    Ok(resources.into_iter().filter(|one| one.trashed_at.is_some()).map(|one| one.id).collect())
}

pub async fn delete(tx: &mut Write, ids: &[Uuid]) -> sqlx::Result<()> {
    let sql = format!("DELETE FROM resources WHERE id IN ({})", places(1, ids.len()));
    on!(tx.conn(), conn => {
        let query = sqlx::query(AssertSqlSafe(sql)).persistent(false);
        ids.iter().fold(query, |query, id| query.bind(*id)).execute(conn).await.map(drop)
    })
}

pub async fn delete_from_trash(tx: &mut Write, owner: Uuid, ids: &[Uuid]) -> sqlx::Result<Vec<Uuid>> {
    let sql = format!(
        "DELETE FROM resources WHERE owner_id = $1 AND trashed_at IS NOT NULL AND id IN ({}) RETURNING id",
        places(2, ids.len())
    );
    on!(tx.conn(), conn => {
        let query = sqlx::query_scalar(AssertSqlSafe(sql)).persistent(false).bind(owner);
        ids.iter().fold(query, |query, id| query.bind(*id)).fetch_all(conn).await
    })
}

/// In the trash too.
pub async fn ids_with_tags(db: &Db, owner: Uuid, folded: &[String]) -> sqlx::Result<Vec<Uuid>> {
    let sql = format!(
        "SELECT DISTINCT rt.resource_id FROM tags t JOIN resource_tags rt ON rt.tag_id = t.id
            WHERE t.owner_id = $1 AND t.folded IN ({}) ORDER BY rt.resource_id",
        places(2, folded.len())
    );
    let names = folded.iter().cloned().map(Value::Text);
    let values: Vec<Value> = [Value::Id(owner)].into_iter().chain(names).collect();
    on!(db.read(), pool => bind_all!(sqlx::query_scalar(AssertSqlSafe(sql)).persistent(false), values).fetch_all(pool).await)
}

/// `$3, $4, $5`
pub(super) fn places(first: usize, count: usize) -> String {
    (first..first + count).map(|number| format!("${number}")).collect::<Vec<_>>().join(", ")
}

/// `count` rows of as many places: `($3, $4), ($5, $6)`
pub(super) fn rows(first: usize, count: usize, width: usize) -> String {
    let row = |number| format!("({})", places(first + number * width, width));
    (0..count).map(row).collect::<Vec<_>>().join(", ")
}
