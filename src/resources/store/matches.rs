//! What a search matches on all its pages: how many entries, and their tags.

use sqlx::AssertSqlSafe;

use super::criteria::{Size, Sizes, Statement, filters};
use super::words::{Words, any_of, words};
use crate::db::{Db, bind_all, on};
use crate::identity::Viewer;
use crate::resources::listing::{SOME, Search};
use crate::resources::query::{Criterion, Filter, Group};
use crate::resources::{TagCount, index_terms};

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
    let matches = matches(db, viewer, search, limit);
    let sql = format!("SELECT COUNT(*) FROM ({}) c", matches.sql);
    on!(db.read(), pool => bind_all!(sqlx::query_scalar(AssertSqlSafe(sql)).persistent(false), matches.values)
        .fetch_one(pool).await)
}

/// What a search matches on all its pages.
#[derive(Default)]
pub struct Matches {
    /// How many; a number beyond [`SOME`] stands for any that is larger.
    pub count: usize,
    /// The most frequent tags of all that match; empty if more than [`SOME`] do.
    pub tags: Vec<TagCount>,
}

/// Both in one statement, since finding the matches takes longest.
pub async fn find(db: &Db, viewer: &Viewer, search: &Search) -> sqlx::Result<Matches> {
    if search.query.says_nothing {
        return Ok(Matches::default());
    }
    let matches = matches(db, viewer, search, &format!(" LIMIT {SOME} + 1"));
    let sql = format!(
        "WITH found AS MATERIALIZED ({}), total AS (SELECT COUNT(*) AS count FROM found)
        SELECT NULL AS name, count FROM total UNION ALL
        SELECT * FROM (SELECT MIN(t.name) AS name, COUNT(*) AS count FROM resource_tags rt JOIN tags t ON t.id = rt.tag_id
            WHERE rt.resource_id IN (SELECT id FROM found) AND (SELECT count FROM total) <= {SOME}
            GROUP BY t.folded ORDER BY COUNT(*) DESC, t.folded LIMIT {MOST_TAGS}) counted",
        matches.sql
    );
    let rows: Vec<(Option<String>, i64)> = on!(db.read(), pool => bind_all!(sqlx::query_as(AssertSqlSafe(sql)).persistent(false), matches.values)
        .fetch_all(pool).await?);
    let mut found = Matches::default();
    for (name, count) in rows {
        match name {
            Some(name) => found.tags.push(TagCount { name, count }),
            None => found.count = usize::try_from(count).unwrap_or_default(),
        }
    }
    Ok(found)
}

/// Selects the ids of all that match, so that a limit ends the search early. Tags and sites are found in the index of words. Without
/// any of these, SQLite is told where to begin: partition after partition along the index of the list, where the limit is each
/// partition's.
pub fn matches(db: &Db, viewer: &Viewer, search: &Search, limit: &str) -> Statement {
    let sizes = sizes(search);
    let mut statement = Statement::new(viewer);
    let filters = filters(&mut statement, &db.read(), search, &sizes);
    let text = [search.query.text.as_slice(), &terms_of_filters(search)].concat();
    // Without words, index terms would find whole partitions; PostgreSQL finds words without them.
    let is_narrowed = matches!(db, Db::Sqlite { .. }) && !text.is_empty();
    let terms = if is_narrowed { search.partition.index_terms(viewer) } else { Vec::new() };
    let (rows, and) = match words(&mut statement, &db.read(), search, &text, &terms, sizes.words) {
        Words::Postgres(words) => ("resources r", format!(" AND {words}")),
        Words::Fts5(words) => (
            "resources_fts f JOIN resources r ON r.rid = f.rowid",
            format!(" AND resources_fts MATCH {words}"),
        ),
        // Index terms make `NotFts5` a search of what is left.
        Words::NotFts5(_) | Words::None => ("resources r", String::new()),
    };
    let select = |visible: &str| format!("SELECT r.id FROM {rows} WHERE {visible}{filters}{and}");
    statement.sql = if is_narrowed || matches!(db, Db::Postgres(_)) {
        format!("{}{limit}", select(&search.partition.condition(viewer)))
    } else {
        let sorted = "ORDER BY r.created_at DESC, r.id DESC";
        let partitions = search.partition.partitions(viewer).iter();
        let partitions =
            partitions.map(|partition| format!("SELECT id FROM ({} {sorted}{limit}) s", select(partition)));
        partitions.collect::<Vec<_>>().join(" UNION ")
    };
    statement
}

/// With words, tags and sites are among them already.
fn terms_of_filters(search: &Search) -> Vec<Group> {
    let found = search.filters.iter().filter(|filter| !search.query.is_ranked() && is_found(filter));
    found.filter_map(|filter| Some(any_of([index_terms::for_criterion(&filter.criterion)?], false))).collect()
}

/// PostgreSQL adds up the statistics of all that a word being typed may mean, and then takes rare words for common ones.
fn sizes(search: &Search) -> Sizes {
    let size = |filter| if is_found(filter) { Size::Found } else { Size::Unknown };
    let words = if search.query.is_wider() { Size::Some } else { Size::Unknown };
    Sizes { words, filters: search.filters.iter().map(size).collect() }
}

const fn is_found(filter: &Filter) -> bool {
    !filter.negated && matches!(filter.criterion, Criterion::Tag(_) | Criterion::Site { .. })
}
