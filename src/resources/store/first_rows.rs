//! Pages of what many rows match: the first rows of the list are asked one by one. A page is soon full, without a list of
//! all matches.

use sqlx::AssertSqlSafe;

use super::criteria::{FTS5_ROWS, Statement, conditions, on_rows};
use super::list::{Order, after, columns, hits};
use super::sizes::{Size, Sizes};
use super::texts::in_texts;
use super::words::{Words, words};
use crate::db::{Db, bind_all, on};
use crate::identity::Viewer;
use crate::resources::listing::{Page, Search};
use crate::resources::query::{Criterion, Filter};
use crate::resources::visibility::Partition;

/// So many rows are asked at most.
const ASKED: i64 = 2_000;
/// So many are asked before anything is counted.
const ASKED_UNCOUNTED: i64 = 1_000;

pub struct FirstRows {
    pub statement: Statement,
    asked: i64,
}

/// `None` where it would seldom fill a page.
pub fn counted(db: &Db, viewer: &Viewer, search: &Search, sizes: &Sizes) -> Option<FirstRows> {
    if sizes.filters.contains(&Size::Few) {
        return None;
    }
    let (mut statement, engine) = (Statement::new(viewer), db.read());
    let condition = match words(&mut statement, &engine, search, &search.query.text, &[], sizes.words) {
        Words::None if on_rows(search, sizes).any(|(filter, size)| is_worth_asking(filter, size)) => {
            String::new()
        }
        Words::Fts5(words) if sizes.words == Size::Many => match in_texts(&mut statement, search) {
            Some(in_texts) => in_texts,
            // It would list all that begins with a word that is still typed, for each row.
            None if is_typed(search) => return None,
            None => format!(" AND EXISTS ({FTS5_ROWS} {words} AND rowid = r.rid)"),
        },
        Words::NotFts5(words) => in_texts(&mut statement, search)
            .unwrap_or_else(|| format!(" AND NOT EXISTS ({FTS5_ROWS} {words} AND rowid = r.rid)")),
        _ => return None,
    };
    asking(db, viewer, search, statement, &condition, ASKED)
}

/// The same for words of which nothing is known. SQLite takes longer to count them than to look into a thousand texts, and
/// PostgreSQL to collect all matches of them.
pub fn uncounted(db: &Db, viewer: &Viewer, search: &Search) -> Option<FirstRows> {
    let (mut statement, text) = (Statement::new(viewer), &search.query.text);
    let condition = match db {
        _ if text.is_empty() => None,
        Db::Sqlite { .. } => in_texts(&mut statement, search),
        Db::Postgres(_) => match words(&mut statement, &db.read(), search, text, &[], Size::Unknown) {
            Words::Postgres(words) => Some(format!(" AND {words}")),
            _ => None,
        },
    };
    asking(db, viewer, search, statement, &condition?, ASKED_UNCOUNTED)
}

/// `None` where too few of the rows match and there are more rows.
pub async fn page(db: &Db, viewer: &Viewer, search: &Search, first: FirstRows) -> sqlx::Result<Option<Page>> {
    let page = Page::from_hits(hits(db, first.statement).await?, search);
    let tells = page.next.is_some() || is_all(db, viewer, search, first.asked).await?;
    Ok(tells.then_some(page))
}

fn asking(
    db: &Db,
    viewer: &Viewer,
    search: &Search,
    mut statement: Statement,
    condition: &str,
    asked: i64,
) -> Option<FirstRows> {
    if search.filters.iter().any(reads_texts) {
        return None;
    }
    let each_row = search.filters.iter().map(|filter| (filter, Size::EachRow));
    let filters = conditions(&mut statement, &db.read(), each_row);
    let order = Order::new(search.sort);
    let after = after(&mut statement, search, order) + flags(search);
    let (column, dir) = (order.column(), order.direction());
    let ordered = format!("ORDER BY {column} {dir}, r.id {dir} LIMIT {asked}");
    let limit = search.limit + 1;
    let (sorted, first) = match db {
        Db::Postgres(_) => (format!("{} LIMIT 2 * {limit}", order.by_key()), String::new()),
        // Sorted, SQLite would bring all rows into order instead of taking them as they come.
        Db::Sqlite { .. } => (String::new(), format!("LIMIT {limit}")),
    };
    statement.sql = format!(
        "SELECT {columns} FROM (SELECT DISTINCT id, key FROM (SELECT r.id, {column} AS key
            FROM ({rows} ORDER BY {name} {dir}, id {dir} LIMIT {asked}) r
            WHERE TRUE{filters}{condition} {sorted}) twice {first}) p
        JOIN resources r ON r.id = p.id JOIN users u ON u.id = r.owner_id
        ORDER BY p.key {dir}, p.id {dir} LIMIT {limit}",
        columns = columns(if search.query.text.is_empty() && !search.with_body { "''" } else { "r.body" }),
        rows = rows(db, viewer, search.partition, &after, &ordered),
        name = column.trim_start_matches("r."),
    );
    Some(FirstRows { statement, asked })
}

/// Whether the list has fewer rows than are asked.
pub async fn is_all(db: &Db, viewer: &Viewer, search: &Search, asked: i64) -> sqlx::Result<bool> {
    let mut statement = Statement::new(viewer);
    let after = after(&mut statement, search, Order::new(search.sort)) + flags(search);
    let partitions = search.partition.partitions(viewer).iter();
    let rows = partitions.map(|partition| format!("SELECT 1 FROM resources r WHERE {partition}{after}"));
    let rows = rows.collect::<Vec<_>>().join(" UNION ALL ");
    let sql = format!("SELECT COUNT(*) FROM (SELECT 1 FROM ({rows}) r LIMIT {asked}) asked");
    let count: i64 = on!(db.read(), pool => bind_all!(sqlx::query_scalar(AssertSqlSafe(sql)), statement.values).fetch_one(pool).await?);
    Ok(count < asked)
}

/// Flags that have an index of their own: few rows have them.
pub fn flags(search: &Search) -> &'static str {
    let has = |criterion| search.filters.contains(&Filter { criterion, negated: false });
    match (has(Criterion::Pinned), has(Criterion::Unread)) {
        (true, _) => " AND r.pinned",
        (false, true) => " AND r.unread",
        (false, false) => "",
    }
}

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
    let partitions = partition.partitions(viewer).iter().map(|partition| match db {
        Db::Postgres(_) => {
            format!("SELECT * FROM (SELECT r.* FROM resources r WHERE {partition}{after} {ordered}) s")
        }
        Db::Sqlite { .. } => format!("SELECT {COLUMNS} FROM resources r WHERE {partition}{after}"),
    });
    partitions.collect::<Vec<_>>().join(" UNION ALL ")
}
