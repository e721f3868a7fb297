//! How many entries the words and filters of a search match, where the planners can't estimate it.

use sqlx::AssertSqlSafe;

use super::criteria::{FTS5_ROWS, Statement, has_date_filter, has_path, is_found, on_site, tagged};
use super::sample::is_common;
use super::texts::matches_row;
use super::words::{Words, index_term_of, terms_of_filters, words};
use crate::db::{Db, bind_all, on};
use crate::identity::Viewer;
use crate::resources::listing::{Search, Sort};
use crate::resources::query::Criterion;

/// Up to this many matches are fetched and sorted; with more, the rows are read in the order of the list.
const FEW: i64 = 2_000;
/// Up to this many matches of words are listed, in about 3 ms. In a million entries, the first 2,000 then hold a page of more.
const SOME: i64 = 30_000;
/// Up to this many matches of many words at once are sorted in PostgreSQL.
const SORTED: i64 = 5_000;

/// How many rows match a part of the search.
#[derive(Clone, Copy, PartialEq)]
pub enum Size {
    Few,
    /// Too many to sort, few enough to list.
    Some,
    Many,
    /// Not counted, as the planner's estimate is good.
    Unknown,
    /// To be asked of one row after another.
    EachRow,
    /// Found in the index of words, so that it needs no condition.
    Found,
}

pub struct Sizes {
    /// Matches of the words and index terms together.
    pub words: Size,
    /// In the filters' order.
    pub filters: Vec<Size>,
}

impl Sizes {
    pub async fn count(db: &Db, viewer: &Viewer, search: &Search) -> sqlx::Result<Self> {
        let filters = Self::count_filters(db, search).await?;
        Ok(Self { words: Self::count_words(db, viewer, search).await?, filters })
    }

    /// With tags and sites found in the index of words.
    pub fn found(search: &Search, words: Size) -> Self {
        let size = |filter| if is_found(filter) { Size::Found } else { Size::Unknown };
        Self { words, filters: search.filters.iter().map(size).collect() }
    }

    /// Whether the index of words finds few entries that the viewer may see, by the tags and sites of a search without words.
    pub async fn are_few_found(db: &Db, viewer: &Viewer, search: &Search) -> sqlx::Result<bool> {
        let (text, terms) = (terms_of_filters(search), search.partition.index_terms(viewer));
        if text.is_empty() {
            return Ok(false);
        }
        let mut rows = Statement::default();
        rows.sql = rows_with(words(&mut rows, &db.read(), search, &text, &terms, Size::Some));
        Ok(size(db, &rows, FEW).await? == Size::Few)
    }

    async fn count_filters(db: &Db, search: &Search) -> sqlx::Result<Vec<Size>> {
        let mut filters = Vec::with_capacity(search.filters.len());
        for filter in &search.filters {
            let mut rows = Statement::default();
            rows.sql = match &filter.criterion {
                _ if index_term_of(search, filter).is_some() && !has_path(filter) => String::new(),
                Criterion::Tag(folded) if !filter.negated => tagged(&mut rows, folded),
                Criterion::Site { site, .. } if !filter.negated => on_site(&mut rows, site),
                _ => String::new(),
            };
            filters.push(size(db, &rows, FEW).await?);
        }
        Ok(filters)
    }

    /// PostgreSQL has statistics of words; but it adds them up, and takes a hundred rare words for a common one. SQLite has
    /// none; ranking needs no count where it can only begin with the words.
    pub async fn count_words(db: &Db, viewer: &Viewer, search: &Search) -> sqlx::Result<Size> {
        let query = &search.query;
        let is_needed = match db {
            Db::Postgres(_) => query.is_wider(),
            Db::Sqlite { .. } => {
                query.is_ranked() && (search.sort != Sort::Relevance || has_date_filter(search))
            }
        };
        if !is_needed {
            return Ok(Size::Unknown);
        }
        let (mut rows, terms) = (Statement::default(), search.partition.index_terms(viewer));
        let visible = words(&mut rows, &db.read(), search, &query.text, &terms, Size::Some);
        if let Words::Postgres(condition) = &visible {
            let is_common = is_common(db, condition, &rows).await?;
            rows.sql = rows_with(visible);
            return if is_common { Ok(Size::Many) } else { size(db, &rows, SORTED).await };
        }
        let mut bound = Statement::new(viewer);
        if let Some(condition) = matches_row(&mut bound, db, viewer, search)
            && is_common(db, &condition, &bound).await?
        {
            return Ok(Size::Many);
        }
        rows.sql = rows_with(visible);
        let visible = size(db, &rows, FEW).await?;
        if visible == Size::Few || search.sort == Sort::Relevance {
            return Ok(visible);
        }
        // What others have counts too: it is listed with the rest.
        let mut rows = Statement::default();
        rows.sql = rows_with(words(&mut rows, &db.read(), search, &query.text, &[], Size::Some));
        size(db, &rows, SOME).await
    }
}

/// Selects all rows with the words; empty where there are none to look for.
fn rows_with(words: Words) -> String {
    match words {
        Words::Postgres(words) => format!("SELECT r.rid FROM resources r WHERE {words}"),
        Words::Fts5(words) => format!("{FTS5_ROWS} {words}"),
        Words::NotFts5(_) | Words::None => String::new(),
    }
}

/// More than `most` are many.
async fn size(db: &Db, rows: &Statement, most: i64) -> sqlx::Result<Size> {
    if rows.sql.is_empty() {
        return Ok(Size::Unknown);
    }
    let sql = format!("SELECT COUNT(*) FROM (SELECT 1 FROM ({}) s LIMIT {most} + 1) t", rows.sql);
    let count: i64 = on!(db.read(), pool => bind_all!(sqlx::query_scalar(AssertSqlSafe(sql)).persistent(false), rows.values)
        .fetch_one(pool).await?);
    Ok(match count {
        ..=FEW => Size::Few,
        _ if count <= most => Size::Some,
        _ => Size::Many,
    })
}

/// Whether SQLite searches for words along the list: many rows match, and a date narrows the list.
pub fn is_along_list(search: &Search, sizes: &Sizes) -> bool {
    matches!(sizes.words, Size::Some | Size::Many) && has_date_filter(search)
}
