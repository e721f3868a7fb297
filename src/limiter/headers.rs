//! `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10), as structured fields.

use std::fmt::Write as _;

use axum::http::{HeaderMap, HeaderName, HeaderValue};

use super::batch::Answer;
use super::gcra::{Micros, Quota};
use super::verdict::Verdict;

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LEFT: HeaderName = HeaderName::from_static("ratelimit");

/// `"pages";q=300;w=60` and `"pages";r=99;t=1`, for each policy that the request came under. Names need no escapes.
pub fn tell(verdict: &Verdict, headers: &mut HeaderMap) {
    let (mut policies, mut left) = (String::with_capacity(32), String::with_capacity(32));
    for (policy, quota, answer) in verdict.rates() {
        let Quota::Rate { count, period, .. } = quota else { continue };
        let comma = if policies.is_empty() { "" } else { ", " };
        let name = policy.name();
        let _ = write!(policies, "{comma}\"{name}\";q={count};w={}", seconds(period));
        let _ =
            write!(left, "{comma}\"{name}\";r={};t={}", answer.decision.remaining, seconds(until(answer)));
    }
    for (name, text) in [(POLICY, policies), (LEFT, left)] {
        if let Ok(value) = HeaderValue::from_maybe_shared(bytes(text)) {
            headers.insert(name, value);
        }
    }
}

/// Until there is a unit again, or else until all are there.
fn until(answer: &Answer) -> Micros {
    if answer.is_refused() { answer.decision.retry_after } else { answer.decision.reset }
}

const fn seconds(micros: Micros) -> u64 {
    micros.div_ceil(1_000_000)
}

fn bytes(text: String) -> axum::body::Bytes {
    text.into()
}
