//! Pages of what many rows match: the first rows of the list are asked one by one. A page is soon full, without a list of
//! all matches.

use sqlx::AssertSqlSafe;

use super::criteria::{FTS5_ROWS, Statement, filters, on_rows};
use super::list::{Order, after, columns};
use super::sizes::{Size, Sizes};
use super::words::{Words, words};
use crate::db::{Db, bind_all, on};
use crate::identity::Viewer;
use crate::resources::listing::Search;
use crate::resources::query::{Criterion, Filter};
use crate::resources::visibility::Partition;

/// So many rows are asked at most.
const ASKED: i64 = 2_000;

/// `None` where it would seldom fill a page. If it does not fill one, it says nothing, unless these are [all rows](is_all).
pub fn statement(db: &Db, viewer: &Viewer, search: &Search, sizes: &Sizes) -> Option<Statement> {
    let mut statement = Statement::new(viewer);
    let words = words(&mut statement, &db.read(), search, &search.query.text, &[], sizes.words);
    let condition = match &words {
        Words::None if on_rows(search, sizes).any(|(filter, size)| is_worth_asking(filter, size)) => {
            String::new()
        }
        Words::Fts5(words) if sizes.words == Size::Many && !is_typed(search) => {
            format!(" AND EXISTS ({FTS5_ROWS} {words} AND rowid = r.rid)")
        }
        Words::NotFts5(words) => format!(" AND NOT EXISTS ({FTS5_ROWS} {words} AND rowid = r.rid)"),
        _ => return None,
    };
    if sizes.filters.contains(&Size::Few) || search.filters.iter().any(reads_texts) {
        return None;
    }
    let each_row = Sizes { words: sizes.words, filters: vec![Size::EachRow; sizes.filters.len()] };
    let filters = filters(&mut statement, &db.read(), search, &each_row);
    let order = Order::new(search.sort);
    let after = after(&mut statement, search, order) + flags(search);
    let (column, dir) = (order.column(), order.direction());
    let ordered = format!("ORDER BY {column} {dir}, r.id {dir} LIMIT {ASKED}");
    // SQLite would sort all rows instead of taking them as they come.
    let sorted = if matches!(db, Db::Postgres(_)) { order.by_key() } else { String::new() };
    let limit = search.limit + 1;
    statement.sql = format!(
        "SELECT {columns} FROM (SELECT DISTINCT id, key FROM (SELECT r.id, {column} AS key
            FROM ({rows} ORDER BY {name} {dir}, id {dir} LIMIT {ASKED}) r
            WHERE TRUE{filters}{condition} {sorted} LIMIT 2 * {limit}) twice) p
        JOIN resources r ON r.id = p.id JOIN users u ON u.id = r.owner_id
        ORDER BY p.key {dir}, p.id {dir} LIMIT {limit}",
        columns = columns(if matches!(words, Words::None) && !search.with_body { "''" } else { "r.body" }),
        rows = rows(db, viewer, search.partition, &after, &ordered),
        name = column.trim_start_matches("r."),
    );
    Some(statement)
}

/// Whether the list has no more rows than are asked.
pub async fn is_all(db: &Db, viewer: &Viewer, search: &Search) -> sqlx::Result<bool> {
    let mut statement = Statement::new(viewer);
    let after = after(&mut statement, search, Order::new(search.sort)) + flags(search);
    let partitions = search.partition.partitions(viewer).iter();
    let rows = partitions.map(|partition| format!("SELECT 1 FROM resources r WHERE {partition}{after}"));
    let rows = rows.collect::<Vec<_>>().join(" UNION ALL ");
    let sql = format!("SELECT COUNT(*) FROM (SELECT 1 FROM ({rows}) r LIMIT {ASKED}) asked");
    let count: i64 = on!(db.read(), pool => bind_all!(sqlx::query_scalar(AssertSqlSafe(sql)), statement.values).fetch_one(pool).await?);
    Ok(count < ASKED)
}

/// Flags that have an index of their own: few rows have them.
fn flags(search: &Search) -> &'static str {
    let has = |criterion| search.filters.contains(&Filter { criterion, negated: false });
    match (has(Criterion::Pinned), has(Criterion::Unread)) {
        (true, _) => " AND r.pinned",
        (false, true) => " AND r.unread",
        (false, false) => "",
    }
}

/// SQLite would list all that begins with a word that is still typed, for each row that is asked.
fn is_typed(search: &Search) -> bool {
    search.query.text.iter().flat_map(|group| &group.terms).any(|term| term.prefix)
}

/// Texts are too long to be brought along with each row.
const fn reads_texts(filter: &Filter) -> bool {
    matches!(filter.criterion, Criterion::Title(_) | Criterion::HasNotes)
}

fn is_worth_asking(filter: &Filter, size: Size) -> bool {
    matches!(filter.criterion, Criterion::Tag(_) | Criterion::Site { .. })
        && (filter.negated || size == Size::Many)
}

/// What members share is among their own and among what is shared: no row comes more than twice. PostgreSQL merges
/// partitions that are in order already, SQLite brings them into order while it merges them.
fn rows(db: &Db, viewer: &Viewer, partition: Partition, after: &str, ordered: &str) -> String {
    const COLUMNS: &str = "r.id, r.rid, r.owner_id, r.kind, r.visibility, r.pinned, r.unread, r.created_at, r.updated_at, r.title_key, r.site, r.url";
    let partitions = partition.partitions(viewer).iter().map(|partition| {
        let rows = format!("SELECT {COLUMNS} FROM resources r WHERE {partition}{after}");
        match db {
            Db::Postgres(_) => format!("SELECT * FROM ({rows} {ordered}) s"),
            Db::Sqlite { .. } => rows,
        }
    });
    partitions.collect::<Vec<_>>().join(" UNION ALL ")
}
