//! Compresses answers where that pays and the client takes it.

use std::convert::Infallible;
use std::future::ready;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use tower::{ServiceExt as _, service_fn};
use tower_http::CompressionLevel;
use tower_http::compression::Compression;
use tower_http::compression::predicate::{DefaultPredicate, Predicate as _, SizeAbove};

/// In bytes: less fits into one packet anyway.
const WORTH_COMPRESSING: u64 = 1 << 10;

pub fn accepted(headers: &HeaderMap) -> Vec<HeaderValue> {
    headers.get_all(header::ACCEPT_ENCODING).iter().cloned().collect()
}

/// Only what is worth it goes through tower-http's compression: every other answer would carry its encoders' memory.
pub async fn compress(accepted: Vec<HeaderValue>, mut response: Response) -> Response {
    if !is_worth_it(&response) {
        return response;
    }
    if accepted.is_empty() {
        if !varies_by_coding(response.headers()) {
            response.headers_mut().append(header::VARY, header::ACCEPT_ENCODING.into());
        }
        return response;
    }
    let mut request = Request::new(Body::empty());
    for coding in accepted {
        request.headers_mut().append(header::ACCEPT_ENCODING, coding);
    }
    let mut response = Some(response);
    let answered = service_fn(move |_| ready(Ok::<_, Infallible>(response.take().unwrap_or_default())));
    let compression = Compression::new(answered).quality(CompressionLevel::Fastest);
    match Box::pin(compression.oneshot(request)).await {
        Ok(compressed) => compressed.map(Body::new),
        Err(never) => match never {},
    }
}

/// What is kept compressed says it already.
fn varies_by_coding(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(header::VARY).iter().filter_map(|value| value.to_str().ok());
    values.any(|value| value.contains(header::ACCEPT_ENCODING.as_str()))
}

/// A client above the rate gets no processor time.
fn is_worth_it(response: &Response) -> bool {
    let headers = response.headers();
    response.status() != StatusCode::TOO_MANY_REQUESTS
        && !headers.contains_key(header::CONTENT_ENCODING)
        && !headers.contains_key(header::CONTENT_RANGE)
        && SizeAbove::new(WORTH_COMPRESSING).and(DefaultPredicate::new()).should_compress(response)
}
