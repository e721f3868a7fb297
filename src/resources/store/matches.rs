//! What a search matches on all its pages: how many entries, and their tags.

use sqlx::AssertSqlSafe;

use super::criteria::{Statement, filters, has_date_filter};
use super::list;
use super::sample::is_common;
use super::sizes::{Size, Sizes, is_along_list};
use super::texts::matches_row;
use super::words::{Words, terms_of_filters, words};
use crate::db::{Db, bind_all, on};
use crate::identity::Viewer;
use crate::resources::TagCount;
use crate::resources::listing::{RANKED, SOME, Search, Sort};
use crate::resources::query::Group;

const MOST_TAGS: usize = 50;
/// Stands for any number beyond [`SOME`].
const MORE: usize = SOME + 1;

/// How many are listed, over all pages.
pub async fn count(db: &Db, viewer: &Viewer, search: &Search) -> sqlx::Result<i64> {
    for narrower in narrower(search) {
        let count = count_within(db, viewer, &narrower, "").await?;
        if count > RANKED {
            return Ok(count);
        }
    }
    count_within(db, viewer, search, "").await
}

/// How many match, up to [`SOME`]; a larger number stands for any that is larger.
pub async fn count_some(db: &Db, viewer: &Viewer, search: &Search) -> sqlx::Result<i64> {
    if is_many(db, viewer, search).await? {
        return Ok(i64::try_from(MORE).unwrap_or(i64::MAX));
    }
    count_within(db, viewer, search, &format!(" LIMIT {MORE}")).await
}

async fn count_within(db: &Db, viewer: &Viewer, search: &Search, limit: &str) -> sqlx::Result<i64> {
    if search.query.says_nothing {
        return Ok(0);
    }
    let size = size(db, viewer, search).await?;
    let matches = matches(db, viewer, search, size, limit);
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

impl Matches {
    const MANY: Self = Self { count: MORE, tags: Vec::new() };

    fn exceed_ranking(&self) -> bool {
        i64::try_from(self.count).is_ok_and(|count| count > RANKED)
    }
}

/// What is listed, over all pages.
pub async fn find(db: &Db, viewer: &Viewer, search: &Search) -> sqlx::Result<Matches> {
    if search.query.says_nothing {
        return Ok(Matches::default());
    }
    let (may_be_many, size) = (is_many(db, viewer, search).await?, size(db, viewer, search).await?);
    for narrower in narrower(search) {
        let is_many = may_be_many && is_many(db, viewer, &narrower).await?;
        let found = if is_many { Matches::MANY } else { found(db, viewer, &narrower, size, RANKED).await? };
        if found.exceed_ranking() {
            return Ok(found);
        }
    }
    if may_be_many { Ok(Matches::MANY) } else { found(db, viewer, search, size, 0).await }
}

/// The stricter readings of a ranked search, strictest first. If one finds more than are ranked, the list has no wider one.
fn narrower(search: &Search) -> impl Iterator<Item = Search> {
    let query = &search.query;
    let as_typed = query.is_wider().then(|| query.as_typed());
    let texts = [query.literally(), query.in_whole_words(), as_typed].into_iter().flatten();
    texts.filter(|_| search.sort == Sort::Relevance).map(|text| search.read_as(text))
}

/// How many match, and if these are more than `least` their tags: in one statement, as finding the matches takes longest.
async fn found(db: &Db, viewer: &Viewer, search: &Search, size: Size, least: i64) -> sqlx::Result<Matches> {
    let matches = matches(db, viewer, search, size, &format!(" LIMIT {MORE}"));
    let sql = format!(
        "WITH found AS MATERIALIZED ({}), total AS (SELECT COUNT(*) AS count FROM found)
        SELECT NULL AS name, count FROM total UNION ALL
        SELECT * FROM (SELECT MIN(t.name) AS name, CAST(SUM(uses.count) AS bigint) AS count
            FROM (SELECT rt.tag_id, COUNT(*) AS count FROM resource_tags rt WHERE rt.resource_id IN (SELECT id FROM found)
                AND (SELECT count FROM total) BETWEEN {least} + 1 AND {SOME} GROUP BY rt.tag_id) uses
            JOIN tags t ON t.id = uses.tag_id
            GROUP BY t.folded ORDER BY SUM(uses.count) DESC, t.folded LIMIT {MOST_TAGS}) counted",
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

/// Whether far more than [`SOME`] match, as a sample shows.
async fn is_many(db: &Db, viewer: &Viewer, search: &Search) -> sqlx::Result<bool> {
    if search.query.says_nothing {
        return Ok(false);
    }
    let mut bound = Statement::new(viewer);
    let condition = match db {
        Db::Postgres(_) => Some(postgres_condition(&mut bound, db, viewer, search)),
        Db::Sqlite { .. } => matches_row(&mut bound, db, viewer, search),
    };
    match condition {
        Some(condition) => is_common(db, &condition, &bound).await,
        None => Ok(false),
    }
}

/// How many match the words, where SQLite has to know.
pub async fn size(db: &Db, viewer: &Viewer, search: &Search) -> sqlx::Result<Size> {
    match db {
        Db::Sqlite { .. } if has_date_filter(search) => Sizes::count_words(db, viewer, search).await,
        _ => Ok(Size::Unknown),
    }
}

/// Selects the ids of all that match, so that a limit ends the search early. `size` comes from the function of that name.
pub fn matches(db: &Db, viewer: &Viewer, search: &Search, size: Size, limit: &str) -> Statement {
    if let Db::Sqlite { .. } = db {
        return matches_in_sqlite(db, viewer, search, size, limit);
    }
    let mut statement = Statement::new(viewer);
    let condition = postgres_condition(&mut statement, db, viewer, search);
    statement.sql = format!("SELECT r.id FROM resources r WHERE {condition}{limit}");
    statement
}

/// PostgreSQL adds up the statistics of all that a word being typed may mean, and then takes rare words for common ones.
fn postgres_condition(statement: &mut Statement, db: &Db, viewer: &Viewer, search: &Search) -> String {
    let size = if search.query.is_wider() { Size::Some } else { Size::Unknown };
    let filters = filters(statement, &db.read(), search, &Sizes::found(search, size));
    // With them, the index leaves what others have out.
    let (text, terms) = (text_of(search), search.partition.index_terms(viewer));
    let words = match words(statement, &db.read(), search, &text, &terms, size) {
        Words::Postgres(words) => format!(" AND {words}"),
        _ => String::new(),
    };
    let visible = search.partition.condition(viewer);
    // With words, the planner would list whole partitions beside what it finds.
    let visible = if words.is_empty() { visible } else { format!("({visible}) IS TRUE") };
    format!("{visible}{filters}{words}")
}

/// Without words, tags or sites, SQLite is told where to begin: partition after partition along the index of the list, where
/// the limit is each partition's.
fn matches_in_sqlite(db: &Db, viewer: &Viewer, search: &Search, size: Size, limit: &str) -> Statement {
    let (mut statement, sizes, text) = (Statement::new(viewer), Sizes::found(search, size), text_of(search));
    let filters = filters(&mut statement, &db.read(), search, &sizes);
    let along_list = is_along_list(search, &sizes);
    // Alone, index terms would find whole partitions. With what is excluded they find what is left. Along the list they
    // would find what the list finds.
    let needs_terms = !text.is_empty() && !along_list;
    let terms = if needs_terms { search.partition.index_terms(viewer) } else { Vec::new() };
    let visible = search.partition.condition(viewer);
    statement.sql = match words(&mut statement, &db.read(), search, &text, &terms, size) {
        Words::Fts5(words) if along_list => {
            let along = list::latest_along_list(viewer, search, filters, &words, -1);
            format!("SELECT id FROM ({along}) l{limit}")
        }
        // Joined crosswise, as the planner would search once for each row that is visible.
        Words::Fts5(words) => format!(
            "SELECT r.id FROM resources_fts f CROSS JOIN resources r ON r.rid = f.rowid
                WHERE resources_fts MATCH {words} AND {visible}{filters}{limit}"
        ),
        _ => {
            let sorted = "ORDER BY r.created_at DESC, r.id DESC";
            let partitions = search.partition.partitions(viewer).iter().map(|partition| {
                format!("SELECT id FROM (SELECT r.id FROM resources r WHERE {partition}{filters} {sorted}{limit}) s")
            });
            partitions.collect::<Vec<_>>().join(" UNION ")
        }
    };
    statement
}

/// The words, with the index terms of tags and sites.
fn text_of(search: &Search) -> Vec<Group> {
    [search.query.text.as_slice(), &terms_of_filters(search)].concat()
}
