//! What a failure means: for whoever asked, for the connection, and for what was to be written.

use std::time::Duration;

use sqlx::postgres::PgDatabaseError;
use sqlx::sqlite::SqliteError;

/// SQLSTATEs, or their beginnings, that pass by themselves or once an operator acts: 08 connection, 53 resources, 57
/// operator intervention (shutdown, statement limit), 58 the server's own I/O, 25006 a standby that takes no writes,
/// 25P03 a transaction that was idle too long, 55P03 a lock that was not had in time, 40001 and 40P01 a transaction
/// that got in another's way.
const AWAY: [&str; 9] = ["08", "53", "57", "58", "25006", "25P03", "55P03", "40001", "40P01"];
/// Those after which another connection may do better: this server goes, is damaged or is the wrong one.
const SPOILED: [&str; 6] = ["08", "57P", "58", "XX", "25006", "25P03"];
/// Those that may come after a commit was carried out.
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

/// A commit that was sent, and of whose end nothing is known.
#[derive(Debug, thiserror::Error)]
#[error("it is not known whether this was saved: {0}")]
struct OutcomeUnknown(#[source] sqlx::Error);

enum Code<'a> {
    Postgres(&'a str),
    /// The primary code, without what extends it.
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

/// Whether the error says that a unique index already holds the value.
pub fn is_duplicate(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}

/// Whether the database could not be used just now, as opposed to refusing the statement.
pub fn is_unavailable(error: &sqlx::Error) -> bool {
    match (error, code(error)) {
        (sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed, _) => true,
        (_, Some(Code::Postgres(code))) => begins_with_any(code, &AWAY),
        (_, Some(Code::Sqlite(code))) => sqlite::AWAY.contains(&code),
        (error, None) => is_broken(error) || is_outcome_unknown(error),
    }
}

/// Whether a commit was sent, and of its end nothing is known: it may have been carried out.
pub fn is_outcome_unknown(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::AnyDriverError(inner) if inner.is::<OutcomeUnknown>())
}

/// Whether SQLite found no room on the disk.
pub fn is_disk_full(error: &sqlx::Error) -> bool {
    matches!(code(error), Some(Code::Sqlite(sqlite::FULL)))
}

/// The connection broke, or what came over it made no sense, as when a balancer accepts and closes.
const fn is_broken(error: &sqlx::Error) -> bool {
    use sqlx::Error::{BeginFailed, InvalidSavePointStatement, Io, Protocol, Tls, WorkerCrashed};
    matches!(error, Io(_) | Tls(_) | Protocol(_) | WorkerCrashed | BeginFailed | InvalidSavePointStatement)
}

/// Whether the connection is not to be used again. SQLite ends the transaction by itself after some errors (FULL, IOERR,
/// NOMEM …) and not after others: only after a broken constraint it is known where it stands.
pub(super) fn spoils_connection(error: &sqlx::Error) -> bool {
    match code(error) {
        Some(Code::Postgres(code)) => begins_with_any(code, &SPOILED),
        Some(Code::Sqlite(code)) => code != sqlite::CONSTRAINT,
        None => is_broken(error),
    }
}

/// The error of a commit. It says so when the commit may have been carried out all the same.
pub(super) fn of_commit(error: sqlx::Error) -> sqlx::Error {
    let may_be_saved = match code(&error) {
        Some(Code::Postgres(code)) => begins_with_any(code, &AFTER_COMMIT),
        // What was written into the log but not yet synced can be there after a restart.
        Some(Code::Sqlite(code)) => code == sqlite::IOERR,
        None => is_broken(&error),
    };
    if may_be_saved { outcome_unknown(error) } else { error }
}

/// Of a commit that nothing was heard of.
pub(crate) fn outcome_unknown(error: sqlx::Error) -> sqlx::Error {
    sqlx::Error::AnyDriverError(Box::new(OutcomeUnknown(error)))
}

/// No answer within the limit on coffer's side.
pub(super) fn silence(limit: Duration) -> sqlx::Error {
    let sentence = format!("the database did not answer within {} s", limit.as_secs_f32());
    sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, sentence))
}

/// Whether the limit on coffer's side was reached.
pub(crate) fn is_silence(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Io(error) if error.kind() == std::io::ErrorKind::TimedOut)
}
