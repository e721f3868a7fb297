//! Searches by relevance: the full-text index finds the latest matches, `rank` sorts them, and the rows of the page are
//! fetched.

use sqlx::AssertSqlSafe;

use super::criteria::Statement;
use super::latest::{Latest, Source, read_as};
use super::list::{self, columns};
use super::matches;
use super::sample::Sample;
use super::sizes::Sizes;
use crate::db::{Db, bind_all, on};
use crate::identity::Viewer;
use crate::resources::listing::{Hit, Page, Position, Reading, Rest, Search, Sort};
use crate::resources::query::Group;
use crate::resources::visibility::Partition;

/// The `rid`s of the ranked matches, best first, and the last reading if there are older matches of it.
struct Ranking {
    best: Vec<i64>,
    older: Option<Latest>,
}

/// `with_matches`: also what matches, if all is ranked.
pub async fn page(
    db: &Db,
    viewer: &Viewer,
    search: &Search,
    sample: Option<Sample>,
    with_matches: bool,
) -> sqlx::Result<Page> {
    let given = if let Some(Position::Rank(given)) = search.after { given } else { 0 };
    let sizes = Sizes::count(db, viewer, search).await?;
    let Ranking { best, older } = ranking(&Source { db, viewer, search, sizes, sample }).await?;
    let is_all = older.is_none();
    let end = given.saturating_add(search.limit);
    let next = match older {
        _ if size(end) < best.len() => Some(Position::Rank(end)),
        Some(latest) => Some(Position::Rest(latest.rest(db).await?)),
        None => None,
    };
    let rids: Vec<i64> = best.iter().copied().skip(size(given)).take(size(search.limit)).collect();
    let matches = async {
        let is_needed = with_matches && is_all && best.len() > rids.len();
        if is_needed { matches::of(db, viewer, search.partition, &best).await.map(Some) } else { Ok(None) }
    };
    let (hits, matches) = tokio::try_join!(rows(db, viewer, search.partition, &rids), matches)?;
    Ok(Page { hits, next, matches })
}

/// A page of the matches that were too old to be ranked.
pub async fn rest(db: &Db, viewer: &Viewer, search: &Search, rest: &Rest) -> sqlx::Result<Page> {
    let older = Search {
        sort: Sort::Newest,
        after: rest.after.map(|(micros, id)| Position::Time(Sort::Newest, micros, id)),
        below: rest.below,
        ..search.read_as(read_as(&search.query, rest.text))
    };
    let page = list::in_order(db, viewer, &older).await?;
    let next = page.next.and_then(|next| match next {
        Position::Time(_, micros, id) => {
            Some(Position::Rest(Rest { after: Some((micros, id)), ..rest.clone() }))
        }
        _ => None,
    });
    Ok(Page { next, ..page })
}

/// Literal matches of signs and addresses come first. Then whole words, and only if these are too few, prefixes, which
/// cost several times as much, and last of all words that contain the one still being typed.
async fn ranking(source: &Source<'_>) -> sqlx::Result<Ranking> {
    let query = &source.search.query;
    let mut ranking = Ranking { best: Vec::new(), older: None };
    if query.literally().is_some() {
        ranking.add(&query.as_typed(), source.read(Reading::Literal).await?);
    }
    if ranking.older.is_none() {
        let latest = whole_words_or_as_typed(source).await?;
        ranking.add(&read_as(query, latest.reading), latest);
    }
    if ranking.older.is_none() && query.is_wider() {
        ranking.add(&read_as(query, Reading::InParts), source.read(Reading::InParts).await?);
    }
    Ok(ranking)
}

impl Ranking {
    fn add(&mut self, text: &[Group], latest: Latest) {
        self.best.extend(latest.best_first(text));
        self.older = Some(latest).filter(|latest| latest.goes_on);
    }
}

async fn whole_words_or_as_typed(source: &Source<'_>) -> sqlx::Result<Latest> {
    let has_open_words = source.search.query.in_whole_words().is_some();
    // Of a rare search, all is found as it was typed, in whole words too.
    if source.sample.is_some_and(Sample::is_rare) {
        let as_typed = source.read(Reading::AsTyped).await?;
        if !as_typed.goes_on || !has_open_words {
            return Ok(as_typed);
        }
    }
    let mut is_found = false;
    if has_open_words {
        let whole = source.read_along_list(Reading::WholeWords).await?;
        if whole.goes_on {
            return Ok(whole);
        }
        is_found = !whole.is_empty();
    }
    // A word that some have, if too few, is no common one.
    if is_found {
        source.read(Reading::AsTyped).await
    } else {
        source.read_along_list(Reading::AsTyped).await
    }
}

async fn rows(db: &Db, viewer: &Viewer, partition: Partition, rids: &[i64]) -> sqlx::Result<Vec<Hit>> {
    if rids.is_empty() {
        return Ok(Vec::new());
    }
    let mut statement = Statement::new(viewer);
    let given = statement.bind_rids(&db.read(), rids.iter().copied());
    // The planner would begin with all that the viewer may see.
    let sql = format!(
        "SELECT {} FROM {given} CROSS JOIN resources r JOIN users u ON u.id = r.owner_id
            WHERE r.rid = given.rid AND ({}) IS TRUE ORDER BY given.place",
        columns("r.body"),
        partition.condition(viewer),
    );
    on!(db.read(), pool => bind_all!(sqlx::query_as(AssertSqlSafe(sql)), statement.values).fetch_all(pool).await)
}

fn size(count: i64) -> usize {
    usize::try_from(count).unwrap_or(0)
}
