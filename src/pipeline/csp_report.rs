//! Browsers' reports of content that the policy blocked: a log line each, without secrets.

use axum::{body::Body, extract::Request, http::StatusCode};
use serde_json::Value;
use url::Url;

use crate::web::body;

use crate::error::{Code, Error, Result};
use crate::web::csrf::content_type;

pub const PATH: &str = "/csp-report";
const LIMIT: usize = 16 << 10;
/// Of the reports in one request.
const MOST: usize = 5;
const DIRECTIVES: &str = "base-uri connect-src default-src font-src form-action frame-ancestors frame-src img-src \
                          manifest-src media-src object-src script-src style-src worker-src";
const NOT_ADDRESSES: &str = "inline eval wasm-eval data blob self trusted-types-sink";

/// Takes what `report-uri` (CSP level 2) or `report-to` (the Reporting API) sends. Any client can send it.
pub async fn take(request: Request<Body>) -> Result<StatusCode> {
    let kind = content_type(request.headers());
    let bytes = body::read(request.into_body(), LIMIT).await?;
    let (member, reports): (_, serde_json::Result<Vec<Value>>) = match kind.as_str() {
        "application/csp-report" => ("csp-report", serde_json::from_slice(&bytes).map(|one| vec![one])),
        "application/reports+json" => ("body", serde_json::from_slice(&bytes)),
        _ => return Err(Error::WrongType { wanted: "application/reports+json or application/csp-report" }),
    };
    let reports = reports.ok().filter(|reports| reports.iter().all(|report| report[member].is_object()));
    let message = "This is not a browser report.".into();
    for report in reports.ok_or(Error::Malformed { code: Code::BadBody, message })?.iter().take(MOST) {
        let text = |a: &str, b: &str| report[member][a].as_str().or(report[member][b].as_str());
        let Some(directive) = text("violated-directive", "effectiveDirective") else { continue };
        let directive = DIRECTIVES.split(' ').find(|known| directive.starts_with(known)).unwrap_or("other");
        let blocked = text("blocked-uri", "blockedURL").and_then(origin).unwrap_or("other".into());
        let page = text("document-uri", "documentURL").and_then(section).unwrap_or("other".into());
        tracing::warn!(event = "csp_report", directive, blocked, page, "a page broke the content policy");
    }
    Ok(StatusCode::NO_CONTENT)
}

fn origin(blocked: &str) -> Option<String> {
    let url = Url::parse(blocked).ok();
    let origin = url.map(|url| {
        format!("{}:{}", url.scheme(), url.host_str().map(|host| format!("//{host}")).unwrap_or_default())
    });
    let word = NOT_ADDRESSES.split(' ').find(|word| *word == blocked).map(str::to_owned);
    word.or(origin).filter(|origin| origin.len() <= 100)
}

/// `/invite` of `/invite/{token}`.
fn section(page: &str) -> Option<String> {
    let url = Url::parse(page).ok()?;
    let first = url.path_segments()?.next()?;
    let is_plain = first.len() <= 20 && first.chars().all(|c| c.is_ascii_lowercase() || c == '-');
    is_plain.then(|| format!("/{first}"))
}

#[cfg(test)]
mod tests;
