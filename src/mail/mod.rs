//! Mail: letters are queued in the transaction of what they tell of, and sent in the background.
//!
//! The queue is a table that every node sends from. A node claims a letter by moving its time ahead (a lease), so
//! that a node that dies loses nothing; a letter may then arrive twice, under one Message-ID.

mod letter;
mod message;
mod settings;
#[doc(hidden)] // The tests ask the databases for the plans of its statements.
pub mod store;
mod transport;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

pub use self::letter::Letter;
use self::message::Envelope;
pub use self::settings::MailSettings;
use self::store::Claimed;
use self::transport::{Failure, Transport};
use crate::config::Config;
use crate::context::Context;
use crate::db::{Db, Tx};
use crate::error::{Error, Result};
use crate::keys::Keys;
use crate::keys::rotation::Rotation;
use crate::seal::Seal;
use crate::telemetry::metrics::{MailOutcome, Metrics};
use crate::web::site::Site;

/// Longer than sending may take.
const LEASE: Duration = Duration::from_mins(2);
const SEND_LIMIT: Duration = Duration::from_secs(30);
/// What other nodes have queued, and what is due again, is looked for this often.
const LOOK_EVERY: Duration = Duration::from_secs(15);
const FIRST_PAUSE: Duration = Duration::from_mins(1);
const LONGEST_PAUSE: Duration = Duration::from_hours(6);
/// A letter that can't be sent for so long is given up.
const PATIENCE: Duration = Duration::from_hours(3 * 24);

/// Whether letters reach people now, for pages that depend on one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outlook {
    Good,
    /// The last one could not be handed over; it is tried again.
    Delayed,
    /// There is no mail server: letters lie in a folder.
    Folder,
}

/// Takes letters and sends them; cheap to clone.
#[derive(Clone, Debug)]
pub struct Mail(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    db: Db,
    context: Context,
    /// A letter holds a link that lets people in, and waits in a table.
    seal: Seal,
    envelope: Envelope,
    transport: Transport,
    metrics: Metrics,
    queued: Notify,
    failing: AtomicBool,
}

/// Whether this is an address that letters can be sent to.
#[must_use]
pub fn can_write_to(address: &str) -> bool {
    message::recipient(address).is_some()
}

/// Whether a letter could go out now, or why not. It sends none.
pub async fn probe(config: &Config, limit: Duration) -> Result<(), String> {
    let transport = Transport::new(config, limit)?;
    let reached = tokio::time::timeout(limit, transport.reach()).await;
    let reached = reached.unwrap_or_else(|_| Err(Failure::unreachable("the mail server took too long")));
    reached.map_err(|failure| failure.reason().to_owned())
}

/// Sends a letter to see whether letters go out.
///
/// # Errors
/// Why it did not.
pub async fn send_test(config: &Config, site: &Site, context: &Context, to: &str) -> Result<(), String> {
    let envelope = Envelope::new(config.mail.mail_from.as_deref(), site.host())?;
    let transport = Transport::new(config, SEND_LIMIT)?;
    let written = Letter::Test { origin: site.origin() }.write().map_err(|e| e.message().into_owned())?;
    let (id, created_at) = (context.new_id(), context.now());
    let letter = Claimed { id, recipient: to.to_owned(), sealed: Vec::new(), created_at, attempts: 1 };
    let message =
        envelope.message(&letter, &written).map_err(|_| format!("{to} is no address for letters"))?;
    let sent = tokio::time::timeout(SEND_LIMIT, transport.send(id, &message)).await;
    let sent = sent.unwrap_or_else(|_| Err(Failure::unreachable("the mail server took too long")));
    sent.map_err(|failure| failure.reason().to_owned())
}

/// What sealed letters are sealed for.
const PURPOSE: &str = "letter";

/// The letters that wait, for another master key; those that can't be opened are thrown away. How many stay.
pub async fn reseal(tx: &mut Tx, rotation: &Rotation<'_>) -> sqlx::Result<usize> {
    let mut count = 0;
    for (id, sealed) in store::sealed(tx).await? {
        if let Some(sealed) = rotation.reseal(PURPOSE, id.as_bytes(), &sealed) {
            store::put_sealed(tx, id, &sealed).await?;
            count += 1;
        } else {
            store::remove_in(tx, id).await?;
        }
    }
    Ok(count)
}

/// Whether the settings for letters make sense, without asking the server.
///
/// # Errors
/// A sentence that says what to do.
pub fn check(config: &Config, site: &Site) -> Result<(), String> {
    Envelope::new(config.mail.mail_from.as_deref(), site.host())?;
    Transport::new(config, SEND_LIMIT).map(drop)
}

/// What became of one attempt.
enum Attempt {
    Sent,
    Refused(Failure),
    /// No use in trying others now.
    Unreachable(Failure),
}

impl Mail {
    /// # Errors
    /// A sentence that says what to do, when the settings are not right.
    pub fn new(
        db: Db,
        context: Context,
        config: &Config,
        site: &Site,
        keys: &Keys,
        metrics: &Metrics,
    ) -> Result<Self, String> {
        let seal = Seal::new(keys.derive(PURPOSE));
        let envelope = Envelope::new(config.mail.mail_from.as_deref(), site.host())?;
        let transport = Transport::new(config, SEND_LIMIT)?;
        let (queued, failing) = (Notify::new(), AtomicBool::new(false));
        let metrics = metrics.clone();
        Ok(Self(Arc::new(Inner { db, context, seal, envelope, transport, metrics, queued, failing })))
    }

    /// Queues a letter to an address; it goes out once the transaction is committed, at once after [`Self::wake`].
    pub async fn queue(&self, tx: &mut Tx, to: &str, letter: &Letter) -> Result<()> {
        let Inner { context, seal, .. } = &*self.0;
        let (id, written) = (context.new_id(), serde_json::to_vec(&letter.write()?));
        let sealed = written.ok().and_then(|written| seal.seal(id.as_bytes(), context, &written));
        let sealed = sealed.ok_or_else(|| Error::Internal("a letter could not be sealed".into()))?;
        Ok(store::insert(tx, id, to, &sealed, context.now()).await?)
    }

    /// The work of queueing this letter and no letter, where an answer's time must not tell which it was.
    pub async fn queue_for_nobody(&self, tx: &mut Tx, letter: &Letter) -> Result<()> {
        self.queue(tx, "", letter).await
    }

    /// Says that a transaction with a letter in it is committed.
    pub fn wake(&self) {
        self.0.queued.notify_one();
    }

    #[must_use]
    pub fn outlook(&self) -> Outlook {
        match &self.0.transport {
            Transport::Folder(_) => Outlook::Folder,
            Transport::Smtp(_) if self.0.failing.load(Ordering::Relaxed) => Outlook::Delayed,
            Transport::Smtp(_) => Outlook::Good,
        }
    }

    /// How many letters still have to go out.
    pub async fn waiting(&self) -> sqlx::Result<i64> {
        store::count(&self.0.db).await
    }

    /// Sends what is due, until the program ends.
    pub async fn maintain(self) {
        if let Transport::Folder(folder) = &self.0.transport {
            let folder = folder.display();
            tracing::info!(event = "mail_folder", %folder, "letters are written here; COFFER_SMTP_URL sends them");
        }
        loop {
            if let Err(error) = self.send_due().await {
                tracing::warn!(event = "mail_queue", %error, "the letters' queue can't be read");
            }
            let _ = tokio::time::timeout(LOOK_EVERY, self.0.queued.notified()).await;
        }
    }

    /// Sends what is due now, one letter after the other, until there is no more or the server can't be reached.
    pub async fn send_due(&self) -> sqlx::Result<()> {
        let Inner { db, context, .. } = &*self.0;
        while store::is_any_due(db, context.now()).await? {
            let now = context.now();
            let Some(letter) = store::claim(db, now, now.plus(LEASE)).await? else { continue };
            match self.attempt(&letter).await {
                Attempt::Sent => store::remove(db, letter.id).await?,
                Attempt::Refused(failure) => self.after(&letter, &failure).await?,
                Attempt::Unreachable(failure) => {
                    self.after(&letter, &failure).await?;
                    break;
                }
            }
        }
        Ok(())
    }

    async fn attempt(&self, letter: &Claimed) -> Attempt {
        if letter.recipient.is_empty() {
            return Attempt::Sent;
        }
        let opened = self.0.seal.open(letter.id.as_bytes(), &letter.sealed);
        let Some(written) = opened.and_then(|bytes| serde_json::from_slice(&bytes).ok()) else {
            return Attempt::Refused(Failure::for_ever("it was written under another COFFER_SECRET_KEY"));
        };
        let Ok(message) = self.0.envelope.message(letter, &written) else {
            return Attempt::Refused(Failure::for_ever("the address or the letter is malformed"));
        };
        let sending = tokio::time::timeout(SEND_LIMIT, self.0.transport.send(letter.id, &message));
        match sending.await.unwrap_or_else(|_| Err(Failure::unreachable("the mail server took too long"))) {
            Ok(()) => {
                self.0.failing.store(false, Ordering::Relaxed);
                self.0.metrics.accounts.mail(MailOutcome::Sent);
                Attempt::Sent
            }
            Err(failure) if failure.concerns_all() => {
                self.0.failing.store(true, Ordering::Relaxed);
                Attempt::Unreachable(failure)
            }
            Err(failure) => Attempt::Refused(failure),
        }
    }

    /// Later again, or never. The log names neither address nor content.
    async fn after(&self, letter: &Claimed, failure: &Failure) -> sqlx::Result<()> {
        let (id, attempts, reason) = (letter.id, letter.attempts, failure.reason());
        let now = self.0.context.now();
        if failure.is_final() || letter.created_at.plus(PATIENCE) <= now {
            self.0.metrics.accounts.mail(MailOutcome::GivenUp);
            tracing::error!(event = "mail_given_up", %id, attempts, reason, "a letter was not sent");
            return store::remove(&self.0.db, id).await;
        }
        self.0.metrics.accounts.mail(MailOutcome::Postponed);
        tracing::warn!(event = "mail_failed", %id, attempts, reason, "a letter could not be sent; it is tried again");
        store::postpone(&self.0.db, id, now.plus(pause(attempts)), reason).await
    }
}

/// Doubles from attempt to attempt.
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
