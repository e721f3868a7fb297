//! A change of an account as one unit of work: you can commit it only with its audit events and its effect on sessions.

use std::ops::{Deref, DerefMut};

use uuid::Uuid;

use super::Accounts;
use crate::audit::Event;
use crate::audit::change::Transaction;
use crate::cache::{Scope, Write};
use crate::db::Tx;
use crate::error::Result;
use crate::identity::RequestMeta;
use crate::mail::Email;
use crate::sessions::Stale;

#[derive(Clone, Copy, Debug)]
pub enum SessionEffect {
    Keep,
    /// Every node reads the user anew.
    Refresh(Uuid),
    EndAll(Uuid),
    EndDevice {
        user: Uuid,
        device: Uuid,
    },
}

/// Dropped without a commit, it rolls back. `T` is [`Write`] where cached answers show what changes.
#[must_use = "record and commit it"]
pub struct AccountChange<T> {
    tx: T,
    accounts: Accounts,
    ended: Stale,
}

/// A change with its events in the audit log. Others that write there wait for its end.
#[must_use = "commit it"]
pub struct RecordedChange<T> {
    tx: T,
    accounts: Accounts,
    stale: Stale,
}

impl Accounts {
    pub async fn begin_change(&self) -> Result<AccountChange<Tx>> {
        Ok(self.change_in(self.db.begin().await?))
    }

    /// Goes on with a transaction that turns out to change an account.
    pub fn change_in<T>(&self, tx: T) -> AccountChange<T> {
        AccountChange { tx, accounts: self.clone(), ended: Stale::default() }
    }

    /// For what cached answers show, such as names.
    pub async fn begin_cached_change(&self) -> Result<AccountChange<Write>> {
        Ok(self.change_in(self.cache.begin().await?))
    }
}

impl<T: Transaction> AccountChange<T> {
    pub async fn tell(&mut self, user: Uuid, letter: &Email) -> Result<()> {
        self.accounts.tell(self.tx.tx(), user, letter).await
    }

    /// Ends the user's sessions now, where the change itself takes their rows.
    pub async fn end_sessions(&mut self, user: Uuid) -> Result<()> {
        self.ended = self.accounts.sessions.end_all_in(self.tx.tx(), user, None).await?;
        Ok(())
    }

    pub async fn record(
        mut self,
        origin: &RequestMeta,
        events: &[Event],
        effect: SessionEffect,
    ) -> Result<RecordedChange<T>> {
        let Accounts { sessions, audit, .. } = &self.accounts;
        let stale = match effect {
            SessionEffect::Keep => self.ended,
            SessionEffect::Refresh(user) => sessions.refresh_user(self.tx.tx(), user).await?,
            SessionEffect::EndAll(user) => sessions.end_all_in(self.tx.tx(), user, None).await?,
            SessionEffect::EndDevice { user, device } => {
                sessions.end_device_in(self.tx.tx(), user, device).await?.unwrap_or_default()
            }
        };
        for event in events {
            audit.record(self.tx.tx(), origin, event).await?;
        }
        Ok(RecordedChange { tx: self.tx, accounts: self.accounts, stale })
    }
}

impl AccountChange<Tx> {
    pub async fn commit(self, origin: &RequestMeta, event: Event, effect: SessionEffect) -> Result<()> {
        let RecordedChange { tx, accounts, stale } = self.record(origin, &[event], effect).await?;
        tx.commit().await?;
        accounts.committed(stale).await
    }
}

impl RecordedChange<Write> {
    pub async fn commit(self, touched: impl IntoIterator<Item = Scope>) -> Result<()> {
        self.tx.commit(touched).await?;
        self.accounts.committed(self.stale).await
    }
}

impl Accounts {
    async fn committed(&self, stale: Stale) -> Result<()> {
        self.mail.wake();
        Ok(self.sessions.settle(stale).await?)
    }
}

impl<T> Deref for AccountChange<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.tx
    }
}

impl<T> DerefMut for AccountChange<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.tx
    }
}

impl<T> Deref for RecordedChange<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.tx
    }
}

impl<T> DerefMut for RecordedChange<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.tx
    }
}
