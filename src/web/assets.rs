//! Style sheets, scripts, fonts: embedded in the binary, named by their content, cached for ever.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use data_encoding::HEXLOWER;
use flate2::Compression;
use rust_embed::RustEmbed;
use sha2::{Digest as _, Sha256};

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

/// Files of every page, sent as one: they compress better together, and a new browser asks once.
const BUNDLES: [(&str, &[&str]); 2] = [
    (
        "css/bundle.css",
        &[
            "css/tokens.css", "css/base.css", "css/layout.css", "css/components.css", "css/pages.css",
            "css/print.css",
        ],
    ),
    (
        "bundle.js",
        &["coffer.js", "drafts.js", "place.js", "tags.js", "many.js", "keys.js", "times.js", "copy.js"],
    ),
];

struct Asset {
    /// With the first 12 hex digits of the file's SHA-256.
    address: String,
    media_type: HeaderValue,
    body: Bytes,
    /// Where that is smaller. Each file is asked for by every new browser, so it is compressed once and well.
    gzip: Option<Bytes>,
}

static ASSETS: LazyLock<HashMap<String, Asset>> = LazyLock::new(|| {
    let bundles = BUNDLES.iter().map(|(name, _)| (*name).into());
    Static::iter().chain(bundles).filter_map(|path| Some((path.to_string(), Asset::read(&path)?))).collect()
});

impl Asset {
    fn read(path: &str) -> Option<Self> {
        let bundle = BUNDLES.iter().find(|(name, _)| *name == path);
        let file = Static::get(bundle.map_or(path, |(_, parts)| parts[0]))?;
        let media_type = file.metadata.mimetype();
        let charset = if media_type.starts_with("text/") { "; charset=utf-8" } else { "" };
        let media_type = HeaderValue::from_str(&format!("{media_type}{charset}")).ok()?;
        let body = match bundle {
            Some((name, parts)) => join(name, parts)?,
            None => match file.data {
                Cow::Borrowed(bytes) => Bytes::from_static(bytes),
                Cow::Owned(bytes) => bytes.into(),
            },
        };
        let gzip = compressed(&body, Compression::best());
        let gzip = (gzip.len() * 10 < body.len() * 9).then(|| gzip.into());
        let hash = HEXLOWER.encode(&Sha256::digest(&body)[..6]);
        Some(Self { address: format!("/static/{path}?v={hash}"), media_type, body, gzip })
    }
}

/// A script's names stay its own inside a block.
fn join(name: &str, parts: &[&str]) -> Option<Bytes> {
    let (before, after): (&[u8], &[u8]) = match name.rsplit_once('.') {
        Some((_, "js")) => (b"{\n", b"}\n"),
        _ => (b"", b""),
    };
    let mut joined = Vec::new();
    for part in parts {
        joined.extend([before, &Static::get(part)?.data, after].concat());
    }
    Some(joined.into())
}

/// Changes when the file's content does; empty for a file that does not exist.
pub fn url(path: &str) -> &'static str {
    ASSETS.get(path).map_or("", |asset| &asset.address)
}

pub async fn robots(State(deps): State<Arc<WebDeps>>) -> String {
    if !deps.is_indexed {
        return "User-agent: *\nDisallow: /\n".to_owned();
    }
    let site = deps.public_url.address();
    format!(
        "User-agent: *\nDisallow: /resources?\nDisallow: /login?\nDisallow: /api/\nSitemap: {site}/sitemap.xml\n"
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
    let asset = ASSETS.get(path).ok_or(Error::NotFound)?;
    let lifetime = HeaderValue::from_static(if is_forever { FOREVER } else { "public, max-age=300" });
    let headers = [(header::CONTENT_TYPE, asset.media_type.clone()), (header::CACHE_CONTROL, lifetime)];
    let gzip = asset.gzip.as_ref().filter(|_| takes_gzip);
    let mut response = (headers, gzip.unwrap_or(&asset.body).clone()).into_response();
    if gzip.is_some() {
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    }
    Ok(response)
}
