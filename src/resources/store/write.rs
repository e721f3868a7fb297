//! The SQL of changes.

use std::sync::LazyLock;

use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::columns::{SAVED, bind_saved, insert_revisions};
use super::criteria::Statement;
use crate::cache::Write;
use crate::db::{Db, Value, bind_all, on};
use crate::resources::draft::Checked;
use crate::resources::tag::TagName;
use crate::resources::{Resource, Via, Visibility};
use crate::timestamp::Timestamp;

/// When a new resource was made, and when coffer got it.
pub struct Times {
    pub created: Timestamp,
    pub updated: Timestamp,
}

pub async fn insert(
    tx: &mut Write,
    id: Uuid,
    owner: Uuid,
    checked: &Checked,
    times: Times,
) -> sqlx::Result<()> {
    static SQL: LazyLock<String> = LazyLock::new(|| {
        let values: Vec<String> = (6..).take(SAVED.len()).map(|number| format!("${number}")).collect();
        format!(
            "INSERT INTO resources (id, owner_id, kind, created_at, updated_at, {}) VALUES ($1, $2, $3, $4, $5, {})",
            SAVED.join(", "),
            values.join(", ")
        )
    });
    on!(tx.conn(), conn => {
        let query = sqlx::query(SQL.as_str()).bind(id).bind(owner).bind(checked.kind.as_str())
            .bind(times.created).bind(times.updated);
        bind_saved!(query, bind, owner, checked).execute(conn).await.map(drop)
    })
}

/// Whether `current` was still the current version, and was replaced. The trash makes a version too.
pub async fn update(
    tx: &mut Write,
    current: &Resource,
    checked: &Checked,
    now: Timestamp,
) -> sqlx::Result<bool> {
    static SQL: LazyLock<String> = LazyLock::new(|| {
        let values = SAVED.iter().zip(4..).map(|(column, number)| format!("{column} = ${number}"));
        format!(
            "UPDATE resources SET updated_at = $3, version = version + 1, {}
                WHERE id = $1 AND version = $2",
            values.collect::<Vec<_>>().join(", ")
        )
    });
    let rows = on!(tx.conn(), conn => {
        let query = sqlx::query(SQL.as_str()).bind(current.id).bind(current.version).bind(now);
        bind_saved!(query, bind, current.owner_id, checked).execute(conn).await?.rows_affected()
    });
    Ok(rows == 1)
}

/// Gives the resource exactly these tags, and deletes tags without any resource.
pub async fn set_tags(
    tx: &mut Write,
    resource: Uuid,
    owner: Uuid,
    tags: &[TagName],
    new_id: impl FnMut() -> Uuid,
) -> sqlx::Result<()> {
    const TIED: &str = "SELECT t.id, t.folded FROM resource_tags rt JOIN tags t ON t.id = rt.tag_id
        WHERE rt.resource_id = $1";
    const UNTIE: &str = "DELETE FROM resource_tags WHERE resource_id = $1 AND tag_id = $2";
    let tied: Vec<(Uuid, String)> =
        on!(tx.conn(), conn => sqlx::query_as(TIED).bind(resource).fetch_all(conn).await?);
    let is_new = |tag: &&TagName| !tied.iter().any(|(_, folded)| *folded == tag.folded);
    add_tags(tx, resource, owner, tags.iter().filter(is_new).collect(), new_id).await?;
    let is_dropped = |(_, folded): &&(Uuid, String)| !tags.iter().any(|tag| tag.folded == *folded);
    let dropped: Vec<Uuid> = tied.iter().filter(is_dropped).map(|(id, _)| *id).collect();
    for tag_id in &dropped {
        on!(tx.conn(), conn => sqlx::query(UNTIE).bind(resource).bind(tag_id).execute(conn).await.map(drop))?;
    }
    sweep(tx, &dropped).await
}

/// Returns the tags that the resource had.
async fn clear_tags(tx: &mut Write, resource: Uuid) -> sqlx::Result<Vec<Uuid>> {
    const SQL: &str = "DELETE FROM resource_tags WHERE resource_id = $1 RETURNING tag_id";
    on!(tx.conn(), conn => sqlx::query_scalar(SQL).bind(resource).fetch_all(conn).await)
}

/// Deletes those of the tags that no resource has.
async fn sweep(tx: &mut Write, tags: &[Uuid]) -> sqlx::Result<()> {
    const SQL: &str =
        "DELETE FROM tags WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM resource_tags WHERE tag_id = $1)";
    for tag in tags {
        on!(tx.conn(), conn => sqlx::query(SQL).bind(tag).execute(conn).await.map(drop))?;
    }
    Ok(())
}

/// Gives the resource these tags of its owner, none of which it has. New ones are made; one that is known keeps its first
/// spelling. They are locked in the order of their names, so that two writers don't wait for each other.
pub async fn add_tags(
    tx: &mut Write,
    resource: Uuid,
    owner: Uuid,
    mut tags: Vec<&TagName>,
    mut new_id: impl FnMut() -> Uuid,
) -> sqlx::Result<()> {
    if tags.is_empty() {
        return Ok(());
    }
    tags.sort_unstable_by(|one, other| one.folded.cmp(&other.folded));
    let mut made = Statement::default();
    let owner = made.bind(Value::Id(owner));
    let rows = tags.into_iter().map(|tag| {
        let values = [Value::Id(new_id()), Value::Text(tag.name.clone()), Value::Text(tag.folded.clone())];
        let [id, name, folded] = values.map(|value| made.bind(value));
        format!("({id}, {owner}, {name}, {folded})")
    });
    let rows = rows.collect::<Vec<_>>().join(", ");
    let sql = format!(
        "INSERT INTO tags (id, owner_id, name, folded) VALUES {rows}
            ON CONFLICT (owner_id, folded) DO UPDATE SET name = tags.name RETURNING id"
    );
    let ids: Vec<Uuid> = on!(tx.conn(), conn => bind_all!(sqlx::query_scalar(AssertSqlSafe(sql)), made.values)
        .fetch_all(conn).await?);
    let mut tied = Statement::default();
    let resource = tied.bind(Value::Id(resource));
    let rows: Vec<String> =
        ids.into_iter().map(|id| format!("({resource}, {})", tied.bind(Value::Id(id)))).collect();
    let sql = format!("INSERT INTO resource_tags (resource_id, tag_id) VALUES {}", rows.join(", "));
    on!(tx.conn(), conn => bind_all!(sqlx::query(AssertSqlSafe(sql)), tied.values).execute(conn).await.map(drop))
}

/// Changes the spelling of the owner's tag. Returns at most `most` resources with it, or none if nothing changed.
pub async fn respell(tx: &mut Write, owner: Uuid, tag: &TagName, most: i64) -> sqlx::Result<Vec<Uuid>> {
    const SQL: &str =
        "UPDATE tags SET name = $3 WHERE owner_id = $1 AND folded = $2 AND name <> $3 RETURNING id";
    const CARRIED: &str = "SELECT resource_id FROM resource_tags WHERE tag_id = $1 LIMIT $2";
    let spelled: Option<Uuid> = on!(tx.conn(), conn => sqlx::query_scalar(SQL).bind(owner).bind(&tag.folded).bind(&tag.name)
        .fetch_optional(conn).await?);
    let Some(tag) = spelled else { return Ok(Vec::new()) };
    on!(tx.conn(), conn => sqlx::query_scalar(CARRIED).bind(tag).bind(most).fetch_all(conn).await)
}

/// Saves the current version as a revision.
pub async fn add_revision(tx: &mut Write, id: Uuid, by: Uuid, via: Via, now: Timestamp) -> sqlx::Result<()> {
    const SQL: &str = insert_revisions!("$2, $3, $4" where "r.id = $1");
    on!(tx.conn(), conn => sqlx::query(SQL).bind(id).bind(via.as_str()).bind(by).bind(now)
        .execute(conn).await.map(drop))
}

/// Returns its visibility if it was moved. With `version`, only that version is moved.
pub async fn set_trashed(
    tx: &mut Write,
    id: Uuid,
    at: Option<Timestamp>,
    version: Option<i64>,
) -> sqlx::Result<Option<Visibility>> {
    const SQL: &str = "UPDATE resources SET trashed_at = $2, version = version + 1
        WHERE id = $1 AND (trashed_at IS NULL) = ($2 IS NOT NULL) AND version = COALESCE($3, version)
        RETURNING visibility";
    let seen: Option<String> = on!(tx.conn(), conn => sqlx::query_scalar(SQL).bind(id).bind(at).bind(version)
        .fetch_optional(conn).await?);
    Ok(seen.map(|seen| Visibility::parse(&seen).unwrap_or(Visibility::Public)))
}

/// Whether it was in the trash and is deleted. If not, drop the transaction.
pub async fn delete(tx: &mut Write, id: Uuid) -> sqlx::Result<bool> {
    const SQL: &str = "DELETE FROM resources WHERE id = $1 AND trashed_at IS NOT NULL";
    let tags = clear_tags(tx, id).await?;
    let rows = on!(tx.conn(), conn => sqlx::query(SQL).bind(id).execute(conn).await?.rows_affected());
    sweep(tx, &tags).await?;
    Ok(rows == 1)
}

/// A resource that was deleted for ever.
#[derive(sqlx::FromRow)]
pub struct Deleted {
    pub id: Uuid,
    pub owner_id: Uuid,
}

pub async fn delete_trashed_before(tx: &mut Write, limit: Timestamp) -> sqlx::Result<Vec<Deleted>> {
    const SQL: &str = "DELETE FROM resources WHERE trashed_at < $1 RETURNING id, owner_id";
    const SWEEP: &str = "DELETE FROM tags
        WHERE NOT EXISTS (SELECT 1 FROM resource_tags rt WHERE rt.tag_id = tags.id)";
    let gone: Vec<Deleted> = on!(tx.conn(), conn => sqlx::query_as(SQL).bind(limit).fetch_all(conn).await?);
    if !gone.is_empty() {
        on!(tx.conn(), conn => sqlx::query(SWEEP).execute(conn).await.map(drop))?;
    }
    Ok(gone)
}

pub async fn analyze(db: &Db) -> sqlx::Result<()> {
    let mut tx = db.begin_bulk().await?;
    on!(tx.conn(), conn => sqlx::query("ANALYZE").execute(conn).await.map(drop))?;
    tx.commit().await
}

/// SQLite's index of words is in pieces, to which a few saves add one, and each search asks all of them. Merges what there is to
/// merge, a few pages a transaction, so that other writers hardly wait.
pub async fn merge_index(db: &Db) -> sqlx::Result<()> {
    const PAGES: &str = "INSERT INTO resources_fts (resources_fts, rank) VALUES ('merge', 100)";
    const WRITTEN: &str = "SELECT total_changes()";
    if matches!(db, Db::Postgres(_)) {
        return Ok(());
    }
    loop {
        let mut tx = db.begin_bulk().await?;
        let before: i64 = on!(tx.conn(), conn => sqlx::query_scalar(WRITTEN).fetch_one(conn).await?);
        on!(tx.conn(), conn => sqlx::query(PAGES).execute(conn).await.map(drop))?;
        let after: i64 = on!(tx.conn(), conn => sqlx::query_scalar(WRITTEN).fetch_one(conn).await?);
        tx.commit().await?;
        // The statement itself counts as one.
        if after - before < 2 {
            return Ok(());
        }
    }
}

/// What belongs to a resource but stands in a table of its own has no trigger that numbers changes.
pub async fn note_change(tx: &mut Write, resource: Uuid) -> sqlx::Result<()> {
    const SQL: &str = "UPDATE resources SET version = version WHERE id = $1";
    on!(tx.conn(), conn => sqlx::query(SQL).bind(resource).execute(conn).await.map(drop))
}
