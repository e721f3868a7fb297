//! The security headers of every answer, set in one place.

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;

use super::Pipeline;
use crate::cache::status::Status;
use crate::web::cookies;

const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
    connect-src 'self'; manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; \
    report-uri /csp-report; report-to csp";

static ALWAYS: [(HeaderName, HeaderValue); 3] = [
    always("x-content-type-options", "nosniff"),
    // Not `no-referrer`: with it Chromium sends `Origin: null` on same-origin form posts.
    always("referrer-policy", "same-origin"),
    always("cross-origin-resource-policy", "same-origin"),
];
/// Of what a browser may show as a page.
static PAGE: [(HeaderName, HeaderValue); 5] = [
    always("content-security-policy", CSP),
    always("reporting-endpoints", "csp=\"/csp-report\""),
    always("x-frame-options", "DENY"),
    always("cross-origin-opener-policy", "same-origin"),
    always("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
];
/// Of data, styles, scripts and pictures: opened as a page, they do nothing at all.
static DATA: [(HeaderName, HeaderValue); 1] =
    [always("content-security-policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'")];
const HSTS: &str = "max-age=31536000";
/// Only when it is configured: other hosts of the domain may not have https.
const HSTS_SUBDOMAINS: &str = "max-age=31536000; includeSubDomains";

const fn always(name: &'static str, value: &'static str) -> (HeaderName, HeaderValue) {
    (HeaderName::from_static(name), HeaderValue::from_static(value))
}

pub fn secure(pipeline: &Pipeline, response: &mut Response, cached: Option<Status>) {
    always_secure(response);
    let headers = response.headers_mut();
    if let Some(status) = cached {
        headers.insert(HeaderName::from_static("cache-status"), status.header());
    }
    if pipeline.deps.public_url.is_https() {
        let hsts = if pipeline.hsts_subdomains { HSTS_SUBDOMAINS } else { HSTS };
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(hsts));
    }
    // A response that does not say otherwise may be private; one with a cookie always is.
    if headers.contains_key(header::SET_COOKIE) {
        headers.remove(header::CACHE_CONTROL);
        cookies::secure(&pipeline.deps.public_url, headers);
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("private, no-store"));
}

/// Those that depend on nothing but the kind of the answer. An answer's own headers win.
pub fn always_secure(response: &mut Response) {
    // A browser puts the headers of a 304 in place of those that it keeps: they stay as they were.
    if response.status() == StatusCode::NOT_MODIFIED {
        return;
    }
    let headers = response.headers_mut();
    let of_kind = if is_data(headers) { DATA.as_slice() } else { PAGE.as_slice() };
    headers.reserve(ALWAYS.len() + of_kind.len() + 4);
    for (name, value) in ALWAYS.iter().chain(of_kind) {
        headers.entry(name).or_insert_with(|| value.clone());
    }
}

/// An answer that does not say what it is may be a page.
fn is_data(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE);
    kind.is_some_and(|kind| !kind.as_bytes().starts_with(b"text/html"))
}
