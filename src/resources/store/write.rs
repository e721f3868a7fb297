//! Changes to the library.

use uuid::Uuid;

use crate::cache::Write;
use crate::db::{Db, Timestamp, on};
use crate::resources::draft::{Checked, url_key};
use crate::resources::tag::TagName;
use crate::resources::{Resource, Via, Visibility, marks};

pub async fn insert(
    tx: &mut Write,
    id: Uuid,
    owner: Uuid,
    checked: &Checked,
    now: Timestamp,
) -> sqlx::Result<()> {
    const SQL: &str =
        "INSERT INTO resources (id, owner_id, kind, title, title_key, url, url_key, site, body, summary,
            visibility, pinned, fold_title, fold_tags, fold_body, marks, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $17)";
    let url = checked.url.as_ref();
    on!(tx.conn(), conn => sqlx::query(SQL).bind(id).bind(owner).bind(checked.kind.as_str()).bind(&checked.title)
        .bind(&checked.title_key).bind(url.map(|u| &u.url)).bind(url.map(url_key)).bind(url.map(|u| &u.site))
        .bind(&checked.body).bind(&checked.summary).bind(checked.visibility.as_str()).bind(checked.pinned)
        .bind(&checked.fold_title).bind(&checked.fold_tags).bind(&checked.fold_body).bind(marks::of(owner, checked))
        .bind(now).execute(conn).await.map(drop))
}

/// Whether the version at hand still stood and was replaced.
pub async fn update(
    tx: &mut Write,
    current: &Resource,
    checked: &Checked,
    now: Timestamp,
) -> sqlx::Result<bool> {
    const SQL: &str =
        "UPDATE resources SET title = $3, title_key = $4, url = $5, url_key = $6, site = $7, body = $8,
            summary = $9, visibility = $10, pinned = $11, fold_title = $12, fold_tags = $13, fold_body = $14,
            marks = $15, updated_at = $16, version = version + 1
        WHERE id = $1 AND version = $2 AND trashed_at IS NULL";
    let url = checked.url.as_ref();
    let rows = on!(tx.conn(), conn => sqlx::query(SQL).bind(current.id).bind(current.version).bind(&checked.title)
        .bind(&checked.title_key).bind(url.map(|u| &u.url)).bind(url.map(url_key)).bind(url.map(|u| &u.site))
        .bind(&checked.body).bind(&checked.summary).bind(checked.visibility.as_str()).bind(checked.pinned)
        .bind(&checked.fold_title).bind(&checked.fold_tags).bind(&checked.fold_body)
        .bind(marks::of(current.owner_id, checked)).bind(now).execute(conn).await?.rows_affected());
    Ok(rows == 1)
}

/// Gives the resource exactly these tags; those that nothing carries any more go.
pub async fn set_tags(
    tx: &mut Write,
    resource: Uuid,
    owner: Uuid,
    tags: &[TagName],
    mut new_id: impl FnMut() -> Uuid,
) -> sqlx::Result<()> {
    const LINK: &str = "INSERT INTO resource_tags (resource_id, tag_id) VALUES ($1, $2)";
    let mut dropped = clear_tags(tx, resource).await?;
    for tag in tags {
        let tag_id = tag_id(tx, owner, tag, new_id()).await?;
        on!(tx.conn(), conn => sqlx::query(LINK).bind(resource).bind(tag_id).execute(conn).await.map(drop))?;
        dropped.retain(|id| *id != tag_id);
    }
    sweep(tx, &dropped).await
}

/// The tags that the resource had.
async fn clear_tags(tx: &mut Write, resource: Uuid) -> sqlx::Result<Vec<Uuid>> {
    const SQL: &str = "DELETE FROM resource_tags WHERE resource_id = $1 RETURNING tag_id";
    on!(tx.conn(), conn => sqlx::query_scalar(SQL).bind(resource).fetch_all(conn).await)
}

/// Deletes those of the tags that nothing carries.
async fn sweep(tx: &mut Write, tags: &[Uuid]) -> sqlx::Result<()> {
    const SQL: &str =
        "DELETE FROM tags WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM resource_tags WHERE tag_id = $1)";
    for tag in tags {
        on!(tx.conn(), conn => sqlx::query(SQL).bind(tag).execute(conn).await.map(drop))?;
    }
    Ok(())
}

/// The id of the owner's tag, which is made when it is new; its first spelling stays.
pub async fn tag_id(tx: &mut Write, owner: Uuid, tag: &TagName, new_id: Uuid) -> sqlx::Result<Uuid> {
    const SQL: &str = "INSERT INTO tags (id, owner_id, name, folded) VALUES ($1, $2, $3, $4)
        ON CONFLICT (owner_id, folded) DO UPDATE SET name = tags.name RETURNING id";
    on!(tx.conn(), conn => sqlx::query_scalar(SQL).bind(new_id).bind(owner).bind(&tag.name).bind(&tag.folded)
        .fetch_one(conn).await)
}

/// Spells the owner's tag so; the resources that carry it, but no more than `most`, or none when it was spelled so already.
pub async fn respell(tx: &mut Write, owner: Uuid, tag: &TagName, most: i64) -> sqlx::Result<Vec<Uuid>> {
    const SQL: &str =
        "UPDATE tags SET name = $3 WHERE owner_id = $1 AND folded = $2 AND name <> $3 RETURNING id";
    const CARRIED: &str = "SELECT resource_id FROM resource_tags WHERE tag_id = $1 LIMIT $2";
    let spelled: Option<Uuid> = on!(tx.conn(), conn => sqlx::query_scalar(SQL).bind(owner).bind(&tag.folded).bind(&tag.name)
        .fetch_optional(conn).await?);
    let Some(tag) = spelled else { return Ok(Vec::new()) };
    on!(tx.conn(), conn => sqlx::query_scalar(CARRIED).bind(tag).bind(most).fetch_all(conn).await)
}

/// Keeps the resource as it stands now as a revision of its own.
pub async fn add_revision(tx: &mut Write, id: Uuid, by: Uuid, via: Via, now: Timestamp) -> sqlx::Result<()> {
    const SQL: &str = "INSERT INTO revisions (resource_id, version, title, url, body, tags, visibility, via, saved_by, saved_at)
        SELECT r.id, r.version, r.title, r.url, r.body,
            COALESCE((SELECT string_agg(t.name, ',' ORDER BY t.folded) FROM resource_tags rt
                JOIN tags t ON t.id = rt.tag_id WHERE rt.resource_id = r.id), ''),
            r.visibility, $2, $3, $4
        FROM resources r WHERE r.id = $1";
    on!(tx.conn(), conn => sqlx::query(SQL).bind(id).bind(via.as_str()).bind(by).bind(now)
        .execute(conn).await.map(drop))
}

/// Who could see it, if it was moved. `version`: it must be this one.
pub async fn set_trashed(
    tx: &mut Write,
    id: Uuid,
    at: Option<Timestamp>,
    version: Option<i64>,
) -> sqlx::Result<Option<Visibility>> {
    const SQL: &str = "UPDATE resources SET trashed_at = $2
        WHERE id = $1 AND (trashed_at IS NULL) = ($2 IS NOT NULL) AND version = COALESCE($3, version)
        RETURNING visibility";
    let seen: Option<String> = on!(tx.conn(), conn => sqlx::query_scalar(SQL).bind(id).bind(at).bind(version)
        .fetch_optional(conn).await?);
    Ok(seen.map(|seen| Visibility::read(&seen).unwrap_or(Visibility::Public)))
}

/// Whether it was in the trash and is gone; if not, the transaction is to be dropped.
pub async fn delete(tx: &mut Write, id: Uuid) -> sqlx::Result<bool> {
    const SQL: &str = "DELETE FROM resources WHERE id = $1 AND trashed_at IS NOT NULL";
    let tags = clear_tags(tx, id).await?;
    let rows = on!(tx.conn(), conn => sqlx::query(SQL).bind(id).execute(conn).await?.rows_affected());
    sweep(tx, &tags).await?;
    Ok(rows == 1)
}

/// Which, and whose they were.
pub async fn delete_trashed_before(tx: &mut Write, limit: Timestamp) -> sqlx::Result<Vec<(Uuid, Uuid)>> {
    const SQL: &str = "DELETE FROM resources WHERE trashed_at < $1 RETURNING id, owner_id";
    const SWEEP: &str = "DELETE FROM tags
        WHERE NOT EXISTS (SELECT 1 FROM resource_tags rt WHERE rt.tag_id = tags.id)";
    let gone: Vec<(Uuid, Uuid)> =
        on!(tx.conn(), conn => sqlx::query_as(SQL).bind(limit).fetch_all(conn).await?);
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
