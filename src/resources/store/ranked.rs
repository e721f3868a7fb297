//! Searches by relevance: the latest matches are read from the full-text index, ranked here, and the page of the
//! best is fetched.

use sqlx::AssertSqlSafe;

use super::criteria::{Sizes, Statement, Words, filters, words};
use super::list::columns;
use crate::db::{Db, Value, bind_all, on};
use crate::resources::listing::{Hit, Position, RANKED, Search};
use crate::resources::query::Group;
use crate::resources::rank::{self, Candidate};
use crate::resources::visibility::{shelf_marks, visible};
use crate::web::viewer::Viewer;

/// So much of a text is ranked, in characters, which bounds what long ones can cost.
const READ: i64 = 4_000;

pub async fn page(db: &Db, viewer: &Viewer, search: &Search) -> sqlx::Result<Vec<Hit>> {
    let given = if let Some(Position::Rank(given)) = search.after { given } else { 0 };
    let best = best(db, viewer, search).await?.into_iter();
    let rids = best.skip(size(given)).take(size(search.limit + 1));
    rows(db, viewer, &rids.collect::<Vec<_>>()).await
}

/// Where the words as they stand fill the ranking, longer ones that begin like the last need not be looked for,
/// which costs several times as much.
async fn best(db: &Db, viewer: &Viewer, search: &Search) -> sqlx::Result<Vec<i64>> {
    if let Some(whole) = search.query.in_whole_words() {
        let latest = latest(db, viewer, search, &whole).await?;
        if latest.lines().count() == size(RANKED) {
            return Ok(rank::best_first(&candidates(&latest), &whole));
        }
    }
    let latest = latest(db, viewer, search, &search.query.text).await?;
    Ok(rank::best_first(&candidates(&latest), &search.query.text))
}

/// One line for each of the latest matches: its number, title, tags and text.
async fn latest(db: &Db, viewer: &Viewer, search: &Search, text: &[Group]) -> sqlx::Result<String> {
    let statement = statement(db, viewer, search, text).await?;
    let lines: Option<String> = on!(db.read(), pool => bind_all!(sqlx::query_scalar(AssertSqlSafe(statement.sql)), statement.values)
        .fetch_one(pool).await?);
    Ok(lines.unwrap_or_default())
}

/// Folded texts hold letters, digits and spaces, so tabs and line feeds can stand between them.
fn candidates(lines: &str) -> Vec<Candidate<'_>> {
    lines.lines().filter_map(candidate).collect()
}

fn candidate(line: &str) -> Option<Candidate<'_>> {
    let mut fields = line.split('\t');
    let rid = fields.next()?.parse().ok()?;
    Some(Candidate { rid, title: fields.next()?, tags: fields.next()?, body: fields.next()? })
}

/// The latest matches that the viewer may see, in one value: SQLite's driver takes as long to hand over a row as
/// to find it. The marks find them; the rule on the rows has the last word.
pub async fn statement(db: &Db, viewer: &Viewer, search: &Search, text: &[Group]) -> sqlx::Result<Statement> {
    let sizes = Sizes::of(db, viewer, search).await?;
    let mut statement = Statement::new(viewer);
    let filters = filters(&mut statement, search, &sizes);
    let (from, latest, matches) = match words(&mut statement, &db.read(), search, text, &shelf_marks(viewer))
    {
        Words::Postgres(words) => ("resources r", latest_in_postgres(text), format!("r.search @@ {words}")),
        Words::Fts5(words) => (
            "resources_fts f CROSS JOIN resources r ON r.rid = f.rowid",
            // The one order that FTS5 finds in: what came in last.
            "f.rowid DESC",
            format!("resources_fts MATCH {words}"),
        ),
        // Without words there is nothing to rank by; `Asked::sort` sees to that.
        Words::NotFts5(_) | Words::None => ("resources r", "r.rid", "FALSE".to_owned()),
    };
    let (visible, read) = (visible(viewer), statement.bind(Value::Int(READ)));
    let [tab, line] = ["\t", "\n"].map(|text| statement.bind(Value::Text(text.to_owned())));
    statement.sql = format!(
        "SELECT string_agg(CAST(r.rid AS text) || {tab} || r.fold_title || {tab} || r.fold_tags || {tab}
                || substr(r.fold_body, 1, CAST({read} AS integer)), {line} ORDER BY r.created_at DESC, r.id DESC)
        FROM (SELECT r.rid, r.id, r.owner_id, r.visibility, r.trashed_at, r.created_at, r.fold_title, r.fold_tags, r.fold_body
            FROM {from} WHERE {matches} AND r.trashed_at IS NULL{filters} ORDER BY {latest} LIMIT {RANKED}) r WHERE {visible}"
    );
    Ok(statement)
}

/// PostgreSQL takes a phrase to be as common as its words together, and would read the list in its order for too
/// long; for an expression there is no such list.
fn latest_in_postgres(text: &[Group]) -> &'static str {
    let mut terms = text.iter().flat_map(|group| &group.terms);
    let has_phrase = terms.any(|term| term.words.len() > 1 && !term.negated);
    if has_phrase {
        "r.created_at AT TIME ZONE 'UTC' DESC, r.id DESC"
    } else {
        "r.created_at DESC, r.id DESC"
    }
}

/// The hits, in the order of their numbers.
async fn rows(db: &Db, viewer: &Viewer, rids: &[i64]) -> sqlx::Result<Vec<Hit>> {
    if rids.is_empty() {
        return Ok(Vec::new());
    }
    let mut statement = Statement::new(viewer);
    let places: Vec<String> = rids.iter().map(|rid| statement.bind(Value::Int(*rid))).collect();
    let ranks = places.iter().zip(0..).map(|(place, rank)| format!(" WHEN {place} THEN {rank}"));
    let sql = format!(
        "SELECT {} FROM resources r JOIN users u ON u.id = r.owner_id WHERE r.rid IN ({}) AND {}
            ORDER BY CASE r.rid{} END",
        columns("r.body"),
        places.join(", "),
        visible(viewer),
        ranks.collect::<String>()
    );
    on!(db.read(), pool => bind_all!(sqlx::query_as(AssertSqlSafe(sql)), statement.values).fetch_all(pool).await)
}

fn size(count: i64) -> usize {
    usize::try_from(count).unwrap_or(0)
}
