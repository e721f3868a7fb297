//! Opening an SQLite file, which belongs to one process.

use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use sqlx::ConnectOptions as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use super::Db;
use super::pool::{ACQUIRE_LIMIT, MeteredPool, PoolState};
use super::start_error::StartError;

/// Shorter than a statement's limit, so that SQLite itself reports the lock of another program.
const SQLITE_BUSY_LIMIT: Duration = Duration::from_secs(2);
/// Rows that SQLite's thread reads before it waits for their reader: a page of any list.
const ROWS_AHEAD: usize = 256;

pub async fn open(path: &Path, connections: u32) -> Result<Db, StartError> {
    let lock = Some(Arc::new(LockFile::take(path)?));
    let options = SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        // FULL: an acknowledged write survives a power cut, not only a crash of the process.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(SQLITE_BUSY_LIMIT)
        .row_buffer_size(ROWS_AHEAD)
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
        .max_connections(connections.min(most_readers()))
        .acquire_timeout(ACQUIRE_LIMIT)
        .test_before_acquire(false)
        .connect_with(options.read_only(true))
        .await
        .map_err(unreachable)?;
    Ok(Db::Sqlite {
        read: MeteredPool::new(read, Arc::new(PoolState::new(true))),
        write: MeteredPool::new(write, Arc::new(PoolState::new(true))),
        lock,
    })
}

/// Each reader keeps pages of its own: those beyond two a core would only wait for each other.
fn most_readers() -> u32 {
    let cores = available_parallelism().map_or(1, usize::from);
    u32::try_from(2 * cores).unwrap_or(u32::MAX).max(4)
}

/// Opens it only to read, without the lock.
pub async fn look(path: &Path) -> Result<Db, StartError> {
    let options = SqliteConnectOptions::new().filename(path).read_only(true).busy_timeout(SQLITE_BUSY_LIMIT);
    let pool = SqlitePoolOptions::new().max_connections(1).acquire_timeout(ACQUIRE_LIMIT);
    let pool = pool.connect_with(options).await.map_err(|source| StartError::in_sqlite(path, source))?;
    let read = MeteredPool::new(pool, Arc::new(PoolState::new(true)));
    Ok(Db::Sqlite { write: read.clone(), read, lock: None })
}

/// `<file>.lock`, locked. The system unlocks it when the process ends.
#[derive(Debug)]
pub struct LockFile(#[expect(dead_code, reason = "open as long as the lock is held")] File);

impl LockFile {
    /// Fails with [`StartError::InUse`] when another coffer has it.
    pub fn take(path: &Path) -> Result<Self, StartError> {
        lock_file(path).map(Self)
    }
}

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
