//! Which other sites' pages may use the API with a token (the CORS protocol of the Fetch standard). Never with cookies: no
//! answer allows credentials.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use clap::Args;
use url::Url;

const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE");
const REQUEST_HEADERS: HeaderValue =
    HeaderValue::from_static("authorization, content-type, if-match, if-none-match, idempotency-key");
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "etag, location, link, content-disposition, www-authenticate, ratelimit, ratelimit-policy, retry-after, \
     x-request-id, idempotency-replayed",
);
/// How long a browser may remember that it has asked, in seconds: Chromium's most.
const REMEMBERED: HeaderValue = HeaderValue::from_static("7200");
const ANY: &str = "*";

#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Serving")]
pub struct CorsSettings {
    /// Origins of other sites whose pages may use the API with a token, separated by commas; * for all.
    #[arg(long, env = "COFFER_CORS_ORIGINS", value_delimiter = ',', value_parser = origin)]
    pub cors_origins: Vec<String>,
}

/// Parses one of `COFFER_CORS_ORIGINS`.
pub fn origin(text: &str) -> Result<String, String> {
    let text = text.trim();
    let is_origin = || Url::parse(text).is_ok_and(|url| url.origin().ascii_serialization() == text);
    if text == ANY || is_origin() {
        return Ok(text.to_owned());
    }
    Err(format!(
        "“{text}” is not an origin. Use for example https://app.example.org, without a trailing slash, or *"
    ))
}

/// Answers preflight requests, and sets who may read each answer.
pub async fn share(State(allowed): State<Arc<[String]>>, request: Request, next: Next) -> Response {
    let by = request.headers().get(header::ORIGIN).and_then(|origin| reader(&allowed, origin));
    let is_preflight = request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = match &by {
        Some(_) if is_preflight => preflight(),
        _ => next.run(request).await,
    };
    let headers = response.headers_mut();
    headers.append(header::VARY, header::ORIGIN.into());
    if let Some(by) = by {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, by);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    }
    response
}

fn reader(allowed: &[String], origin: &HeaderValue) -> Option<HeaderValue> {
    if allowed.iter().any(|known| known == ANY) {
        return Some(HeaderValue::from_static(ANY));
    }
    allowed.iter().any(|known| known.as_bytes() == origin.as_bytes()).then(|| origin.clone())
}

fn preflight() -> Response {
    let headers: [(HeaderName, HeaderValue); 3] = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, METHODS),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS),
        (header::ACCESS_CONTROL_MAX_AGE, REMEMBERED),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}
