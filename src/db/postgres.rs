//! Opens PostgreSQL, with limits on the server and checks of idle connections.

use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt as _, ready};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, Postgres};
use url::Url;

use super::checkout::within;
use super::pool::{ACQUIRE_LIMIT, MeteredPool, PoolState};
use super::start_error::{StartError, without_password};

/// Shorter than coffer's own limits, so that a slow statement costs no connection. They also end what a lost node left.
const SERVER_LIMITS: [(&str, &str); 6] = [
    ("statement_timeout", "2500ms"),
    ("lock_timeout", "2s"),
    ("idle_in_transaction_session_timeout", "30s"),
    ("tcp_keepalives_idle", "30"),
    ("tcp_keepalives_interval", "10"),
    ("tcp_user_timeout", "30s"),
];
/// A connection that was idle for longer is checked before use.
const IDLE_TRUST: Duration = Duration::from_secs(5);
const IDLE_TRY_LIMIT: Duration = Duration::from_millis(500);
/// What sqlx reads in an address, and what no prepared statement is kept with.
const STATEMENTS_OFF: (&str, &str) = ("statement-cache-capacity", "0");

pub fn without_statements(url: &str) -> String {
    let (name, value) = STATEMENTS_OFF;
    let joint = if url.contains('?') { '&' } else { '?' };
    format!("{url}{joint}{name}={value}")
}

pub async fn open(url: &str, connections: u32) -> Result<MeteredPool<Postgres>, StartError> {
    let options = PgConnectOptions::from_str(url)
        .map_err(|_| StartError::BadUrl(without_password(url)))?
        .application_name("coffer")
        .options(SERVER_LIMITS)
        // No query runs long enough for JIT to pay.
        .options([("jit", "off")])
        // The default is for spinning disks and prefers sequential scans.
        .options([("random_page_cost", "1.1")])
        .log_slow_statements(tracing::log::LevelFilter::Warn, Duration::from_secs(1));
    let state = Arc::new(PoolState::new(keeps_statements(url)));
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
    Ok(MeteredPool::new(pool, state))
}

/// Without [`STATEMENTS_OFF`] in its address.
fn keeps_statements(url: &str) -> bool {
    let is_off = |url: &Url| url.query_pairs().any(|(name, value)| [(&*name, &*value)] == [STATEMENTS_OFF]);
    !Url::parse(url).is_ok_and(|url| is_off(&url))
}

/// A connection that was idle for long, or while a query ran into its limit, must answer before it is used.
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
