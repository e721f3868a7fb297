//! What is read of a request besides its body.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, Uri};

use super::deps::WebDeps;
use super::{browser, device};
use crate::identity::{Address, RequestMeta};

/// What you can hold while you wait: a body can't be shared between threads.
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

/// Our name for one request: 16 hex digits.
#[derive(Clone, Debug, Default)]
pub struct RequestId(pub String);

/// In an answer's extensions: looking at the figures does not change them.
#[derive(Clone, Copy, Debug)]
pub struct Unrecorded;

impl RequestMeta {
    #[must_use]
    pub fn new(deps: &WebDeps, headers: &HeaderMap, extensions: &Extensions) -> Self {
        Self {
            request_id: extensions.get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default(),
            network: extensions.get::<Address>().map(|address| deps.client_ip.network(address.0)),
            browser: browser::family(headers),
            device: device::browser_id(&deps.public_url, headers),
            address: extensions.get().copied().unwrap_or_default(),
        }
    }
}

impl<S> FromRequestParts<S> for RequestMeta
where
    Arc<WebDeps>: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        Ok(Self::new(&Arc::<WebDeps>::from_ref(state), &parts.headers, &parts.extensions))
    }
}
