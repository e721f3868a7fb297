//! What browsers report when a page breaks the content policy: somebody has put something into it, or it is ours to mend.
//!
//! Anybody can send such a report. It leads to one line in the log, of words that are known, and to nothing else.

use axum::body::Body;
use axum::extract::Request;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::body;
use super::csrf::content_type;
use crate::error::{Error, Result};

pub const PATH: &str = "/csp-report";
const LIMIT: usize = 16 << 10;
/// Of the reports that come together so many are told.
const MOST: usize = 5;
const DIRECTIVES: [&str; 14] = [
    "base-uri",
    "connect-src",
    "default-src",
    "font-src",
    "form-action",
    "frame-ancestors",
    "frame-src",
    "img-src",
    "manifest-src",
    "media-src",
    "object-src",
    "script-src",
    "style-src",
    "worker-src",
];
/// What stands in the place of an address when nothing was loaded.
const KEYWORDS: [&str; 7] = ["inline", "eval", "wasm-eval", "data", "blob", "self", "trusted-types-sink"];

/// By the directive `report-uri` (CSP level 2).
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Single {
    csp_report: Violation,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct Violation {
    effective_directive: String,
    violated_directive: String,
    blocked_uri: String,
    document_uri: String,
}

/// By the directive `report-to` (the Reporting API), which knows other types too.
#[derive(Deserialize)]
struct Report {
    #[serde(rename = "type")]
    kind: String,
    body: Value,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ReportedViolation {
    effective_directive: String,
    #[serde(rename = "blockedURL")]
    blocked_url: String,
    #[serde(rename = "documentURL")]
    document_url: String,
}

/// A report in words that are ours.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    directive: &'static str,
    blocked: String,
    page: String,
}

/// Writes down what a browser complains of.
pub async fn take(request: Request<Body>) -> Result<StatusCode> {
    let kind = content_type(request.headers());
    let bytes = body::read(request.into_body(), LIMIT).await?;
    let read = match kind.as_str() {
        "application/csp-report" => serde_json::from_slice(&bytes).map(|single: Single| vec![of_uri(single)]),
        "application/reports+json" => serde_json::from_slice(&bytes).map(of_api),
        _ => return Err(Error::WrongType { wanted: "application/reports+json or application/csp-report" }),
    };
    let malformed =
        |_| Error::Malformed { code: "bad_body", message: "This is no report of a browser.".into() };
    for Told { directive, blocked, page } in read.map_err(malformed)?.into_iter().take(MOST) {
        tracing::warn!(event = "csp_report", directive, blocked, page, "a page broke the content policy");
    }
    Ok(StatusCode::NO_CONTENT)
}

fn of_uri(Single { csp_report: violation }: Single) -> Told {
    let directive = if violation.effective_directive.is_empty() {
        &violation.violated_directive
    } else {
        &violation.effective_directive
    };
    told(directive, &violation.blocked_uri, &violation.document_uri)
}

fn of_api(reports: Vec<Report>) -> Vec<Told> {
    let violations = reports.into_iter().filter(|report| report.kind == "csp-violation");
    let read = violations.filter_map(|report| serde_json::from_value::<ReportedViolation>(report.body).ok());
    read.map(|violation| {
        told(&violation.effective_directive, &violation.blocked_url, &violation.document_url)
    })
    .collect()
}

fn told(directive: &str, blocked: &str, page: &str) -> Told {
    // `script-src-elem 'self'` is told as `script-src`.
    let named = directive.split_whitespace().next().unwrap_or_default();
    let known = DIRECTIVES.into_iter().find(|known| named.starts_with(known));
    Told { directive: known.unwrap_or("other"), blocked: place(blocked), page: room(page) }
}

/// Scheme and host of what was not loaded; what follows them may be somebody's secret.
fn place(blocked: &str) -> String {
    if let Some(keyword) = KEYWORDS.into_iter().find(|keyword| *keyword == blocked) {
        return keyword.to_owned();
    }
    let url = Url::parse(blocked).ok();
    let origin = url.map(|url| match url.host_str() {
        Some(host) => format!("{}://{}", url.scheme(), host),
        None => format!("{}:", url.scheme()),
    });
    origin.filter(|origin| origin.len() <= 100).unwrap_or_else(|| "other".to_owned())
}

/// The beginning of a page's path: `/invite` of `/invite/{token}`.
fn room(page: &str) -> String {
    let url = Url::parse(page).ok();
    let first = url.as_ref().and_then(Url::path_segments).and_then(|mut parts| parts.next());
    let plain = |part: &&str| part.len() <= 20 && part.chars().all(|c| c.is_ascii_lowercase() || c == '-');
    first.filter(plain).map_or_else(|| "other".to_owned(), |first| format!("/{first}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_told_that_could_be_a_secret() {
        let told = told(
            "script-src-elem 'self'",
            "https://evil.example:8443/steal?token=canary#canary",
            "https://links.example.org/password/reset/canary?next=canary",
        );
        assert_eq!(
            told,
            Told {
                directive: "script-src",
                blocked: "https://evil.example".to_owned(),
                page: "/password".to_owned()
            }
        );
    }

    #[test]
    fn words_that_nobody_knows_are_not_repeated() {
        for (directive, blocked, page) in
            [("", "", ""), ("\u{1b}[31m", "javascript", "nowhere"), ("x y", "\0", "http://a/CANARY")]
        {
            let told = told(directive, blocked, page);
            assert_eq!(
                (told.directive, told.blocked.as_str(), told.page.as_str()),
                ("other", "other", "other")
            );
        }
        assert_eq!(place("inline"), "inline");
        assert_eq!(place("javascript:alert(1)"), "javascript:");
        assert_eq!(place(&format!("https://{}.example", "a".repeat(200))), "other");
    }
}
