//! The headers that every answer carries, set by one layer.

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

use crate::app::App;
use crate::cache::status;

const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
    connect-src 'self'; manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; \
    report-uri /csp-report; report-to csp";

const ALWAYS: [(HeaderName, &str); 9] = [
    (header::CONTENT_SECURITY_POLICY, CSP),
    (HeaderName::from_static("reporting-endpoints"), "csp=\"/csp-report\""),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // Not `no-referrer`: with it Chromium sends `Origin: null` on same-origin form posts.
    (header::REFERRER_POLICY, "same-origin"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
    (HeaderName::from_static("x-permitted-cross-domain-policies"), "none"),
];
const HSTS: &str = "max-age=31536000; includeSubDomains";

pub async fn secure(State(app): State<App>, request: Request, next: Next) -> Response {
    let (mut response, cached) = status::watch(next.run(request)).await;
    let headers = response.headers_mut();
    if let Some(status) = cached {
        headers.insert(HeaderName::from_static("cache-status"), status.header());
    }
    for (name, value) in ALWAYS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if app.site.is_https() {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(HSTS));
    }
    // Whatever does not say otherwise is somebody's own business; a cookie always is.
    if headers.contains_key(header::SET_COOKIE) {
        headers.remove(header::CACHE_CONTROL);
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("private, no-store"));
    response
}
