//! The key that a request brings, with a fingerprint of the request.

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName};
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};
use utoipa::IntoParams;

use crate::error::{Code, Error, Result};
use crate::web::body;
use crate::web::json::{BODY_LIMIT, check_type, parse};

const KEY: HeaderName = HeaderName::from_static("idempotency-key");

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
    pub(super) text: String,
    pub(super) fingerprint: [u8; 32],
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Keyed<T> {
    type Rejection = Error;

    async fn from_request(request: Request, _: &S) -> Result<Self> {
        check_type(request.headers())?;
        let (parts, body) = request.into_parts();
        let key = KeyOfFile::new(&parts)?;
        let bytes = body::read(body, BODY_LIMIT).await?;
        Ok(Self { key: key.with(&bytes), body: parse(&bytes)? })
    }
}

/// The key of a request whose body is no JSON.
pub struct KeyOfFile {
    text: Option<String>,
    /// Of the request's head.
    hash: Sha256,
}

impl KeyOfFile {
    fn new(head: &Parts) -> Result<Self> {
        let hash = Sha256::new().chain_update(format!("{} {}\n", head.method, head.uri));
        Ok(Self { text: key_of(&head.headers)?, hash })
    }

    pub fn with(self, body: &[u8]) -> Option<Key> {
        let fingerprint = self.hash.chain_update(body).finalize().into();
        self.text.map(|text| Key { text, fingerprint })
    }
}

impl<S: Sync> FromRequestParts<S> for KeyOfFile {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        Self::new(parts)
    }
}

/// Of a request whose answer holds a secret, which is kept nowhere: 400 `bad_idempotency_key` when it has a key.
pub struct WithoutKey;

impl<S: Sync> FromRequestParts<S> for WithoutKey {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        const SECRET: &str =
            "This answer holds a secret, so coffer does not keep it to repeat it. Leave out Idempotency-Key.";
        if parts.headers.contains_key(KEY) {
            return Err(Error::Malformed { code: Code::BadIdempotencyKey, message: SECRET.into() });
        }
        Ok(Self)
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
