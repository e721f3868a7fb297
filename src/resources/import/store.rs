//! The SQL of imports: many rows a statement.

use std::collections::BTreeMap;

use sqlx::QueryBuilder;
use uuid::Uuid;

use super::{Ready, Report};
use crate::cache::Write;
use crate::db::{Db, Timestamp, on};
use crate::resources::draft::url_key;
use crate::resources::marks;
use crate::resources::tag::TagName;

pub async fn begin(
    tx: &mut Write,
    id: Uuid,
    owner: Uuid,
    file_name: &str,
    now: Timestamp,
) -> sqlx::Result<()> {
    const SQL: &str = "INSERT INTO imports (id, owner_id, filename, state, report, created_at)
        VALUES ($1, $2, $3, 'committed', '', $4)";
    on!(tx.conn(), conn => sqlx::query(SQL).bind(id).bind(owner).bind(file_name).bind(now).execute(conn).await.map(drop))
}

pub async fn finish(tx: &mut Write, id: Uuid, report: &Report) -> sqlx::Result<()> {
    const SQL: &str = "UPDATE imports SET report = $2 WHERE id = $1";
    let json = serde_json::to_string(report).unwrap_or_default();
    on!(tx.conn(), conn => sqlx::query(SQL).bind(id).bind(json).execute(conn).await.map(drop))
}

pub async fn report(db: &Db, owner: Uuid, id: Uuid) -> sqlx::Result<Option<String>> {
    const SQL: &str = "SELECT report FROM imports WHERE id = $1 AND owner_id = $2";
    on!(db.read(), pool => sqlx::query_scalar(SQL).bind(id).bind(owner).fetch_optional(pool).await)
}

/// The ids that were written; the others' addresses are kept already.
pub async fn insert(tx: &mut Write, import: Uuid, owner: Uuid, batch: &[Ready]) -> sqlx::Result<Vec<Uuid>> {
    const SQL: &str =
        "INSERT INTO resources (id, owner_id, import_id, kind, title, title_key, url, url_key, site, body,
        summary, visibility, pinned, fold_title, fold_tags, fold_body, marks, created_at, updated_at) ";
    on!(tx.conn(), conn => {
        let mut insert = QueryBuilder::new(SQL);
        insert.push_values(batch, |mut row, Ready { id, at, checked, .. }| {
            let url = checked.url.as_ref();
            row.push_bind(*id).push_bind(owner).push_bind(import).push_bind(checked.kind.as_str())
                .push_bind(&checked.title).push_bind(&checked.title_key).push_bind(url.map(|u| &u.url))
                .push_bind(url.map(url_key)).push_bind(url.map(|u| &u.site)).push_bind(&checked.body)
                .push_bind(&checked.summary).push_bind(checked.visibility.as_str()).push_bind(checked.pinned)
                .push_bind(&checked.fold_title).push_bind(&checked.fold_tags).push_bind(&checked.fold_body)
                .push_bind(marks::of(owner, checked)).push_bind(*at).push_bind(*at);
        });
        insert.push(" ON CONFLICT DO NOTHING RETURNING id").build_query_scalar().fetch_all(conn).await
    })
}

/// Ties the batch to the owner's tags, making those that are new.
pub async fn tag(
    tx: &mut Write,
    owner: Uuid,
    batch: &[&Ready],
    mut new_id: impl FnMut() -> Uuid,
) -> sqlx::Result<()> {
    let names: BTreeMap<&str, &TagName> =
        batch.iter().flat_map(|ready| &ready.checked.tags).map(|tag| (tag.folded.as_str(), tag)).collect();
    if names.is_empty() {
        return Ok(());
    }
    let rows: Vec<(Uuid, &TagName)> = names.into_values().map(|tag| (new_id(), tag)).collect();
    let mut ids: BTreeMap<String, Uuid> = BTreeMap::new();
    for part in rows.chunks(super::BATCH) {
        let made: Vec<(Uuid, String)> = on!(tx.conn(), conn => {
            let mut insert = QueryBuilder::new("INSERT INTO tags (id, owner_id, name, folded) ");
            insert.push_values(part, |mut row, (id, tag)| {
                row.push_bind(*id).push_bind(owner).push_bind(&tag.name).push_bind(&tag.folded);
            });
            insert.push(" ON CONFLICT (owner_id, folded) DO UPDATE SET name = tags.name RETURNING id, folded");
            insert.build_query_as().fetch_all(conn).await?
        });
        ids.extend(made.into_iter().map(|(id, folded)| (folded, id)));
    }
    let ties: Vec<(Uuid, Uuid)> = batch
        .iter()
        .flat_map(|ready| {
            ready.checked.tags.iter().filter_map(|tag| Some((ready.id, *ids.get(&tag.folded)?)))
        })
        .collect();
    for part in ties.chunks(super::BATCH * 10) {
        on!(tx.conn(), conn => {
            let mut insert = QueryBuilder::new("INSERT INTO resource_tags (resource_id, tag_id) ");
            insert.push_values(part, |mut row, (resource, tag)| {
                row.push_bind(*resource).push_bind(*tag);
            });
            insert.build().execute(conn).await.map(drop)
        })?;
    }
    Ok(())
}

/// The first revision of everything that came in.
pub async fn add_revisions(tx: &mut Write, import: Uuid, owner: Uuid, now: Timestamp) -> sqlx::Result<()> {
    const SQL: &str = "INSERT INTO revisions (resource_id, version, title, url, body, tags, visibility, via, saved_by, saved_at)
        SELECT r.id, r.version, r.title, r.url, r.body,
            COALESCE((SELECT string_agg(t.name, ',' ORDER BY t.folded) FROM resource_tags rt
                JOIN tags t ON t.id = rt.tag_id WHERE rt.resource_id = r.id), ''),
            r.visibility, 'import', $2, $3
        FROM resources r WHERE r.import_id = $1";
    on!(tx.conn(), conn => sqlx::query(SQL).bind(import).bind(owner).bind(now).execute(conn).await.map(drop))
}

/// Which resource holds an address, this import's own included.
pub async fn holder(tx: &mut Write, owner: Uuid, url_key: &[u8]) -> sqlx::Result<Option<Uuid>> {
    on!(tx.conn(), conn => sqlx::query_scalar(crate::resources::store::FIND_BY_URL).bind(owner).bind(url_key)
        .fetch_optional(conn).await)
}
