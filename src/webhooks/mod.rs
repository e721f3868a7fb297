//! Webhooks: a person's own server is told what changed in their library.
//!
//! The numbered changes that every write makes in its own transaction are the outbox. Each webhook remembers the number
//! up to which deliveries were made of them, so that none is lost and none is made twice, whichever node makes it.

pub mod actions;
pub mod api;
mod deliver;
pub mod pages;
mod signature;
#[doc(hidden)] // The tests ask the databases for the plans of its statements.
pub mod store;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRef;
use data_encoding::BASE64;
use serde::Serialize;
use tokio::sync::{Mutex, watch};
use url::Url;
use utoipa::ToSchema;
use uuid::Uuid;

use self::actions::{WEBHOOK_CREATE, WEBHOOK_DELETE};
pub use self::store::{Delivery, Webhook};
use crate::audit::{AuditLog, Event};
use crate::db::{Db, Tx};
use crate::erased::Erased;
use crate::error::{Error, Result};
use crate::fetch::Fetcher;
use crate::identity::{Member, RequestMeta};
use crate::keys::Keys;
use crate::keys::rotation::{Resealed, Rotation};
use crate::named::named;
use crate::sealer::Sealer;
use crate::system::System;
use crate::web::deps::WebDeps;

const PURPOSE: &str = "webhook";
/// More than a person can look after.
const MAX_WEBHOOKS: usize = 10;
const MAX_URL: usize = 2_000;
/// Deliveries that the log shows.
pub const SHOWN: i64 = 100;
/// The log keeps deliveries for this long.
const KEPT_FOR: Duration = Duration::from_hours(30 * 24);

named! {
    #[derive(Serialize, ToSchema)]
    #[serde(rename_all = "snake_case")]
    #[schema(as = DeliveryState)]
    pub enum State {
        /// It is sent at once, or again later.
        Waiting = "waiting",
        Delivered = "delivered",
        /// It failed for three days.
        GivenUp = "given_up",
    }
}

pub struct Deps {
    pub db: Db,
    pub system: System,
    pub audit: AuditLog,
    /// `None` when `COFFER_FETCH` is off: then nothing is sent.
    pub fetcher: Option<Fetcher>,
}

#[derive(Clone)]
pub struct Webhooks(Erased<Inner>);

struct Inner {
    deps: Deps,
    /// The secrets must be read again, to sign with them.
    sealer: Sealer,
    /// Marked for all who deliver when something is queued anew.
    queued: watch::Sender<()>,
    /// Held while this node delivers.
    delivering: Mutex<()>,
}

#[derive(Clone, FromRef)]
pub struct WebhooksState {
    pub webhooks: Webhooks,
    pub deps: Arc<WebDeps>,
}

/// A webhook just made, and its secret, which is shown this once.
pub struct Made {
    pub webhook: Webhook,
    pub secret: String,
}

impl Webhooks {
    pub fn new(deps: Deps, keys: &Keys) -> Self {
        let (sealer, queued) = (Sealer::new(keys.derive(PURPOSE)), watch::Sender::default());
        Self(Erased::new(Inner { deps, sealer, queued, delivering: Mutex::default() }))
    }

    pub fn are_on(&self) -> bool {
        self.0.deps.fetcher.is_some()
    }

    /// # Errors
    /// [`Error::Invalid`] at `url`, [`Error::Forbidden`] when they are switched off.
    pub async fn create(&self, owner: &Member, url: &str, origin: &RequestMeta) -> Result<Made> {
        let Deps { db, system, audit, .. } = &self.0.deps;
        if !self.are_on() {
            return Err(Error::Forbidden("This coffer sends no webhooks, as COFFER_FETCH is off."));
        }
        let url = check(url)?;
        if self.list(owner).await?.len() >= MAX_WEBHOOKS {
            return Err(Error::field("url", "You have 10 webhooks. Delete one that you don’t need first."));
        }
        let (id, key): (Uuid, [u8; 32]) = (system.new_id(), system.random());
        let sealed = self.0.sealer.seal(id.as_bytes(), system, &key);
        let sealed = sealed.ok_or_else(|| Error::Internal("a secret could not be sealed".to_owned()))?;
        let webhook = Webhook { id, url, created_at: system.now() };
        let mut tx = audit.begin(db).await?;
        store::insert(&mut tx, owner.id, &webhook, &sealed).await?;
        let event = Event { target: id.to_string(), ..Event::own(WEBHOOK_CREATE, owner.id) };
        tx.commit(origin, &[event]).await?;
        Ok(Made { webhook, secret: format!("{}{}", signature::PREFIX, BASE64.encode(&key)) })
    }

    /// The newest first.
    pub async fn list(&self, owner: &Member) -> Result<Vec<Webhook>> {
        Ok(store::of_user(&self.0.deps.db, owner.id).await?)
    }

    /// # Errors
    /// [`Error::NotFound`] when it is not one of theirs.
    pub async fn delete(&self, owner: &Member, id: Uuid, origin: &RequestMeta) -> Result<()> {
        let Deps { db, audit, .. } = &self.0.deps;
        let mut tx = audit.begin(db).await?;
        if !store::delete(&mut tx, owner.id, id).await? {
            return Err(Error::NotFound);
        }
        let event = Event { target: id.to_string(), ..Event::own(WEBHOOK_DELETE, owner.id) };
        Ok(tx.commit(origin, &[event]).await?)
    }

    /// The latest deliveries of a webhook, the newest first.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it is not one of theirs.
    pub async fn deliveries(&self, owner: &Member, id: Uuid) -> Result<Vec<Delivery>> {
        if !self.list(owner).await?.iter().any(|webhook| webhook.id == id) {
            return Err(Error::NotFound);
        }
        Ok(store::deliveries(&self.0.deps.db, id, SHOWN).await?)
    }

    /// Sends a delivery once more, with the same id. Returns the webhook.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it is not one of theirs.
    pub async fn replay(&self, owner: &Member, delivery: Uuid) -> Result<Uuid> {
        let Deps { db, system, .. } = &self.0.deps;
        let webhook = store::replay(db, owner.id, delivery, system.now()).await?.ok_or(Error::NotFound)?;
        self.0.queued.send_replace(());
        Ok(webhook)
    }

    pub async fn forget_old(&self) -> Result<()> {
        let Deps { db, system, .. } = &self.0.deps;
        Ok(store::forget(db, system.now().minus(KEPT_FOR)).await?)
    }
}

fn check(text: &str) -> Result<String> {
    let refused =
        || Error::field("url", "Give an address that begins with https:// or http://, without a password.");
    let url = Url::parse(text.trim()).map_err(|_| refused())?;
    let is_plain = url.username().is_empty() && url.password().is_none();
    let fits = matches!(url.scheme(), "http" | "https") && url.has_host() && text.len() <= MAX_URL;
    if fits && is_plain { Ok(url.into()) } else { Err(refused()) }
}

/// Seals the secrets with another master key, and deletes webhooks whose secret can't be opened.
pub async fn reseal(tx: &mut Tx, rotation: &Rotation<'_>) -> sqlx::Result<Resealed> {
    let mut counts = Resealed::default();
    for store::SealedSecret { id, sealed } in store::sealed(tx).await? {
        if let Some(sealed) = rotation.reseal(PURPOSE, id.as_bytes(), &sealed) {
            store::put_sealed(tx, id, &sealed).await?;
            counts.kept += 1;
        } else {
            store::delete_any(tx, id).await?;
            counts.lost += 1;
        }
    }
    Ok(counts)
}
