//! `Idempotency-Key`: a request that is sent again within a day gets the first answer and is not carried out twice.

mod store;

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use utoipa::IntoParams;
use uuid::Uuid;

use crate::db::Db;
use crate::error::{Code, Error, Result};
use crate::system::System;
use crate::web::body;
use crate::web::csrf::content_type;
use crate::web::json::{BODY_LIMIT, parse};

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
const LIFE: Duration = Duration::from_hours(24);
/// A request without an answer after this was cut off: none takes longer.
const STALLED: Duration = Duration::from_mins(5);

/// In the API's description.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "the header itself is read")]
pub struct IdempotencyKey {
    /// A new UUID for each request. If you retry with the same one within 24 hours, the request is carried out only once.
    #[param(
        rename = "Idempotency-Key",
        required = false,
        example = "5f0c7a34-9df1-4b27-8a44-0d0b6d8e1a55",
        min_length = 1,
        max_length = 255,
        pattern = "^[!-~]*$"
    )]
    key: String,
}

pub struct Keyed<T> {
    pub key: Option<Key>,
    pub body: T,
}

pub struct Key {
    text: String,
    fingerprint: [u8; 32],
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Keyed<T> {
    type Rejection = Error;

    async fn from_request(request: Request, _: &S) -> Result<Self> {
        if content_type(request.headers()) != "application/json" {
            return Err(Error::WrongType { wanted: "application/json" });
        }
        let text = key_of(request.headers())?;
        let mut hash = Sha256::new();
        hash.update(format!("{} {}\n", request.method(), request.uri()));
        let bytes = body::read(request.into_body(), BODY_LIMIT).await?;
        hash.update(&bytes);
        let key = text.map(|text| Key { text, fingerprint: hash.finalize().into() });
        Ok(Self { key, body: parse(&bytes)? })
    }
}

fn key_of(headers: &HeaderMap) -> Result<Option<String>> {
    let Some(value) = headers.get(&KEY) else { return Ok(None) };
    let text = value
        .to_str()
        .ok()
        .filter(|text| (1..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()));
    let text = text.ok_or_else(|| Error::Malformed {
        code: Code::BadIdempotencyKey,
        message: "Idempotency-Key must be 1 to 255 visible ASCII characters, for example a UUID.".into(),
    })?;
    Ok(Some(text.to_owned()))
}

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
