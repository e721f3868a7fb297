//! The latest matches of a search, which are ranked.

use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::criteria::{Statement, filters};
use super::first_rows::{flags, is_all};
use super::list;
use super::matching::{has_phrase, index_terms};
use super::sample::Sample;
use super::sizes::{Size, Sizes, is_along_list};
use super::words::{Words, words};
use crate::db::{Db, Value, bind_all, on};
use crate::identity::Viewer;
use crate::resources::listing::{RANKED, Reading, Rest, Search};
use crate::resources::query::{Criterion, Filter, Group, Query};
use crate::resources::rank::{self, Candidate};
use crate::timestamp::Timestamp;

/// So many rows of the list are asked first.
const ASKED: i64 = 1_000;
/// The part of a text that is ranked, in characters, which bounds the cost of long texts.
const READ: i64 = 4_000;

const ROWS: &str = "resources r";

/// What a statement selects of more matches than are ranked.
#[derive(Clone, Copy)]
enum Which {
    Latest,
    Any,
}

pub struct Source<'a> {
    pub db: &'a Db,
    pub viewer: &'a Viewer,
    pub search: &'a Search,
    pub sizes: Sizes,
    pub sample: Option<Sample>,
}

pub struct Latest {
    pub reading: Reading,
    /// One line a match: `rid`, title, tags and text.
    lines: String,
    /// Whether there are older matches.
    pub goes_on: bool,
    /// The `rid` of the last match.
    last: i64,
    /// Whether the last is the oldest; otherwise it is the one with the lowest `rid`.
    is_by_date: bool,
}

impl Source<'_> {
    pub async fn read(&self, reading: Reading) -> sqlx::Result<Latest> {
        let text = read_as(&self.search.query, reading);
        match (self.db, self.sample.filter(|_| has_phrase(&text))) {
            // Nothing has the matches of a phrase in order: PostgreSQL would fetch all of them to sort them.
            (Db::Postgres(_), Some(sample)) => {
                if let Some(since) = sample.since(self.db, RANKED + 1).await? {
                    let latest = self.found_by(reading, self.statement_since(since, &text)).await?;
                    if latest.goes_on {
                        return Ok(latest);
                    }
                }
            }
            // FTS5 takes half as long again for the latest first.
            (Db::Sqlite { .. }, Some(sample)) if sample.is_rare() => {
                let all = self.found_by(reading, self.statement_from(ROWS, &text, Which::Any)).await?;
                if !all.goes_on {
                    return Ok(all);
                }
            }
            _ => {}
        }
        self.found_by(reading, self.statement(&text)).await
    }

    pub async fn read_along_list(&self, reading: Reading) -> sqlx::Result<Latest> {
        match self.read_first_rows(reading).await? {
            Some(latest) => Ok(latest),
            None => self.read(reading).await,
        }
    }

    /// Those among the first rows of the list; `None` where these do not tell. PostgreSQL would collect all matches of common words,
    /// of which the first rows have enough where one index lists all that the viewer may see, and all if it lists few.
    async fn read_first_rows(&self, reading: Reading) -> sqlx::Result<Option<Latest>> {
        let Self { db, viewer, search, .. } = self;
        let (Db::Postgres(_), [partition]) = (db, search.partition.partitions(viewer)) else {
            return Ok(None);
        };
        let flags = flags(search);
        let rows = format!(
            "(SELECT * FROM resources r WHERE {partition}{flags} ORDER BY r.created_at DESC, r.id DESC LIMIT {ASKED}) r"
        );
        let statement = self.statement_from(&rows, &read_as(&search.query, reading), Which::Latest);
        let latest = self.found_by(reading, statement).await?;
        let tells = latest.goes_on || !flags.is_empty() && is_all(db, viewer, search, ASKED).await?;
        Ok(tells.then_some(latest))
    }

    async fn found_by(&self, reading: Reading, statement: Statement) -> sqlx::Result<Latest> {
        let lines: Option<String> = on!(self.db.read(), pool => bind_all!(sqlx::query_scalar(AssertSqlSafe(statement.sql)).persistent(false), statement.values)
            .fetch_one(pool).await?);
        let lines = lines.unwrap_or_default();
        // PostgreSQL finds the latest by date. SQLite finds the last inserted, unless it searches along the list.
        let is_by_date = matches!(self.db, Db::Postgres(_)) || is_along_list(self.search, &self.sizes);
        if lines.lines().count() <= size(RANKED) {
            return Ok(Latest { reading, lines, goes_on: false, last: 0, is_by_date });
        }
        let mut numbers: Vec<i64> = lines.lines().map(number_of).collect();
        if !is_by_date {
            numbers.sort_unstable_by(|one, other| other.cmp(one));
        }
        let (last, beyond) = (numbers[size(RANKED) - 1], numbers[size(RANKED)]);
        let kept = lines.lines().filter(|line| number_of(line) != beyond).collect::<Vec<_>>().join("\n");
        Ok(Latest { reading, lines: kept, goes_on: true, last, is_by_date })
    }

    /// The latest matches that the viewer may see, in one value, since SQLite's driver takes as long to return a row as to
    /// find it. Index terms find the matches; the rule on the rows decides.
    pub fn statement(&self, text: &[Group]) -> Statement {
        self.statement_from(ROWS, text, Which::Latest)
    }

    fn statement_since(&self, since: Timestamp, text: &[Group]) -> Statement {
        let Self { db, viewer, sample, .. } = *self;
        let mut search = self.search.clone();
        search.filters.push(Filter { criterion: Criterion::CreatedAfter(since), negated: false });
        let filters = [self.sizes.filters.as_slice(), &[Size::Unknown]].concat();
        let sizes = Sizes { words: self.sizes.words, filters };
        Source { db, viewer, search: &search, sizes, sample }.statement(text)
    }

    fn statement_from(&self, rows: &str, text: &[Group], which: Which) -> Statement {
        let Self { db, viewer, search, sizes, sample } = self;
        let mut statement = Statement::new(viewer);
        let filters = filters(&mut statement, &db.read(), search, sizes);
        let along_list = matches!(db, Db::Sqlite { .. }) && is_along_list(search, sizes);
        // The list has its partitions.
        let terms = if along_list { Vec::new() } else { index_terms(db, viewer, search, *sample) };
        let visible = search.partition.condition(viewer);
        let seen = if terms.is_empty() { format!(" AND ({visible}) IS TRUE") } else { String::new() };
        let (from, latest, matches) =
            match words(&mut statement, &db.read(), search, text, &terms, sizes.words) {
                // The index `resources_latest` is for these alone.
                Words::Postgres(words) => (
                    rows.to_owned(),
                    latest_in_postgres(text),
                    format!("{words} AND r.rid > 0{seen}{filters}"),
                ),
                Words::Fts5(words) if along_list => {
                    let latest = list::latest_along_list(viewer, search, filters, &words, RANKED + 1);
                    let from = format!("({latest}) l CROSS JOIN resources r ON r.id = l.id");
                    (from, "r.created_at DESC, r.id DESC", "TRUE".to_owned())
                }
                Words::Fts5(words) => (
                    "resources_fts f CROSS JOIN resources r ON r.rid = f.rowid".to_owned(),
                    // The only orders of FTS5.
                    match which {
                        Which::Latest => "f.rowid DESC",
                        Which::Any => "f.rowid",
                    },
                    format!("resources_fts MATCH {words}{filters}"),
                ),
                // Unreachable: `ListParams::sort` never ranks without words.
                Words::NotFts5(_) | Words::None => ("resources r".to_owned(), "r.rid", "FALSE".to_owned()),
            };
        let read = statement.bind(Value::Int(READ));
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
}

impl Latest {
    pub const fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    pub fn best_first(&self, text: &[Group]) -> Vec<i64> {
        rank::best_first(&candidates(&self.lines), text)
    }

    pub async fn rest(&self, db: &Db) -> sqlx::Result<Rest> {
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

/// One reading of the query, without the results of a stricter one.
pub fn read_as(query: &Query, reading: Reading) -> Vec<Group> {
    let text = match reading {
        Reading::Literal => return query.literally().unwrap_or_default(),
        Reading::WholeWords => query.in_whole_words().unwrap_or_default(),
        Reading::AsTyped => query.as_typed(),
        Reading::InParts => query.in_parts().unwrap_or_default(),
    };
    text.into_iter().chain(query.but_literally()).collect()
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

/// PostgreSQL overestimates the matches of a phrase, and would read the whole list in its order. No index fits an
/// expression, so with one it does not.
fn latest_in_postgres(text: &[Group]) -> &'static str {
    if has_phrase(text) {
        "r.created_at AT TIME ZONE 'UTC' DESC, r.id DESC"
    } else {
        "r.created_at DESC, r.id DESC"
    }
}

fn size(count: i64) -> usize {
    usize::try_from(count).unwrap_or(0)
}
