//! An error on its way out: a bare status, which the pipeline turns into a page or problem+json.

use std::sync::Arc;

use axum::response::{IntoResponse, Response};

use crate::error::Error;

/// The error behind an answer, in its extensions.
#[derive(Clone, Debug)]
pub struct Cause(pub Arc<Error>);

impl IntoResponse for Error {
    /// A bare status that carries the error outwards to the layer which knows the tree.
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(Cause(Arc::new(self)));
        response
    }
}
