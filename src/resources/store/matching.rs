//! What a search matches, as SQL: without an order, so that a limit ends it early.

use super::criteria::{Statement, filters, has_date_filter};
use super::list;
use super::sample::Sample;
use super::sizes::{Size, Sizes, is_along_list};
use super::words::{Words, terms_of_filters, words};
use crate::db::Db;
use crate::identity::Viewer;
use crate::resources::listing::Search;
use crate::resources::query::Group;

/// How many match the words, where SQLite has to know.
pub async fn size(db: &Db, viewer: &Viewer, search: &Search) -> sqlx::Result<Size> {
    match db {
        Db::Sqlite { .. } if has_date_filter(search) => Sizes::count_words(db, viewer, search).await,
        _ => Ok(Size::Unknown),
    }
}

/// Selects the ids of all that match. `size` comes from the function of that name.
pub fn ids(
    db: &Db,
    viewer: &Viewer,
    search: &Search,
    sample: Option<Sample>,
    size: Size,
    limit: &str,
) -> Statement {
    if let Db::Sqlite { .. } = db {
        return matches_in_sqlite(db, viewer, search, size, limit);
    }
    let mut statement = Statement::new(viewer);
    let condition =
        postgres_condition(&mut statement, db, viewer, search, &index_terms(db, viewer, search, sample));
    statement.sql = format!("SELECT r.id FROM resources r WHERE {condition}{limit}");
    statement
}

/// PostgreSQL adds up the statistics of all that a word being typed may mean, and then takes rare words for common ones.
pub fn postgres_condition(
    statement: &mut Statement,
    db: &Db,
    viewer: &Viewer,
    search: &Search,
    terms: &[String],
) -> String {
    let size = if search.query.is_wider() { Size::Some } else { Size::Unknown };
    let filters = filters(statement, &db.read(), search, &Sizes::found(search, size));
    let words = match words(statement, &db.read(), search, &text_of(search), terms, size) {
        Words::Postgres(words) => format!(" AND {words}"),
        _ => String::new(),
    };
    let visible = search.partition.condition(viewer);
    // With words, the planner would list whole partitions beside what it finds.
    let visible = if words.is_empty() { visible } else { format!("({visible}) IS TRUE") };
    format!("{visible}{filters}{words}")
}

/// With them, the index leaves out what the viewer may not see. In PostgreSQL that costs more than it saves if they may see most,
/// and beside the index of pairs, which finds few; in SQLite if few match.
pub fn index_terms(db: &Db, viewer: &Viewer, search: &Search, sample: Option<Sample>) -> Vec<String> {
    let query = &search.query;
    let are_costly = |sample: Sample| match db {
        Db::Postgres(_) => sample.is_mostly_visible() || has_phrase(&query.text),
        Db::Sqlite { .. } => sample.is_rare(),
    };
    if query.is_ranked() && sample.is_some_and(are_costly) {
        Vec::new()
    } else {
        search.partition.index_terms(viewer)
    }
}

pub fn has_phrase(text: &[Group]) -> bool {
    text.iter().flat_map(|group| &group.terms).any(|term| term.words.len() > 1 && !term.negated)
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

fn text_of(search: &Search) -> Vec<Group> {
    [search.query.text.as_slice(), &terms_of_filters(search)].concat()
}
