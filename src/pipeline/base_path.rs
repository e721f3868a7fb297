//! coffer below a path of its host, such as `https://example.org/coffer`: requests lose the path here, and answers get
//! it back. No other part knows of it, and cached pages are the same with and without it.

mod markup;

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{OriginalUri, Request};
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use tower::ServiceExt as _;

use super::compress;
use crate::error::Error;

/// Request headers with the address of a page.
const SENT: [HeaderName; 2] = [header::REFERER, HeaderName::from_static("hx-current-url")];
/// What precedes a local address in the response headers that name one.
const ANSWERED: [(HeaderName, &str); 7] = [
    (header::LOCATION, ""),
    (header::LINK, "<"),
    (HeaderName::from_static("hx-redirect"), ""),
    (HeaderName::from_static("hx-push-url"), ""),
    (HeaderName::from_static("hx-replace-url"), ""),
    (header::CONTENT_SECURITY_POLICY, "report-uri "),
    (HeaderName::from_static("reporting-endpoints"), "=\""),
];

/// `path` is empty, or begins with a slash and does not end with one.
pub fn mount(path: &str, routes: Router) -> Router {
    if path.is_empty() {
        return routes;
    }
    let path: Arc<str> = path.into();
    Router::new().fallback(move |request: Request| serve(path, routes, request))
}

async fn serve(path: Arc<str>, routes: Router, mut request: Request) -> Response {
    if request.uri().path() == &*path && request.method().is_safe() {
        return to_folder(&path, request.uri());
    }
    let accepted = compress::accepted(request.headers());
    enter(&path, &mut request);
    let is_head = request.method() == Method::HEAD;
    let response = match routes.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    compress::compress(accepted, leave(&path, is_head, response).await).await
}

/// Scripts and styles find their neighbours by the slash at the end.
fn to_folder(path: &str, uri: &Uri) -> Response {
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    Redirect::permanent(&format!("{path}/{query}")).into_response()
}

/// A request outside the path passes as it is: the proxy took the path off, or checks this node's health.
fn enter(path: &str, request: &mut Request) {
    let asked = request.uri().path_and_query().map_or("/", PathAndQuery::as_str);
    if let Some(uri) = inside(path, asked).and_then(|rest| with_path(request.uri(), rest)) {
        *request.uri_mut() = uri;
    }
    request.extensions_mut().remove::<OriginalUri>();
    let headers = request.headers_mut();
    // Answers are compressed once their addresses are complete.
    headers.remove(header::ACCEPT_ENCODING);
    for name in SENT {
        let page = headers.get(&name).and_then(|page| page.to_str().ok()?.parse::<url::Url>().ok());
        let Some(mut page) = page else { continue };
        let Some(rest) = inside(path, page.path()).map(str::to_owned) else { continue };
        page.set_path(&rest);
        if let Ok(value) = HeaderValue::from_str(page.as_str()) {
            headers.insert(name, value);
        }
    }
}

fn inside<'a>(path: &str, address: &'a str) -> Option<&'a str> {
    address.strip_prefix(path).filter(|rest| rest.starts_with('/'))
}

fn with_path(uri: &Uri, path: &str) -> Option<Uri> {
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(path.parse().ok()?);
    Uri::from_parts(parts).ok()
}

async fn leave(path: &str, is_head: bool, mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, before) in ANSWERED {
        complete(path, headers, &name, before);
    }
    let Some(rewrite) = markup::rewriter(headers) else { return response };
    headers.remove(header::CONTENT_LENGTH);
    if is_head {
        return response;
    }
    let (parts, body) = response.into_parts();
    match to_bytes(body, usize::MAX).await.map(|bytes| String::from_utf8(bytes.into())) {
        Ok(Ok(text)) => Response::from_parts(parts, Body::from(rewrite(&text, path))),
        _ => Error::Internal("a page could not be read".to_owned()).into_response(),
    }
}

fn complete(path: &str, headers: &mut HeaderMap, name: &HeaderName, before: &str) {
    let Some(address) = headers.get(name).and_then(|value| value.to_str().ok()) else { return };
    let local = format!("{before}/");
    let completed = if before.is_empty() {
        address.starts_with('/').then(|| format!("{path}{address}"))
    } else {
        address.contains(&local).then(|| address.replace(&local, &format!("{before}{path}/")))
    };
    if let Some(value) = completed.and_then(|completed| HeaderValue::from_str(&completed).ok()) {
        headers.insert(name, value);
    }
}
