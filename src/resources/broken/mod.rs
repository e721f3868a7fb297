//! Dead links: a slow check in the background, off by default. A link is broken after three failures over a week.

#[doc(hidden)] // The tests ask the databases for the plans of its statements.
pub mod store;

use std::time::Duration;

use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use tokio::time::{MissedTickBehavior, interval};
use url::Url;
use uuid::Uuid;

use self::store::Check;
use super::store::write::note_change;
use super::{Resource, Resources, cached};
use crate::cache::Scope;
use crate::db::Tx;
use crate::error::Result;
use crate::fetch::{Answer, FetchError, Fetcher, Request};
use crate::timestamp::Timestamp;

/// A node asks for one link in this time, whatever its site.
const PACE: Duration = Duration::from_secs(1);
/// All nodes ask a site once in this time.
const SITE_PAUSE: Duration = Duration::from_secs(10);
/// A site is looked at for new links this often.
const SITE_SLEEP: Duration = Duration::from_hours(24);
const LONGEST_RETRY_AFTER: Duration = Duration::from_hours(24);
const AGAIN: Duration = Duration::from_hours(30 * 24);
/// Three failures take a week.
const AGAIN_AFTER_FAILURE: Duration = Duration::from_hours(84);
const FAILURES: i64 = 3;
const FAILING_FOR: Duration = Duration::from_hours(7 * 24);
/// Links that are taken in at once.
const ENROLLED: i64 = 5_000;

/// What a request said of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
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
    next_at: Timestamp,
    by_get: bool,
    failures: i64,
    failed_since: Option<Timestamp>,
    broken_since: Option<Timestamp>,
}

impl Resources {
    /// Checks links until the program ends; without a fetcher it forgets what was checked before.
    pub async fn maintain_links(&self, fetcher: Option<&Fetcher>) {
        let Some(fetcher) = fetcher else {
            if let Err(error) = self.forget_checks().await {
                tracing::warn!(?error, "what is known of dead links could not be removed");
            }
            return;
        };
        let mut tick = interval(PACE);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            if let Err(error) = self.check_next(fetcher).await {
                tracing::warn!(event = "link_check", ?error, "a link could not be checked");
            }
        }
    }

    /// Takes in links that are new to the check.
    pub async fn enrol_links(&self) -> Result<()> {
        Ok(store::enrol(&self.db, self.context.now(), ENROLLED).await?)
    }

    async fn forget_checks(&self) -> Result<()> {
        let mut tx = self.cache.begin().await?;
        if store::clear(&mut tx).await? > 0 {
            tx.commit([Scope::All]).await?;
        }
        Ok(())
    }

    /// Checks the link that is due longest, if there is one.
    async fn check_next(&self, fetcher: &Fetcher) -> Result<()> {
        let now = self.context.now();
        if !store::is_any_due(&self.db, now).await? {
            return Ok(());
        }
        let mut tx = self.db.begin().await?;
        let Some(site) = store::claim_site(&mut tx, now, now.plus(SITE_PAUSE)).await? else { return Ok(()) };
        let check = match store::next_check(&mut tx, &site).await? {
            Some(check) if check.next_at <= now => Some(check),
            Some(check) => {
                store::set_site(&mut tx, &site, check.next_at.min(now.plus(SITE_SLEEP))).await?;
                None
            }
            None => {
                store::forget_site(&mut tx, &site).await?;
                None
            }
        };
        tx.commit().await?;
        match check {
            Some(check) => self.check(fetcher, &site, check).await,
            None => Ok(()),
        }
    }

    async fn check(&self, fetcher: &Fetcher, site: &str, check: Check) -> Result<()> {
        let Some(resource) = super::store::find(&self.db, check.resource_id).await? else { return Ok(()) };
        let outcome = match &resource.url {
            Some(url) if resource.trashed_at.is_none() => ask(fetcher, url, check.by_get).await,
            _ => Outcome::Unknown,
        };
        self.conclude(&resource, site, check, outcome).await
    }

    /// What is cached changes only where a link becomes broken, or works again.
    async fn conclude(&self, resource: &Resource, site: &str, check: Check, outcome: Outcome) -> Result<()> {
        let now = self.context.now();
        let verdict = judge(check, outcome, now);
        let site = match outcome {
            Outcome::Later(pause) => Some(SitePause { site, until: now.plus(pause) }),
            _ => None,
        };
        if verdict.broken_since == check.broken_since {
            let mut tx = self.db.begin().await?;
            save(&mut tx, resource.id, &verdict, site).await?;
            return Ok(tx.commit().await?);
        }
        let mut tx = self.cache.begin().await?;
        save(&mut tx, resource.id, &verdict, site).await?;
        note_change(&mut tx, resource.id).await?;
        Ok(tx.commit(cached::touched(resource.id, resource.owner_id, &[resource.visibility])).await?)
    }
}

/// A site that asks to be left alone.
struct SitePause<'a> {
    site: &'a str,
    until: Timestamp,
}

async fn save(tx: &mut Tx, id: Uuid, verdict: &Verdict, pause: Option<SitePause<'_>>) -> sqlx::Result<()> {
    store::save(tx, id, verdict).await?;
    match pause {
        Some(SitePause { site, until }) => store::set_site(tx, site, until).await,
        None => Ok(()),
    }
}

async fn ask(fetcher: &Fetcher, url: &str, by_get: bool) -> Outcome {
    let Ok(url) = Url::parse(url) else { return Outcome::Unknown };
    let request = if by_get { Request::get(url).max_body(0) } else { Request::head(url) };
    match fetcher.send(request).await {
        Ok(answer) => of_answer(&answer),
        Err(FetchError::Scheme | FetchError::Refused) => Outcome::Unknown,
        Err(_) => Outcome::Failed,
    }
}

fn of_answer(answer: &Answer) -> Outcome {
    let seconds = answer.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    match answer.status {
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE if seconds.is_some() => {
            let pause = Duration::from_secs(seconds.unwrap_or_default());
            Outcome::Later(pause.clamp(SITE_PAUSE, LONGEST_RETRY_AFTER))
        }
        // Sites that want a log-in or keep programs out are there.
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS => Outcome::Alive,
        status if status.is_client_error() || status.is_server_error() => Outcome::Failed,
        _ => Outcome::Alive,
    }
}

fn judge(check: Check, outcome: Outcome, now: Timestamp) -> Verdict {
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
            assert_eq!(of_answer(&answer(status, None)), Outcome::Alive, "{status}");
        }
        for status in [400, 404, 405, 410, 500, 503] {
            assert_eq!(of_answer(&answer(status, None)), Outcome::Failed, "{status}");
        }
        let later = |seconds| Outcome::Later(Duration::from_secs(seconds));
        assert_eq!(of_answer(&answer(429, Some("120"))), later(120));
        assert_eq!(of_answer(&answer(503, Some("1"))), later(10));
        assert_eq!(of_answer(&answer(503, Some("999999999"))), later(24 * 3600));
        assert_eq!(of_answer(&answer(404, Some("120"))), Outcome::Failed);
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
