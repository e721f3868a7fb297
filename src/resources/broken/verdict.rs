//! What a request says of a link, and when a link counts as broken.

use std::time::Duration;

use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;

use super::SITE_PAUSE;
use super::store::Check;
use crate::fetch::Answer;
use crate::timestamp::Timestamp;

const LONGEST_RETRY_AFTER: Duration = Duration::from_hours(24);
const AGAIN: Duration = Duration::from_hours(30 * 24);
/// Three failures take a week.
const AGAIN_AFTER_FAILURE: Duration = Duration::from_hours(84);
const FAILURES: i64 = 3;
const FAILING_FOR: Duration = Duration::from_hours(7 * 24);

/// What a request said of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Alive,
    Failed,
    /// The site asks to be left alone for so long.
    Later(Duration),
    /// It can't be asked from here, as in a private network.
    Unknown,
}

/// What is known of a link after a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub next_at: Timestamp,
    pub by_get: bool,
    pub failures: i64,
    pub failed_since: Option<Timestamp>,
    pub broken_since: Option<Timestamp>,
}

impl Outcome {
    pub fn from_answer(answer: &Answer) -> Self {
        let seconds =
            answer.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
        match answer.status {
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE if seconds.is_some() => {
                let pause = Duration::from_secs(seconds.unwrap_or_default());
                Self::Later(pause.clamp(SITE_PAUSE, LONGEST_RETRY_AFTER))
            }
            // Sites that want a log-in or keep programs out are there.
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS => Self::Alive,
            status if status.is_client_error() || status.is_server_error() => Self::Failed,
            _ => Self::Alive,
        }
    }
}

pub fn judge(check: Check, outcome: Outcome, now: Timestamp) -> Verdict {
    let Check { by_get, failures, failed_since, broken_since, .. } = check;
    let unchanged = Verdict { next_at: now.plus(AGAIN), by_get: false, failures, failed_since, broken_since };
    match outcome {
        Outcome::Unknown => unchanged,
        Outcome::Later(pause) => Verdict { next_at: now.plus(pause), by_get, ..unchanged },
        Outcome::Alive => Verdict { failures: 0, failed_since: None, broken_since: None, ..unchanged },
        // Some servers know no HEAD.
        Outcome::Failed if !by_get => Verdict { next_at: now.plus(SITE_PAUSE), by_get: true, ..unchanged },
        Outcome::Failed => {
            let (failures, since) = (failures + 1, failed_since.unwrap_or(now));
            let is_broken = failures >= FAILURES && since.plus(FAILING_FOR) <= now;
            Verdict {
                next_at: now.plus(AGAIN_AFTER_FAILURE),
                by_get: false,
                failures,
                failed_since: Some(since),
                broken_since: broken_since.or(is_broken.then_some(since)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderMap;
    use url::Url;
    use uuid::Uuid;

    use super::*;

    fn answer(status: u16, retry_after: Option<&str>) -> Answer {
        let mut headers = HeaderMap::new();
        if let Some(value) = retry_after {
            headers.insert(RETRY_AFTER, value.parse().expect("a header"));
        }
        let status = StatusCode::from_u16(status).expect("a status");
        let url = Url::parse("https://example.org/").expect("a URL");
        Answer { url, status, headers, body: Vec::new(), is_cut: false }
    }

    #[test]
    fn an_answer_says_whether_a_page_is_there() {
        for status in [200, 204, 304, 401, 403, 429] {
            assert_eq!(Outcome::from_answer(&answer(status, None)), Outcome::Alive, "{status}");
        }
        for status in [400, 404, 405, 410, 500, 503] {
            assert_eq!(Outcome::from_answer(&answer(status, None)), Outcome::Failed, "{status}");
        }
        let later = |seconds| Outcome::Later(Duration::from_secs(seconds));
        assert_eq!(Outcome::from_answer(&answer(429, Some("120"))), later(120));
        assert_eq!(Outcome::from_answer(&answer(503, Some("1"))), later(10));
        assert_eq!(Outcome::from_answer(&answer(503, Some("999999999"))), later(24 * 3600));
        assert_eq!(Outcome::from_answer(&answer(404, Some("120"))), Outcome::Failed);
    }

    #[test]
    fn three_failures_over_a_week_break_a_link() {
        let start = Timestamp::from_micros(0);
        let mut check = Check {
            resource_id: Uuid::nil(),
            next_at: start,
            by_get: false,
            failures: 0,
            failed_since: None,
            broken_since: None,
        };
        let mut fails = |at: Timestamp, by_get| {
            let verdict = judge(Check { by_get, ..check }, Outcome::Failed, at);
            let Verdict { next_at, by_get, failures, failed_since, broken_since } = verdict;
            check = Check { next_at, by_get, failures, failed_since, broken_since, ..check };
            verdict
        };
        assert_eq!(fails(start, false).next_at, start.plus(SITE_PAUSE));
        assert_eq!(fails(start, true).failures, 1);
        let second = start.plus(AGAIN_AFTER_FAILURE);
        assert_eq!(fails(second, true).broken_since, None);
        let third = fails(second.plus(AGAIN_AFTER_FAILURE), true);
        assert_eq!((third.failures, third.broken_since), (3, Some(start)));
        let alive = judge(check, Outcome::Alive, third.next_at);
        assert_eq!((alive.failures, alive.failed_since, alive.broken_since), (0, None, None));
    }

    #[test]
    fn many_failures_within_a_day_break_nothing() {
        let start = Timestamp::from_micros(0);
        let check = Check {
            resource_id: Uuid::nil(),
            next_at: start,
            by_get: true,
            failures: 7,
            failed_since: Some(start),
            broken_since: None,
        };
        assert_eq!(judge(check, Outcome::Failed, start.plus(Duration::from_hours(24))).broken_since, None);
        assert_eq!(judge(check, Outcome::Later(SITE_PAUSE), start).failures, 7);
        assert_eq!(judge(check, Outcome::Unknown, start).failures, 7);
    }
}
