//! PostgreSQL's tables: copied out in one snapshot, and into an empty schema in one transaction.

use std::io::{Read as _, Write as _};

use futures_util::TryStreamExt as _;
use sqlx::{Connection as _, PgConnection, Postgres};

use super::archive::{Reader, Sequence, Table, Writer};
use super::{Facts, sql};
use crate::db::MeteredPool;

/// Without a time limit: the server's limits are for requests.
const SNAPSHOT: &str = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY";
const NO_LIMITS: &str = "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL lock_timeout = 0";
const COLUMNS: &str = "SELECT c.relname::text, a.attname::text FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND c.relname NOT LIKE '\\_sqlx%'
    AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' ORDER BY c.relname, a.attnum";
const SEQUENCES: &str = "SELECT c.relname::text AS \"table\", a.attname::text AS \"column\",
    pg_sequence_last_value(pg_get_serial_sequence(quote_ident(c.relname), a.attname)::regclass) AS last
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND a.attidentity <> ''";
const REFERENCES: &str = "SELECT child.relname::text, parent.relname::text FROM pg_constraint f
    JOIN pg_class child ON child.oid = f.conrelid JOIN pg_class parent ON parent.oid = f.confrelid
    WHERE f.contype = 'f' AND f.conrelid <> f.confrelid AND f.connamespace = current_schema()::regnamespace";
const PIECE: usize = 64 << 10;

/// Every table, at one moment.
pub async fn write(pool: &MeteredPool<Postgres>, archive: &mut Writer) -> Result<Facts, String> {
    let mut connection = pool.acquire().await.map_err(|e| sql(&e))?;
    let mut tx = connection.begin().await.map_err(|e| sql(&e))?;
    sqlx::raw_sql(SNAPSHOT).execute(&mut *tx).await.map_err(|e| sql(&e))?;
    sqlx::raw_sql(NO_LIMITS).execute(&mut *tx).await.map_err(|e| sql(&e))?;
    let mut facts = facts(&mut tx).await.map_err(|e| sql(&e))?;
    for table in &mut facts.tables {
        archive.begin(&entry(&table.name)).map_err(|e| unwritten(&e))?;
        let copy = format!("COPY {} TO STDOUT", target(table));
        let mut rows = tx.copy_out_raw(&copy).await.map_err(|e| sql(&e))?;
        while let Some(piece) = rows.try_next().await.map_err(|e| sql(&e))? {
            // A line break within a value is written as `\n`.
            table.rows += piece.split(|byte| *byte == b'\n').skip(1).count() as u64;
            archive.write_all(&piece).map_err(|e| unwritten(&e))?;
        }
    }
    tx.rollback().await.map_err(|e| sql(&e))?;
    Ok(facts)
}

/// The backup holds what the triggers write.
const TRIGGERS_OFF: &str =
    "ALTER TABLE resources DISABLE TRIGGER USER; ALTER TABLE tags DISABLE TRIGGER USER;
    ALTER TABLE resource_tags DISABLE TRIGGER USER";
const TRIGGERS_ON: &str = "ALTER TABLE resources ENABLE TRIGGER USER; ALTER TABLE tags ENABLE TRIGGER USER;
    ALTER TABLE resource_tags ENABLE TRIGGER USER";

/// Fills the tables of an empty library: with all of the backup, or nothing.
pub async fn load(pool: &MeteredPool<Postgres>, reader: &mut Reader) -> Result<(), String> {
    let mut connection = pool.acquire().await.map_err(|e| sql(&e))?;
    let mut tx = connection.begin().await.map_err(|e| sql(&e))?;
    sqlx::raw_sql(NO_LIMITS).execute(&mut *tx).await.map_err(|e| sql(&e))?;
    sqlx::raw_sql(
        "DELETE FROM audit_head; DELETE FROM installation; DELETE FROM outbox; DELETE FROM one_time_tokens",
    )
    .execute(&mut *tx)
    .await
    .map_err(|e| sql(&e))?;
    sqlx::raw_sql(TRIGGERS_OFF).execute(&mut *tx).await.map_err(|e| sql(&e))?;
    let references: Vec<_> = sqlx::query_as(REFERENCES).fetch_all(&mut *tx).await.map_err(|e| sql(&e))?;
    let mut tables = std::mem::take(&mut reader.manifest.tables);
    tables.sort_by_key(|table| depth(&table.name, &references));
    for table in &tables {
        let rows = fill(&mut tx, table, reader).await?;
        if rows != table.rows {
            return Err(format!("{} has {rows} rows instead of {}.", table.name, table.rows));
        }
    }
    for sequence in &reader.manifest.sequences {
        let setting = "SELECT setval(pg_get_serial_sequence(quote_ident($1), $2), $3)";
        if let Some(last) = sequence.last {
            let set = sqlx::query(setting).bind(&sequence.table).bind(&sequence.column).bind(last);
            set.execute(&mut *tx).await.map_err(|e| sql(&e))?;
        }
    }
    sqlx::raw_sql(TRIGGERS_ON).execute(&mut *tx).await.map_err(|e| sql(&e))?;
    reader.manifest.tables = tables;
    tx.commit().await.map_err(|e| sql(&e))
}

async fn fill(tx: &mut PgConnection, table: &Table, reader: &mut Reader) -> Result<u64, String> {
    let unreadable = |e: std::io::Error| format!("Cannot read the backup: {e}.");
    let mut rows = reader.entry(&entry(&table.name)).map_err(unreadable)?;
    let copy = format!("COPY {} FROM STDIN", target(table));
    let mut filling = tx.copy_in_raw(&copy).await.map_err(|e| sql(&e))?;
    let mut piece = vec![0; PIECE];
    loop {
        let count = rows.read(&mut piece).map_err(unreadable)?;
        if count == 0 {
            return filling.finish().await.map_err(|e| sql(&e));
        }
        filling.send(&piece[..count]).await.map_err(|e| sql(&e))?;
    }
}

async fn facts(tx: &mut PgConnection) -> sqlx::Result<Facts> {
    let columns: Vec<(String, String)> = sqlx::query_as(COLUMNS).fetch_all(&mut *tx).await?;
    let mut tables: Vec<Table> = Vec::new();
    for (name, column) in columns {
        match tables.last_mut().filter(|table| table.name == name) {
            Some(table) => table.columns.push(column),
            None => tables.push(Table { name, columns: vec![column], rows: 0 }),
        }
    }
    let sequences: Vec<Sequence> = sqlx::query_as(SEQUENCES).fetch_all(&mut *tx).await?;
    let key_id = sqlx::query_scalar("SELECT key_id FROM audit_head").fetch_one(&mut *tx).await?;
    let schema = sqlx::query_scalar("SELECT MAX(version) FROM _sqlx_migrations").fetch_one(&mut *tx).await?;
    Ok(Facts { schema, key_id, tables, sequences })
}

/// The longest chain of references: tables that must be filled before this one.
fn depth(table: &str, references: &[(String, String)]) -> usize {
    let parents = references.iter().filter(|(child, _)| child == table);
    parents.map(|(_, parent)| 1 + depth(parent, references)).max().unwrap_or(0)
}

fn entry(table: &str) -> String {
    format!("tables/{table}")
}

fn target(table: &Table) -> String {
    format!("\"{}\" (\"{}\")", table.name, table.columns.join("\", \""))
}

fn unwritten(error: &std::io::Error) -> String {
    format!("Cannot write the backup: {error}.")
}
