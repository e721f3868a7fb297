//! Copies the SQLite file as it is at one moment, and puts it in place.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Sqlite, SqliteConnection};

use super::archive::{Reader, Table, Writer};
use super::{Facts, sql};
use crate::db::MeteredPool;

pub const NAME: &str = "coffer.db";

/// By way of a copy beside the backup.
pub async fn write(pool: &MeteredPool<Sqlite>, archive: &mut Writer, backup: &Path) -> Result<Facts, String> {
    let copy = Scratch::beside(backup)?;
    let statement = format!("VACUUM INTO '{}'", copy.0.display().to_string().replace('\'', "''"));
    let mut connection = pool.acquire().await.map_err(|e| sql(&e))?;
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut *connection).await.map_err(|e| sql(&e))?;
    let facts = check(&copy.0).await?;
    let put = |archive: &mut Writer| {
        archive.begin(NAME)?;
        io::copy(&mut File::open(&copy.0)?, archive)
    };
    put(archive).map_err(|e| format!("Cannot write the backup: {e}."))?;
    Ok(facts)
}

/// Puts the backup's database at `path`, which nothing may have open.
pub async fn load(reader: &mut Reader, path: &Path) -> Result<(), String> {
    let part = Scratch::beside(path)?;
    let mut take = || {
        let mut file = OpenOptions::new().write(true).open(&part.0)?;
        io::copy(&mut reader.entry(NAME)?, &mut file)?;
        file.sync_all()
    };
    take().map_err(|e| format!("Cannot write {}: {e}.", part.0.display()))?;
    check(&part.0).await?;
    // SQLite would write the earlier file's log into this one.
    for end in ["-wal", "-shm"] {
        let _ = fs::remove_file(format!("{}{end}", path.display()));
    }
    fs::rename(&part.0, path).map_err(|e| format!("Cannot put {} in place: {e}.", path.display()))
}

/// SQLite checks every page, row and reference of the file.
async fn check(path: &Path) -> Result<Facts, String> {
    let options = SqliteConnectOptions::new().filename(path).read_only(true);
    let mut file = options.connect().await.map_err(|e| sql(&e))?;
    let said: String =
        sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&mut file).await.map_err(|e| sql(&e))?;
    let broken =
        sqlx::query("PRAGMA foreign_key_check").fetch_optional(&mut file).await.map_err(|e| sql(&e))?;
    if said != "ok" || broken.is_some() {
        return Err(format!("The database is damaged: SQLite reports {said:?}. Use an older backup."));
    }
    let facts = facts(&mut file).await.map_err(|e| sql(&e));
    let _ = file.close().await;
    facts
}

async fn facts(file: &mut SqliteConnection) -> sqlx::Result<Facts> {
    let names: Vec<String> = sqlx::query_scalar(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE '\\_sqlx%' ESCAPE '\\' ORDER BY name",
    )
    .fetch_all(&mut *file)
    .await?;
    let mut tables = Vec::new();
    for name in names {
        let counting = AssertSqlSafe(format!("SELECT COUNT(*) FROM \"{name}\""));
        let rows: i64 = sqlx::query_scalar(counting).fetch_one(&mut *file).await?;
        tables.push(Table { name, columns: Vec::new(), rows: rows.unsigned_abs() });
    }
    let key_id = sqlx::query_scalar("SELECT key_id FROM audit_head").fetch_one(&mut *file).await?;
    let schema =
        sqlx::query_scalar("SELECT MAX(version) FROM _sqlx_migrations").fetch_one(&mut *file).await?;
    Ok(Facts { schema, key_id, tables, sequences: Vec::new() })
}

/// An empty file that is deleted when it is dropped, unless it was renamed.
struct Scratch(PathBuf);

impl Scratch {
    fn beside(path: &Path) -> Result<Self, String> {
        let path = path.with_added_extension("part");
        let made = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path);
        made.map(|_| Self(path.clone())).map_err(|e| format!("Cannot write {}: {e}.", path.display()))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}
