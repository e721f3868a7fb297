//! A request to another server, its answer, and why there may be none.

use std::error::Error as _;

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use url::Url;

const MAX_BODY: usize = 1 << 20;
const MAX_REDIRECTS: usize = 5;

#[derive(Clone, Debug)]
pub struct Request {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) redirects: usize,
    pub(super) max_body: usize,
}

impl Request {
    /// Follows redirects.
    pub fn get(url: Url) -> Self {
        Self::new(Method::GET, url, MAX_REDIRECTS)
    }

    /// Follows redirects.
    pub fn head(url: Url) -> Self {
        Self::new(Method::HEAD, url, MAX_REDIRECTS)
    }

    /// Follows no redirect, as the body was meant for this address alone.
    pub fn post(url: Url, body: impl Into<Bytes>) -> Self {
        Self { body: body.into(), ..Self::new(Method::POST, url, 0) }
    }

    fn new(method: Method, url: Url, redirects: usize) -> Self {
        let (headers, body) = (HeaderMap::new(), Bytes::new());
        Self { method, url, headers, body, redirects, max_body: MAX_BODY }
    }

    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Reads no more than these bytes of the answer's body, decompressed. 1 MiB by default.
    pub fn max_body(self, max_body: usize) -> Self {
        Self { max_body, ..self }
    }
}

#[derive(Clone, Debug)]
pub struct Answer {
    /// After redirects.
    pub url: Url,
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    /// Whether there was more than the body's limit.
    pub is_cut: bool,
}

/// Its message is shown to the user who named the address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    #[error("The address is neither http nor https.")]
    Scheme,
    #[error("The address is in a private or reserved network.")]
    Refused,
    #[error("The host has no address.")]
    Unresolved,
    #[error("There were more than 5 redirects.")]
    TooManyRedirects,
    #[error("The server took too long.")]
    TooSlow,
    /// The reason, for logs.
    #[error("The connection failed.")]
    Failed(String),
}

impl From<http_client::Error> for FetchError {
    /// The resolver's error lies deep within the client's.
    fn from(error: http_client::Error) -> Self {
        let mut source = error.source();
        while let Some(inner) = source {
            if let Some(ours) = inner.downcast_ref::<Self>() {
                return ours.clone();
            }
            source = inner.source();
        }
        Self::Failed(error.without_url().to_string())
    }
}
