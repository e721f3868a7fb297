//! Compares the schema of a database with the migrations of this version.

use sqlx::migrate::Migrator;

use super::{Db, on};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schema {
    /// No migration was run.
    Empty,
    /// The number of migrations to run.
    Behind(usize),
    Current,
    /// A later version has run this migration.
    Newer(i64),
    /// The checksum of this migration differs.
    Different(i64),
}

#[derive(sqlx::FromRow)]
struct Done {
    version: i64,
    checksum: Vec<u8>,
}

pub async fn read(db: &Db, known: &Migrator) -> sqlx::Result<Schema> {
    const DONE: &str = "SELECT version, checksum FROM _sqlx_migrations ORDER BY version";
    if !is_there(db).await? {
        return Ok(Schema::Empty);
    }
    let done: Vec<Done> = on!(db.read(), pool => sqlx::query_as(DONE).fetch_all(pool).await?);
    let unknown = done.iter().find(|done| !known.version_exists(done.version));
    let other = known.iter().find(|migration| {
        done.iter().any(|done| done.version == migration.version && done.checksum != *migration.checksum)
    });
    let to_do = known.iter().filter(|known| !done.iter().any(|done| done.version == known.version)).count();
    Ok(match (unknown, other) {
        _ if done.is_empty() => Schema::Empty,
        (Some(done), _) => Schema::Newer(done.version),
        (None, Some(migration)) => Schema::Different(migration.version),
        (None, None) if to_do > 0 => Schema::Behind(to_do),
        (None, None) => Schema::Current,
    })
}

async fn is_there(db: &Db) -> sqlx::Result<bool> {
    const POSTGRES: &str = "SELECT COUNT(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = '_sqlx_migrations'";
    const SQLITE: &str =
        "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = '_sqlx_migrations'";
    let sql = if matches!(db, Db::Postgres(_)) { POSTGRES } else { SQLITE };
    let count: i64 = on!(db.read(), pool => sqlx::query_scalar(sql).fetch_one(pool).await?);
    Ok(count > 0)
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;
    use crate::db::{Opening, StartError};

    #[tokio::test]
    async fn what_is_to_do_is_counted_and_nothing_is_done() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("x.db").display());
        assert!(matches!(Db::open_as(&url, 1, Opening::Existing).await, Err(StartError::NoLibrary(_))));
        assert!(std::fs::read_dir(folder.path()).unwrap().next().is_none(), "nothing is made");
        let db = Db::connect(&url, 1, Opening::Create).await.unwrap();
        assert_eq!(db.schema().await.unwrap(), Schema::Empty);
        drop(db);
        let db = Db::open(&url, 1).await.unwrap();
        assert_eq!(db.schema().await.unwrap(), Schema::Current);
        let mut later = sqlx::migrate!("migrations/sqlite");
        let mut migrations = later.migrations.to_vec();
        for version in [7001, 7002, 7003] {
            migrations.push(sqlx::migrate::Migration { version, ..migrations[0].clone() });
        }
        later.migrations = Cow::Owned(migrations);
        assert_eq!(read(&db, &later).await.unwrap(), Schema::Behind(3));
        later.migrations.to_mut()[0].checksum = Cow::Owned(vec![1]);
        assert_eq!(read(&db, &later).await.unwrap(), Schema::Different(1));
        let first = Migrator { migrations: Cow::Owned(Vec::new()), ..Migrator::DEFAULT };
        assert_eq!(read(&db, &first).await.unwrap(), Schema::Newer(1));
        assert!(StartError::Behind(3).to_string().contains("3 migrations pending"));
        assert!(StartError::Behind(1).to_string().contains("1 migration pending"));
    }
}
