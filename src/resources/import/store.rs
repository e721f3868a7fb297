//! The SQL of what an import writes into the library: many rows a statement. As their number differs, statements are not kept
//! prepared: each connection would hold a hundred of them.

mod existing;
pub mod imports;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use sqlx::QueryBuilder;
use uuid::Uuid;

#[cfg(feature = "test-internals")]
pub use self::existing::held;
pub use self::existing::{
    Earlier, Holder, Holding, addresses_in_trash, has_notes_in_trash, holders, same_note, same_note_in_trash,
};
use super::{Past, Ready};
use crate::cache::Write;
use crate::db::{Db, Engine, REFRESH_STATISTICS, on};
use crate::resources::store::columns::{SAVED, bind_saved, insert_revisions};
use crate::resources::tag::TagName;
use crate::timestamp::Timestamp;

/// Notes how entries were before they got more tags, and the version that they have now.
pub async fn note_merged(tx: &mut Write, import: Uuid, holders: &[&Holder]) -> sqlx::Result<()> {
    on!(tx.conn(), conn => {
        let mut insert =
            QueryBuilder::new("INSERT INTO bulk_items (bulk_id, resource_id, state, version, before) ");
        insert.push_values(holders, |mut row, holder| {
            row.push_bind(import).push_bind(holder.id).push_bind("changed").push_bind(holder.version + 1)
                .push_bind(serde_json::to_string(&holder.before()).unwrap_or_default());
        });
        insert.build().persistent(false).execute(conn).await.map(drop)
    })
}

/// Entries that come in at once.
pub struct Batch<'a> {
    pub import: Uuid,
    pub owner: Uuid,
    pub entries: &'a [&'a Ready],
    pub now: Timestamp,
}

/// The ids that were written; the others' addresses are kept already.
pub async fn insert(tx: &mut Write, batch: &Batch<'_>) -> sqlx::Result<Vec<Uuid>> {
    static SQL: LazyLock<String> = LazyLock::new(|| {
        format!(
            "INSERT INTO resources (id, owner_id, import_id, kind, created_at, updated_at, version, import_version, trashed_at, {}) ",
            SAVED.join(", ")
        )
    });
    let Batch { import, owner, entries, now } = *batch;
    if entries.is_empty() {
        return Ok(Vec::new());
    }
    on!(tx.conn(), conn => {
        let mut insert = QueryBuilder::new(SQL.as_str());
        insert.push_values(entries, |mut row, ready| {
            let Ready { id, created, updated, checked, is_trashed, .. } = ready;
            row.push_bind(*id).push_bind(owner).push_bind(import).push_bind(checked.kind.as_str())
                .push_bind(*created).push_bind(*updated).push_bind(ready.version()).push_bind(ready.version())
                .push_bind(is_trashed.then_some(now));
            bind_saved!(row, push_bind, owner, checked);
        });
        insert.push(" ON CONFLICT DO NOTHING RETURNING id").build_query_scalar().persistent(false).fetch_all(conn).await
    })
}

pub async fn tag_names_of(db: &Db, owner: Uuid) -> sqlx::Result<Vec<String>> {
    const SQL: &str = "SELECT name FROM tags WHERE owner_id = $1";
    on!(db.read(), pool => sqlx::query_scalar(SQL).bind(owner).fetch_all(pool).await)
}

/// Tags that a resource gets and does not have yet.
pub struct Tagging<'a> {
    pub resource: Uuid,
    pub tags: &'a [TagName],
}

impl<'a> From<&'a Ready> for Tagging<'a> {
    fn from(ready: &'a Ready) -> Self {
        Self { resource: ready.id, tags: &ready.checked.tags }
    }
}

/// Ties resources to the owner's tags, making those that are new.
pub async fn tag(
    tx: &mut Write,
    owner: Uuid,
    taggings: &[Tagging<'_>],
    mut new_id: impl FnMut() -> Uuid,
) -> sqlx::Result<()> {
    let names: BTreeMap<&str, &TagName> =
        taggings.iter().flat_map(|tagging| tagging.tags).map(|tag| (tag.folded.as_str(), tag)).collect();
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
            insert.build_query_as().persistent(false).fetch_all(conn).await?
        });
        ids.extend(made.into_iter().map(|(id, folded)| (folded, id)));
    }
    let ties: Vec<(Uuid, Uuid)> = taggings
        .iter()
        .flat_map(|tagging| {
            tagging.tags.iter().filter_map(|tag| Some((tagging.resource, *ids.get(&tag.folded)?)))
        })
        .collect();
    for part in ties.chunks(super::BATCH * 10) {
        on!(tx.conn(), conn => {
            let mut insert = QueryBuilder::new("INSERT INTO resource_tags (resource_id, tag_id) ");
            insert.push_values(part, |mut row, (resource, tag)| {
                row.push_bind(*resource).push_bind(*tag);
            });
            insert.build().persistent(false).execute(conn).await.map(drop)
        })?;
    }
    Ok(())
}

/// The first revision of everything that came in.
pub async fn add_revisions(tx: &mut Write, import: Uuid, owner: Uuid, now: Timestamp) -> sqlx::Result<()> {
    const SQL: &str = insert_revisions!("'import', $1, $2" where "r.import_id = $3");
    on!(tx.conn(), conn => sqlx::query(SQL).bind(owner).bind(now).bind(import).execute(conn).await.map(drop))
}

/// A revision of resources that an import made or changed.
pub async fn add_revisions_of(tx: &mut Write, ids: &[Uuid], owner: Uuid, now: Timestamp) -> sqlx::Result<()> {
    const SQL: &str = insert_revisions!("'import', $1, $2" where "r.id IN (");
    let list: Vec<String> = (0..ids.len()).map(|place| format!("${}", place + 3)).collect();
    let sql = sqlx::AssertSqlSafe(format!("{SQL}{})", list.join(", ")));
    on!(tx.conn(), conn => {
        let query = sqlx::query(sql).persistent(false).bind(owner).bind(now);
        ids.iter().fold(query, |query, id| query.bind(*id)).execute(conn).await.map(drop)
    })
}

struct PastRow<'a> {
    resource: Uuid,
    version: i64,
    past: &'a Past,
}

/// The older versions of what came in.
pub async fn add_past_revisions(tx: &mut Write, owner: Uuid, entries: &[&Ready]) -> sqlx::Result<()> {
    let mut rows = Vec::new();
    for ready in entries {
        let numbered = (1_i64..).zip(&ready.past);
        rows.extend(numbered.map(|(version, past)| PastRow { resource: ready.id, version, past }));
    }
    for part in rows.chunks(super::BATCH) {
        on!(tx.conn(), conn => {
            let mut insert = QueryBuilder::new("INSERT INTO revisions
                (resource_id, version, title, url, body, visibility, tags, via, saved_by, saved_at) ");
            insert.push_values(part, |mut row, PastRow { resource, version, past }| {
                let Past { checked, via, saved_at } = past;
                let tags: Vec<&str> = checked.tags.iter().map(|tag| tag.name.as_str()).collect();
                row.push_bind(*resource).push_bind(*version).push_bind(&checked.title)
                    .push_bind(checked.url.as_ref().map(|url| &url.url)).push_bind(&checked.body)
                    .push_bind(checked.visibility.as_str()).push_bind(tags.join(",")).push_bind(via.as_str())
                    .push_bind(owner).push_bind(*saved_at);
            });
            insert.build().persistent(false).execute(conn).await.map(drop)
        })?;
    }
    Ok(())
}

/// What more tags make of a resource.
pub struct Retagged {
    pub id: Uuid,
    pub fold_tags: String,
    pub index_terms: String,
}

/// In one statement where each has a way to go; SQLite looks rows up one by one whatever it believes of its tables.
pub async fn retag(tx: &mut Write, changes: &[Retagged], now: Timestamp) -> sqlx::Result<()> {
    const ONE: &str =
        "UPDATE resources SET fold_tags = $2, marks = $3, updated_at = $4, version = version + 1
        WHERE id = $1";
    if let Engine::Postgres(conn) = tx.conn() {
        let mut update = QueryBuilder::<sqlx::Postgres>::new(
            "UPDATE resources SET fold_tags = change.column2, marks = change.column3,
                version = version + 1, updated_at = ",
        );
        update.push_bind(now).push(" FROM (");
        update.push_values(changes, |mut row, Retagged { id, fold_tags, index_terms }| {
            row.push_bind(*id).push_bind(fold_tags).push_bind(index_terms);
        });
        update
            .push(") AS change WHERE resources.id = change.column1")
            .build()
            .persistent(false)
            .execute(conn)
            .await?;
        return Ok(());
    }
    for Retagged { id, fold_tags, index_terms } in changes {
        on!(tx.conn(), conn => sqlx::query(ONE).bind(id).bind(fold_tags).bind(index_terms).bind(now)
            .execute(conn).await.map(drop))?;
    }
    Ok(())
}

/// Both engines plan by what their tables were like when they last looked, and keep the plans: one for an empty library reads
/// all of it at each step. `done`: how many entries came in so far.
pub async fn refresh_statistics(tx: &mut Write, done: usize) -> sqlx::Result<()> {
    const KNOWN: &str = "SELECT CAST(reltuples AS bigint) FROM pg_class WHERE oid = 'resources'::regclass";
    const ANALYZE: &str = "ANALYZE resources (owner_id), resource_tags (tag_id), word_parts (part)";
    let sql = match tx.conn() {
        // Statistics of fewer entries would stay until there are ten times as many.
        Engine::Sqlite(_) => (done >= super::BATCH).then_some(REFRESH_STATISTICS),
        Engine::Postgres(conn) => {
            let known: i64 = sqlx::query_scalar(KNOWN).fetch_one(conn).await?;
            // It is -1 before the first look.
            (i64::try_from(done).unwrap_or(i64::MAX) > 2 * known).then_some(ANALYZE)
        }
    };
    let Some(sql) = sql else { return Ok(()) };
    on!(tx.conn(), conn => sqlx::query(sql).execute(conn).await.map(drop))
}
