//! The parameters of a list, and the page that answers them: filters, order, and where the next page begins.

use serde::{Deserialize, Serialize};
use time::{Date, Time};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::query::{self, Criterion, Filter, Query};
use super::{Kind, Resource, tag};
use crate::db::Timestamp;
use crate::error::{Code, Error, Result};
use crate::named::named;
use crate::web::cursor::CursorKey;

pub const PAGE: i64 = 50;
pub const MOST: i64 = 200;
/// A search ranks this many of its latest matches, which bounds the cost of the most common word. Older matches follow,
/// newest first.
pub const RANKED: i64 = 300;

named! {
    #[derive(Default, Serialize, Deserialize, ToSchema)]
    #[serde(rename_all = "lowercase")]
    pub enum Sort {
        #[default]
        Newest = "newest",
        Oldest = "oldest",
        Changed = "changed",
        Title = "title",
        Relevance = "relevance",
    }
}

/// The parameters as the address bar or an API client sends them; each may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct ListParams {
    /// Words, "phrases", -not, or, and filters such as tag:recipes or before:2026-01-01.
    #[param(max_length = 1000)]
    pub q: String,
    /// Only this tag and those below it.
    #[param(max_length = 200)]
    pub tag: String,
    /// `link` or `note`.
    #[param(value_type = Option<Kind>)]
    pub kind: String,
    /// `true`: only pinned ones; `false`: only others.
    #[param(value_type = Option<bool>)]
    pub pinned: String,
    /// `newest` (the default), `oldest`, `changed`, `title`; `relevance` (the default with `q`): the latest 300 ranked, then older ones.
    #[param(value_type = Option<Sort>)]
    pub sort: String,
    /// Where the page before ended, as it was given out.
    #[param(pattern = "^[A-Za-z0-9_-]*$")]
    pub cursor: String,
    /// 1 to 200; 50 when left out.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 200)]
    pub limit: String,
}

/// [`ListParams`] that passed every check.
pub struct Search {
    pub query: Query,
    pub filters: Vec<Filter>,
    pub sort: Sort,
    pub after: Option<Position>,
    pub limit: i64,
    /// Only rows with a lower `rid`.
    pub below: Option<i64>,
}

/// Where a page ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Position {
    /// In an order by time: the order, microseconds, id.
    Time(Sort, i64, Uuid),
    Title(String, Uuid),
    /// A rank is not a stable key, so this counts the results before.
    Rank(i64),
    /// Among the matches that were too old to be ranked.
    Rest(Rest),
}

/// The matches of a search that were too old to be ranked, in order of time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rest {
    pub text: Reading,
    /// Only `rid`s below this one, where the index has an order of its own.
    pub below: Option<i64>,
    pub after: Option<(i64, Uuid)>,
}

/// How a search is read, from the strictest reading to the widest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reading {
    /// Signs and addresses exactly as typed.
    Literal,
    /// The last word is complete.
    WholeWords,
    AsTyped,
}

impl ListParams {
    /// # Errors
    /// [`Error::BadQuery`] for the search, [`Error::BadCursor`], 400 `bad_parameter` for the rest.
    pub fn search(&self, cursors: &CursorKey) -> Result<Search> {
        let query = query::parse(&self.q).map_err(Error::BadQuery)?;
        let sort = self.sort(&query)?;
        let after = match self.cursor.as_str() {
            "" => None,
            text => Some(cursors.open(text)?)
                .filter(|after| fits(after, sort))
                .map_or(Err(Error::BadCursor), |a| Ok(Some(a)))?,
        };
        let mut filters = query.filters.clone();
        filters.extend(self.filters()?);
        Ok(Search { query, filters, sort, after, limit: self.limit()?, below: None })
    }

    /// The given order, or the default: by relevance if there are words to search for.
    pub fn sort(&self, query: &Query) -> Result<Sort> {
        let searching = query.is_ranked();
        match self.sort.as_str() {
            "" if searching => Ok(Sort::Relevance),
            "" => Ok(Sort::Newest),
            "relevance" if !searching => Ok(Sort::Newest),
            name => Sort::parse(name)
                .ok_or_else(|| bad("sort must be newest, oldest, changed, title or relevance")),
        }
    }

    fn filters(&self) -> Result<Vec<Filter>> {
        let (mut criteria, mut others) = (Vec::new(), None);
        if !self.tag.is_empty() {
            let name = tag::parse_one(&self.tag).map_err(|error| bad(&error.to_string()))?;
            criteria.push(Criterion::Tag(name.folded));
        }
        match self.kind.as_str() {
            "" => {}
            "link" => criteria.push(Criterion::Kind(Kind::Link)),
            "note" => criteria.push(Criterion::Kind(Kind::Note)),
            _ => return Err(bad("kind must be link or note")),
        }
        match self.pinned.as_str() {
            "" => {}
            "true" => criteria.push(Criterion::Pinned),
            "false" => others = Some(Filter { criterion: Criterion::Pinned, negated: true }),
            _ => return Err(bad("pinned must be true or false")),
        }
        let wanted = criteria.into_iter().map(|criterion| Filter { criterion, negated: false });
        Ok(wanted.chain(others).collect())
    }

    fn limit(&self) -> Result<i64> {
        match self.limit.as_str() {
            "" => Ok(PAGE),
            text => text
                .parse()
                .ok()
                .filter(|limit| (1..=MOST).contains(limit))
                .ok_or_else(|| bad("limit must be a number from 1 to 200")),
        }
    }
}

fn bad(message: &str) -> Error {
    Error::Malformed { code: Code::BadParameter, message: format!("{}.", message.trim_end_matches('.')) }
}

fn fits(after: &Position, sort: Sort) -> bool {
    match after {
        Position::Time(by, ..) => *by == sort,
        Position::Title(..) => sort == Sort::Title,
        Position::Rank(_) | Position::Rest(_) => sort == Sort::Relevance,
    }
}

/// A resource as a list shows it.
#[derive(Clone, Debug, Deserialize, Serialize, sqlx::FromRow)]
pub struct Hit {
    /// Its body is empty unless the list shows matches in it.
    #[sqlx(flatten)]
    pub resource: Resource,
    pub title_key: String,
    /// The beginning of the body as plain text.
    pub summary: String,
}

/// One page of a list.
#[derive(Debug, Default, Deserialize, Serialize)]
pub struct Listing {
    pub hits: Vec<Hit>,
    /// The cursor of the next page.
    pub next: Option<String>,
    pub highlights: Vec<super::fold::Highlight>,
    pub sort: Sort,
}

/// Hits and where the next page begins, if there is one.
#[derive(Debug, Default)]
pub struct Page {
    pub hits: Vec<Hit>,
    pub next: Option<Position>,
}

impl Page {
    /// Takes one hit more than the page holds: it tells whether there is a next page.
    pub fn from_hits(mut hits: Vec<Hit>, search: &Search) -> Self {
        let limit = usize::try_from(search.limit).unwrap_or(usize::MAX);
        let more = hits.len() > limit;
        hits.truncate(limit);
        let next = hits.last().filter(|_| more).map(|last| position_of(last, search.sort));
        Self { hits, next }
    }
}

impl Listing {
    pub fn new(page: Page, search: &Search, cursors: &CursorKey) -> Self {
        let next = page.next.map(|next| cursors.seal(&next));
        Self { hits: page.hits, next, highlights: search.query.highlights(), sort: search.sort }
    }
}

fn position_of(last: &Hit, sort: Sort) -> Position {
    let Hit { resource, title_key, .. } = last;
    match sort {
        Sort::Newest | Sort::Oldest | Sort::Relevance => {
            Position::Time(sort, resource.created_at.micros(), resource.id)
        }
        Sort::Changed => Position::Time(sort, resource.updated_at.micros(), resource.id),
        Sort::Title => Position::Title(title_key.clone(), resource.id),
    }
}

/// The beginning of a day in UTC.
pub fn midnight(date: Date) -> Timestamp {
    Timestamp::from(date.with_time(Time::MIDNIGHT).assume_utc())
}
