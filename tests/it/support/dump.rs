//! Everything that the database holds, to see what a request has changed and what it has not.

use std::collections::{BTreeMap, BTreeSet};

use coffer::db::Db;
use sqlx::AssertSqlSafe;
use uuid::Uuid;

/// A row by its columns: text as it is, bytes in hexadecimal, NULL as `None`.
pub type Row = BTreeMap<String, Option<String>>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dump(BTreeMap<String, BTreeSet<Row>>);

/// Tables and their columns, as the database itself names them.
pub async fn columns(db: &Db) -> BTreeMap<String, Vec<String>> {
    let named: Vec<(String, String)> = match db {
        Db::Postgres(pool) => sqlx::query_as(
            "SELECT table_name::text, column_name::text FROM information_schema.columns WHERE table_schema = 'public'",
        )
        .fetch_all(pool.executor())
        .await,
        Db::Sqlite { read, .. } => sqlx::query_as(
            "SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c
             WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' AND m.name NOT LIKE '%\\_fts%' ESCAPE '\\'",
        )
        .fetch_all(read.executor())
        .await,
    }
    .expect("the schema");
    let mut tables: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (table, column) in named.into_iter().filter(|(table, _)| !table.starts_with('_')) {
        tables.entry(table).or_default().push(column);
    }
    tables
}

impl Dump {
    pub async fn of(db: &Db) -> Self {
        let mut dump = BTreeMap::new();
        for (table, columns) in columns(db).await {
            let rows = match db {
                Db::Postgres(pool) => {
                    let sql = format!("SELECT to_jsonb(t)::text FROM {table} t");
                    sqlx::query_scalar::<_, String>(AssertSqlSafe(sql)).fetch_all(pool.executor()).await
                }
                Db::Sqlite { read, .. } => {
                    let pairs: Vec<_> = columns
                        .iter()
                        .map(|c| format!("'{c}', CASE typeof({c}) WHEN 'blob' THEN lower(hex({c})) WHEN 'null' THEN NULL ELSE CAST({c} AS TEXT) END"))
                        .collect();
                    let sql = format!("SELECT json_object({}) FROM {table}", pairs.join(", "));
                    sqlx::query_scalar::<_, String>(AssertSqlSafe(sql)).fetch_all(read.executor()).await
                }
            };
            let rows = rows.unwrap_or_else(|error| panic!("{table}: {error}"));
            dump.insert(table, rows.iter().map(|row| read(row)).collect());
        }
        Self(dump)
    }

    pub fn without(mut self, tables: &[&str]) -> Self {
        self.0.retain(|table, _| !tables.contains(&table.as_str()));
        self
    }

    pub fn rows(&self, table: &str) -> &BTreeSet<Row> {
        self.0.get(table).unwrap_or_else(|| panic!("a table {table}"))
    }

    /// The row of this id.
    pub fn row(&self, table: &str, id: &str) -> Option<&Row> {
        self.rows(table).iter().find(|row| is_id(row, "id", id))
    }

    /// The rows in which this column holds this id.
    pub fn rows_of(&self, table: &str, column: &str, id: &str) -> Vec<&Row> {
        self.rows(table).iter().filter(|row| is_id(row, column, id)).collect()
    }

    /// Nothing has come, gone or changed since `before`.
    #[track_caller]
    pub fn is(&self, before: &Self, what: &str) {
        for (table, rows) in &before.0 {
            let now = self.rows(table);
            let (gone, come): (Vec<_>, Vec<_>) =
                (rows.difference(now).collect(), now.difference(rows).collect());
            assert!(
                gone.is_empty() && come.is_empty(),
                "{what} changed {table}\nbefore: {gone:#?}\nafter: {come:#?}"
            );
        }
    }

    /// As one text, for words that must be nowhere in it.
    pub fn text(&self) -> String {
        format!("{:?}", self.0)
    }
}

fn is_id(row: &Row, column: &str, id: &str) -> bool {
    let held = row.get(column).cloned().flatten().and_then(|held| held.parse::<Uuid>().ok());
    held.is_some() && held == id.parse().ok()
}

fn read(row: &str) -> Row {
    let row: serde_json::Map<String, serde_json::Value> = serde_json::from_str(row).expect("a row");
    let text = |value| match value {
        serde_json::Value::Null => None,
        serde_json::Value::String(text) => Some(text.strip_prefix("\\x").map_or(text.clone(), str::to_owned)),
        other => Some(other.to_string()),
    };
    row.into_iter().map(|(column, value)| (column, text(value))).collect()
}
