//! Searches by relevance: the full-text index finds the latest matches, `rank` sorts them, and the rows of the page are
//! fetched.

use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::criteria::{Statement, filters};
use super::list::{self, columns};
use super::sizes::{Sizes, is_along_list};
use super::words::{Words, words};
use crate::db::{Db, Value, bind_all, on};
use crate::identity::Viewer;
use crate::resources::listing::{Hit, Page, Position, RANKED, Reading, Rest, Search, Sort};
use crate::resources::query::{Group, Query};
use crate::resources::rank::{self, Candidate};
use crate::resources::visibility::Partition;
use crate::timestamp::Timestamp;

/// So many rows of the list are asked first.
const ASKED: i64 = 1_000;
/// The part of a text that is ranked, in characters, which bounds the cost of long texts.
const READ: i64 = 4_000;

/// The `rid`s of the ranked matches, best first, and the last reading if there are older matches of it.
struct Ranking {
    best: Vec<i64>,
    older: Option<Latest>,
}

pub async fn page(db: &Db, viewer: &Viewer, search: &Search) -> sqlx::Result<Page> {
    let given = if let Some(Position::Rank(given)) = search.after { given } else { 0 };
    let Ranking { best, older } = ranking(db, viewer, search).await?;
    let end = given.saturating_add(search.limit);
    let next = match older {
        _ if size(end) < best.len() => Some(Position::Rank(end)),
        Some(latest) => Some(Position::Rest(latest.rest(db).await?)),
        None => None,
    };
    let rids: Vec<i64> = best.into_iter().skip(size(given)).take(size(search.limit)).collect();
    Ok(Page { hits: rows(db, viewer, search.partition, &rids).await?, next })
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
async fn ranking(db: &Db, viewer: &Viewer, search: &Search) -> sqlx::Result<Ranking> {
    let (query, mut best) = (&search.query, Vec::new());
    let sizes = &Sizes::count(db, viewer, search).await?;
    if query.literally().is_some() {
        let latest = Latest::read(db, viewer, search, sizes, Reading::Literal).await?;
        best = latest.best_first(&query.as_typed());
        if latest.goes_on {
            return Ok(Ranking { best, older: Some(latest) });
        }
    }
    let whole = query.in_whole_words().map(|_| Reading::WholeWords);
    let mut latest = Latest::NONE;
    for reading in whole.into_iter().chain([Reading::AsTyped]) {
        // A word that some have, if too few, is no common one.
        if latest.lines.is_empty() {
            latest = Latest::read_first_rows(db, viewer, search, sizes, reading).await?;
        }
        if !latest.goes_on {
            latest = Latest::read(db, viewer, search, sizes, reading).await?;
        }
        if latest.goes_on {
            break;
        }
    }
    best.extend(latest.best_first(&read_as(query, latest.reading)));
    if !latest.goes_on && query.is_wider() {
        latest = Latest::read(db, viewer, search, sizes, Reading::InParts).await?;
        best.extend(latest.best_first(&read_as(query, latest.reading)));
    }
    Ok(Ranking { best, older: Some(latest).filter(|latest| latest.goes_on) })
}

/// One reading of the query, without the results of a stricter one.
fn read_as(query: &Query, reading: Reading) -> Vec<Group> {
    let text = match reading {
        Reading::Literal => return query.literally().unwrap_or_default(),
        Reading::WholeWords => query.in_whole_words().unwrap_or_default(),
        Reading::AsTyped => query.as_typed(),
        Reading::InParts => query.in_parts().unwrap_or_default(),
    };
    text.into_iter().chain(query.but_literally()).collect()
}

struct Latest {
    reading: Reading,
    /// One line a match: `rid`, title, tags and text.
    lines: String,
    /// Whether there are older matches.
    goes_on: bool,
    /// The `rid` of the last match.
    last: i64,
    /// Whether the last is the oldest; otherwise it is the one with the lowest `rid`.
    is_by_date: bool,
}

impl Latest {
    const NONE: Self =
        Self { reading: Reading::AsTyped, lines: String::new(), goes_on: false, last: 0, is_by_date: true };

    async fn read(
        db: &Db,
        viewer: &Viewer,
        search: &Search,
        sizes: &Sizes,
        reading: Reading,
    ) -> sqlx::Result<Self> {
        let statement = statement(db, viewer, search, sizes, &read_as(&search.query, reading));
        Self::found_by(db, search, sizes, reading, statement).await
    }

    /// Those among the first rows of the list. PostgreSQL would collect all matches of common words, of which the first rows have
    /// enough where one index lists all that the viewer may see.
    async fn read_first_rows(
        db: &Db,
        viewer: &Viewer,
        search: &Search,
        sizes: &Sizes,
        reading: Reading,
    ) -> sqlx::Result<Self> {
        let (Db::Postgres(_), [partition]) = (db, search.partition.partitions(viewer)) else {
            return Ok(Self::NONE);
        };
        let rows = format!(
            "(SELECT * FROM resources r WHERE {partition} ORDER BY r.created_at DESC, r.id DESC LIMIT {ASKED}) r"
        );
        let text = read_as(&search.query, reading);
        let statement = statement_from(&rows, db, viewer, search, sizes, &text);
        Self::found_by(db, search, sizes, reading, statement).await
    }

    async fn found_by(
        db: &Db,
        search: &Search,
        sizes: &Sizes,
        reading: Reading,
        statement: Statement,
    ) -> sqlx::Result<Self> {
        let lines: Option<String> = on!(db.read(), pool => bind_all!(sqlx::query_scalar(AssertSqlSafe(statement.sql)).persistent(false), statement.values)
            .fetch_one(pool).await?);
        let lines = lines.unwrap_or_default();
        let is_by_date = is_by_date(db, search, sizes);
        if lines.lines().count() <= size(RANKED) {
            return Ok(Self { reading, lines, goes_on: false, last: 0, is_by_date });
        }
        let mut numbers: Vec<i64> = lines.lines().map(number_of).collect();
        if !is_by_date {
            numbers.sort_unstable_by(|one, other| other.cmp(one));
        }
        let (last, beyond) = (numbers[size(RANKED) - 1], numbers[size(RANKED)]);
        let kept = lines.lines().filter(|line| number_of(line) != beyond).collect::<Vec<_>>().join("\n");
        Ok(Self { reading, lines: kept, goes_on: true, last, is_by_date })
    }

    fn best_first(&self, text: &[Group]) -> Vec<i64> {
        rank::best_first(&candidates(&self.lines), text)
    }

    async fn rest(&self, db: &Db) -> sqlx::Result<Rest> {
        const SQL: &str = "SELECT created_at, id FROM resources WHERE rid = $1";
        let text = self.reading;
        if !self.is_by_date {
            return Ok(Rest { text, below: Some(self.last), after: None });
        }
        let last: Option<(Timestamp, Uuid)> =
            on!(db.read(), pool => sqlx::query_as(SQL).bind(self.last).fetch_optional(pool).await?);
        Ok(Rest { text, below: None, after: last.map(|(at, id)| (at.micros(), id)) })
    }
}

/// PostgreSQL finds the latest by date. SQLite finds the last inserted, unless it searches [along the list](is_along_list).
fn is_by_date(db: &Db, search: &Search, sizes: &Sizes) -> bool {
    matches!(db, Db::Postgres(_)) || is_along_list(search, sizes)
}

fn number_of(line: &str) -> i64 {
    line.split('\t').next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// Tabs and line feeds can separate folded texts, since these contain only letters, digits and spaces.
fn candidates(lines: &str) -> Vec<Candidate<'_>> {
    lines.lines().filter_map(candidate).collect()
}

fn candidate(line: &str) -> Option<Candidate<'_>> {
    let mut fields = line.split('\t');
    let rid = fields.next()?.parse().ok()?;
    Some(Candidate { rid, title: fields.next()?, tags: fields.next()?, body: fields.next()? })
}

/// The latest matches that the viewer may see, in one value, since SQLite's driver takes as long to return a row as to
/// find it. Index terms find the matches; the rule on the rows decides.
pub fn statement(db: &Db, viewer: &Viewer, search: &Search, sizes: &Sizes, text: &[Group]) -> Statement {
    statement_from("resources r", db, viewer, search, sizes, text)
}

fn statement_from(
    rows: &str,
    db: &Db,
    viewer: &Viewer,
    search: &Search,
    sizes: &Sizes,
    text: &[Group],
) -> Statement {
    let mut statement = Statement::new(viewer);
    let filters = filters(&mut statement, &db.read(), search, sizes);
    let along_list = matches!(db, Db::Sqlite { .. }) && is_along_list(search, sizes);
    // The list has its partitions.
    let terms = if along_list { Vec::new() } else { search.partition.index_terms(viewer) };
    let (from, latest, matches) = match words(&mut statement, &db.read(), search, text, &terms, sizes.words) {
        // The index `resources_latest` is for these alone.
        Words::Postgres(words) => {
            (rows.to_owned(), latest_in_postgres(text), format!("{words} AND r.rid > 0{filters}"))
        }
        Words::Fts5(words) if along_list => {
            let latest = list::latest_along_list(viewer, search, filters, &words, RANKED + 1);
            let from = format!("({latest}) l CROSS JOIN resources r ON r.id = l.id");
            (from, "r.created_at DESC, r.id DESC", "TRUE".to_owned())
        }
        Words::Fts5(words) => (
            "resources_fts f CROSS JOIN resources r ON r.rid = f.rowid".to_owned(),
            // The only order of FTS5: last inserted first.
            "f.rowid DESC",
            format!("resources_fts MATCH {words}{filters}"),
        ),
        // Unreachable: `ListParams::sort` never ranks without words.
        Words::NotFts5(_) | Words::None => ("resources r".to_owned(), "r.rid", "FALSE".to_owned()),
    };
    let (visible, read) = (search.partition.condition(viewer), statement.bind(Value::Int(READ)));
    let trashed = search.partition.trashed();
    let [tab, line] = ["\t", "\n"].map(|text| statement.bind(Value::Text(text.to_owned())));
    statement.sql = format!(
        "SELECT string_agg(CAST(r.rid AS text) || {tab} || r.fold_title || {tab} || r.fold_tags || {tab}
                || substr(r.fold_body, 1, CAST({read} AS integer)), {line} ORDER BY r.created_at DESC, r.id DESC)
        FROM (SELECT r.rid, r.id, r.owner_id, r.visibility, r.trashed_at, r.created_at, r.fold_title, r.fold_tags, r.fold_body
            FROM {from} WHERE {matches} AND {trashed} ORDER BY {latest} LIMIT {RANKED} + 1) r WHERE {visible}"
    );
    statement
}

/// PostgreSQL overestimates the matches of a phrase, and would read the whole list in its order. No index fits an
/// expression, so with one it does not.
fn latest_in_postgres(text: &[Group]) -> &'static str {
    let mut terms = text.iter().flat_map(|group| &group.terms);
    let has_phrase = terms.any(|term| term.words.len() > 1 && !term.negated);
    if has_phrase {
        "r.created_at AT TIME ZONE 'UTC' DESC, r.id DESC"
    } else {
        "r.created_at DESC, r.id DESC"
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
