//! The SQL of changes of many entries.

pub mod entries;

use sqlx::{AssertSqlSafe, FromRow};
use uuid::Uuid;

use self::entries::{places, rows};
use super::apply::Before;
use super::steps::Outcome;
use super::{BulkChange, Progress, State};
use crate::cache::Write;
use crate::db::{Db, Engine, Tx, on};
use crate::timestamp::Timestamp;

/// Items that one transaction adds.
pub const INSERTED: usize = 1_000;

/// A change that still has something to do.
pub struct Open {
    pub id: Uuid,
    pub owner_id: Uuid,
    pub state: State,
    pub change: BulkChange,
}

#[derive(FromRow)]
struct OpenRow {
    owner_id: Uuid,
    #[sqlx(try_from = "String")]
    state: State,
    change: String,
}

/// An entry that the next step is about.
pub struct Item {
    pub resource_id: Uuid,
    pub version: Option<i64>,
    pub before: Option<Before>,
}

#[derive(FromRow)]
struct ItemRow {
    resource_id: Uuid,
    version: Option<i64>,
    before: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemState {
    Changed,
    Same,
    Refused,
    Undone,
    /// Left alone by the undo.
    Kept,
}

impl ItemState {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Same => "same",
            Self::Refused => "refused",
            Self::Undone => "undone",
            Self::Kept => "kept",
        }
    }
}

pub async fn begin(db: &Db, id: Uuid, owner: Uuid, change: &BulkChange, now: Timestamp) -> sqlx::Result<()> {
    const SQL: &str = "INSERT INTO bulk_changes (id, owner_id, state, change, created_at, stepped_at)
        VALUES ($1, $2, 'preparing', $3, $4, $4)";
    let mut tx = db.begin().await?;
    on!(tx.conn(), conn => sqlx::query(SQL).bind(id).bind(owner).bind(json(change)).bind(now)
        .execute(conn).await.map(drop))?;
    tx.commit().await
}

/// Notes a change that is carried out, for its undo.
pub async fn begin_done(
    tx: &mut Write,
    id: Uuid,
    owner: Uuid,
    change: &BulkChange,
    now: Timestamp,
) -> sqlx::Result<()> {
    const SQL: &str = "INSERT INTO bulk_changes (id, owner_id, state, change, created_at, stepped_at)
        VALUES ($1, $2, 'done', $3, $4, $4)";
    on!(tx.conn(), conn => sqlx::query(SQL).bind(id).bind(owner).bind(json(change)).bind(now)
        .execute(conn).await.map(drop))
}

/// Adds those of the resources that are the owner's.
pub async fn add_items(db: &Db, id: Uuid, owner: Uuid, resources: &[Uuid]) -> sqlx::Result<()> {
    let sql = format!(
        "INSERT INTO bulk_items (bulk_id, resource_id, state)
            SELECT $1, r.id, 'waiting' FROM resources r WHERE r.owner_id = $2 AND r.id IN ({})
            ON CONFLICT DO NOTHING",
        places(3, resources.len())
    );
    let mut tx = db.begin().await?;
    on!(tx.conn(), conn => {
        let query = sqlx::query(AssertSqlSafe(sql)).persistent(false).bind(id).bind(owner);
        resources.iter().fold(query, |query, id| query.bind(*id)).execute(conn).await.map(drop)
    })?;
    tx.commit().await
}

pub async fn set_state(db: &Db, id: Uuid, state: State, now: Timestamp) -> sqlx::Result<()> {
    let mut tx = db.begin().await?;
    set_state_in(&mut tx, id, state, now).await?;
    tx.commit().await
}

pub async fn set_state_in(tx: &mut Tx, id: Uuid, state: State, now: Timestamp) -> sqlx::Result<()> {
    const SQL: &str = "UPDATE bulk_changes SET state = $2, stepped_at = $3 WHERE id = $1";
    on!(tx.conn(), conn => sqlx::query(SQL).bind(id).bind(state.as_str()).bind(now).execute(conn).await.map(drop))
}

/// Unless it is in another state by now.
pub async fn finish(db: &Db, id: Uuid, from: State, to: State, now: Timestamp) -> sqlx::Result<()> {
    const SQL: &str = "UPDATE bulk_changes SET state = $3, stepped_at = $4 WHERE id = $1 AND state = $2";
    let mut tx = db.begin().await?;
    on!(tx.conn(), conn => sqlx::query(SQL).bind(id).bind(from.as_str()).bind(to.as_str()).bind(now)
        .execute(conn).await.map(drop))?;
    tx.commit().await
}

pub async fn find_open(db: &Db, id: Uuid) -> sqlx::Result<Option<Open>> {
    const SQL: &str = "SELECT owner_id, state, change FROM bulk_changes
        WHERE id = $1 AND state IN ('running', 'undoing')";
    let row: Option<OpenRow> =
        on!(db.read(), pool => sqlx::query_as(SQL).bind(id).fetch_optional(pool).await?);
    row.map(|OpenRow { owner_id, state, change }| Ok(Open { id, owner_id, state, change: parse(&change)? }))
        .transpose()
}

/// Changes that were not finished, and whose last step is older than this.
pub async fn abandoned(db: &Db, before: Timestamp) -> sqlx::Result<Vec<Uuid>> {
    const SQL: &str = "SELECT id FROM bulk_changes WHERE state IN ('running', 'undoing') AND stepped_at < $1";
    on!(db.read(), pool => sqlx::query_scalar(SQL).bind(before).fetch_all(pool).await)
}

pub async fn forget(db: &Db, before: Timestamp) -> sqlx::Result<()> {
    const SQL: &str = "DELETE FROM bulk_changes WHERE created_at < $1";
    let mut tx = db.begin().await?;
    on!(tx.conn(), conn => sqlx::query(SQL).bind(before).execute(conn).await.map(drop))?;
    tx.commit().await
}

pub async fn progress(db: &Db, owner: Uuid, id: Uuid) -> sqlx::Result<Option<Progress>> {
    const SQL: &str =
        "SELECT b.owner_id, b.state, b.change FROM bulk_changes b WHERE b.id = $1 AND b.owner_id = $2";
    const COUNTS: &str = "SELECT state, COUNT(*) FROM bulk_items WHERE bulk_id = $1 GROUP BY state";
    let row: Option<OpenRow> =
        on!(db.read(), pool => sqlx::query_as(SQL).bind(id).bind(owner).fetch_optional(pool).await?);
    let Some(OpenRow { state, change, .. }) = row else { return Ok(None) };
    let counts: Vec<(String, i64)> =
        on!(db.read(), pool => sqlx::query_as(COUNTS).bind(id).fetch_all(pool).await?);
    let count = |states: &[&str]| {
        counts.iter().filter(|(state, _)| states.contains(&state.as_str())).map(|(_, count)| count).sum()
    };
    let waiting = if state == State::Undoing { "changed" } else { "waiting" };
    Ok(Some(Progress {
        id,
        state,
        change: parse(&change)?,
        total: counts.iter().map(|(_, count)| count).sum(),
        waiting: count(&[waiting]),
        changed: count(&["changed", "undone"]),
        refused: count(&["refused", "kept"]),
    }))
}

/// The entries of the next step. Another node takes others.
pub async fn next_items(tx: &mut Write, open: &Open, most: usize) -> sqlx::Result<Vec<Item>> {
    const SQL: &str = "SELECT resource_id, version, before FROM bulk_items
        WHERE bulk_id = $1 AND state = $2 ORDER BY resource_id LIMIT $3";
    let state = if open.state == State::Undoing { "changed" } else { "waiting" };
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let found: Vec<ItemRow> = match tx.conn() {
        Engine::Postgres(conn) => {
            let sql = AssertSqlSafe(format!("{SQL} FOR UPDATE SKIP LOCKED"));
            sqlx::query_as(sql).bind(open.id).bind(state).bind(most).fetch_all(conn).await?
        }
        Engine::Sqlite(conn) => {
            sqlx::query_as(SQL).bind(open.id).bind(state).bind(most).fetch_all(conn).await?
        }
    };
    let item = |row: ItemRow| {
        let before = row.before.as_deref().map(parse).transpose()?;
        Ok(Item { resource_id: row.resource_id, version: row.version, before })
    };
    found.into_iter().map(item).collect()
}

/// In one statement, as each waits for its answer.
pub async fn set_items(tx: &mut Write, bulk: Uuid, outcomes: &[Outcome]) -> sqlx::Result<()> {
    let sql = format!(
        "WITH outcomes (id, state, version, before) AS (VALUES {})
            UPDATE bulk_items SET state = o.state, version = o.version, before = o.before FROM outcomes o
            WHERE bulk_items.bulk_id = $1 AND bulk_items.resource_id = o.id",
        rows(2, outcomes.len(), 4)
    );
    on!(tx.conn(), conn => {
        let query = sqlx::query(AssertSqlSafe(sql)).persistent(false).bind(bulk);
        let query = outcomes.iter().fold(query, |query, outcome| {
            let before = outcome.before.as_ref().map(json);
            query.bind(outcome.id).bind(outcome.state.as_str()).bind(outcome.version).bind(before)
        });
        query.execute(conn).await.map(drop)
    })
}

pub async fn stepped(tx: &mut Write, bulk: Uuid, now: Timestamp) -> sqlx::Result<()> {
    const SQL: &str = "UPDATE bulk_changes SET stepped_at = $2 WHERE id = $1";
    on!(tx.conn(), conn => sqlx::query(SQL).bind(bulk).bind(now).execute(conn).await.map(drop))
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

fn parse<T: serde::de::DeserializeOwned>(text: &str) -> sqlx::Result<T> {
    serde_json::from_str(text).map_err(|error| sqlx::Error::Decode(error.into()))
}
