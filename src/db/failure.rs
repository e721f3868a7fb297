//! What an error means for the request, for the connection, and for a commit.

use std::time::Duration;

use sqlx::postgres::PgDatabaseError;
use sqlx::sqlite::SqliteError;

use crate::telemetry::metrics::ErrorType;

/// Temporary failures, by SQLSTATE: 08 connection, 53 resources, 57 shutdown or statement timeout, 58 system, 25006
/// read-only standby, 25P03 idle in transaction, 55P03 lock timeout, 40001 and 40P01 serialization and deadlock.
const AWAY: [&str; 9] = ["08", "53", "57", "58", "25006", "25P03", "55P03", "40001", "40P01"];
/// Those after which the connection is closed: the server stops, is damaged, or is a standby.
const SPOILED: [&str; 6] = ["08", "57P", "58", "XX", "25006", "25P03"];
/// Those that a committed transaction may report.
const AFTER_COMMIT: [&str; 3] = ["08", "57P", "40003"];

/// SQLite's result codes (<https://www.sqlite.org/rescode.html>).
mod sqlite {
    pub const BUSY: u32 = 5;
    pub const LOCKED: u32 = 6;
    pub const NOMEM: u32 = 7;
    pub const READONLY: u32 = 8;
    pub const INTERRUPT: u32 = 9;
    pub const IOERR: u32 = 10;
    pub const FULL: u32 = 13;
    pub const CANTOPEN: u32 = 14;
    pub const PROTOCOL: u32 = 15;
    pub const CONSTRAINT: u32 = 19;
    pub const AWAY: [u32; 9] = [BUSY, LOCKED, NOMEM, READONLY, INTERRUPT, IOERR, FULL, CANTOPEN, PROTOCOL];
}

/// A commit was sent, and its answer never came.
#[derive(Debug, thiserror::Error)]
#[error("it is not known whether this was saved: {0}")]
struct OutcomeUnknown(#[source] sqlx::Error);

enum Code<'a> {
    Postgres(&'a str),
    /// The primary result code.
    Sqlite(u32),
}

fn code(error: &sqlx::Error) -> Option<Code<'_>> {
    let error = error.as_database_error()?;
    if let Some(error) = error.try_downcast_ref::<PgDatabaseError>() {
        return Some(Code::Postgres(error.code()));
    }
    let error = error.try_downcast_ref::<SqliteError>()?;
    let extended: u32 = sqlx::error::DatabaseError::code(error)?.parse().ok()?;
    Some(Code::Sqlite(extended & 0xff))
}

fn begins_with_any(code: &str, beginnings: &[&str]) -> bool {
    beginnings.iter().any(|beginning| code.starts_with(beginning))
}

pub(super) fn kind(error: &sqlx::Error) -> ErrorType {
    match error {
        sqlx::Error::PoolTimedOut => ErrorType::Timeout,
        error if is_silence(error) => ErrorType::Timeout,
        error if is_unavailable(error) => ErrorType::Unavailable,
        error if is_duplicate(error) => ErrorType::Conflict,
        _ => ErrorType::Other,
    }
}

pub fn is_duplicate(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}

/// The database can't be used now; it did not refuse the statement.
pub fn is_unavailable(error: &sqlx::Error) -> bool {
    match (error, code(error)) {
        (sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed, _) => true,
        (_, Some(Code::Postgres(code))) => begins_with_any(code, &AWAY),
        (_, Some(Code::Sqlite(code))) => sqlite::AWAY.contains(&code),
        (error, None) => is_broken(error) || is_outcome_unknown(error),
    }
}

/// A commit was sent without an answer: the changes may have been made.
pub fn is_outcome_unknown(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::AnyDriverError(inner) if inner.is::<OutcomeUnknown>())
}

pub fn is_disk_full(error: &sqlx::Error) -> bool {
    matches!(code(error), Some(Code::Sqlite(sqlite::FULL)))
}

/// The connection broke, or carried another protocol, as from a load balancer that accepts and closes.
const fn is_broken(error: &sqlx::Error) -> bool {
    use sqlx::Error::{BeginFailed, InvalidSavePointStatement, Io, Protocol, Tls, WorkerCrashed};
    matches!(error, Io(_) | Tls(_) | Protocol(_) | WorkerCrashed | BeginFailed | InvalidSavePointStatement)
}

/// Whether the connection must be closed. After some errors SQLite has rolled back (FULL, IOERR, NOMEM …), after others
/// not: only a constraint error leaves a known state.
pub(super) fn spoils_connection(error: &sqlx::Error) -> bool {
    match code(error) {
        Some(Code::Postgres(code)) => begins_with_any(code, &SPOILED),
        Some(Code::Sqlite(code)) => code != sqlite::CONSTRAINT,
        None => is_broken(error),
    }
}

/// Marks the error of a commit that may have succeeded.
pub(super) fn of_commit(error: sqlx::Error) -> sqlx::Error {
    let may_be_saved = match code(&error) {
        Some(Code::Postgres(code)) => begins_with_any(code, &AFTER_COMMIT),
        // Written to the log but not yet synced, it can be there after a restart.
        Some(Code::Sqlite(code)) => code == sqlite::IOERR,
        None => is_broken(&error),
    };
    if may_be_saved { outcome_unknown(error) } else { error }
}

pub(crate) fn outcome_unknown(error: sqlx::Error) -> sqlx::Error {
    sqlx::Error::AnyDriverError(Box::new(OutcomeUnknown(error)))
}

/// The database did not answer within coffer's own limit.
pub(super) fn silence(limit: Duration) -> sqlx::Error {
    let sentence = format!("the database did not answer within {} s", limit.as_secs_f32());
    sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, sentence))
}

pub(crate) fn is_silence(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Io(error) if error.kind() == std::io::ErrorKind::TimedOut)
}
