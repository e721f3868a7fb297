//! `/healthz`: the process answers. `/readyz`: so does everything it needs, each named.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::app::App;

pub async fn healthz() -> &'static str {
    "ok\n"
}

#[derive(Serialize)]
struct Readiness {
    ready: bool,
    dependencies: Vec<Dependency>,
}

#[derive(Serialize)]
struct Dependency {
    name: &'static str,
    up: bool,
    /// Whether coffer can't serve without it.
    required: bool,
}

pub async fn readyz(State(app): State<App>) -> Response {
    let mut dependencies =
        vec![Dependency { name: app.db.name(), up: app.db.ping().await.is_ok(), required: true }];
    if let Some(redis) = &app.redis {
        dependencies.push(Dependency { name: "redis", up: redis.ping().await.is_ok(), required: false });
    }
    let ready = !app.is_stopping() && dependencies.iter().all(|d| d.up || !d.required);
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, axum::Json(Readiness { ready, dependencies })).into_response()
}
