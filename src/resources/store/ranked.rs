//! Searches by relevance: the latest matches are read from the full-text index, ranked here, and the page of the
//! best is fetched.

use sqlx::AssertSqlSafe;

use super::criteria::{Sizes, Statement, Words, filters, words};
use super::list::columns;
use crate::db::{Db, Value, bind_all, on};
use crate::resources::listing::{Hit, Position, RANKED, Search};
use crate::resources::rank::{self, Candidate};
use crate::resources::visibility::{shelf_marks, visible};
use crate::web::viewer::Viewer;

/// So much of a text is ranked, in characters, which bounds what long ones can cost.
const READ: i64 = 4_000;

pub async fn page(db: &Db, viewer: &Viewer, search: &Search) -> sqlx::Result<Vec<Hit>> {
    let statement = statement(db, viewer, search).await?;
    let candidates: Vec<Candidate> = on!(db.read(), pool => bind_all!(sqlx::query_as(AssertSqlSafe(statement.sql)), statement.values)
        .fetch_all(pool).await?);
    let given = if let Some(Position::Rank(given)) = search.after { given } else { 0 };
    let best = rank::best_first(&candidates, &search.query.text).into_iter();
    let ids = best.skip(size(given)).take(size(search.limit + 1));
    rows(db, viewer, &ids.collect::<Vec<_>>()).await
}

/// The latest matches that the viewer may see. The marks find them; the rule on the rows has the last word.
pub async fn statement(db: &Db, viewer: &Viewer, search: &Search) -> sqlx::Result<Statement> {
    let sizes = Sizes::of(db, viewer, search).await?;
    let mut statement = Statement::new(viewer);
    let filters = filters(&mut statement, search, &sizes);
    let (from, latest, matches) = match words(&mut statement, &db.read(), search, &shelf_marks(viewer)) {
        Words::Postgres(words) => {
            ("resources r", "r.created_at DESC, r.id DESC", format!("r.search @@ {words}"))
        }
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
    statement.sql = format!(
        "SELECT r.id, r.fold_title, r.fold_tags, substr(r.fold_body, 1, CAST({read} AS integer)) AS fold_body
        FROM (SELECT r.rid FROM {from} WHERE {matches} AND r.trashed_at IS NULL{filters} ORDER BY {latest} LIMIT {RANKED}) m
            CROSS JOIN resources r WHERE r.rid = m.rid AND {visible} ORDER BY r.created_at DESC, r.id DESC"
    );
    Ok(statement)
}

/// The hits, in the order of their ids.
async fn rows(db: &Db, viewer: &Viewer, ids: &[uuid::Uuid]) -> sqlx::Result<Vec<Hit>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut statement = Statement::new(viewer);
    let places: Vec<String> = ids.iter().map(|id| statement.bind(Value::Id(*id))).collect();
    let sql = format!(
        "SELECT {} FROM resources r JOIN users u ON u.id = r.owner_id WHERE r.id IN ({}) AND {}",
        columns("r.body"),
        places.join(", "),
        visible(viewer)
    );
    let mut hits: Vec<Hit> = on!(db.read(), pool => bind_all!(sqlx::query_as(AssertSqlSafe(sql)), statement.values)
        .fetch_all(pool).await?);
    hits.sort_by_key(|hit| ids.iter().position(|id| *id == hit.resource.id));
    Ok(hits)
}

fn size(count: i64) -> usize {
    usize::try_from(count).unwrap_or(0)
}
