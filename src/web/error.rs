//! An error on its way out: a bare status, which the pipeline turns into a page or problem+json.

use std::sync::Arc;

use axum::response::{IntoResponse, Response};

use crate::error::Error;
use crate::limiter::headers::append_refusal;

/// The error behind an answer, in its extensions.
#[derive(Clone, Debug)]
pub struct Cause(pub Arc<Error>);

impl IntoResponse for Error {
    /// A bare status that carries the error outwards to the layer which knows the tree.
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        if let Self::TooManyRequests(refusal) = &self {
            append_refusal(refusal, response.headers_mut());
        }
        response.extensions_mut().insert(Cause(Arc::new(self)));
        response
    }
}
