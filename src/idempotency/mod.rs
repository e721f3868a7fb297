//! `Idempotency-Key`: a request that is sent again within a day gets the first answer and is not carried out twice.

mod key;
mod store;

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use self::key::{IdempotencyKey, Key, KeyOfFile, Keyed, WithoutKey};
use crate::db::Db;
use crate::error::{Error, Result};
use crate::system::System;

const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
const LIFE: Duration = Duration::from_hours(24);
/// A request without an answer after this was cut off: none takes longer.
const STALLED: Duration = Duration::from_mins(5);

#[derive(Serialize, Deserialize)]
struct StoredResponse {
    status: u16,
    location: Option<String>,
    etag: Option<String>,
    body: String,
}

#[derive(Clone)]
pub struct Requests {
    db: Db,
    context: System,
}

impl Requests {
    pub const fn new(db: Db, context: System) -> Self {
        Self { db, context }
    }

    /// Carries a request out, once. `run` gets the id for what it makes. If `run` fails, the key is free again.
    pub async fn once(
        &self,
        owner: Uuid,
        key: Option<Key>,
        run: impl AsyncFnOnce(Uuid) -> Result<Response>,
    ) -> Result<Response> {
        let Some(key) = key else { return run(self.context.new_id()).await };
        let now = self.context.now();
        let claim = store::Claim {
            owner,
            key: &key.text,
            fingerprint: &key.fingerprint,
            id: self.context.new_id(),
            now,
            stalled: now.minus(STALLED),
            over: now.minus(LIFE),
        };
        if let Some(id) = store::claim(&self.db, &claim).await? {
            let mut working = Working { db: self.db.clone(), owner, key: key.text, is_over: false };
            let answer = working.keep(run(id).await).await;
            working.is_over = true;
            return answer;
        }
        let first = store::find(&self.db, owner, &key.text).await?.ok_or(Error::IdempotencyKeyInUse)?;
        if first.fingerprint != key.fingerprint {
            return Err(Error::IdempotencyKeyReused);
        }
        let stored = first.answer.ok_or(Error::IdempotencyKeyInUse)?;
        let stored = serde_json::from_str(&stored);
        stored.map(replay).map_err(|e| Error::Internal(format!("a stored answer: {e}")))
    }

    pub async fn forget_old(&self) -> Result<()> {
        Ok(store::forget_before(&self.db, self.context.now().minus(LIFE)).await?)
    }
}

struct Working {
    db: Db,
    owner: Uuid,
    key: String,
    is_over: bool,
}

impl Working {
    /// Stores successes only: a refused request may be corrected and sent again.
    async fn keep(&self, answer: Result<Response>) -> Result<Response> {
        let response = match answer {
            Ok(response) => response,
            Err(error) if error.status().is_server_error() => {
                // It may have been saved: the same id is tried again. A failure here changes nothing.
                let _ = store::cut_off(&self.db, self.owner, &self.key).await;
                return Err(error);
            }
            Err(error) => {
                store::free(&self.db, self.owner, &self.key).await?;
                return Err(error);
            }
        };
        let (parts, body) = response.into_parts();
        let bytes =
            to_bytes(body, usize::MAX).await.map_err(|e| Error::Internal(format!("an answer: {e}")))?;
        let text = |name| {
            let value: Option<&HeaderValue> = parts.headers.get(name);
            value.and_then(|value| value.to_str().ok()).map(str::to_owned)
        };
        let stored = StoredResponse {
            status: parts.status.as_u16(),
            location: text(header::LOCATION),
            etag: text(header::ETAG),
            body: String::from_utf8_lossy(&bytes).into_owned(),
        };
        let stored = serde_json::to_string(&stored).unwrap_or_default();
        store::keep(&self.db, self.owner, &self.key, &stored).await?;
        Ok(Response::from_parts(parts, Body::from(bytes)))
    }
}

impl Drop for Working {
    /// The client went away meanwhile, and may come back at once.
    fn drop(&mut self) {
        if !self.is_over {
            let (db, owner, key) = (self.db.clone(), self.owner, std::mem::take(&mut self.key));
            tokio::spawn(async move {
                let _ = store::cut_off(&db, owner, &key).await;
            });
        }
    }
}

fn replay(stored: StoredResponse) -> Response {
    let mut response = Body::from(stored.body).into_response();
    *response.status_mut() = StatusCode::from_u16(stored.status).unwrap_or_default();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(REPLAYED, HeaderValue::from_static("true"));
    for (name, text) in [(header::LOCATION, stored.location), (header::ETAG, stored.etag)] {
        if let Some(value) = text.and_then(|text| HeaderValue::from_str(&text).ok()) {
            headers.insert(name, value);
        }
    }
    response
}
