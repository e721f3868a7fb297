//! One lean line a request, and the id that finds it.

use axum::extract::{MatchedPath, Request, State};
use axum::http::HeaderValue;
use axum::middleware::Next;
use axum::response::Response;
use data_encoding::HEXLOWER;

use crate::app::App;
use crate::error::Error;

pub const HEADER: &str = "x-request-id";

/// Our name for one request: 16 hex digits.
#[derive(Clone, Debug, Default)]
pub struct RequestId(pub String);

/// The error behind an answer, kept by the layer that dressed it.
#[derive(Clone, Debug)]
pub struct Cause(pub std::sync::Arc<Error>);

/// Not worth a line: the same as many answers before it.
#[derive(Clone, Copy, Debug)]
pub struct Quiet;

pub async fn trace(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let id = HEXLOWER.encode(&app.context.random::<8>());
    request.extensions_mut().insert(RequestId(id.clone()));
    let method = request.method().clone();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "_unmatched".to_owned(), |path| path.as_str().to_owned());
    let start = app.context.now();
    let mut response = next.run(request).await;
    let duration_us = app.context.now().micros() - start.micros();
    let status = response.status().as_u16();
    let cause = response.extensions().get::<Cause>().map(|cause| &*cause.0);
    if let Some(Error::Internal(reason) | Error::Unavailable(reason)) = cause {
        tracing::error!(event = "request", request_id = id, %method, route, status, duration_us, reason);
    } else if response.extensions().get::<Quiet>().is_none() {
        tracing::info!(event = "request", request_id = id, %method, route, status, duration_us);
    }
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(HEADER, value);
    }
    response
}
