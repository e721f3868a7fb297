//! `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10), as structured fields.

use axum::body::Bytes;
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderMap, HeaderName, HeaderValue};

use super::gcra::{Micros, Quota, seconds};
use super::verdict::{QuotaStatus, Refusal};

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LEFT: HeaderName = HeaderName::from_static("ratelimit");

/// `"pages";q=100;w=20` and `"pages";r=99;t=1`, for each policy of the request. Policy names need no escapes. What
/// the answer tells of a policy already is newer.
pub fn append(statuses: impl Iterator<Item = QuotaStatus>, headers: &mut HeaderMap) {
    let (mut policies, mut left) = (String::with_capacity(32), String::with_capacity(32));
    for QuotaStatus { policy, quota, remaining, until } in
        statuses.filter(|status| !is_told(headers, *status))
    {
        let (count, window) = window(quota);
        member(&mut policies, policy.as_str(), [(";q=", count.into()), (";w=", seconds(window))]);
        member(&mut left, policy.as_str(), [(";r=", remaining.into()), (";t=", seconds(until))]);
    }
    for (name, text) in [(POLICY, policies), (LEFT, left)] {
        // An empty structured field is left out (RFC 9651 § 3.1).
        if !text.is_empty()
            && let Ok(value) = HeaderValue::from_maybe_shared(Bytes::from(text))
        {
            headers.append(name, value);
        }
    }
}

fn is_told(headers: &HeaderMap, status: QuotaStatus) -> bool {
    let mut told = headers.get_all(LEFT).iter().filter_map(|value| value.to_str().ok());
    told.any(|told| told.split('"').any(|name| name == status.policy.as_str()))
}

/// By hand: every answer has two, and the formatter would take longer than the decision.
fn member(list: &mut String, name: &str, parameters: [(&str, u64); 2]) {
    list.push_str(if list.is_empty() { "\"" } else { ", \"" });
    list.push_str(name);
    list.push('"');
    for (parameter, value) in parameters {
        list.push_str(parameter);
        list.push_str(itoa::Buffer::new().format(value));
    }
}

pub fn append_refusal(refusal: &Refusal, headers: &mut HeaderMap) {
    headers.insert(RETRY_AFTER, HeaderValue::from(refusal.retry_after));
    append(refusal.quotas.iter().copied(), headers);
}

/// The units that a client may take at once, and how long until it has all of them again.
fn window(quota: Quota) -> (u32, Micros) {
    let count = match quota {
        Quota::Rate { burst, .. } => burst,
        Quota::Backoff { free, .. } => free,
        Quota::Mark { .. } => 0,
    };
    (count, quota.tolerance())
}
