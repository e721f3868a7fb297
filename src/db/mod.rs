//! The database: PostgreSQL or SQLite behind one SQL text. `on!` is the only switch between them.

mod connect;
mod measure;
mod timestamp;

pub use connect::{Db, StartError};
pub use measure::{Asked, Measured};
use sqlx::{PgConnection, Postgres, Sqlite, SqliteConnection};
pub use timestamp::Timestamp;

/// One of the two engines' connections or pools; `on!` takes it apart.
pub enum Engine<P, S> {
    Postgres(P),
    Sqlite(S),
}

pub type Reader<'a> = Engine<Asked<'a, &'a Measured<Postgres>>, Asked<'a, &'a Measured<Sqlite>>>;
pub type Writer<'a> = Engine<Asked<'a, &'a mut PgConnection>, Asked<'a, &'a mut SqliteConnection>>;

/// Expands one query body for both engines: `on!(db.read(), c => query(SQL).fetch_all(c).await)`. The function that
/// it stands in gives the query its name in metrics.
macro_rules! on {
    ($engine:expr, $conn:ident => $body:expr) => {{
        fn here() {}
        match $engine {
            $crate::db::Engine::Postgres($conn) => {
                let $conn = $conn.named(std::any::type_name_of_val(&here));
                $body
            }
            $crate::db::Engine::Sqlite($conn) => {
                let $conn = $conn.named(std::any::type_name_of_val(&here));
                $body
            }
        }
    }};
}
pub(crate) use on;

/// Binds a list of [`Value`]s, in order, to a query of either engine.
macro_rules! bind_all {
    ($query:expr, $values:expr) => {
        $values.iter().fold($query, |query, value| match value {
            $crate::db::Value::Text(text) => query.bind(text),
            $crate::db::Value::Id(id) => query.bind(id),
            $crate::db::Value::At(at) => query.bind(at),
            $crate::db::Value::Int(int) => query.bind(int),
        })
    };
}
pub(crate) use bind_all;

/// An argument of a query whose text is put together at run time.
#[derive(Clone, Debug)]
pub enum Value {
    Text(String),
    Id(uuid::Uuid),
    At(Timestamp),
    Int(i64),
}

/// A write transaction. Dropped without `commit`, it rolls back.
pub enum Tx {
    Postgres(sqlx::Transaction<'static, Postgres>, measure::Gauge),
    Sqlite(sqlx::Transaction<'static, Sqlite>, measure::Gauge),
}

impl Tx {
    pub fn conn(&mut self) -> Writer<'_> {
        match self {
            Self::Postgres(tx, gauge) => Engine::Postgres(Asked::new(&mut **tx, gauge)),
            Self::Sqlite(tx, gauge) => Engine::Sqlite(Asked::new(&mut **tx, gauge)),
        }
    }

    pub async fn commit(self) -> sqlx::Result<()> {
        match self {
            Self::Postgres(tx, _) => tx.commit().await,
            Self::Sqlite(tx, _) => tx.commit().await,
        }
    }
}

/// Whether the error says that a unique index already holds the value.
#[must_use]
pub fn is_duplicate(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}

/// Whether the database could not be reached or was too busy, as opposed to refusing the statement.
#[must_use]
pub fn is_unavailable(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed => {
            true
        }
        // Class 57: operator intervention (shutdown, statement time limit); 08: connection; 53: resources.
        sqlx::Error::Database(e) => e.code().is_some_and(|code| {
            ["57", "08", "53"].iter().any(|class| code.starts_with(class)) && code.len() == 5
        }),
        _ => false,
    }
}
