//! Passwords that are forgotten, reset and changed.

use uuid::Uuid;

use super::change::{AccountChange, SessionEffect};
use super::store::personal::{self, Personal};
use super::store::profile;
use super::{Accounts, LINK_LIFE, Proof, Proved, Purpose, hash_of, store};
use crate::accounts::actions::{PASSWORD_CHANGE, PASSWORD_RESET, PASSWORD_RESET_ASK};
use crate::audit::{Action, Event, Outcome};
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::identity::{Member, RequestMeta, Viewer};
use crate::mail::Email;
use crate::names::key;

#[derive(Clone, Copy, Debug)]
pub struct NewPassword<'a> {
    pub password: &'a str,
    /// The API tokens too: a new password alone does not end them.
    pub revokes_tokens: bool,
}

impl Accounts {
    /// Emails a reset link, and ends earlier ones. Does the same work when no account has confirmed this address.
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
        let mut change = self.begin_change().await?;
        personal::put(&mut change, &stored, now).await?;
        match user {
            Some(_) => self.mail.queue(&mut change, &address, &letter).await?,
            None => self.mail.queue_decoy(&mut change, &letter).await?,
        }
        let event = Event {
            action: PASSWORD_RESET_ASK,
            actor: None,
            target: user.map(|id| id.to_string()).unwrap_or_default(),
            outcome: if user.is_some() { Outcome::Done } else { Outcome::Refused },
        };
        change.commit(origin, event, SessionEffect::Keep).await
    }

    pub async fn reset_stands(&self, token: &str) -> Result<bool> {
        Ok(personal::resettable(&self.db, &hash_of(token), self.context.now()).await?.is_some())
    }

    /// Works once, and ends every session. It logs no one in, so that the second factor is still asked for.
    pub async fn reset(&self, token: &str, new: NewPassword<'_>, origin: &RequestMeta) -> Result<()> {
        let (hash, now) = (hash_of(token), self.context.now());
        let user = personal::resettable(&self.db, &hash, now).await?.ok_or(Error::LinkOver)?;
        let member = store::active(&self.db, user).await?.ok_or(Error::LinkOver)?;
        self.acceptable(&member, new.password)?;
        let password_hash = self.passwords.hash(new.password, self.context.random()).await?;
        let mut change = self.begin_change().await?;
        if !store::take_token(&mut change, Purpose::Reset, &hash, now).await? {
            return Err(Error::LinkOver);
        }
        self.set_password(&mut change, user, &password_hash).await?;
        if new.revokes_tokens {
            self.tokens.revoke_all_in(&mut change, user, origin).await?;
        }
        change.commit(origin, Event::own(PASSWORD_RESET, user), SessionEffect::EndAll(user)).await
    }

    /// Ends every session. The member it returns has the epoch in which new ones begin.
    pub async fn change_password(
        &self,
        viewer: &Viewer,
        current: &str,
        new: NewPassword<'_>,
        origin: &RequestMeta,
    ) -> Result<Proved> {
        let member = viewer.signed_in()?;
        self.acceptable(member, new.password)?;
        self.prove_password(member.id, current, PASSWORD_CHANGE, origin).await?;
        let password_hash = self.passwords.hash(new.password, self.context.random()).await?;
        let mut change = self.begin_change().await?;
        let auth_epoch = self.set_password(&mut change, member.id, &password_hash).await?;
        if new.revokes_tokens {
            self.tokens.revoke_all_in(&mut change, member.id, origin).await?;
        }
        let effect = SessionEffect::EndAll(member.id);
        change.commit(origin, Event::own(PASSWORD_CHANGE, member.id), effect).await?;
        let by = if member.second_factor { Proof::SessionAndPassword } else { Proof::Password };
        Ok(Proved { member: Member { auth_epoch, ..member.clone() }, by })
    }

    /// Returns the epoch in which the user's next sessions begin.
    async fn set_password(
        &self,
        change: &mut AccountChange<Tx>,
        user: Uuid,
        password_hash: &str,
    ) -> Result<i64> {
        let epoch = profile::set_password(change, user, password_hash, self.context.now()).await?;
        personal::clear(change, Purpose::Reset, user).await?;
        change.tell(user, &Email::PasswordChanged { security: self.security_page() }).await?;
        Ok(epoch)
    }

    /// Records a wrong password.
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
        Err(Error::field("current_password", "That is not your current password. Try again."))
    }

    fn acceptable(&self, member: &Member, new: &str) -> Result<()> {
        match self.passwords.problem(new, &[&member.email, &member.username, &member.display_name]) {
            Some(problem) => Err(Error::field("password", problem)),
            None => Ok(()),
        }
    }
}
