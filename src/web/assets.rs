//! Style sheets, scripts, fonts: embedded in the binary, named by their content, cached for ever.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use axum::body::{Body, Bytes};
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use data_encoding::HEXLOWER;
use flate2::Compression;
use rust_embed::RustEmbed;

use super::deps::WebDeps;
use super::page_cache::{compressed, takes_gzip};
use crate::error::Error;

#[derive(RustEmbed)]
#[folder = "static"]
#[exclude = "*.md"]
#[exclude = "*.txt"]
struct Static;

/// The fonts of almost every page. A style sheet names them without a hash, so a changed font needs a new name.
pub const FONTS: [&str; 2] = [
    "/static/vendor/fonts/brygada-1918-latin-wght-normal.woff2",
    "/static/vendor/fonts/libre-franklin-latin-wght-normal.woff2",
];
pub const ROUTE: &str = "/static/{*path}";
const FOREVER: &str = "public, max-age=31536000, immutable";

/// Each file's address, with the first 12 hex digits of its SHA-256.
static ADDRESSES: LazyLock<HashMap<String, String>> = LazyLock::new(|| {
    Static::iter()
        .filter_map(|path| {
            let hash = Static::get(&path)?.metadata.sha256_hash();
            let address = format!("/static/{path}?v={}", HEXLOWER.encode(&hash[..6]));
            Some((path.into_owned(), address))
        })
        .collect()
});

/// The files that compression makes smaller. Each is asked for by every new browser, so they are packed once and well.
static PACKED: LazyLock<HashMap<String, Bytes>> = LazyLock::new(|| {
    Static::iter()
        .filter_map(|path| {
            let file = Static::get(&path)?;
            let packed = compressed(&file.data, Compression::best());
            (packed.len() * 10 < file.data.len() * 9).then(|| (path.into_owned(), packed.into()))
        })
        .collect()
});

/// Changes when the file's content does; empty for a file that does not exist.
pub fn url(path: &str) -> &'static str {
    ADDRESSES.get(path).map_or("", String::as_str)
}

pub async fn robots(State(deps): State<Arc<WebDeps>>) -> String {
    if !deps.is_indexed {
        return "User-agent: *\nDisallow: /\n".to_owned();
    }
    let site = deps.public_url.address();
    format!(
        "User-agent: *\nDisallow: /resources?\nDisallow: /login?\nDisallow: /s/\nDisallow: /api/\nSitemap: {site}/sitemap.xml\n"
    )
}

pub async fn serve(
    Path(path): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let named_by_content =
        query.is_some() && query.as_deref() == url(&path).split_once('?').map(|(_, query)| query);
    answer(&path, named_by_content || path.starts_with("vendor/fonts/"), takes_gzip(&headers))
}

/// Browsers ask for it at the root, whatever the pages say.
pub fn file(path: &'static str) -> Result<Response, Error> {
    answer(path, false, false)
}

fn answer(path: &str, is_forever: bool, takes_gzip: bool) -> Result<Response, Error> {
    let file = Static::get(path).ok_or(Error::NotFound)?;
    let lifetime = if is_forever { FOREVER } else { "public, max-age=300" };
    let kind = file.metadata.mimetype();
    let kind = if kind.starts_with("text/") { format!("{kind}; charset=utf-8") } else { kind.to_owned() };
    let kind = HeaderValue::from_str(&kind).map_err(|e| Error::Internal(e.to_string()))?;
    let headers = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, HeaderValue::from_static(lifetime))];
    let packed = PACKED.get(path).filter(|_| takes_gzip);
    let body = packed.map_or_else(|| Body::from(file.data), |packed| Body::from(packed.clone()));
    let mut response = (headers, body).into_response();
    if packed.is_some() {
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    }
    Ok(response)
}
