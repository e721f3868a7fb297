//! Opening either engine, bringing its schema up to date, and asking whether it is there.

use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt as _, ready};
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, Postgres, Sqlite};

use super::checkout::{Transactional as _, within};
use super::measure::PoolState;
use super::schema::{self, Schema};
use super::{Asked, Engine, Measured, Reader, is_disk_full, is_unavailable};

static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");
static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");

const ACQUIRE_LIMIT: Duration = Duration::from_secs(2);
/// The server's own limits come before coffer's, so that a statement which is only slow costs no connection. What a
/// node leaves open that can't say so any more ends too.
const SERVER_LIMITS: [(&str, &str); 6] = [
    ("statement_timeout", "2500ms"),
    ("lock_timeout", "2s"),
    ("idle_in_transaction_session_timeout", "30s"),
    ("tcp_keepalives_idle", "30"),
    ("tcp_keepalives_interval", "10"),
    ("tcp_user_timeout", "30s"),
];
const MIGRATION_LIMITS: &str = "SET statement_timeout = '10min'; SET lock_timeout = '10min'";
/// A connection that was idle for this long shows that it still answers before it is asked anything.
const IDLE_TRUST: Duration = Duration::from_secs(5);
const IDLE_TRY_LIMIT: Duration = Duration::from_millis(500);
/// Shorter than a statement's limit, so that SQLite itself says that another program holds the lock.
const SQLITE_BUSY_LIMIT: Duration = Duration::from_secs(2);

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
    #[error("There is no room left on the disk for {0}. Make some, then start coffer again.")]
    DiskFull(PathBuf),
    #[error("Cannot bring the database schema up to date: {0}.")]
    Migration(sqlx::migrate::MigrateError),
    #[error(
        "There is no library in {0}. Set COFFER_DATA_DIR or COFFER_DATABASE_URL to where it is; `coffer serve` and `coffer user create` make a new one."
    )]
    NoLibrary(String),
    #[error(
        "The database's schema is older than this coffer: {} to do. Make a backup, then run `coffer migrate`.", migrations(*.0)
    )]
    Behind(usize),
    #[error(
        "The database was made by a newer coffer than this one ({version}), which does not know its migration {0}. Start the version that was used last, or a later one; or restore a backup that was made before.", version = env!("CARGO_PKG_VERSION")
    )]
    Newer(i64),
    #[error(
        "The database's schema was made by another coffer than this one ({version}): they differ in migration {0}. Start the version that was used last.", version = env!("CARGO_PKG_VERSION")
    )]
    Different(i64),
    #[error("Cannot read the database's schema: {0}.")]
    Unreadable(sqlx::Error),
}

impl StartError {
    /// Whether the server is only not there yet, so that waiting may help.
    #[must_use]
    pub fn is_outage(&self) -> bool {
        matches!(self, Self::Unreachable { source, .. } | Self::Unreadable(source) if is_unavailable(source))
    }

    fn in_sqlite(path: &Path, source: sqlx::Error) -> Self {
        if is_disk_full(&source) {
            return Self::DiskFull(path.to_owned());
        }
        let (place, advice) =
            (path.display().to_string(), "The file may be damaged or not a coffer database.");
        Self::Unreachable { place, source, advice }
    }

    fn in_postgres(url: &str, source: sqlx::Error) -> Self {
        let advice = "Check that PostgreSQL runs and that COFFER_DATABASE_URL names the right host, user and database.";
        Self::Unreachable { place: without_password(url), source, advice }
    }

    fn reached(url: &str, source: sqlx::Error) -> Self {
        match url.strip_prefix("sqlite:") {
            Some(path) => Self::in_sqlite(Path::new(path.trim_start_matches("//")), source),
            None => Self::in_postgres(url, source),
        }
    }

    /// Why the schema could not be brought up to date; `reached` says what a database that can't be used means.
    fn in_migration(error: MigrateError, reached: impl FnOnce(sqlx::Error) -> Self) -> Self {
        match error {
            MigrateError::VersionMissing(version) => Self::Newer(version),
            MigrateError::Execute(source) | MigrateError::ExecuteMigration(source, _)
                if is_unavailable(&source) =>
            {
                reached(source)
            }
            error => Self::Migration(error),
        }
    }
}

/// What opening may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// Make what is missing, and bring the schema up to date.
    Create,
    /// Take what is there, and change nothing.
    Existing,
}

impl Db {
    /// Opens `postgres://…` or `sqlite:path` and brings its schema up to date.
    ///
    /// # Errors
    /// A [`StartError`] whose sentence says what to do.
    pub async fn open(url: &str, connections: u32) -> Result<Self, StartError> {
        Self::open_as(url, connections, Opening::Create).await
    }

    /// Opens it with a schema that this coffer knows, or not at all.
    ///
    /// # Errors
    /// A [`StartError`] whose sentence says what to do.
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
            (Schema::Empty, Opening::Existing) => Err(StartError::NoLibrary(without_password(url))),
            (Schema::Behind(count), Opening::Existing) => Err(StartError::Behind(count)),
        }
    }

    /// Where its schema stands.
    ///
    /// # Errors
    /// [`StartError::Unreadable`]
    pub async fn schema(&self) -> Result<Schema, StartError> {
        let known = if matches!(self, Self::Postgres(_)) { &POSTGRES } else { &SQLITE };
        schema::read(self, known).await.map_err(StartError::Unreadable)
    }

    /// Whether the address is one that can be opened.
    ///
    /// # Errors
    /// [`StartError::BadUrl`]
    pub fn check(url: &str) -> Result<(), StartError> {
        let is_known = url.starts_with("sqlite:")
            || (url.starts_with("postgres") && PgConnectOptions::from_str(url).is_ok());
        if is_known { Ok(()) } else { Err(StartError::BadUrl(without_password(url))) }
    }

    /// Opens it whatever its schema is.
    ///
    /// # Errors
    /// A [`StartError`] whose sentence says what to do.
    pub async fn connect(url: &str, connections: u32, opening: Opening) -> Result<Self, StartError> {
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Self::open_postgres(url, connections).await;
        }
        let Some(path) = url.strip_prefix("sqlite:") else {
            return Err(StartError::BadUrl(without_password(url)));
        };
        let path = Path::new(path.trim_start_matches("//"));
        if opening == Opening::Existing && !path.exists() {
            return Err(StartError::NoLibrary(path.display().to_string()));
        }
        Self::open_sqlite(path, connections).await
    }

    async fn open_postgres(url: &str, connections: u32) -> Result<Self, StartError> {
        let options = PgConnectOptions::from_str(url)
            .map_err(|_| StartError::BadUrl(without_password(url)))?
            .application_name("coffer")
            .options(SERVER_LIMITS)
            // Plans are made for the values: which index a search begins with depends on how common its words
            // are. Nothing here runs so long that compiling it would pay.
            .options([("plan_cache_mode", "force_custom_plan"), ("jit", "off")])
            // The default expects a disk with an arm, and would rather read a table along than look rows up.
            .options([("random_page_cost", "1.1")])
            .log_slow_statements(tracing::log::LevelFilter::Warn, Duration::from_secs(1));
        let state: Arc<PoolState> = Arc::default();
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(ACQUIRE_LIMIT)
            .test_before_acquire(false)
            .before_acquire({
                let state = state.clone();
                move |connection, meta| try_idle(&state, connection, meta.idle_for)
            })
            .connect_with(options)
            .await
            .map_err(|source| StartError::in_postgres(url, source))?;
        Ok(Self::Postgres(Measured::new(pool, state)))
    }

    async fn open_sqlite(path: &Path, connections: u32) -> Result<Self, StartError> {
        let lock = Arc::new(lock_file(path)?);
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            // FULL: an acknowledged write survives a power cut, not only a crash of the process.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(SQLITE_BUSY_LIMIT)
            // What is read often stays in the system's memory, not copied into ours. Each reader maps so much for
            // itself, and all of that is counted as ours: more is hardly faster and looks like a leak.
            .pragma("mmap_size", "16777216")
            .log_slow_statements(tracing::log::LevelFilter::Warn, Duration::from_secs(1));
        let unreachable = |source| StartError::in_sqlite(path, source);
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
        Ok(Self::Sqlite {
            read: Measured::new(read, Arc::default()),
            write: Measured::new(write, Arc::default()),
            lock,
        })
    }

    async fn migrate(&self) -> Result<(), MigrateError> {
        match self {
            Self::Postgres(pool) => {
                let mut checkout = pool.checkout().await?;
                // With these limits it is good for nothing else.
                checkout.throw_away();
                within(ACQUIRE_LIMIT, Postgres::run(checkout.bare()?, MIGRATION_LIMITS)).await?;
                POSTGRES.run(checkout.bare()?).await
            }
            Self::Sqlite { write, .. } => SQLITE.run(write.checkout().await?.bare()?).await,
        }
    }

    #[must_use]
    pub fn read(&self) -> Reader<'_> {
        match self {
            Self::Postgres(pool) => Engine::Postgres(Asked::new(pool, &pool.state)),
            Self::Sqlite { read, .. } => Engine::Sqlite(Asked::new(read, &read.state)),
        }
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

/// Whether an idle connection may be used: one that was idle for long, or while another fell silent, must answer first.
fn try_idle<'c>(
    state: &PoolState,
    connection: &'c mut PgConnection,
    idle: Duration,
) -> BoxFuture<'c, sqlx::Result<bool>> {
    if idle < IDLE_TRUST && !state.fell_silent_within(idle) {
        return ready(Ok(true)).boxed();
    }
    within(IDLE_TRY_LIMIT, async { connection.ping().await.map(|()| true) }).boxed()
}

/// Takes `<file>.lock`, which the system gives back when the process ends, however it ends.
fn lock_file(path: &Path) -> Result<File, StartError> {
    let lock_path = path.with_added_extension("lock");
    let not_writable = |source: std::io::Error| match source.kind() {
        ErrorKind::StorageFull => StartError::DiskFull(lock_path.clone()),
        _ => StartError::NotWritable { path: lock_path.clone(), source },
    };
    let file =
        File::options().create(true).truncate(false).write(true).open(&lock_path).map_err(not_writable)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StartError::InUse(path.to_owned())),
        Err(TryLockError::Error(source)) => Err(not_writable(source)),
    }
}

/// A number of migrations in words.
#[must_use]
pub fn migrations(count: usize) -> String {
    if count == 1 { "1 migration".to_owned() } else { format!("{count} migrations") }
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
