//! The audit log's SQL.

use std::collections::HashMap;

use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::reader::Filter;
use crate::db::{Db, Tx, Value, bind_all, on};
use crate::timestamp::Timestamp;

const COLUMNS: &str = "seq, at, actor_id, action, target, outcome, network, request_id, previous, hash";
pub const AFTER: &str =
    "SELECT seq, at, actor_id, action, target, outcome, network, request_id, previous, hash
    FROM audit_events WHERE seq > $1 ORDER BY seq LIMIT $2";

#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Row {
    pub seq: i64,
    pub at: Timestamp,
    pub actor_id: Option<Uuid>,
    pub action: String,
    pub target: String,
    pub outcome: String,
    pub network: Option<Vec<u8>>,
    pub request_id: String,
    pub previous: Vec<u8>,
    pub hash: Vec<u8>,
}

#[derive(Debug, sqlx::FromRow)]
pub struct Head {
    pub seq: i64,
    pub hash: Vec<u8>,
}

/// Returns the last event's hash and the next number, and locks the head until the transaction ends. `None` when the
/// database belongs to another master key: an event under this one would break the chain.
pub async fn advance(tx: &mut Tx, key_id: &[u8]) -> sqlx::Result<Option<Head>> {
    const SQL: &str = "UPDATE audit_head SET seq = seq + 1 WHERE key_id = $1 RETURNING seq, hash";
    on!(tx.conn(), conn => sqlx::query_as(SQL).bind(key_id).fetch_optional(conn).await)
}

pub async fn append(tx: &mut Tx, row: &Row) -> sqlx::Result<()> {
    const EVENT: &str = "INSERT INTO audit_events
        (seq, at, actor_id, action, target, outcome, network, request_id, previous, hash)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    const HEAD: &str = "UPDATE audit_head SET hash = $1";
    on!(tx.conn(), conn => sqlx::query(EVENT).bind(row.seq).bind(row.at).bind(row.actor_id).bind(&row.action)
        .bind(&row.target).bind(&row.outcome).bind(&row.network).bind(&row.request_id).bind(&row.previous)
        .bind(&row.hash).execute(conn).await.map(drop))?;
    on!(tx.conn(), conn => sqlx::query(HEAD).bind(&row.hash).execute(conn).await.map(drop))
}

/// The last event's number and hash; 0 and empty before the first.
pub async fn head(db: &Db) -> sqlx::Result<Head> {
    const SQL: &str = "SELECT seq, hash FROM audit_head";
    on!(db.read(), pool => sqlx::query_as(SQL).fetch_one(pool).await)
}

pub async fn after(db: &Db, seq: i64, limit: i64) -> sqlx::Result<Vec<Row>> {
    on!(db.read(), pool => sqlx::query_as(AFTER).bind(seq).bind(limit).fetch_all(pool).await)
}

pub async fn key_since(db: &Db) -> sqlx::Result<Option<Timestamp>> {
    const SQL: &str = "SELECT at FROM audit_events WHERE seq = COALESCE(
        (SELECT MAX(seq) FROM audit_events WHERE action IN ('key.rotate', 'key.lost')), 1)";
    on!(db.read(), pool => sqlx::query_scalar(SQL).fetch_optional(pool).await)
}

/// The newest first.
pub async fn events(db: &Db, filter: &Filter) -> sqlx::Result<Vec<Row>> {
    let (sql, values) = statement(filter);
    on!(db.read(), pool => bind_all!(sqlx::query_as(AssertSqlSafe(sql)), values).fetch_all(pool).await)
}

/// The SQL of [`events`]. A person's events are merged from two indexes, as actor and as target.
pub fn statement(filter: &Filter) -> (String, Vec<Value>) {
    let mut values = Vec::new();
    let mut bind = |value| {
        values.push(value);
        format!("${}", values.len())
    };
    let mut conditions = String::new();
    for (column, value) in [
        ("action =", filter.action.map(|action| Value::Text(action.as_str().to_owned()))),
        ("outcome =", filter.outcome.map(|outcome| Value::Text(outcome.as_str().to_owned()))),
        ("at >=", filter.from.map(Value::At)),
        ("at <", filter.until.map(Value::At)),
        ("seq <", filter.before.map(Value::Int)),
    ] {
        if let Some(value) = value {
            conditions.extend([" AND ", column, " ", &bind(value)]);
        }
    }
    let end = format!("ORDER BY seq DESC LIMIT {}", bind(Value::Int(filter.limit)));
    let sql = match filter.person {
        None => format!("SELECT {COLUMNS} FROM audit_events WHERE TRUE{conditions} {end}"),
        Some(person) => {
            let (actor, target) = (bind(Value::Id(person)), bind(Value::Text(person.to_string())));
            let by = |who: &str| format!("SELECT {COLUMNS} FROM audit_events WHERE {who}{conditions} {end}");
            let (did, met) = (by(&format!("actor_id = {actor}")), by(&format!("target = {target}")));
            format!("SELECT {COLUMNS} FROM ({did}) did UNION SELECT {COLUMNS} FROM ({met}) met {end}")
        }
    };
    (sql, values)
}

pub async fn person(db: &Db, key: &str) -> sqlx::Result<Option<Uuid>> {
    const SQL: &str = "SELECT id FROM users WHERE username_key = $1 OR email_key = $1";
    if key.contains('\0') {
        return Ok(None);
    }
    on!(db.read(), pool => sqlx::query_scalar(SQL).bind(key).fetch_optional(pool).await)
}

/// Without those whose account is gone.
pub async fn usernames(db: &Db, mut ids: Vec<Uuid>) -> sqlx::Result<HashMap<Uuid, String>> {
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let places: Vec<_> = (1..=ids.len()).map(|n| format!("${n}")).collect();
    let sql = format!("SELECT id, username FROM users WHERE id IN ({})", places.join(", "));
    let values: Vec<_> = ids.into_iter().map(Value::Id).collect();
    let rows: Vec<(Uuid, String)> = on!(db.read(), pool => bind_all!(sqlx::query_as(AssertSqlSafe(sql)), values)
        .fetch_all(pool).await?);
    Ok(rows.into_iter().collect())
}
