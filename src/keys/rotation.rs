//! Replaces the master key: reseals every secret, and continues the audit trail under the new key from its last hash.

use std::path::PathBuf;

use uuid::Uuid;

use super::retired::{Known, Retired, RetiredKeys};
use super::store::{self, Row};
use super::{KeyId, Keys, path};
use crate::accounts::factor;
use crate::audit::{Action, AuditLog, Event, Outcome};
use crate::config::Config;
use crate::context::Context;
use crate::db::{Db, Tx};
use crate::mail;
use crate::seal::Seal;
use crate::telemetry::metrics::Metrics;
use crate::web::origin::Origin;

pub struct Rotation<'a> {
    pub context: &'a Context,
    /// The id of the old key.
    pub owner: KeyId,
    /// `None` if it is lost.
    pub old: Option<&'a Keys>,
    pub new: &'a Keys,
}

#[derive(Debug, Default)]
pub struct Resealed {
    pub letters: usize,
    pub second_factors: usize,
    /// The accounts whose two-step login was switched off, since its secret is lost with the key.
    pub switched_off: Vec<Uuid>,
}

/// The file of a new key until the database belongs to it.
pub fn waiting(config: &Config) -> PathBuf {
    path(config).with_extension("key.new")
}

impl Rotation<'_> {
    /// In one transaction.
    pub async fn run(&self, db: &Db) -> sqlx::Result<Resealed> {
        let mut tx = db.begin().await?;
        let last_event = store::replace(&mut tx, self.new.id().as_bytes()).await?;
        let letters = mail::reseal(&mut tx, self).await?;
        let (second_factors, switched_off) = factor::reseal(&mut tx, self).await?;
        self.retire(&mut tx, last_event).await?;
        let audit = AuditLog::new(self.context.clone(), self.new, &Metrics::new(self.context));
        let action = if self.old.is_some() { Action::KeyRotate } else { Action::KeyLost };
        let event = Event { action, actor: None, target: self.owner.to_string(), outcome: Outcome::Done };
        audit.record(&mut tx, &Origin::default(), &event).await?;
        for user in &switched_off {
            let event = Event { actor: None, ..Event::own(Action::SecondFactorOff, *user) };
            audit.record(&mut tx, &Origin::default(), &event).await?;
        }
        tx.commit().await?;
        Ok(Resealed { letters, second_factors, switched_off })
    }

    /// `None` if the secret can't be opened.
    pub fn reseal(&self, purpose: &str, place: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let opened = Seal::new(self.old?.derive(purpose)).open(place, sealed)?;
        Seal::new(self.new.derive(purpose)).seal(place, self.context, &opened)
    }

    /// Keeps the derived keys that are still needed of the old key and of earlier ones.
    async fn retire(&self, tx: &mut Tx, last_event: i64) -> sqlx::Result<()> {
        let new = RetiredKeys::new(self.new);
        for row in store::retired_in(tx).await? {
            let row = match self.old.map_or(Known::Lost, |old| RetiredKeys::new(old).open(&row)) {
                Known::Keys(keys) => new.seal(self.context, row, &keys),
                Known::Lost => Some(Row { sealed: None, ..row }),
                // The check of the trail will report it.
                Known::Unreadable => None,
            };
            if let Some(row) = row {
                store::put_retired(tx, &row).await?;
            }
        }
        let row = Row { key_id: self.owner.as_bytes().to_vec(), audit_until: last_event, sealed: None };
        let sealed = match self.old {
            Some(old) => new.seal(self.context, row.clone(), &Retired::from_keys(old)),
            None => None,
        };
        store::put_retired(tx, &sealed.unwrap_or(row)).await
    }
}
