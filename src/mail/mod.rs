//! Mail: emails are queued in the transaction of the change that they report, and sent in the background.
//!
//! The queue is a table, and every node sends from it. A node claims an email by moving its due time ahead (a lease).
//! So no email is lost when a node dies, but it may then arrive twice, with the same Message-ID.

mod email;
mod message;
mod settings;
#[doc(hidden)] // The tests ask the databases for the plans of its statements.
pub mod store;
mod transport;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

pub use self::email::Email;
use self::message::Envelope;
pub use self::settings::MailSettings;
use self::store::ClaimedEmail;
use self::transport::{Failure, Transport};
use crate::db::{Db, Tx};
use crate::erased::Erased;
use crate::error::{Error, Result};
use crate::keys::Keys;
use crate::keys::rotation::{Resealed, Rotation};
use crate::public_url::PublicUrl;
use crate::sealer::Sealer;
use crate::system::System;
use crate::telemetry::metrics::{MailOutcome, Metrics};

/// Longer than an attempt may take.
const LEASE: Duration = Duration::from_mins(2);
const SEND_LIMIT: Duration = Duration::from_secs(30);
/// For emails that other nodes have queued, and for retries.
const POLL_EVERY: Duration = Duration::from_secs(15);
const FIRST_PAUSE: Duration = Duration::from_mins(1);
const LONGEST_PAUSE: Duration = Duration::from_hours(6);
const GIVE_UP_AFTER: Duration = Duration::from_hours(3 * 24);

/// Whether emails arrive just now, for pages that depend on one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailHealth {
    Good,
    /// The mail server could not be reached last time.
    Delayed,
    /// No mail server is configured: emails go to a folder.
    Folder,
}

#[derive(Clone, Debug)]
pub struct Mail(Erased<Inner>);

#[derive(Debug)]
struct Inner {
    db: Db,
    context: System,
    /// Queued emails are sealed, as they may hold links that sign a user in.
    seal: Sealer,
    envelope: Envelope,
    transport: Transport,
    metrics: Metrics,
    queued: Notify,
    failing: AtomicBool,
}

pub fn can_send_to(address: &str) -> bool {
    message::recipient(address).is_some()
}

/// Sends no email.
pub async fn probe(settings: &MailSettings, folder: &Path, limit: Duration) -> Result<(), String> {
    let transport = Transport::new(settings, folder, limit)?;
    let reached = tokio::time::timeout(limit, transport.check_connection()).await;
    let reached = reached.unwrap_or_else(|_| Err(Failure::unreachable("the mail server took too long")));
    reached.map_err(|failure| failure.reason().to_owned())
}

pub async fn send_test(
    settings: &MailSettings,
    folder: &Path,
    site: &PublicUrl,
    context: &System,
    to: &str,
) -> Result<(), String> {
    let envelope = Envelope::new(settings.mail_from.as_deref(), site.host())?;
    let transport = Transport::new(settings, folder, SEND_LIMIT)?;
    let written = Email::Test { origin: site.address() }.render().map_err(|e| e.message().into_owned())?;
    let (id, created_at) = (context.new_id(), context.now());
    let email = ClaimedEmail { id, recipient: to.to_owned(), sealed: Vec::new(), created_at, attempts: 1 };
    let message =
        envelope.message(&email, &written).map_err(|_| format!("{to} is no address for letters"))?;
    let sent = tokio::time::timeout(SEND_LIMIT, transport.send(id, &message)).await;
    let sent = sent.unwrap_or_else(|_| Err(Failure::unreachable("the mail server took too long")));
    sent.map_err(|failure| failure.in_full())
}

const PURPOSE: &str = "letter";

/// Seals queued emails with another master key, and deletes those that can't be opened.
pub async fn reseal(tx: &mut Tx, rotation: &Rotation<'_>) -> sqlx::Result<Resealed> {
    let mut counts = Resealed::default();
    for store::SealedEmail { id, sealed } in store::sealed(tx).await? {
        if let Some(sealed) = rotation.reseal(PURPOSE, id.as_bytes(), &sealed) {
            store::update_sealed(tx, id, &sealed).await?;
            counts.kept += 1;
        } else {
            store::remove_in(tx, id).await?;
            counts.lost += 1;
        }
    }
    Ok(counts)
}

/// Does not ask the server.
pub fn check(settings: &MailSettings, site: &PublicUrl) -> Result<(), String> {
    Envelope::new(settings.mail_from.as_deref(), site.host())?;
    Transport::new(settings, Path::new(""), SEND_LIMIT).map(drop)
}

enum Attempt {
    Sent,
    Refused(Failure),
    /// Other emails would fail too.
    Unreachable(Failure),
}

impl Mail {
    pub fn new(
        db: Db,
        context: System,
        settings: &MailSettings,
        folder: &Path,
        site: &PublicUrl,
        keys: &Keys,
        metrics: &Metrics,
    ) -> Result<Self, String> {
        let seal = Sealer::new(keys.derive(PURPOSE));
        let envelope = Envelope::new(settings.mail_from.as_deref(), site.host())?;
        let transport = Transport::new(settings, folder, SEND_LIMIT)?;
        let (queued, failing) = (Notify::new(), AtomicBool::new(false));
        let metrics = metrics.clone();
        Ok(Self(Erased::new(Inner { db, context, seal, envelope, transport, metrics, queued, failing })))
    }

    /// Queues an email. It is sent once the transaction is committed, and at once after [`Self::wake`].
    pub async fn queue(&self, tx: &mut Tx, to: &str, email: &Email) -> Result<()> {
        let Inner { context, seal, .. } = &*self.0;
        let (id, written) = (context.new_id(), serde_json::to_vec(&email.render()?));
        let sealed = written.ok().and_then(|written| seal.seal(id.as_bytes(), context, &written));
        let sealed = sealed.ok_or_else(|| Error::Internal("a letter could not be sealed".into()))?;
        Ok(store::insert(tx, id, to, &sealed, context.now()).await?)
    }

    /// Does the same work without sending an email, where the response time must not reveal whether one is sent.
    pub async fn queue_decoy(&self, tx: &mut Tx, email: &Email) -> Result<()> {
        self.queue(tx, "", email).await
    }

    /// Call it after the commit.
    pub fn wake(&self) {
        self.0.queued.notify_one();
    }

    pub fn health(&self) -> MailHealth {
        match &self.0.transport {
            Transport::Folder(_) => MailHealth::Folder,
            Transport::Smtp(_) if self.0.failing.load(Ordering::Relaxed) => MailHealth::Delayed,
            Transport::Smtp(_) => MailHealth::Good,
        }
    }

    pub async fn waiting(&self) -> sqlx::Result<i64> {
        store::count(&self.0.db).await
    }

    /// Sends queued emails until the program ends.
    pub async fn maintain(self) {
        if let Transport::Folder(folder) = &self.0.transport {
            let folder = folder.display();
            tracing::info!(event = "mail_folder", %folder, "letters are written here; COFFER_SMTP_URL sends them");
        }
        loop {
            if let Err(error) = self.send_due().await {
                tracing::warn!(event = "mail_queue", %error, "the letters' queue can't be read");
            }
            let _ = tokio::time::timeout(POLL_EVERY, self.0.queued.notified()).await;
        }
    }

    /// Sends one due email after the other, until none is left or the server can't be reached.
    pub async fn send_due(&self) -> sqlx::Result<()> {
        let Inner { db, context, .. } = &*self.0;
        while store::is_any_due(db, context.now()).await? {
            let now = context.now();
            let Some(email) = store::claim(db, now, now.plus(LEASE)).await? else { continue };
            match self.attempt(&email).await {
                Attempt::Sent => store::remove(db, email.id).await?,
                Attempt::Refused(failure) => self.reschedule(&email, &failure).await?,
                Attempt::Unreachable(failure) => {
                    self.reschedule(&email, &failure).await?;
                    break;
                }
            }
        }
        Ok(())
    }

    async fn attempt(&self, email: &ClaimedEmail) -> Attempt {
        if email.recipient.is_empty() {
            return Attempt::Sent;
        }
        let opened = self.0.seal.open(email.id.as_bytes(), &email.sealed);
        let Some(written) = opened.and_then(|bytes| serde_json::from_slice(&bytes).ok()) else {
            return Attempt::Refused(Failure::permanent("it was written under another COFFER_SECRET_KEY"));
        };
        let Ok(message) = self.0.envelope.message(email, &written) else {
            return Attempt::Refused(Failure::permanent("the address or the letter is malformed"));
        };
        let sending = tokio::time::timeout(SEND_LIMIT, self.0.transport.send(email.id, &message));
        match sending.await.unwrap_or_else(|_| Err(Failure::unreachable("the mail server took too long"))) {
            Ok(()) => {
                self.0.failing.store(false, Ordering::Relaxed);
                self.0.metrics.accounts.mail(MailOutcome::Sent);
                Attempt::Sent
            }
            Err(failure) if failure.concerns_server() => {
                self.0.failing.store(true, Ordering::Relaxed);
                Attempt::Unreachable(failure)
            }
            Err(failure) => Attempt::Refused(failure),
        }
    }

    /// Retries later, or gives up. The log names neither address nor content.
    async fn reschedule(&self, email: &ClaimedEmail, failure: &Failure) -> sqlx::Result<()> {
        let (id, attempts, reason) = (email.id, email.attempts, failure.reason());
        let now = self.0.context.now();
        if failure.is_final() || email.created_at.plus(GIVE_UP_AFTER) <= now {
            self.0.metrics.accounts.mail(MailOutcome::GivenUp);
            tracing::error!(event = "mail_given_up", %id, attempts, reason, "a letter was not sent");
            return store::remove(&self.0.db, id).await;
        }
        self.0.metrics.accounts.mail(MailOutcome::Postponed);
        tracing::warn!(event = "mail_failed", %id, attempts, reason, "a letter could not be sent; it is tried again");
        store::postpone(&self.0.db, id, now.plus(pause(attempts)), reason).await
    }
}

fn pause(attempts: i64) -> Duration {
    let doublings = u32::try_from(attempts.clamp(1, 16) - 1).unwrap_or(0);
    FIRST_PAUSE.saturating_mul(1 << doublings).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_from_a_minute_to_six_hours() {
        let minutes: Vec<u64> = (1..=11).map(|attempt| pause(attempt).as_secs() / 60).collect();
        assert_eq!(minutes, [1, 2, 4, 8, 16, 32, 64, 128, 256, 360, 360]);
        assert_eq!(pause(i64::MAX), LONGEST_PAUSE);
    }
}
