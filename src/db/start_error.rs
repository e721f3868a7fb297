//! Why the database could not be opened.

use std::path::{Path, PathBuf};

use sqlx::migrate::MigrateError;

use super::{is_disk_full, is_unavailable};

/// Its message is for the operator who starts coffer.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(
        "{0} is not a database address. Use postgres://user:password@host/name or sqlite:/path/to/file.db."
    )]
    BadUrl(String),
    #[error(
        "Another coffer is running on {0}. Stop it first, or use PostgreSQL for more than one process. `coffer import --server` needs no stop."
    )]
    InUse(PathBuf),
    #[error(
        "Cannot write {path}: {source}. Make the directory writable for this user, or set COFFER_DATA_DIR."
    )]
    NotWritable { path: PathBuf, source: std::io::Error },
    #[error("Cannot open the database {place}: {source}. {advice}")]
    Unreachable { place: String, source: sqlx::Error, advice: &'static str },
    #[error("There is no space left on the disk for {0}. Free up some space, then start coffer again.")]
    DiskFull(PathBuf),
    #[error("Cannot bring the database schema up to date: {0}.")]
    Migration(sqlx::migrate::MigrateError),
    #[error(
        "There is no library in {0}. Set COFFER_DATA_DIR or COFFER_DATABASE_URL to its location. To create a new library, run `coffer serve` or `coffer user create`."
    )]
    NoLibrary(String),
    #[error(
        "The database's schema is older than this coffer: {} pending. Make a backup, then run `coffer migrate`.", migrations(*.0)
    )]
    Behind(usize),
    #[error(
        "The database was created by a newer coffer than this one ({version}), which doesn't know its migration {0}. Start the version you used last or a later one, or restore an older backup.", version = env!("CARGO_PKG_VERSION")
    )]
    Newer(i64),
    #[error(
        "The database's schema was created by a different coffer than this one ({version}): they differ in migration {0}. Start the version you used last.", version = env!("CARGO_PKG_VERSION")
    )]
    Different(i64),
    #[error("Cannot read the database's schema: {0}.")]
    Unreadable(sqlx::Error),
}

impl StartError {
    /// Whether waiting may help.
    pub fn is_outage(&self) -> bool {
        matches!(self, Self::Unreachable { source, .. } | Self::Unreadable(source) if is_unavailable(source))
    }

    pub fn no_library(url: &str) -> Self {
        Self::NoLibrary(without_password(url))
    }

    pub(super) fn in_sqlite(path: &Path, source: sqlx::Error) -> Self {
        if is_disk_full(&source) {
            return Self::DiskFull(path.to_owned());
        }
        let (place, advice) =
            (path.display().to_string(), "The file may be damaged or not a coffer database.");
        Self::Unreachable { place, source, advice }
    }

    pub(super) fn in_postgres(url: &str, source: sqlx::Error) -> Self {
        let advice = "Check that PostgreSQL is running and that COFFER_DATABASE_URL has the right host, user and database.";
        Self::Unreachable { place: without_password(url), source, advice }
    }

    pub(super) fn reached(url: &str, source: sqlx::Error) -> Self {
        match url.strip_prefix("sqlite:") {
            Some(path) => Self::in_sqlite(Path::new(path.trim_start_matches("//")), source),
            None => Self::in_postgres(url, source),
        }
    }

    /// `reached` makes the error of a database that can't be used.
    pub(super) fn in_migration(error: MigrateError, reached: impl FnOnce(sqlx::Error) -> Self) -> Self {
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

pub fn migrations(count: usize) -> String {
    if count == 1 { "1 migration".to_owned() } else { format!("{count} migrations") }
}

/// The address with its password replaced.
pub(super) fn without_password(url: &str) -> String {
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
