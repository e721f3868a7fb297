//! `/healthz`: the process answers. `/readyz`: so does each of its dependencies.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::db::Db;
use crate::redis::Redis;

/// A dependency that takes longer to answer counts as down.
const LIMIT: Duration = Duration::from_secs(1);

pub async fn healthz() -> &'static str {
    "ok\n"
}

pub struct Health {
    db: Db,
    redis: Option<Redis>,
    stopping: AtomicBool,
}

impl Health {
    pub fn new(db: Db, redis: Option<Redis>) -> Self {
        Self { db, redis, stopping: AtomicBool::new(false) }
    }

    /// Makes `/readyz` fail, so that no new requests are sent here.
    pub fn begin_stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// All at the same time, within [`LIMIT`].
    pub async fn check(&self) -> Readiness {
        let redis = async {
            let redis = self.redis.as_ref()?;
            Some(Dependency { name: "redis", up: answers(redis.ping()).await, required: false })
        };
        let (up, redis) = tokio::join!(answers(self.db.ping()), redis);
        let database = Dependency { name: self.db.name(), up, required: true };
        let dependencies: Vec<_> = std::iter::once(database).chain(redis).collect();
        let ready = !self.is_stopping() && dependencies.iter().all(|d| d.up || !d.required);
        Readiness { ready, dependencies }
    }
}

#[derive(Serialize)]
pub struct Readiness {
    ready: bool,
    dependencies: Vec<Dependency>,
}

#[derive(Serialize)]
struct Dependency {
    name: &'static str,
    up: bool,
    required: bool,
}

impl Readiness {
    /// While coffer waits for it at the start.
    pub fn of_missing(name: &'static str) -> Self {
        Self { ready: false, dependencies: vec![Dependency { name, up: false, required: true }] }
    }

    pub fn is_ready(&self) -> bool {
        self.ready
    }
}

pub async fn readyz(State(health): State<Arc<Health>>) -> Response {
    answer(&health.check().await)
}

pub fn answer(readiness: &Readiness) -> Response {
    let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, axum::Json(readiness)).into_response()
}

async fn answers<E>(ping: impl Future<Output = Result<(), E>>) -> bool {
    matches!(tokio::time::timeout(LIMIT, ping).await, Ok(Ok(())))
}
