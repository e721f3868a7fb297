//! Opens either engine and migrates its schema.

use std::borrow::Cow;
use std::path::Path;
use std::str::FromStr as _;
use std::sync::Arc;

use clap::{ArgAction, Args};
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::PgConnectOptions;
use sqlx::{Postgres, Sqlite};

use super::checkout::{Transactional as _, within};
use super::pool::{ACQUIRE_LIMIT, MeteredPool};
use super::schema::{self, Schema};
use super::sqlite::LockFile;
use super::start_error::{StartError, without_password};
use super::{Engine, postgres, sqlite};

static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");
static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");

const MIGRATION_LIMITS: &str = "SET statement_timeout = '1h'; SET lock_timeout = '10min'";

/// The application's database; cheap to clone.
#[derive(Clone, Debug)]
pub enum Db {
    Postgres(MeteredPool<Postgres>),
    /// Many readers and one writer: writes queue in its pool and never fail with `database is locked`.
    Sqlite {
        read: MeteredPool<Sqlite>,
        write: MeteredPool<Sqlite>,
        /// `None` when it is only read.
        lock: Option<Arc<LockFile>>,
    },
}

#[expect(clippy::doc_markdown, reason = "clap prints these comments as they are")]
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Storage")]
pub struct DatabaseSettings {
    /// postgres://user:password@host/name, or sqlite:PATH. [default: sqlite:DATA_DIR/coffer.db]
    #[arg(long, env = "COFFER_DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<SecretString>,

    /// false: don't keep prepared statements beyond a transaction, for poolers such as pgbouncer that use a
    /// different connection for each transaction. PostgreSQL then parses and plans every statement again.
    #[arg(long, env = "COFFER_DATABASE_PREPARED_STATEMENTS", default_value_t = true, action = ArgAction::Set)]
    pub database_prepared_statements: bool,

    /// Database connections of this process. SQLite has at most two readers a core, and four if these are fewer. Searches have
    /// three in four of them at most.
    #[arg(long, env = "COFFER_DATABASE_CONNECTIONS", default_value_t = 10)]
    pub database_connections: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// Create the database if it is missing, and migrate its schema.
    Create,
    /// Change nothing.
    Existing,
}

impl DatabaseSettings {
    /// With what the other settings say about it.
    pub fn url(&self) -> Option<String> {
        let url = self.database_url.as_ref()?.expose_secret();
        let is_file = url.starts_with("sqlite:");
        let keeps_statements = self.database_prepared_statements || is_file;
        Some(if keeps_statements { url.to_owned() } else { postgres::without_statements(url) })
    }
}

impl Db {
    /// Opens `postgres://…` or `sqlite:path` and migrates its schema.
    pub async fn open(url: &str, connections: u32) -> Result<Self, StartError> {
        Self::open_as(url, connections, Opening::Create).await
    }

    /// Refuses a schema that this version does not know.
    pub async fn open_as(url: &str, connections: u32, opening: Opening) -> Result<Self, StartError> {
        let db = Self::connect(url, connections, opening).await?;
        match (db.schema().await?, opening) {
            (Schema::Newer(version), _) => Err(StartError::Newer(version)),
            (Schema::Different(version), _) => Err(StartError::Different(version)),
            (Schema::Current, _) => Ok(db),
            (_, Opening::Create) => {
                let migrated = db.migrate().await;
                migrated
                    .map(|()| db)
                    .map_err(|e| StartError::in_migration(e, |e| StartError::reached(url, e)))
            }
            (Schema::Empty, Opening::Existing) => Err(StartError::no_library(url)),
            (Schema::Behind(count), Opening::Existing) => Err(StartError::Behind(count)),
        }
    }

    /// Only to read, also beside a running coffer.
    pub async fn look(url: &str) -> Result<Self, StartError> {
        let Some(path) = url.strip_prefix("sqlite:") else {
            return Self::connect(url, 1, Opening::Existing).await;
        };
        let path = Path::new(path.trim_start_matches("//"));
        if !path.exists() {
            return Err(StartError::NoLibrary(path.display().to_string()));
        }
        sqlite::look(path).await
    }

    pub async fn schema(&self) -> Result<Schema, StartError> {
        let known = if matches!(self, Self::Postgres(_)) { &POSTGRES } else { &SQLITE };
        schema::read(self, known).await.map_err(StartError::Unreadable)
    }

    pub fn check(url: &str) -> Result<(), StartError> {
        let is_known = url.starts_with("sqlite:")
            || (url.starts_with("postgres") && PgConnectOptions::from_str(url).is_ok());
        if is_known { Ok(()) } else { Err(StartError::BadUrl(without_password(url))) }
    }

    /// Opens it with any schema.
    pub async fn connect(url: &str, connections: u32, opening: Opening) -> Result<Self, StartError> {
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return postgres::open(url, connections).await.map(Self::Postgres);
        }
        let Some(path) = url.strip_prefix("sqlite:") else {
            return Err(StartError::BadUrl(without_password(url)));
        };
        let path = Path::new(path.trim_start_matches("//"));
        if opening == Opening::Existing && !path.exists() {
            return Err(StartError::NoLibrary(path.display().to_string()));
        }
        sqlite::open(path, connections).await
    }

    /// Makes the schema of an empty database as it was after the migration `version`.
    pub async fn migrate_to(&self, version: i64) -> Result<(), StartError> {
        let known = if matches!(self, Self::Postgres(_)) { &POSTGRES } else { &SQLITE };
        if !known.version_exists(version) {
            return Err(StartError::Newer(version));
        }
        let wanted = known.iter().filter(|migration| migration.version <= version).cloned().collect();
        let migrator = Migrator { migrations: Cow::Owned(wanted), ..Migrator::DEFAULT };
        self.migrate_by(&migrator).await.map_err(StartError::Migration)
    }

    async fn migrate(&self) -> Result<(), MigrateError> {
        self.migrate_by(if matches!(self, Self::Postgres(_)) { &POSTGRES } else { &SQLITE }).await
    }

    async fn migrate_by(&self, migrator: &Migrator) -> Result<(), MigrateError> {
        match self {
            Self::Postgres(pool) => {
                let mut checkout = pool.checkout().await?;
                // The limits below would apply to its next user.
                checkout.throw_away();
                within(ACQUIRE_LIMIT, Postgres::run(checkout.bare()?, MIGRATION_LIMITS)).await?;
                migrator.run(checkout.bare()?).await
            }
            Self::Sqlite { write, .. } => migrator.run(write.checkout().await?.bare()?).await,
        }
    }

    pub fn read(&self) -> Engine<'_> {
        match self {
            Self::Postgres(pool) => Engine::Postgres(pool.executor()),
            Self::Sqlite { read, .. } => Engine::Sqlite(read.executor()),
        }
    }

    /// `postgres` or `sqlite`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Postgres(_) => "postgres",
            Self::Sqlite { .. } => "sqlite",
        }
    }

    pub async fn close(&self) {
        match self {
            Self::Postgres(pool) => pool.close().await,
            Self::Sqlite { read, write, .. } => {
                read.close().await;
                write.close().await;
            }
        }
    }
}
