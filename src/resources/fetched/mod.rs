//! Title, description and icon of a link, fetched in the background. The queue is a table, and every node works on it.

mod charset;
mod html;
pub mod icon;
mod page;
mod queue;
#[doc(hidden)] // The tests ask the databases for the plans of its statements.
pub mod store;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::{Notify, Semaphore};
use tokio::time::timeout;
use uuid::Uuid;

use self::icon::Icon;
use self::page::Page;
use self::store::Job;
use super::{Change, Draft, Resource, Resources, Via, cached};
use crate::cache::Scope;
use crate::error::{Error, Result};
use crate::fetch::Fetcher;
use crate::markdown;

/// Pages that one node fetches at once.
const WORKERS: usize = 4;
/// Of these for one person, on all nodes.
const WORKERS_OF_ONE: i64 = 2;
/// Between the pages of one person.
const SPACING: Duration = Duration::from_millis(250);
/// Longer than a page and its icons may take.
const LEASE: Duration = Duration::from_mins(1);
/// A page whose node stopped so often is given up.
const ATTEMPTS: i64 = 3;
/// For what other nodes have queued.
const POLL_EVERY: Duration = Duration::from_secs(15);
/// Database connections that icons may take.
const ICON_READS: usize = 2;

/// What fetching needs, where it is switched on.
#[derive(Clone)]
pub struct Fetching {
    fetcher: Fetcher,
    icon_key: [u8; 32],
    queued: Arc<Notify>,
}

impl Fetching {
    pub fn new(fetcher: Fetcher, icon_key: [u8; 32]) -> Self {
        Self { fetcher, icon_key, queued: Arc::default() }
    }
}

/// Reads of icons, which no limiter counts.
#[derive(Clone)]
pub struct IconReads(Arc<Semaphore>);

impl Default for IconReads {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(ICON_READS)))
    }
}

/// What there was to do.
enum Found {
    Job,
    /// Jobs wait for their time, or for others of the same person.
    Waiting,
    Nothing,
}

impl Resources {
    pub fn is_fetching(&self) -> bool {
        self.fetching.is_some()
    }

    /// Fetches what is queued, until the program ends.
    pub async fn maintain_fetching(&self) {
        let Some(fetching) = &self.fetching else {
            if let Err(error) = self.clear_queue().await {
                tracing::warn!(
                    ?error,
                    "links that waited for their titles could not be taken from the queue"
                );
            }
            return;
        };
        join_all((0..WORKERS).map(|_| self.work(fetching))).await;
    }

    async fn clear_queue(&self) -> Result<()> {
        let mut tx = self.cache.begin().await?;
        if store::clear(&mut tx).await? > 0 {
            tx.commit([Scope::All]).await?;
        }
        Ok(())
    }

    async fn work(&self, fetching: &Fetching) {
        loop {
            let pause = match self.fetch_next(fetching).await {
                Ok(Found::Job) => continue,
                Ok(Found::Waiting) => SPACING,
                Ok(Found::Nothing) => POLL_EVERY,
                Err(error) => {
                    tracing::warn!(event = "fetch_queue", ?error, "links that wait for their titles failed");
                    POLL_EVERY
                }
            };
            let _ = timeout(pause, fetching.queued.notified()).await;
        }
    }

    async fn fetch_next(&self, fetching: &Fetching) -> Result<Found> {
        let now = self.context.now();
        if !store::is_any_due(&self.db, now).await? {
            let waiting = store::count(&self.db).await? > 0;
            return Ok(if waiting { Found::Waiting } else { Found::Nothing });
        }
        match store::claim(&self.db, now, now.plus(LEASE), WORKERS_OF_ONE).await? {
            Some(job) => self.fetch(fetching, &job).await.map(|()| Found::Job),
            None => Ok(Found::Waiting),
        }
    }

    async fn fetch(&self, fetching: &Fetching, job: &Job) -> Result<()> {
        let resource = super::store::find(&self.db, job.resource_id).await?;
        let Some(resource) = resource else { return Ok(()) };
        let url = resource.url.as_deref().filter(|_| job.attempts <= ATTEMPTS);
        let page = match url {
            Some(url) => page::read(&fetching.fetcher, url).await,
            None => None,
        };
        let mut icon = None;
        if let Some(page) = &page {
            self.fill_in(&resource, page, job).await?;
            icon = page.icon(&fetching.fetcher, &fetching.icon_key).await;
        }
        let mut tx = self.cache.begin().await?;
        if let Some(icon) = &icon {
            store::set_icon(&mut tx, resource.id, icon).await?;
        }
        store::finish(&mut tx, job).await?;
        let seen = super::store::find_within(&mut tx, resource.id).await?.map(|now| now.visibility);
        let seen: Vec<_> = [Some(resource.visibility), seen].into_iter().flatten().collect();
        Ok(tx.commit(cached::touched(resource.id, resource.owner_id, &seen)).await?)
    }

    /// Saves what the page says as a new version. What a person saved meanwhile stays.
    async fn fill_in(&self, fetched: &Resource, page: &Page, job: &Job) -> Result<()> {
        while let Some(current) = super::store::find(&self.db, fetched.id).await? {
            if current.trashed_at.is_some() || current.url != fetched.url {
                break;
            }
            let change = filled_in(&current, page, job.replaces_version)?;
            let checked = change.over(Draft::from(&current)).check_keeping(&current.tags.0)?;
            if checked.changes_nothing_of(&current)
                || self.replace(&current, &checked, Via::Fetch).await?.is_some()
            {
                break;
            }
        }
        Ok(())
    }

    pub async fn icon(&self, id: Uuid) -> Result<Icon> {
        let _permit = self.icon_reads.0.acquire().await;
        store::icon(&self.db, id).await?.ok_or(Error::NotFound)
    }

    pub async fn delete_unused_icons(&self) -> Result<()> {
        Ok(store::delete_unused_icons(&self.db).await?)
    }
}

/// A title that stands for the address, or is of the version that was to be replaced, becomes the page's; an empty body
/// becomes the page's description.
fn filled_in(current: &Resource, page: &Page, replaces_version: Option<i64>) -> Result<Change> {
    let untitled = Draft { title: String::new(), ..Draft::from(current) };
    let is_untitled = || Ok::<_, Error>(untitled.check_keeping(&current.tags.0)?.title == current.title);
    let takes_title = replaces_version == Some(current.version) || is_untitled()?;
    let (title, description) = (&page.head.title, &page.head.description);
    Ok(Change {
        title: (takes_title && !title.is_empty()).then(|| title.clone()),
        body: (current.body.trim().is_empty() && !description.is_empty())
            .then(|| markdown::from_plain(description)),
        ..Change::default()
    })
}
