//! The database: PostgreSQL or SQLite behind one SQL text. `on!` is the only switch between them.

mod checkout;
mod connect;
mod failure;
mod health;
mod measure;
mod pool;
mod postgres;
mod schema;
mod sqlite;
mod start_error;
mod transaction;

use crate::timestamp::Timestamp;
pub use checkout::{Checkout, unhurried};
pub use connect::{DatabaseSettings, Db, Opening};
pub use failure::{is_disk_full, is_duplicate, is_outcome_unknown, is_unavailable};
pub(crate) use failure::{is_silence, outcome_unknown};
pub use health::REFRESH_STATISTICS;
pub use measure::MeteredExecutor;
pub use pool::MeteredPool;
pub use schema::Schema;
pub use sqlite::LockFile;
use sqlx::{Postgres, Sqlite};
pub use start_error::{StartError, migrations};
pub use transaction::{Transaction, Tx};

pub enum Engine<'a> {
    Postgres(MeteredExecutor<'a, Postgres>),
    Sqlite(MeteredExecutor<'a, Sqlite>),
}

/// Expands one query for both engines: `on!(db.read(), c => query(SQL).fetch_all(c).await)`. Metrics name it after the
/// function around it.
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

/// An argument of a query whose SQL is built at run time.
#[derive(Clone, Debug)]
pub enum Value {
    Text(String),
    Id(uuid::Uuid),
    At(Timestamp),
    Int(i64),
}
