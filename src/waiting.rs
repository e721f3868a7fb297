//! Starts without a database: `/healthz` answers, and everything else asks to wait until the database is there.

use std::time::Duration;

use askama::Template;
use axum::Router;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::time::{MissedTickBehavior, interval};

use crate::config::Config;
use crate::db::{Db, StartError};
use crate::error::Error;
use crate::health::{self, Readiness};
use crate::pipeline::headers;
use crate::serve::serve_until;
use crate::web::assets;
use crate::web::json::Problem;

/// Between two tries, each of which takes up to two seconds.
const AGAIN: Duration = Duration::from_secs(1);
/// Tries between two lines in the log.
const SAID_EVERY: u32 = 20;

/// Serves `router()` until the database is there. Fails where waiting would not help.
pub async fn database(config: &Config, listener: &TcpListener) -> Result<Db, String> {
    match try_open(config).await {
        Err(error) if error.is_outage() => {
            say(&error);
            serve_until(listener, config, router(), wait(config)).await
        }
        opened => opened.map_err(|e| e.to_string()),
    }
}

async fn try_open(config: &Config) -> Result<Db, StartError> {
    Db::open(&config.database(), config.database.database_connections).await
}

async fn wait(config: &Config) -> Result<Db, String> {
    let mut tick = interval(AGAIN);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for round in 1_u32.. {
        tick.tick().await;
        match try_open(config).await {
            Err(error) if error.is_outage() => {
                if round.is_multiple_of(SAID_EVERY) {
                    say(&error);
                }
            }
            opened => return opened.map_err(|e| e.to_string()),
        }
    }
    Err("The database never came.".to_owned())
}

fn say(error: &StartError) {
    tracing::warn!(event = "waiting_for_database", %error, "coffer serves once its database is there");
}

fn router() -> Router {
    Router::new()
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(async || health::answer(&Readiness::of_missing("postgres"))))
        .route(assets::ROUTE, get(assets::serve))
        .fallback(not_yet)
        .layer(axum::middleware::map_response(async |mut response: Response| {
            headers::always_secure(&mut response);
            response
        }))
}

#[derive(Template)]
#[template(path = "errors/waiting.html")]
struct WaitingPage;

async fn not_yet(uri: Uri) -> Response {
    let error = Error::Unavailable(String::new());
    let mut headers = HeaderMap::new();
    headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if uri.path() == "/api" || uri.path().starts_with("/api/") {
        return (StatusCode::SERVICE_UNAVAILABLE, headers, Problem::new(&error, "")).into_response();
    }
    let page = WaitingPage.render().unwrap_or_else(|_| error.message().into_owned());
    (StatusCode::SERVICE_UNAVAILABLE, headers, Html(page)).into_response()
}
