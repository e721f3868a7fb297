//! Dead links: a slow check in the background, off by default. A link is broken after three failures over a week.

#[doc(hidden)] // The tests ask the databases for the plans of its statements.
pub mod store;
mod verdict;

use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};
use url::Url;
use uuid::Uuid;

use self::store::Check;
use self::verdict::{Outcome, Verdict, judge};
use super::store::write::note_change;
use super::{Resource, Resources, cached};
use crate::cache::Scope;
use crate::db::Tx;
use crate::error::Result;
use crate::fetch::{FetchError, Fetcher, Request};
use crate::timestamp::Timestamp;

/// A node asks for one link in this time, whatever its site.
const PACE: Duration = Duration::from_secs(1);
/// All nodes ask a site once in this time.
const SITE_PAUSE: Duration = Duration::from_secs(10);
/// A site is looked at for new links this often.
const SITE_SLEEP: Duration = Duration::from_hours(24);
/// Links that are taken in at once.
const ENROLLED: i64 = 5_000;

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
        Ok(answer) => Outcome::from_answer(&answer),
        Err(FetchError::Scheme | FetchError::Refused) => Outcome::Unknown,
        Err(_) => Outcome::Failed,
    }
}
