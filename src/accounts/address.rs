//! Email addresses of accounts: claimed at registration, confirmed by the link in an email.

use super::change::SessionEffect;
use super::fields::{display_name_problem, email_problem};
use super::store::personal::{self, Personal};
pub use super::store::profile::Profile;
use super::store::{factor, profile};
use super::{Accounts, LINK_LIFE, Purpose, hash_of, store};
use crate::accounts::actions::{EMAIL_CHANGE, EMAIL_VERIFY};
use crate::audit::Event;
use crate::cache::Scope;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::identity::{Member, RequestMeta, Viewer};
use crate::mail::Email;
use crate::names::key;

/// What a confirmation link would do.
#[derive(Debug)]
pub struct Promised {
    pub address: String,
    /// The viewer is logged in to the link's account.
    pub mine: bool,
}

/// What a confirmation link has done.
#[derive(Debug)]
pub enum Confirmed {
    /// The account after the change.
    Now(Box<Member>),
    /// Another account has confirmed the address first.
    TakenMeanwhile,
}

impl Accounts {
    pub async fn profile(&self, viewer: &Viewer) -> Result<Profile> {
        let id = viewer.signed_in()?.id;
        profile::read(&self.db, id, self.context.now()).await?.ok_or(Error::NotFound)
    }

    /// An empty name shows the username.
    /// [`Error::Invalid`] at `display_name`.
    pub async fn rename(&self, viewer: &Viewer, display_name: &str) -> Result<()> {
        let member = viewer.signed_in()?;
        let name = Some(display_name.trim()).filter(|name| !name.is_empty()).unwrap_or(&member.username);
        if let Some(problem) = display_name_problem(name) {
            return Err(Error::field("display_name", problem));
        }
        let mut change = self.begin_cached_change().await?;
        profile::rename(&mut change, member.id, name, self.context.now()).await?;
        let change = change.record(&RequestMeta::default(), &[], SessionEffect::Refresh(member.id)).await?;
        // The name is shown beside all that the user shares.
        change.commit([Scope::All]).await
    }

    /// Emails a confirmation link to the new address. The answer is the same when it is another account's.
    pub async fn change_address(&self, viewer: &Viewer, email: &str) -> Result<()> {
        let member = viewer.signed_in()?;
        let email = email.trim();
        if let Some(problem) = email_problem(email) {
            return Err(Error::field("email", problem));
        }
        if self.profile(viewer).await?.confirmed && key(&member.email) == key(email) {
            return Err(Error::field("email", "This is already your email, and it is confirmed."));
        }
        self.limiter.email(member.id, &key(email)).await?;
        self.send_confirmation(member, email, Purpose::Email).await
    }

    /// Sends the pending confirmation again, if there is one; earlier links stop working.
    pub async fn ask_again(&self, viewer: &Viewer) -> Result<()> {
        let member = viewer.signed_in()?;
        let profile = self.profile(viewer).await?;
        let (address, purpose) = match profile.pending {
            Some(pending) => (pending, Purpose::Email),
            None if !profile.confirmed => (profile.email, Purpose::Verify),
            None => return Ok(()),
        };
        self.limiter.email(member.id, &key(&address)).await?;
        self.send_confirmation(member, &address, purpose).await
    }

    async fn send_confirmation(&self, member: &Member, address: &str, purpose: Purpose) -> Result<()> {
        let mut tx = self.db.begin().await?;
        self.ask_to_confirm(&mut tx, member, address, purpose).await?;
        tx.commit().await?;
        self.mail.wake();
        Ok(())
    }

    /// Does the same work when the address is another account's, whose owner gets a notice.
    pub(super) async fn ask_to_confirm(
        &self,
        tx: &mut Tx,
        member: &Member,
        address: &str,
        purpose: Purpose,
    ) -> Result<()> {
        let owner = store::other_owner(tx, &key(address), member.id).await?;
        let (token, now) = (self.secret(), self.context.now());
        let stored = Personal {
            purpose,
            hash: &hash_of(&token),
            user_id: Some(member.id),
            payload: Some(address),
            expires_at: now.plus(LINK_LIFE),
        };
        personal::put(tx, &stored, now).await?;
        let link = format!("{}/verify-email/{token}", self.site);
        let letter = match purpose {
            _ if owner.is_some() => Email::AlreadyRegistered {
                log_in: format!("{}/login", self.site),
                reset: format!("{}/password/forgot", self.site),
            },
            Purpose::Email => Email::ConfirmEmail { link },
            _ => Email::VerifyEmail { username: member.username.clone(), link },
        };
        self.mail.queue(tx, owner.as_deref().unwrap_or(address), &letter).await
    }

    /// Opening a confirmation link changes nothing.
    pub async fn promised_address(&self, viewer: &Viewer, token: &str) -> Result<Promised> {
        let found = personal::promised_address(&self.db, &hash_of(token), self.context.now()).await?;
        let promise = found.ok_or(Error::LinkOver)?;
        Ok(Promised { mine: viewer.id() == Some(promise.user_id), address: promise.payload })
    }

    /// Takes the link and a login to the account: else you could register with a stranger's address and let the stranger
    /// confirm it.
    pub async fn confirm_address(
        &self,
        viewer: &Viewer,
        token: &str,
        origin: &RequestMeta,
    ) -> Result<Confirmed> {
        let (hash, now) = (hash_of(token), self.context.now());
        let found = personal::promised_address(&self.db, &hash, now).await?;
        let promise = found.ok_or(Error::LinkOver)?;
        let member = viewer.member().filter(|member| member.id == promise.user_id);
        let member = member.ok_or(Error::SignInRequired)?;
        let purpose = if promise.changes { Purpose::Email } else { Purpose::Verify };
        let mut change = self.begin_change().await?;
        if !store::take_token(&mut change, purpose, &hash, now).await? {
            return Err(Error::LinkOver);
        }
        let before = profile::letters_go_to(&mut change, member.id).await?;
        if store::other_owner(&mut change, &key(&promise.payload), member.id).await?.is_some()
            || !profile::confirm_address(&mut change, member.id, &promise.payload, now).await?
        {
            return Ok(Confirmed::TakenMeanwhile);
        }
        // Links that went to the earlier address are void.
        for purpose in [Purpose::Verify, Purpose::Email, Purpose::Reset] {
            personal::clear(&mut change, purpose, member.id).await?;
        }
        if let Some(before) = before.filter(|before| key(before) != key(&promise.payload)) {
            let letter = Email::EmailChanged { security: self.security_page() };
            self.mail.queue(&mut change, &before, &letter).await?;
        }
        let action = if promise.changes { EMAIL_CHANGE } else { EMAIL_VERIFY };
        // An email to it can set a new password, so it counts as a factor.
        let factor_epoch = factor::bump_epoch(&mut change, member.id).await?;
        let effect = SessionEffect::Refresh(member.id);
        change.commit(origin, Event::own(action, member.id), effect).await?;
        Ok(Confirmed::Now(Box::new(Member { factor_epoch, ..member.clone() })))
    }

    /// Queues an email to the account's confirmed address, if it has one: any other may be a stranger's.
    pub(super) async fn tell(&self, tx: &mut Tx, user: uuid::Uuid, letter: &Email) -> Result<()> {
        if let Some(address) = profile::letters_go_to(tx, user).await? {
            self.mail.queue(tx, &address, letter).await?;
        }
        Ok(())
    }

    pub(super) fn security_page(&self) -> String {
        format!("{}/settings/security", self.site)
    }
}
