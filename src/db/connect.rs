//! Opening either engine, bringing its schema up to date, and asking whether it is there.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Postgres, Sqlite};

use super::{Asked, Engine, Measured, Reader, Timestamp, Tx};

static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");
static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");

const ACQUIRE_LIMIT: Duration = Duration::from_secs(2);
const STATEMENT_LIMIT: &str = "10s";

/// The application's database; cheap to clone.
#[derive(Clone, Debug)]
pub enum Db {
    Postgres(Measured<Postgres>),
    /// One writer, so that writers queue here and never meet `database is locked`; many readers.
    Sqlite {
        read: Measured<Sqlite>,
        write: Measured<Sqlite>,
        lock: Arc<File>,
    },
}

/// Why the database could not be opened, as a sentence for the person who starts the program.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(
        "{0} is not a database address. Give postgres://user:password@host/name, or sqlite:/path/to/file.db."
    )]
    BadUrl(String),
    #[error("Another coffer is running on {0}. Stop it first, or use PostgreSQL for more than one process.")]
    InUse(PathBuf),
    #[error(
        "Cannot write {path}: {source}. Make the directory writable for this user, or set COFFER_DATA_DIR."
    )]
    NotWritable { path: PathBuf, source: std::io::Error },
    #[error("Cannot open the database {place}: {source}. {advice}")]
    Unreachable { place: String, source: sqlx::Error, advice: &'static str },
    #[error("Cannot bring the database schema up to date: {0}.")]
    Migration(#[from] sqlx::migrate::MigrateError),
}

impl Db {
    /// Opens `postgres://…` or `sqlite:path` and brings its schema up to date.
    ///
    /// # Errors
    /// A [`StartError`] whose sentence says what to do.
    pub async fn open(url: &str, connections: u32) -> Result<Self, StartError> {
        let db = if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            Self::open_postgres(url, connections).await?
        } else if let Some(path) = url.strip_prefix("sqlite:") {
            Self::open_sqlite(Path::new(path.trim_start_matches("//")), connections).await?
        } else {
            return Err(StartError::BadUrl(without_password(url)));
        };
        db.migrate().await?;
        Ok(db)
    }

    async fn open_postgres(url: &str, connections: u32) -> Result<Self, StartError> {
        let options = PgConnectOptions::from_str(url)
            .map_err(|_| StartError::BadUrl(without_password(url)))?
            .application_name("coffer")
            .options([("statement_timeout", STATEMENT_LIMIT), ("lock_timeout", "5s")])
            // Plans are made for the values: which index a search begins with depends on how common its words
            // are. Nothing here runs so long that compiling it would pay.
            .options([("plan_cache_mode", "force_custom_plan"), ("jit", "off")])
            // The default expects a disk with an arm, and would rather read a table along than look rows up.
            .options([("random_page_cost", "1.1")])
            .log_slow_statements(tracing::log::LevelFilter::Warn, Duration::from_secs(1));
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(ACQUIRE_LIMIT)
            .test_before_acquire(false)
            .connect_with(options)
            .await
            .map_err(|source| StartError::Unreachable {
                place: without_password(url),
                source,
                advice: "Check that PostgreSQL runs and that COFFER_DATABASE_URL names the right host, user and database.",
            })?;
        Ok(Self::Postgres(Measured::new(pool)))
    }

    async fn open_sqlite(path: &Path, connections: u32) -> Result<Self, StartError> {
        let lock = Arc::new(lock_file(path)?);
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            // FULL: an acknowledged write survives a power cut, not only a crash of the process.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(5))
            // What is read often stays in the system's memory, not copied into ours. Each reader maps so much for
            // itself, and all of that is counted as ours: more is hardly faster and looks like a leak.
            .pragma("mmap_size", "16777216")
            .log_slow_statements(tracing::log::LevelFilter::Warn, Duration::from_secs(1));
        let unreachable = |source| StartError::Unreachable {
            place: path.display().to_string(),
            source,
            advice: "The file may be damaged or not a coffer database.",
        };
        let write = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(Duration::from_secs(5))
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(options.clone().create_if_missing(true))
            .await
            .map_err(unreachable)?;
        let read = SqlitePoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(ACQUIRE_LIMIT)
            .test_before_acquire(false)
            .connect_with(options.read_only(true))
            .await
            .map_err(unreachable)?;
        Ok(Self::Sqlite { read: Measured::new(read), write: Measured::new(write), lock })
    }

    async fn migrate(&self) -> Result<(), StartError> {
        match self {
            Self::Postgres(pool) => POSTGRES.run(&**pool).await?,
            Self::Sqlite { write, .. } => SQLITE.run(&**write).await?,
        }
        Ok(())
    }

    #[must_use]
    pub fn read(&self) -> Reader<'_> {
        match self {
            Self::Postgres(pool) => Engine::Postgres(Asked::new(pool, &pool.gauge)),
            Self::Sqlite { read, .. } => Engine::Sqlite(Asked::new(read, &read.gauge)),
        }
    }

    /// Begins a write transaction. Never call it while holding another one: pass that one down.
    pub async fn begin(&self) -> sqlx::Result<Tx> {
        // In boxes, as both are many kilobytes, which every request that might write would carry.
        match self {
            Self::Postgres(pool) => {
                let tx = pool.wait(Box::pin(pool.begin())).await?;
                Ok(Tx::Postgres(tx, pool.gauge.clone()))
            }
            Self::Sqlite { write, .. } => {
                let tx = write.wait(Box::pin(write.begin_with("BEGIN IMMEDIATE"))).await?;
                Ok(Tx::Sqlite(tx, write.gauge.clone()))
            }
        }
    }

    /// Asks the database for an answer, for `/readyz`.
    pub async fn ping(&self) -> sqlx::Result<()> {
        super::on!(self.read(), pool => sqlx::query("SELECT 1").execute(pool).await.map(drop))
    }

    /// What the server's clock says; `None` where the database has none of its own.
    pub async fn clock(&self) -> sqlx::Result<Option<Timestamp>> {
        match self {
            Self::Postgres(pool) => {
                sqlx::query_scalar("SELECT clock_timestamp()").fetch_one(pool).await.map(Some)
            }
            Self::Sqlite { .. } => Ok(None),
        }
    }

    /// Has SQLite look again at tables that have grown a lot since it last did; PostgreSQL does by itself.
    pub async fn refresh_statistics(&self) -> sqlx::Result<()> {
        // Every table, where it is worth it, from samples: 0x10000, 0x2, 0x10.
        if let Self::Sqlite { write, .. } = self {
            sqlx::query("PRAGMA optimize = 0x10012").execute(write).await?;
        }
        Ok(())
    }

    /// `postgres` or `sqlite`.
    #[must_use]
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

/// Takes `<file>.lock`, which the system gives back when the process ends, however it ends.
fn lock_file(path: &Path) -> Result<File, StartError> {
    let lock_path = path.with_added_extension("lock");
    let not_writable = |source| StartError::NotWritable { path: lock_path.clone(), source };
    let file =
        File::options().create(true).truncate(false).write(true).open(&lock_path).map_err(not_writable)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StartError::InUse(path.to_owned())),
        Err(TryLockError::Error(source)) => Err(not_writable(source)),
    }
}

/// A database address that may be shown: the password is replaced.
fn without_password(url: &str) -> String {
    url::Url::parse(url).map_or_else(
        |_| "The given address".to_owned(),
        |mut url| {
            if url.password().is_some() {
                let _ = url.set_password(Some("***"));
            }
            url.to_string()
        },
    )
}
