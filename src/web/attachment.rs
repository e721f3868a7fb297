//! A file to save.

use std::io;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};

/// The names are ours alone: nothing in them needs encoding.
pub fn attachment(body: impl Into<Body>, media_type: &'static str, file_name: &'static str) -> Response {
    let mut response = body.into().into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(disposition) = HeaderValue::from_str(&format!("attachment; filename=\"{file_name}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, disposition);
    }
    response
}

/// For `HEAD`: nothing is written. Like a body that is written while it is sent, this one has no length.
pub fn headers_alone(media_type: &'static str, file_name: &'static str) -> Response {
    attachment(Body::from_stream(tokio_stream::empty::<io::Result<Bytes>>()), media_type, file_name)
}
