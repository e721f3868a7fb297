//! Lists: each partition of the viewer is read along its index, and the rows are merged into one page.

use std::pin::pin;

use futures_util::future::{Either, select};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::columns::resource_columns;
use super::criteria::{FTS5_ROWS, Statement, filters};
#[cfg(feature = "test-internals")]
use super::latest::Source;
use super::matching::has_phrase;
use super::sample::Sample;
use super::sizes::{Size, Sizes};
use super::words::{Words, terms_of_filters, words};
use super::{first_rows, matches, ranked};
use crate::db::{Db, Value, bind_all, on};
use crate::identity::Viewer;
use crate::resources::listing::{Hit, Page, Position, Search, Sort};
use crate::resources::query::Group;
use crate::resources::visibility::{Partition, partitions};
use crate::timestamp::Timestamp;

pub async fn page(db: &Db, viewer: &Viewer, search: &Search) -> sqlx::Result<Page> {
    let sample = sample(db, viewer, search).await?;
    page_by(db, viewer, search, sample, false).await
}

/// A page with what matches on all pages, which is counted at the same time, as each takes a while.
pub async fn page_with_matches(db: &Db, viewer: &Viewer, search: &Search) -> sqlx::Result<Page> {
    let sample = sample(db, viewer, search).await?;
    let page = page_by(db, viewer, search, sample, true);
    let (page, matches) =
        match select(pin!(page), pin!(matches::find_unless_rare(db, viewer, search, sample))).await {
            Either::Left((page, matches)) => {
                let page = page?.counted(search);
                let matches = if page.matches.is_some() { None } else { matches.await? };
                (page, matches)
            }
            Either::Right((matches, page)) => (page.await?.counted(search), matches?),
        };
    let matches = match page.matches.or(matches) {
        Some(matches) => matches,
        None => matches::find_by(db, viewer, search, sample).await?,
    };
    Ok(Page { matches: Some(matches), ..page })
}

/// Where PostgreSQL ranks what several indexes list together, as one index tells more by its first rows; and where SQLite looks for
/// a phrase.
async fn sample(db: &Db, viewer: &Viewer, search: &Search) -> sqlx::Result<Option<Sample>> {
    let lists = search.partition.partitions(viewer).len();
    match db {
        Db::Postgres(_) if search.sort == Sort::Relevance && lists > 1 => {
            Sample::of(db, viewer, search).await
        }
        Db::Sqlite { .. } if search.sort == Sort::Relevance && has_phrase(&search.query.text) => {
            Sample::of(db, viewer, search).await
        }
        _ => Ok(None),
    }
}

async fn page_by(
    db: &Db,
    viewer: &Viewer,
    search: &Search,
    sample: Option<Sample>,
    with_matches: bool,
) -> sqlx::Result<Page> {
    if search.query.says_nothing {
        return Ok(Page::default());
    }
    match &search.after {
        Some(Position::Rest(rest)) => ranked::rest(db, viewer, search, rest).await,
        _ if search.sort == Sort::Relevance => ranked::page(db, viewer, search, sample, with_matches).await,
        _ => in_order(db, viewer, search).await,
    }
}

pub(super) async fn in_order(db: &Db, viewer: &Viewer, search: &Search) -> sqlx::Result<Page> {
    if let Some(first) = first_rows::uncounted(db, viewer, search)
        && let Some(page) = first_rows::page(db, viewer, search, first).await?
    {
        return Ok(page);
    }
    let sizes = &Sizes::count(db, viewer, search).await?;
    if let Some(first) = first_rows::counted(db, viewer, search, sizes) {
        // The filters that many meet may still leave few: what others have on a site, all of it private. That is likely for a visitor.
        let is_visitor = viewer.id().is_none();
        let mut are_few = is_visitor && Sizes::are_few_found(db, viewer, search).await?;
        if !are_few && let Some(page) = first_rows::page(db, viewer, search, first).await? {
            return Ok(page);
        }
        are_few = are_few || !is_visitor && Sizes::are_few_found(db, viewer, search).await?;
        if are_few {
            let (text, sizes) = (terms_of_filters(search), Sizes::found(search, Size::Few));
            let found =
                statement_for(db, viewer, search, &sizes, &[&search.query.text, text.as_slice()].concat());
            return Ok(Page::from_hits(hits(db, found).await?, search));
        }
    }
    let statement = statement_for(db, viewer, search, sizes, &search.query.text);
    Ok(Page::from_hits(hits(db, statement).await?, search))
}

pub(super) async fn hits(db: &Db, statement: Statement) -> sqlx::Result<Vec<Hit>> {
    let Statement { sql, values, has_one_plan } = statement;
    on!(db.read(), pool => bind_all!(sqlx::query_as(AssertSqlSafe(sql)).persistent(has_one_plan), values)
        .fetch_all(pool).await)
}

/// The cheapest statement for the page: it finds the rows of the page, or the rows to rank.
#[cfg(feature = "test-internals")]
pub async fn statement(db: &Db, viewer: &Viewer, search: &Search) -> sqlx::Result<Statement> {
    let sizes = Sizes::count(db, viewer, search).await?;
    if search.sort == Sort::Relevance {
        return Ok(Source { db, viewer, search, sizes, sample: None }.statement(&search.query.text));
    }
    Ok(statement_for(db, viewer, search, &sizes, &search.query.text))
}

fn statement_for(db: &Db, viewer: &Viewer, search: &Search, sizes: &Sizes, text: &[Group]) -> Statement {
    let mut statement = Statement::new(viewer);
    let filters = filters(&mut statement, &db.read(), search, sizes);
    // With many matches the partitions are read anyway, and index terms for them would only cost.
    let partitions = if sizes.words == Size::Few { search.partition.index_terms(viewer) } else { Vec::new() };
    let words = words(&mut statement, &db.read(), search, text, &partitions, sizes.words);
    let order = Order::new(search.sort);
    let after = after(&mut statement, search, order);
    statement.has_one_plan = search.filters.is_empty() && matches!(words, Words::None);
    // No value: a plan for any values would be one for a tenth of all rows.
    let limit = search.limit + 1;
    let scan = Scan { viewer, partition: search.partition, filters, after, order, limit };
    let found = scan.sql(&words, sizes);
    statement.sql = format!(
        "SELECT {columns} FROM (SELECT id, key FROM ({found}) a {sorted} LIMIT {limit}) p
        JOIN resources r ON r.id = p.id JOIN users u ON u.id = r.owner_id ORDER BY p.key {dir}, p.id {dir}",
        columns = columns(if search.query.text.is_empty() && !search.with_body { "''" } else { "r.body" }),
        sorted = order.by_key(),
        dir = order.direction(),
    );
    statement
}

/// A [`Hit`](crate::resources::listing::Hit) from `resources r` and its owner `users u`.
pub fn columns(body: &str) -> String {
    format!("{}, r.title_key, r.summary, {body} AS body", resource_columns!())
}

/// SQLite's latest of many matches of `words`, of which an index of the list finds those that the filters let through.
pub(super) fn latest_along_list(
    viewer: &Viewer,
    search: &Search,
    filters: String,
    words: &str,
    limit: i64,
) -> String {
    let (partition, order) = (search.partition, Order::new(Sort::Newest));
    let scan = Scan { viewer, partition, filters, after: String::new(), order, limit };
    scan.merged_partitions(&format!("IN ({FTS5_ROWS} {words})"))
}

/// Finds the ids of a page and their sort keys.
struct Scan<'a> {
    viewer: &'a Viewer,
    partition: Partition,
    filters: String,
    after: String,
    order: Order,
    limit: i64,
}

impl Scan<'_> {
    fn sql(&self, words: &Words, sizes: &Sizes) -> String {
        match words {
            Words::None => self.first_of_each_partition(""),
            Words::Postgres(words) => match sizes.words {
                Size::Few | Size::Some => self.sorted_from_words(words),
                _ => self.first_of_each_partition(&format!(" AND {words}")),
            },
            Words::Fts5(words) if sizes.words == Size::Few => self.sorted_from_fts5(words),
            Words::Fts5(words) => self.merged_partitions(&format!("IN ({FTS5_ROWS} {words})")),
            Words::NotFts5(words) => self.merged_partitions(&format!("NOT IN ({FTS5_ROWS} {words})")),
        }
    }

    fn partitions(&self, and: &str) -> impl Iterator<Item = String> {
        self.partition.partitions(self.viewer).iter().map(move |partition| {
            let Self { filters, after, order, .. } = self;
            let key = order.column();
            format!(
                "SELECT r.id, {key} AS key, r.rid FROM resources r WHERE {partition}{filters}{after}{and}"
            )
        })
    }

    /// Reads each partition along its index, up to the length of the page.
    fn first_of_each_partition(&self, and: &str) -> String {
        self.union(self.partitions(and))
    }

    /// Fetches all rows with the words. The planner can't see how few they are, and would look for them along the list.
    fn sorted_from_words(&self, words: &str) -> String {
        let and = format!(" AND {words}");
        self.union(self.partitions(&and).map(|partition| format!("SELECT * FROM ({partition} OFFSET 0) r")))
    }

    fn union(&self, partitions: impl Iterator<Item = String>) -> String {
        let (sorted, limit) = (self.order.by_key(), self.limit);
        let first =
            partitions.map(|partition| format!("SELECT * FROM ({partition} {sorted} LIMIT {limit}) s"));
        first.collect::<Vec<_>>().join(" UNION ")
    }

    /// SQLite merges the partitions row by row until it reaches the outer limit. It makes the list of matches once; inside
    /// the partitions it would make one for each. The inner limit makes it keep the order.
    fn merged_partitions(&self, rid: &str) -> String {
        let partitions = self.partitions("").collect::<Vec<_>>().join(" UNION ");
        let (sorted, limit) = (self.order.by_key(), self.limit);
        format!("SELECT id, key FROM ({partitions} {sorted} LIMIT -1) s WHERE rid {rid} LIMIT {limit}")
    }

    fn sorted_from_fts5(&self, words: &str) -> String {
        let Self { filters, after, order, limit, .. } = self;
        format!(
            "SELECT r.id, {key} AS key FROM resources_fts f CROSS JOIN resources r ON r.rid = f.rowid
                WHERE resources_fts MATCH {words} AND {visible}{filters}{after} {sorted} LIMIT {limit}",
            key = order.column(),
            visible = self.partition.condition(self.viewer),
            sorted = order.by_key(),
        )
    }
}

#[derive(Clone, Copy)]
pub(super) enum Order {
    Created { ascending: bool },
    Updated,
    Title,
}

impl Order {
    pub(super) fn new(sort: Sort) -> Self {
        match sort {
            Sort::Newest | Sort::Relevance => Self::Created { ascending: false },
            Sort::Oldest => Self::Created { ascending: true },
            Sort::Changed => Self::Updated,
            Sort::Title => Self::Title,
        }
    }

    pub(super) fn column(self) -> &'static str {
        match self {
            Self::Created { .. } => "r.created_at",
            Self::Updated => "r.updated_at",
            Self::Title => "r.title_key",
        }
    }

    pub(super) fn by_key(self) -> String {
        let dir = self.direction();
        format!("ORDER BY key {dir}, id {dir}")
    }

    pub(super) fn direction(self) -> &'static str {
        match self {
            Self::Created { ascending: true } | Self::Title => "ASC",
            _ => "DESC",
        }
    }
}

pub(super) fn after(statement: &mut Statement, search: &Search, order: Order) -> String {
    // The `+` keeps SQLite from looking rows up by `rid` instead of reading them in order.
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
    for partition in partitions(viewer) {
        let sql = format!("SELECT 1 FROM resources r WHERE {partition} LIMIT 1");
        let row: Option<(i32,)> = on!(db.read(), pool => sqlx::query_as(AssertSqlSafe(sql)).bind(owner).fetch_optional(pool).await?);
        if row.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}
