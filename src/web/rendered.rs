//! Pages and documents, kept as bytes: drawn once until something changes. What everybody may see is compressed once
//! too, and not even sent to who has it already.

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::chrome::Chrome;
use super::etag::is_unchanged;
use super::viewer::Viewer;
use crate::app::App;
use crate::cache::status::{self, Status};
use crate::cache::{Cached, Key, Kind, Name, Scopes, Ttl, id_of};
use crate::error::{Error, Result};

/// In the process only: another version of coffer draws other pages.
static PAGE: Kind<Rendered> = Kind {
    name: Name::Page,
    schema: 1,
    // Short, as it is added to the age of the answers that the page is drawn from.
    ttl: Ttl { soft: Duration::from_mins(1), hard: Duration::from_hours(1) },
    is_shared: false,
    is_composed: true,
    value: PhantomData,
};

/// What browsers and proxies may do with what everybody may see.
pub const PUBLIC: HeaderValue = HeaderValue::from_static("public, max-age=5, stale-while-revalidate=10");
/// Whoever is signed in sees another page at the same address.
const PAGE_VARY: &str = "cookie, accept-encoding";
const LARGEST: usize = 1 << 20;

#[derive(Debug, Deserialize, Serialize)]
struct Rendered {
    /// Whose it is; `None`: everybody's.
    by: Option<Uuid>,
    body: Vec<u8>,
    /// Empty for what is somebody's.
    tag: String,
    gzip: Vec<u8>,
}

impl Cached for Rendered {
    fn weight(&self) -> usize {
        self.tag.len() + self.body.len() + self.gzip.len() + size_of::<Self>()
    }

    fn is_for(&self, viewer: Option<Uuid>) -> bool {
        self.by == viewer
    }
}

/// The page as this viewer sees it, from memory if it was drawn for them before.
pub async fn page<F>(
    app: &App,
    (viewer, chrome): (&Viewer, &Chrome),
    headers: &HeaderMap,
    scopes: Scopes,
    draw: impl Fn() -> F,
) -> Result<Response>
where
    F: Future<Output = Result<Response>> + Send + 'static,
{
    // In boxes, as what is there already need not carry the drawing of it.
    if chrome.toast.is_some() {
        return Box::pin(draw()).await;
    }
    let drawing = Box::pin(draw());
    let load = |viewer: Viewer| async move {
        match status::watch(drawing).await {
            // Kept, it would outlive the outage.
            (Ok(_), Some(Status::Stale)) => Ok(None),
            (drawn, _) => Rendered::of(drawn?, viewer.id()).await,
        }
    };
    match app.cache.read(&PAGE, (viewer, chrome.id()), scopes, load).await? {
        Some(rendered) if rendered.by.is_some() => {
            Ok(Html(Bytes::from_owner(Part(rendered, false))).into_response())
        }
        Some(rendered) => Ok(answer(&rendered, headers, ("text/html; charset=utf-8", PAGE_VARY))),
        // A redirect, a refusal, a page of old answers: none to keep.
        None => Box::pin(draw()).await,
    }
}

/// A document of which everybody is sent the same, a feed say; it is known by what it is, not by how it was asked for.
pub async fn document(
    app: &App,
    headers: &HeaderMap,
    (id, media_type): (&[&str], &'static str),
    scopes: Scopes,
    draw: impl Future<Output = Result<Bytes>> + Send + 'static,
) -> Result<Response> {
    let drawing = Box::pin(draw);
    let load = |_| async move { Rendered::pack(drawing.await?).await.map(Some) };
    let rendered = app.cache.get(&PAGE, Key::public(id_of(id)), scopes, load).await?;
    let rendered = rendered.ok_or(Error::NotFound)?;
    Ok(answer(&rendered, headers, (media_type, "accept-encoding")))
}

impl Rendered {
    async fn of(response: Response, by: Option<Uuid>) -> Result<Option<Self>> {
        if response.status() != StatusCode::OK || response.headers().contains_key(header::SET_COOKIE) {
            return Ok(None);
        }
        let body = axum::body::to_bytes(response.into_body(), LARGEST).await;
        let body = body.map_err(|error| Error::Internal(format!("a page's body: {error}")))?;
        match by {
            None => Self::pack(body).await.map(Some),
            Some(_) => Ok(Some(Self { by, body: body.into(), tag: String::new(), gzip: Vec::new() })),
        }
    }

    async fn pack(body: Bytes) -> Result<Self> {
        let gzip = tokio::task::spawn_blocking({
            let body = body.clone();
            move || compressed(&body)
        });
        let gzip = gzip.await.map_err(|error| Error::Internal(format!("compressing a page: {error}")))?;
        let tag = format!("W/\"{}\"", HEXLOWER.encode(&Sha256::digest(&body)[..8]));
        Ok(Self { by: None, body: body.into(), tag, gzip })
    }
}

fn compressed(body: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
    let written = gzip.write_all(body).and_then(|()| gzip.finish());
    written.unwrap_or_default()
}

/// Shares the bytes with the cache.
struct Part(Arc<Rendered>, bool);

impl AsRef<[u8]> for Part {
    fn as_ref(&self) -> &[u8] {
        if self.1 { &self.0.gzip } else { &self.0.body }
    }
}

fn answer(
    rendered: &Arc<Rendered>,
    headers: &HeaderMap,
    (media_type, vary): (&'static str, &'static str),
) -> Response {
    let tag = HeaderValue::from_str(&rendered.tag).unwrap_or(HeaderValue::from_static("W/\"0\""));
    let mut response = if is_unchanged(headers, &rendered.tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let gzip = takes_gzip(headers) && !rendered.gzip.is_empty();
        let mut response = Response::new(Body::from(Bytes::from_owner(Part(rendered.clone(), gzip))));
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

fn takes_gzip(headers: &HeaderMap) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_for_whom_it_was_drawn() {
        let [ada, eve] = [1, 2].map(|id| Some(Uuid::from_u128(id)));
        for by in [None, ada, eve] {
            let page = Rendered { by, body: Vec::new(), tag: String::new(), gzip: Vec::new() };
            assert!([None, ada, eve].into_iter().all(|viewer| page.is_for(viewer) == (by == viewer)));
        }
    }

    #[test]
    fn gzip_is_sent_to_who_takes_it() {
        let takes = |text: &'static str| {
            takes_gzip(&HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(text))]))
        };
        assert!(takes("gzip, deflate, br") && takes("br;q=1.0, GZIP;q=0.8"));
        assert!(!takes("br") && !takes("gzip;q=0") && !takes_gzip(&HeaderMap::new()));
    }
}
