//! What the databases say when they can't, as opposed to won't: each kind asked of a real one.

use coffer::db::{Db, is_outcome_unknown, is_unavailable};
use sqlx::AssertSqlSafe;

use crate::support::app::{App, Engine};

/// SQLSTATEs that pass, and those that are a mistake of ours, each of another class or at the edge of one.
const PASS: [&str; 17] = [
    "08000", "08006", "25006", "25P03", "40001", "40P01", "53000", "53100", "53300", "55P03", "57000",
    "57014", "57P01", "57P02", "57P03", "58000", "58030",
];
const STAY: [&str; 14] = [
    "22001", "22021", "23503", "23505", "23514", "25001", "25P02", "26000", "28000", "42501", "42P01",
    "55000", "55006", "XX000",
];

#[tokio::test]
async fn every_class_of_postgres_is_told_apart() {
    let app = App::with(Engine::Postgres, &[]).await;
    let Db::Postgres(pool) = &app.coffer.db else { panic!("PostgreSQL") };
    for (code, passes) in PASS.map(|code| (code, true)).into_iter().chain(STAY.map(|code| (code, false))) {
        let raise = format!("DO $$ BEGIN RAISE EXCEPTION 'test' USING ERRCODE = '{code}'; END $$");
        let error =
            sqlx::raw_sql(AssertSqlSafe(raise)).execute(pool.executor()).await.expect_err("it raises");
        let said = error.as_database_error().and_then(|error| error.code().map(std::borrow::Cow::into_owned));
        assert_eq!(said.as_deref(), Some(code));
        assert_eq!(is_unavailable(&error), passes, "{code}");
        assert!(!is_outcome_unknown(&error), "{code}: it was no commit");
    }
}

#[test]
fn what_is_said_about_the_connection_is_told_apart() {
    use std::io::{Error, ErrorKind};
    for error in [
        sqlx::Error::Io(Error::from(ErrorKind::ConnectionReset)),
        sqlx::Error::Io(Error::from(ErrorKind::TimedOut)),
        sqlx::Error::Protocol("unexpected response from SSLRequest: 0x00".to_owned()),
        sqlx::Error::PoolTimedOut,
        sqlx::Error::PoolClosed,
        sqlx::Error::WorkerCrashed,
        sqlx::Error::BeginFailed,
    ] {
        assert!(is_unavailable(&error), "{error}");
    }
    for error in [sqlx::Error::RowNotFound, sqlx::Error::ColumnNotFound("x".to_owned())] {
        assert!(!is_unavailable(&error), "{error}");
    }
}

/// One after the other on the only writer: no failure may spoil the next statement.
#[tokio::test]
async fn sqlite_s_failures_are_told_apart_and_none_stops_the_writer() {
    let app = App::with(Engine::Sqlite, &[]).await;
    let Db::Sqlite { write, .. } = &app.coffer.db else { panic!("SQLite") };
    for (statement, passes) in [
        ("INSERT INTO outbox (id, topic, payload, created_at) VALUES (NULL, NULL, NULL, NULL)", false),
        ("SELECT * FROM nothing_here", false),
        ("PRAGMA query_only = ON; DELETE FROM outbox", true),
        ("PRAGMA max_page_count = 1; CREATE TABLE t (x); INSERT INTO t VALUES (zeroblob(4000000))", true),
    ] {
        let error = sqlx::raw_sql(statement).execute(write.executor()).await.expect_err(statement);
        assert_eq!(is_unavailable(&error), passes, "{statement}: {error}");
        let mut tx = app.coffer.db.begin().await.expect(statement);
        let coffer::db::Tx::Sqlite(open) = &mut tx else { panic!("SQLite") };
        let noted =
            "INSERT INTO outbox (id, topic, payload, created_at) VALUES (randomblob(16), 'cache', '', 0)";
        sqlx::query(noted).execute(open.conn()).await.expect(statement);
        tx.commit().await.expect(statement);
    }
}
