//! Rendered pages and documents, cached as compressed bytes. Clients that have a public one get 304.

#[cfg(test)]
mod tests;

use std::io::Write as _;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};
use data_encoding::HEXLOWER;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::etag::is_unchanged;
use super::page_context::PageContext;
use crate::cache::status::{self, Status};
use crate::cache::{Cache, Cached, Key, Kind, Scopes, Ttl, id_of};
use crate::error::{Error, Result};
use crate::identity::Viewer;

/// In this process only, as another version of coffer renders other pages.
pub static PAGE: Kind<CachedPage> = Kind {
    name: "page",
    schema: 1,
    // Short, as it adds to the age of the answers on the page.
    ttl: Ttl { soft: Duration::from_mins(1), hard: Duration::from_hours(1) },
    is_shared: false,
    is_composed: true,
    value: PhantomData,
};

/// What browsers and proxies may do with public pages.
pub const PUBLIC: HeaderValue = HeaderValue::from_static("public, max-age=5, stale-while-revalidate=10");
/// Signed-in viewers see another page at the same address.
const PAGE_VARY: &str = "cookie, accept-encoding";
const LARGEST: usize = 1 << 20;
/// Most pages of one viewer are read once. Level 1 leaves a third more.
const READ_ONCE: Compression = Compression::new(3);

#[derive(Debug, Deserialize, Serialize)]
pub struct CachedPage {
    /// Its only viewer; `None` for a public page.
    viewer: Option<Uuid>,
    body: Vec<u8>,
    /// Its `ETag`; empty for a page of one viewer.
    tag: String,
    /// Empty while no client has asked for it so.
    gzip: Vec<u8>,
}

impl Cached for CachedPage {
    fn weight(&self) -> usize {
        self.tag.len() + self.body.len() + self.gzip.len() + size_of::<Self>()
    }

    fn is_for(&self, viewer: Option<Uuid>) -> bool {
        self.viewer == viewer
    }
}

/// The page as this viewer sees it, from memory if it was rendered before.
pub async fn page<F>(
    cache: &Cache,
    viewer: &Viewer,
    context: &PageContext,
    headers: &HeaderMap,
    scopes: Scopes,
    render: impl Fn() -> F,
) -> Result<Response>
where
    F: Future<Output = Result<Response>> + Send + 'static,
{
    // Boxed, so that the future of a cache hit stays small.
    if context.toast.is_some() {
        return Box::pin(render()).await;
    }
    let rendering = Box::pin(render());
    let takes_gzip = takes_gzip(headers);
    let load = |viewer: Viewer| async move {
        match status::watch(rendering).await {
            // Cached, it would outlive the outage.
            (Ok(_), Some(Status::Stale)) => Ok(None),
            (rendered, _) => CachedPage::from_response(rendered?, viewer.id(), takes_gzip).await,
        }
    };
    match cache.read(&PAGE, viewer, context.id(), scopes, load).await? {
        Some(cached) if cached.viewer.is_some() => Ok(private_answer(cached, takes_gzip)),
        Some(cached) => Ok(answer(&cached, headers, "text/html; charset=utf-8", PAGE_VARY)),
        // Redirects, errors and pages of stale answers are not cached.
        None => Box::pin(render()).await,
    }
}

/// A public document, such as a feed. Its key is what it is, not the request.
pub async fn document(
    cache: &Cache,
    headers: &HeaderMap,
    id: &[&str],
    media_type: &'static str,
    scopes: Scopes,
    render: impl Future<Output = Result<Bytes>> + Send + 'static,
) -> Result<Response> {
    let rendering = Box::pin(render);
    let load = |_| async move { CachedPage::pack(rendering.await?).await.map(Some) };
    let cached = cache.get(&PAGE, Key::public(id_of(id)), scopes, load).await?;
    let cached = cached.ok_or(Error::NotFound)?;
    Ok(answer(&cached, headers, media_type, "accept-encoding"))
}

impl CachedPage {
    async fn from_response(
        response: Response,
        viewer: Option<Uuid>,
        takes_gzip: bool,
    ) -> Result<Option<Self>> {
        if response.status() != StatusCode::OK || response.headers().contains_key(header::SET_COOKIE) {
            return Ok(None);
        }
        let body = axum::body::to_bytes(response.into_body(), LARGEST).await;
        let body = body.map_err(|error| Error::Internal(format!("a page's body: {error}")))?;
        if viewer.is_none() {
            return Self::pack(body).await.map(Some);
        }
        let gzip = if takes_gzip { compressed(&body, READ_ONCE) } else { Vec::new() };
        Ok(Some(Self { viewer, body: body.into(), tag: String::new(), gzip }))
    }

    async fn pack(body: Bytes) -> Result<Self> {
        let gzip = tokio::task::spawn_blocking({
            let body = body.clone();
            move || compressed(&body, Compression::default())
        });
        let gzip = gzip.await.map_err(|error| Error::Internal(format!("compressing a page: {error}")))?;
        let tag = format!("W/\"{}\"", HEXLOWER.encode(&Sha256::digest(&body)[..8]));
        Ok(Self { viewer: None, body: body.into(), tag, gzip })
    }
}

pub(super) fn compressed(body: &[u8], level: Compression) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), level);
    let written = gzip.write_all(body).and_then(|()| gzip.finish());
    written.unwrap_or_default()
}

struct SharedBytes {
    page: Arc<CachedPage>,
    gzip: bool,
}

impl AsRef<[u8]> for SharedBytes {
    fn as_ref(&self) -> &[u8] {
        if self.gzip { &self.page.gzip } else { &self.page.body }
    }
}

fn private_answer(page: Arc<CachedPage>, takes_gzip: bool) -> Response {
    let gzip = takes_gzip && !page.gzip.is_empty();
    let mut response = Html(Bytes::from_owner(SharedBytes { page, gzip })).into_response();
    if gzip {
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    }
    response
}

fn answer(
    cached: &Arc<CachedPage>,
    headers: &HeaderMap,
    media_type: &'static str,
    vary: &'static str,
) -> Response {
    let tag = HeaderValue::from_str(&cached.tag).unwrap_or(HeaderValue::from_static("W/\"0\""));
    let mut response = if is_unchanged(headers, &cached.tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let gzip = takes_gzip(headers) && !cached.gzip.is_empty();
        let bytes = SharedBytes { page: cached.clone(), gzip };
        let mut response = Response::new(Body::from(Bytes::from_owner(bytes)));
        let answer = response.headers_mut();
        answer.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
        if gzip {
            answer.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        response
    };
    let answer = response.headers_mut();
    answer.insert(header::ETAG, tag);
    answer.insert(header::CACHE_CONTROL, PUBLIC);
    answer.insert(header::VARY, HeaderValue::from_static(vary));
    response
}

pub(super) fn takes_gzip(headers: &HeaderMap) -> bool {
    lists(headers, &header::ACCEPT_ENCODING).any(|coding| {
        let (name, quality) = coding.split_once(';').unwrap_or((coding, ""));
        name.trim().eq_ignore_ascii_case("gzip")
            && !matches!(quality.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000")
    })
}

fn lists<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let lines = headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim)
}
