//! JSON in and out of the API, and the errors of both as problem+json (RFC 9457).

mod flaws;
mod syntax;

use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use data_encoding::HEXLOWER;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, RefBuilder, SchemaType, Type};
use uuid::Uuid;

use self::syntax::malformed;
use super::csrf::content_type;
use super::{body, etag};
use crate::error::{Error, Result};

/// The largest JSON body.
pub const BODY_LIMIT: usize = 1 << 20;

/// A typed JSON body; unknown fields and wrong types are named.
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Error;

    async fn from_request(request: Request, _: &S) -> Result<Self> {
        check_type(request.headers())?;
        parse(&body::read(request.into_body(), BODY_LIMIT).await?).map(Self)
    }
}

/// # Errors
/// 415 when the headers name anything but plain JSON.
pub fn check_type(headers: &HeaderMap) -> Result<()> {
    if content_type(headers) != "application/json" {
        return Err(Error::WrongType { wanted: "application/json" });
    }
    body::check_encoding(headers)
}

/// # Errors
/// 400 `malformed_json`, or 422 that names the field.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    let body = || serde_json::from_slice::<serde_json::Value>(bytes);
    // serde would take a list for an object's fields in their order.
    if bytes.trim_ascii_start().starts_with(b"[") && body().is_ok() {
        return Err(Error::field("body", "The body must be an object."));
    }
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| match body() {
        Ok(body) => Error::Invalid(flaws::all::<T>(body, &error, "")),
        Err(syntax) => malformed(bytes, &syntax),
    })?;
    json.end().map_err(|error| malformed(bytes, &error))?;
    Ok(value)
}

/// A part of a body; `at` says where it stands.
///
/// # Errors
/// 422 that names the fields.
pub fn parse_part<T: DeserializeOwned>(part: &serde_json::Value, at: &str) -> Result<T> {
    serde_path_to_error::deserialize(part)
        .map_err(|error| Error::Invalid(flaws::all::<T>(part.clone(), &error, at)))
}

/// An API error.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub struct Problem {
    /// Link to the documentation of the error; for `too_many_requests`, the registered type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The HTTP status in words.
    pub title: String,
    pub status: u16,
    /// A sentence that says what to do.
    pub detail: String,
    /// A stable name for the error.
    pub code: String,
    /// Finds the request in the server's log.
    pub request_id: String,
    /// For `invalid` and `unknown_scope`: what is wrong, field by field.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldProblem>,
    /// For `duplicate_url`: the resource with this URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub existing_id: Option<Uuid>,
    /// For `version_conflict`: the current version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_version: Option<i64>,
    /// For `version_conflict`: the current entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = current_schema)]
    pub current: Option<serde_json::Value>,
    /// For `bad_query`: where the query could not be read, in characters from its start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<usize>,
    /// For `method_not_allowed`: what the address takes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed_methods: Vec<String>,
    /// For `unknown_route`: the most similar address that there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nearest: Option<String>,
    /// For `too_many_requests`: the limits that were reached, by their names in `RateLimit-Policy`.
    #[serde(rename = "violated-policies", default, skip_serializing_if = "Vec::is_empty")]
    pub violated_policies: Vec<String>,
}

#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub struct FieldProblem {
    pub field: String,
    pub message: String,
}

impl Problem {
    #[must_use]
    pub fn new(error: &Error, request_id: &str) -> Self {
        let errors = match error {
            Error::Invalid(errors) => errors
                .iter()
                .map(|(field, message)| FieldProblem { field: field.to_owned(), message: message.to_owned() })
                .collect(),
            Error::UnknownScope(_) => {
                vec![FieldProblem { field: "scopes".to_owned(), message: error.message().into_owned() }]
            }
            _ => Vec::new(),
        };
        let stored = match error {
            Error::VersionConflict { version, current } | Error::IdInUse { version, current } => {
                Some((*version, (**current).clone()))
            }
            _ => None,
        };
        let (current_version, current) = stored.unzip();
        Self {
            kind: kind(error),
            title: error.status().canonical_reason().unwrap_or("Error").to_owned(),
            status: error.status().as_u16(),
            detail: match error {
                Error::NotFound => missing("entry"),
                _ => error.message().into_owned(),
            },
            code: error.code().as_str().to_owned(),
            request_id: request_id.to_owned(),
            errors,
            existing_id: if let Error::DuplicateUrl(id) = error { Some(*id) } else { None },
            current_version,
            current,
            position: if let Error::BadQuery { position, .. } = error { Some(*position) } else { None },
            allowed_methods: if let Error::MethodNotAllowed(allowed) = error {
                allowed.iter().map(|method| (*method).to_owned()).collect()
            } else {
                Vec::new()
            },
            nearest: if let Error::UnknownRoute(nearest) = error { nearest.clone() } else { None },
            violated_policies: if let Error::TooManyRequests(refusal) = error {
                refusal.policies.iter().map(|policy| policy.as_str().to_owned()).collect()
            } else {
                Vec::new()
            },
        }
    }
}

/// What the API says of something that is not there; pages have words of their own.
pub fn missing(what: &str) -> String {
    format!("There is no such {what}, or you may not see it.")
}

/// What the API calls an entry; its type stands above the kit.
fn current_schema() -> OneOfBuilder {
    let body = RefBuilder::new()
        .ref_location_from_schema_name("ResourceBody")
        .description(Some("For `version_conflict`: the current entry."));
    let null = ObjectBuilder::new().schema_type(SchemaType::Type(Type::Null));
    OneOfBuilder::new().item(body).item(null)
}

fn kind(error: &Error) -> String {
    match error {
        Error::TooManyRequests(_) => {
            "https://iana.org/assignments/http-problem-types#quota-exceeded".to_owned()
        }
        _ => format!("/api/docs/errors#{}", error.code().as_str()),
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let kind = [(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"))];
        (kind, serde_json::to_vec(&self).unwrap_or_default()).into_response()
    }
}

/// A body whose `ETag` is a checksum of it; 304 when the client has it.
pub fn tagged(headers: &HeaderMap, body: &impl Serialize) -> Response {
    let bytes = serde_json::to_vec(body).unwrap_or_default();
    let tag = format!("W/\"{}\"", HEXLOWER.encode(&Sha256::digest(&bytes)[..8]));
    let kind = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    etag::unless_known(headers, tag, || (kind, bytes).into_response())
}
