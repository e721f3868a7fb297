//! Passwords that are forgotten, reset and changed.

use uuid::Uuid;

use super::store::personal::{self, Personal};
use super::store::profile;
use super::{Accounts, LINK_LIFE, Proof, Proved, Purpose, hash_of, store};
use crate::audit::{Action, Event, Outcome};
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::identity::{Member, RequestMeta, Viewer};
use crate::mail::Email;
use crate::names::key;
use crate::sessions::Stale;

/// A new password, and what to revoke besides the sessions.
#[derive(Clone, Copy, Debug)]
pub struct NewPassword<'a> {
    pub password: &'a str,
    /// The API tokens too: they are not made from the password, so they work on otherwise.
    pub revokes_tokens: bool,
}

impl Accounts {
    /// Sends a link for a new password to this address if an account has confirmed it, and does the same work if
    /// none has. A link asked for before stops working.
    ///
    /// # Errors
    /// [`Error::TooManyRequests`]
    pub async fn ask_reset(&self, email: &str, origin: &RequestMeta) -> Result<()> {
        let key = key(email);
        self.limiter.reset(origin.address.0, &key).await?;
        // A NUL byte can be in no address, and PostgreSQL refuses it.
        let found = if key.contains('\0') { None } else { profile::by_address(&self.db, &key).await? };
        let (user, address) = found.map_or((None, String::new()), |(id, email)| (Some(id), email));
        let (token, now) = (self.secret(), self.context.now());
        let stored = Personal {
            purpose: Purpose::Reset,
            hash: &hash_of(&token),
            user_id: user,
            payload: Some(&key.replace('\0', "")),
            expires_at: now.plus(LINK_LIFE),
        };
        let letter = Email::ResetPassword { link: format!("{}/password/reset/{token}", self.site) };
        let mut tx = self.db.begin().await?;
        personal::put(&mut tx, &stored, now).await?;
        match user {
            Some(_) => self.mail.queue(&mut tx, &address, &letter).await?,
            None => self.mail.queue_decoy(&mut tx, &letter).await?,
        }
        let event = Event {
            action: Action::PasswordResetAsk,
            actor: None,
            target: user.map(|id| id.to_string()).unwrap_or_default(),
            outcome: if user.is_some() { Outcome::Done } else { Outcome::Refused },
        };
        self.audit.record(&mut tx, origin, &event).await?;
        tx.commit().await?;
        self.mail.wake();
        Ok(())
    }

    /// Whether the link still works.
    pub async fn reset_stands(&self, token: &str) -> Result<bool> {
        Ok(personal::resettable(&self.db, &hash_of(token), self.context.now()).await?.is_some())
    }

    /// Sets the password by a link, once, and ends every session. It logs no one in, so that a second
    /// factor is asked for as ever.
    ///
    /// # Errors
    /// [`Error::LinkOver`], or [`Error::Invalid`] at `password`.
    pub async fn reset(&self, token: &str, new: NewPassword<'_>, origin: &RequestMeta) -> Result<()> {
        let (hash, now) = (hash_of(token), self.context.now());
        let user = personal::resettable(&self.db, &hash, now).await?.ok_or(Error::LinkOver)?;
        let member = store::active(&self.db, user).await?.ok_or(Error::LinkOver)?;
        self.acceptable(&member, new.password)?;
        let password_hash = self.passwords.hash(new.password, self.context.random()).await?;
        let mut tx = self.db.begin().await?;
        if !store::take_token(&mut tx, Purpose::Reset, &hash, now).await? {
            return Err(Error::LinkOver);
        }
        let (_, ended) = self.set_password(&mut tx, user, &password_hash).await?;
        if new.revokes_tokens {
            self.tokens.revoke_all_in(&mut tx, user, origin).await?;
        }
        self.audit.record(&mut tx, origin, &Event::own(Action::PasswordReset, user)).await?;
        tx.commit().await?;
        self.mail.wake();
        Ok(self.sessions.settle(ended).await?)
    }

    /// Changes the viewer's password and ends every session; the member in the epoch in which new ones begin.
    ///
    /// # Errors
    /// [`Error::Invalid`] at `current_password` or `password`.
    pub async fn change_password(
        &self,
        viewer: &Viewer,
        current: &str,
        new: NewPassword<'_>,
        origin: &RequestMeta,
    ) -> Result<Proved> {
        let member = viewer.signed_in()?;
        self.acceptable(member, new.password)?;
        self.prove_password(member.id, current, Action::PasswordChange, origin).await?;
        let password_hash = self.passwords.hash(new.password, self.context.random()).await?;
        let mut tx = self.db.begin().await?;
        let (auth_epoch, ended) = self.set_password(&mut tx, member.id, &password_hash).await?;
        if new.revokes_tokens {
            self.tokens.revoke_all_in(&mut tx, member.id, origin).await?;
        }
        self.audit.record(&mut tx, origin, &Event::own(Action::PasswordChange, member.id)).await?;
        tx.commit().await?;
        self.mail.wake();
        self.sessions.settle(ended).await?;
        let by = if member.second_factor { Proof::SessionAndPassword } else { Proof::Password };
        Ok(Proved { member: Member { auth_epoch, ..member.clone() }, by })
    }

    async fn set_password(&self, tx: &mut Tx, user: Uuid, password_hash: &str) -> Result<(i64, Stale)> {
        let epoch = profile::set_password(tx, user, password_hash, self.context.now()).await?;
        personal::clear(tx, Purpose::Reset, user).await?;
        self.tell(tx, user, &Email::PasswordChanged { security: self.security_page() }).await?;
        Ok((epoch, self.sessions.end_all_in(tx, user, None).await?))
    }

    /// Checks the account's password; a wrong one is recorded.
    ///
    /// # Errors
    /// [`Error::Invalid`] at `current_password`.
    async fn prove_password(
        &self,
        user: Uuid,
        password: &str,
        action: Action,
        origin: &RequestMeta,
    ) -> Result<()> {
        if self.knows_password(user, password).await? {
            return Ok(());
        }
        self.note(origin, &Event { outcome: Outcome::Refused, ..Event::own(action, user) }).await?;
        Err(Error::field("current_password", "This is not your password. Check it and try again."))
    }

    fn acceptable(&self, member: &Member, new: &str) -> Result<()> {
        match self.passwords.problem(new, &[&member.email, &member.username, &member.display_name]) {
            Some(problem) => Err(Error::field("password", problem)),
            None => Ok(()),
        }
    }
}
