//! HTML forms and query strings, read strictly: UTF-8, one value a name, bounded.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::multipart::{MultipartError, MultipartRejection};
use axum::extract::{FromRef, FromRequest, FromRequestParts, Multipart, Request};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode, utf8_percent_encode};
use serde::de::DeserializeOwned;
use serde::de::value::{Error as ValueError, MapDeserializer};

use super::body;
use super::csrf::{FIELD, HEADER, content_type, matches};
use super::deps::WebDeps;
use super::words;
use crate::error::{Code, Error, Result};
use crate::file_buffer::file_buffer;
use crate::identity::Identity;

pub use crate::error::FieldErrors;

/// The largest form: a note at its limit, each character percent-encoded.
pub const FORM_LIMIT: usize = 2 << 20;

/// A typed HTML form. Its fields are strings with defaults, so that what was typed can be shown again.
pub struct Form<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Form<T> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self> {
        let kind = content_type(request.headers());
        if !kind.is_empty() && kind != "application/x-www-form-urlencoded" {
            return Err(Error::WrongType { wanted: "application/x-www-form-urlencoded" });
        }
        let bytes =
            Bytes::from_request(request, state).await.map_err(|_| Error::TooLarge { limit: FORM_LIMIT })?;
        typed(pairs(&bytes)?).map(Self)
    }
}

pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        typed(pairs(parts.uri.query().unwrap_or_default().as_bytes())?).map(Self)
    }
}

/// A typed query string in which every name must be known, for the API.
pub struct StrictQuery<T>(pub T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for StrictQuery<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let sent = pairs(parts.uri.query().unwrap_or_default().as_bytes())?;
        let mut unknown = None;
        let fields = MapDeserializer::<_, ValueError>::new(sent.into_iter());
        let mut notice = |path: serde_ignored::Path<'_>| unknown = Some(path.to_string());
        let fields = serde_ignored::Deserializer::new(fields, &mut notice);
        let value = serde_path_to_error::deserialize(fields).map_err(|e| unreadable_fields(&e))?;
        match unknown {
            None => Ok(Self(value)),
            Some(name) => Err(Error::Malformed {
                code: Code::BadParameter,
                message: format!("Unknown parameter “{name}”."),
            }),
        }
    }
}

/// Pairs of `application/x-www-form-urlencoded` (WHATWG URL § 5.1). 400 `invalid_utf8` for what is not UTF-8.
pub fn pairs(bytes: &[u8]) -> Result<Vec<(String, String)>> {
    bytes.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()).map(pair).collect()
}

fn pair(bytes: &[u8]) -> Result<(String, String)> {
    let split = bytes.iter().position(|byte| *byte == b'=');
    let (name, value) = split.map_or((bytes, &[][..]), |at| (&bytes[..at], &bytes[at + 1..]));
    Ok((decode(name)?, decode(value)?))
}

fn decode(bytes: &[u8]) -> Result<String> {
    let spaced: Vec<u8> = bytes.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    percent_decode(&spaced).decode_utf8().map(|text| text.into_owned().replace("\r\n", "\n")).map_err(|_| {
        Error::Malformed {
            code: Code::InvalidUtf8,
            message: "Part of this request is not valid UTF-8 text. Send it as UTF-8.".into(),
        }
    })
}

fn typed<T: DeserializeOwned>(pairs: Vec<(String, String)>) -> Result<T> {
    let fields = MapDeserializer::<_, ValueError>::new(pairs.into_iter());
    serde_path_to_error::deserialize(fields).map_err(|e| unreadable_fields(&e))
}

fn unreadable_fields(error: &serde_path_to_error::Error<ValueError>) -> Error {
    let message = words::parameter(&error.path().to_string(), &error.inner().to_string());
    Error::Malformed { code: Code::BadParameter, message }
}

/// Text for the value of a query string.
#[must_use]
pub fn encode(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// What a page says above its form when fields are wrong.
#[must_use]
pub fn summary(errors: &FieldErrors) -> Option<&'static str> {
    (!errors.is_empty()).then_some("Nothing was saved. Check these fields:")
}

/// A multipart upload of one file and some text fields.
pub struct Upload {
    pub file_name: String,
    pub bytes: Bytes,
    fields: Vec<(String, String)>,
}

impl Upload {
    #[must_use]
    pub fn field(&self, name: &str) -> &str {
        self.fields.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }
}

impl<S> FromRequest<S> for Upload
where
    Arc<WebDeps>: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self> {
        let identity = request.extensions().get::<Identity>().cloned().unwrap_or_default();
        identity.viewer.signed_in()?;
        let limit = Arc::<WebDeps>::from_ref(state).upload_limit;
        body::fits(request.body(), limit)?;
        let token = request.headers().get(HEADER).cloned();
        let parts = Multipart::from_request(request, state).await.map_err(|rejection| match rejection {
            MultipartRejection::InvalidBoundary(_) => Error::WrongType { wanted: "multipart/form-data" },
            _ => Error::Malformed {
                code: Code::BadUpload,
                message: "This upload can’t be read. Try again.".into(),
            },
        })?;
        let upload = read_parts(parts).await.map_err(|error| unreadable(&error, limit))?;
        let token = token.as_ref().map_or(upload.field(FIELD).as_bytes(), HeaderValue::as_bytes);
        if matches(&identity, token) { Ok(upload) } else { Err(Error::CrossSite) }
    }
}

async fn read_parts(mut parts: Multipart) -> Result<Upload, MultipartError> {
    let mut upload = Upload { file_name: String::new(), bytes: Bytes::new(), fields: Vec::new() };
    while let Some(mut part) = parts.next_field().await? {
        let name = part.name().unwrap_or_default().to_owned();
        if let Some(file_name) = part.file_name().map(str::to_owned) {
            upload.file_name = file_name;
            let mut file = file_buffer(0);
            while let Some(chunk) = part.chunk().await? {
                file.extend_from_slice(&chunk);
            }
            upload.bytes = file.into();
        } else {
            upload.fields.push((name, part.text().await?));
        }
    }
    Ok(upload)
}

fn unreadable(error: &MultipartError, limit: usize) -> Error {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return Error::TooLarge { limit };
    }
    Error::Malformed {
        code: Code::BadUpload,
        message: format!("This upload can’t be read: {}.", error.body_text()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_plus_percent_and_missing_values() {
        let read = pairs(b"a=1+2&b=%C3%A9&c&&d=").unwrap();
        assert_eq!(
            read,
            [
                ("a".into(), "1 2".into()),
                ("b".into(), "é".into()),
                ("c".into(), String::new()),
                ("d".into(), String::new())
            ]
        );
    }

    #[test]
    fn refuses_what_is_not_utf8() {
        assert!(matches!(pairs(b"q=%FF"), Err(Error::Malformed { code: Code::InvalidUtf8, .. })));
        assert!(matches!(pairs(b"q=\xff"), Err(Error::Malformed { code: Code::InvalidUtf8, .. })));
    }

    #[test]
    fn a_repeated_name_has_no_meaning() {
        #[derive(serde::Deserialize)]
        struct Q {
            #[expect(dead_code, reason = "only whether it can be read matters")]
            q: String,
        }
        assert!(typed::<Q>(pairs(b"q=1").unwrap()).is_ok());
        assert!(typed::<Q>(pairs(b"q=1&q=2").unwrap()).is_err());
    }
}
