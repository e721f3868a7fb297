//! Lists: the viewer's shelves, each read along an index, merged into one page.

use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::columns::resource_columns;
use super::criteria::{FTS5_ROWS, Size, Sizes, Statement, Words, filters, words};
use super::ranked;
use crate::db::{Db, Timestamp, Value, bind_all, on};
use crate::resources::TagCount;
use crate::resources::listing::{Page, Position, Search, Sort};
use crate::resources::visibility::{shelf_marks, shelves, visible};
use crate::web::viewer::Viewer;

pub async fn page(db: &Db, viewer: &Viewer, search: &Search) -> sqlx::Result<Page> {
    if search.query.says_nothing {
        return Ok(Page::default());
    }
    match &search.after {
        Some(Position::Rest(rest)) => ranked::rest(db, viewer, search, rest).await,
        _ if search.sort == Sort::Relevance => ranked::page(db, viewer, search).await,
        _ => in_order(db, viewer, search).await,
    }
}

/// In an order that the rows have.
pub(super) async fn in_order(db: &Db, viewer: &Viewer, search: &Search) -> sqlx::Result<Page> {
    let statement = statement(db, viewer, search).await?;
    let hits = on!(db.read(), pool => bind_all!(sqlx::query_as(AssertSqlSafe(statement.sql)), statement.values).fetch_all(pool).await?);
    Ok(Page::of(hits, search))
}

/// The statement that finds the page in the way that costs least: its rows, or what they are ranked among.
pub async fn statement(db: &Db, viewer: &Viewer, search: &Search) -> sqlx::Result<Statement> {
    if search.sort == Sort::Relevance {
        return ranked::statement(db, viewer, search, &search.query.text).await;
    }
    let sizes = &Sizes::of(db, viewer, search).await?;
    let mut statement = Statement::new(viewer);
    let filters = filters(&mut statement, &db.read(), search, sizes);
    // For a list of many matches it would cost more to look up who may see each; the shelves are read anyway.
    let shelves = if sizes.words == Size::Few { shelf_marks(viewer) } else { Vec::new() };
    let words = words(&mut statement, &db.read(), search, &search.query.text, &shelves);
    let order = Order::of(search.sort);
    let after = after(&mut statement, search, order);
    let limit = statement.bind(Value::Int(search.limit + 1));
    let scan = Scan { viewer, filters, after, order, limit: &limit };
    let found = scan.of(&words, sizes);
    statement.sql = format!(
        "SELECT {columns} FROM (SELECT id, key FROM ({found}) a {sorted} LIMIT {limit}) p
        JOIN resources r ON r.id = p.id JOIN users u ON u.id = r.owner_id ORDER BY p.key {dir}, p.id {dir}",
        columns = columns(if matches!(words, Words::None) { "''" } else { "r.body" }),
        sorted = order.by_key(),
        dir = order.direction(),
    );
    Ok(statement)
}

/// A [`Hit`](crate::resources::listing::Hit) of `resources r` and its owner `users u`.
#[must_use]
pub fn columns(body: &str) -> String {
    format!("{}, r.title_key, r.summary, {body} AS body", resource_columns!())
}

/// How the ids of a page are found, with the key they are sorted by.
struct Scan<'a> {
    viewer: &'a Viewer,
    filters: String,
    after: String,
    order: Order,
    limit: &'a str,
}

impl Scan<'_> {
    fn of(&self, words: &Words, sizes: &Sizes) -> String {
        match words {
            Words::None => self.first_of_each_shelf(""),
            Words::Postgres(words) => self.first_of_each_shelf(&format!(" AND {words}")),
            Words::Fts5(words) if sizes.words == Size::Few => self.sorted_from_fts5(words),
            Words::Fts5(words) => self.merged_shelves(&format!("IN ({FTS5_ROWS} {words})")),
            Words::NotFts5(words) => self.merged_shelves(&format!("NOT IN ({FTS5_ROWS} {words})")),
        }
    }

    fn shelves(&self, and: &str) -> impl Iterator<Item = String> {
        shelves(self.viewer).iter().map(move |shelf| {
            let Self { filters, after, order, .. } = self;
            let key = order.column();
            format!("SELECT r.id, {key} AS key, r.rid FROM resources r WHERE {shelf}{filters}{after}{and}")
        })
    }

    /// Each is read along its index, up to the page's length.
    fn first_of_each_shelf(&self, and: &str) -> String {
        let (sorted, limit) = (self.order.by_key(), self.limit);
        let shelves =
            self.shelves(and).map(|shelf| format!("SELECT * FROM ({shelf} {sorted} LIMIT {limit}) s"));
        shelves.collect::<Vec<_>>().join(" UNION ")
    }

    /// SQLite merges the shelves row by row until the outer limit ends that; it makes the list of what matches
    /// once, where conditions inside would have it made for each. The inner limit makes it keep the order.
    fn merged_shelves(&self, rid: &str) -> String {
        let shelves = self.shelves("").collect::<Vec<_>>().join(" UNION ");
        let (sorted, limit) = (self.order.by_key(), self.limit);
        format!("SELECT id, key FROM ({shelves} {sorted} LIMIT -1) s WHERE rid {rid} LIMIT {limit}")
    }

    fn sorted_from_fts5(&self, words: &str) -> String {
        let Self { filters, after, order, limit, .. } = self;
        format!(
            "SELECT r.id, {key} AS key FROM resources_fts f CROSS JOIN resources r ON r.rid = f.rowid
                WHERE resources_fts MATCH {words} AND {visible}{filters}{after} {sorted} LIMIT {limit}",
            key = order.column(),
            visible = visible(self.viewer),
            sorted = order.by_key(),
        )
    }
}

#[derive(Clone, Copy)]
enum Order {
    Created { ascending: bool },
    Updated,
    Title,
}

impl Order {
    fn of(sort: Sort) -> Self {
        match sort {
            Sort::Newest | Sort::Relevance => Self::Created { ascending: false },
            Sort::Oldest => Self::Created { ascending: true },
            Sort::Changed => Self::Updated,
            Sort::Title => Self::Title,
        }
    }

    fn column(self) -> &'static str {
        match self {
            Self::Created { .. } => "r.created_at",
            Self::Updated => "r.updated_at",
            Self::Title => "r.title_key",
        }
    }

    fn by_key(self) -> String {
        let dir = self.direction();
        format!("ORDER BY key {dir}, id {dir}")
    }

    fn direction(self) -> &'static str {
        match self {
            Self::Created { ascending: true } | Self::Title => "ASC",
            _ => "DESC",
        }
    }
}

fn after(statement: &mut Statement, search: &Search, order: Order) -> String {
    // The sign keeps the number from being looked up: it only says where what was ranked ended.
    let below = search.below.map(|rid| format!(" AND +r.rid < {}", statement.bind(Value::Int(rid))));
    let (key, id) = match &search.after {
        Some(Position::Time(_, micros, id)) => (Value::At(Timestamp::from_micros(*micros)), *id),
        Some(Position::Title(title, id)) => (Value::Text(title.clone()), *id),
        Some(Position::Rank(_) | Position::Rest(_)) | None => return below.unwrap_or_default(),
    };
    let (key, id) = (statement.bind(key), statement.bind(Value::Id(id)));
    let beyond = if order.direction() == "ASC" { ">" } else { "<" };
    format!(" AND ({}, r.id) {beyond} ({key}, {id}){}", order.column(), below.unwrap_or_default())
}

pub async fn any(db: &Db, viewer: &Viewer) -> sqlx::Result<bool> {
    let owner = viewer.id().unwrap_or(Uuid::nil());
    for shelf in shelves(viewer) {
        let sql = format!("SELECT 1 FROM resources r WHERE {shelf} LIMIT 1");
        let row: Option<(i32,)> = on!(db.read(), pool => sqlx::query_as(AssertSqlSafe(sql)).bind(owner).fetch_optional(pool).await?);
        if row.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Tags of different owners that fold to the same name count as one, under the first spelling.
pub async fn tags(db: &Db, viewer: &Viewer) -> sqlx::Result<Vec<TagCount>> {
    let owner = viewer.id().unwrap_or(Uuid::nil());
    let sql = tags_sql(viewer);
    on!(db.read(), pool => sqlx::query_as(AssertSqlSafe(sql)).bind(owner).fetch_all(pool).await)
}

/// The statement that [`tags`] runs, for `EXPLAIN`.
#[must_use]
pub fn tags_sql(viewer: &Viewer) -> String {
    format!(
        "SELECT MIN(t.name) AS name, COUNT(*) AS count FROM tags t
        JOIN resource_tags rt ON rt.tag_id = t.id JOIN resources r ON r.id = rt.resource_id
        WHERE {} GROUP BY t.folded ORDER BY t.folded",
        visible(viewer)
    )
}
