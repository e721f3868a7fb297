//! What a request says before its body, to be held while something is waited for: a body can't be shared.

use axum::extract::Request;
use axum::http::{Extensions, HeaderMap, Uri};

#[derive(Clone, Copy)]
pub struct Head<'a> {
    pub uri: &'a Uri,
    pub headers: &'a HeaderMap,
    pub extensions: &'a Extensions,
}

impl<'a> Head<'a> {
    #[must_use]
    pub fn new(request: &'a Request) -> Self {
        Self { uri: request.uri(), headers: request.headers(), extensions: request.extensions() }
    }
}
