//! What a search matches on all its pages: how many entries, and their tags.

use sqlx::AssertSqlSafe;

use super::criteria::{Sizes, Statement, filters};
use super::words::{Words, words};
use crate::db::{Db, bind_all, on};
use crate::identity::Viewer;
use crate::resources::TagCount;
use crate::resources::listing::{SOME, Search};
use crate::resources::query::Criterion;

const MOST_TAGS: usize = 50;

/// How many match, over all pages.
pub async fn count(db: &Db, viewer: &Viewer, search: &Search) -> sqlx::Result<i64> {
    count_within(db, viewer, search, "").await
}

/// The same up to [`SOME`]; a larger number stands for any that is larger.
pub async fn count_some(db: &Db, viewer: &Viewer, search: &Search) -> sqlx::Result<i64> {
    count_within(db, viewer, search, &format!(" LIMIT {SOME} + 1")).await
}

async fn count_within(db: &Db, viewer: &Viewer, search: &Search, limit: &str) -> sqlx::Result<i64> {
    if search.query.says_nothing {
        return Ok(0);
    }
    let matches = matches(db, viewer, search, limit).await?;
    let sql = format!("SELECT COUNT(*) FROM ({}) c", matches.sql);
    on!(db.read(), pool => bind_all!(sqlx::query_scalar(AssertSqlSafe(sql)).persistent(false), matches.values)
        .fetch_one(pool).await)
}

/// The most frequent tags of all that match, which must be [`SOME`] at most.
pub async fn tags(db: &Db, viewer: &Viewer, search: &Search) -> sqlx::Result<Vec<TagCount>> {
    if search.query.says_nothing {
        return Ok(Vec::new());
    }
    let matches = matches(db, viewer, search, &format!(" LIMIT {SOME}")).await?;
    let sql = format!(
        "SELECT MIN(t.name) AS name, COUNT(*) AS count FROM ({}) c
            JOIN resource_tags rt ON rt.resource_id = c.id JOIN tags t ON t.id = rt.tag_id
            GROUP BY t.folded ORDER BY COUNT(*) DESC, t.folded LIMIT {MOST_TAGS}",
        matches.sql
    );
    on!(db.read(), pool => bind_all!(sqlx::query_as(AssertSqlSafe(sql)).persistent(false), matches.values)
        .fetch_all(pool).await)
}

/// Selects the ids of all that match, so that a limit ends the search early. SQLite is told where to begin: at the words, at a tag,
/// or partition after partition along the index of the list, where the limit is each partition's.
pub async fn matches(db: &Db, viewer: &Viewer, search: &Search, limit: &str) -> sqlx::Result<Statement> {
    let sizes = Sizes::count(db, viewer, search).await?;
    let mut statement = Statement::new(viewer);
    let filters = filters(&mut statement, &db.read(), search, &sizes.in_no_order());
    let text = &search.query.text;
    // Without words, index terms would find whole partitions; PostgreSQL finds words without them.
    let is_narrowed = matches!(db, Db::Sqlite { .. }) && !text.is_empty();
    let terms = if is_narrowed { search.partition.index_terms(viewer) } else { Vec::new() };
    let (rows, and) = match words(&mut statement, &db.read(), search, text, &terms, sizes.words) {
        Words::Postgres(words) => ("resources r", format!(" AND {words}")),
        Words::Fts5(words) => (
            "resources_fts f JOIN resources r ON r.rid = f.rowid",
            format!(" AND resources_fts MATCH {words}"),
        ),
        // Index terms make `NotFts5` a search of what is left.
        Words::NotFts5(_) | Words::None => ("resources r", String::new()),
    };
    let select = |visible: &str| format!("SELECT r.id FROM {rows} WHERE {visible}{filters}{and}");
    statement.sql = if is_narrowed || matches!(db, Db::Postgres(_)) || has_tag(search) {
        format!("{}{limit}", select(&search.partition.condition(viewer)))
    } else {
        let sorted = "ORDER BY r.created_at DESC, r.id DESC";
        let partitions = search.partition.partitions(viewer).iter();
        let partitions =
            partitions.map(|partition| format!("SELECT id FROM ({} {sorted}{limit}) s", select(partition)));
        partitions.collect::<Vec<_>>().join(" UNION ")
    };
    Ok(statement)
}

fn has_tag(search: &Search) -> bool {
    search.filters.iter().any(|filter| !filter.negated && matches!(filter.criterion, Criterion::Tag(_)))
}
