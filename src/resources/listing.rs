//! The parameters of a list, and the page that answers them: filters, order, and where the next page begins.

mod address;
mod params;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

pub use self::params::{Include, ListParams, State};
use super::query::{Filter, Group, Query};
use super::visibility::Partition;
use super::{Matches, Resource};
use crate::named::named;
use crate::web::cursor::CursorKey;

pub const PAGE: i64 = 50;
pub const MOST: i64 = 200;
/// Results are counted up to this many for a page.
pub const SOME: usize = 1_000;
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

/// [`ListParams`] that passed every check.
#[derive(Clone)]
pub struct Search {
    pub query: Query,
    pub filters: Vec<Filter>,
    pub sort: Sort,
    pub after: Option<Position>,
    pub limit: i64,
    /// Only rows with a lower `rid`.
    pub below: Option<i64>,
    pub partition: Partition,
    pub with_body: bool,
}

impl Search {
    /// The same for other text.
    pub fn read_as(&self, text: Vec<Group>) -> Self {
        Self { query: Query { text, ..self.query.clone() }, ..self.clone() }
    }
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
    /// The word still being typed is a part of another.
    InParts,
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

#[derive(Debug, Default, Deserialize, Serialize)]
pub struct Listing {
    /// Shared with the parts that a page was merged from.
    pub hits: Vec<Arc<Hit>>,
    /// The cursor of the next page.
    pub next: Option<String>,
    pub highlights: Vec<super::fold::Highlight>,
    pub sort: Sort,
    /// Whether the next page begins with the matches that were too old to be ranked.
    pub older_follow: bool,
    /// What matches on all pages, if that was asked for.
    pub matches: Option<Matches>,
}

/// Hits and where the next page begins, if there is one.
#[derive(Debug, Default)]
pub struct Page {
    pub hits: Vec<Hit>,
    pub next: Option<Position>,
    /// What matches on all pages, where it is known.
    pub matches: Option<Matches>,
}

impl Page {
    /// Takes one hit more than the page holds: it tells whether there is a next page.
    pub fn from_hits(mut hits: Vec<Hit>, search: &Search) -> Self {
        let limit = usize::try_from(search.limit).unwrap_or(usize::MAX);
        let more = hits.len() > limit;
        hits.truncate(limit);
        let next = hits.last().filter(|_| more).map(|last| position_of(last, search.sort));
        Self { hits, next, matches: None }
    }

    pub fn counted(self, search: &Search) -> Self {
        let is_whole = search.after.is_none() && self.next.is_none();
        let all = is_whole.then(|| Matches { count: self.hits.len(), tags: Vec::new() });
        Self { matches: all.or(self.matches), ..self }
    }
}

impl Listing {
    pub fn new(page: Page, search: &Search, cursors: &CursorKey) -> Self {
        let is_rest = |position: &Option<Position>| matches!(position, Some(Position::Rest(_)));
        let older_follow = is_rest(&page.next) && !is_rest(&search.after);
        let next = page.next.map(|next| cursors.seal(&next));
        Self {
            hits: page.hits.into_iter().map(Arc::new).collect(),
            next,
            highlights: search.query.highlights(),
            sort: search.sort,
            older_follow,
            matches: page.matches,
        }
    }

    /// Whether it has all results, as the answer to these parameters.
    pub fn is_whole(&self, params: &ListParams) -> bool {
        self.next.is_none() && params.cursor.is_empty()
    }

    /// What matches, if it has all results.
    pub fn all_of(&self, params: &ListParams) -> Option<Matches> {
        self.is_whole(params).then(|| Matches { count: self.hits.len(), tags: Vec::new() })
    }
}

pub fn position_of(last: &Hit, sort: Sort) -> Position {
    let Hit { resource, title_key, .. } = last;
    match sort {
        Sort::Newest | Sort::Oldest | Sort::Relevance => {
            Position::Time(sort, resource.created_at.micros(), resource.id)
        }
        Sort::Changed => Position::Time(sort, resource.updated_at.micros(), resource.id),
        Sort::Title => Position::Title(title_key.clone(), resource.id),
    }
}
