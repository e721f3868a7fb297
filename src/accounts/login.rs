//! Logging in: the password, then the second factor where there is one.

use uuid::Uuid;

use super::store::profile;
use super::{Accounts, Proof, Proved, store};
use crate::accounts::actions::{LOG_IN, SUDO};
use crate::audit::{Event, Outcome};
use crate::error::Result;
use crate::identity::{Member, RequestMeta};
use crate::limiter::policy::Policy;
use crate::limiter::verbs::LoginAttempt;
use crate::limiter::{Limiter, Reservation};
use crate::names::key;
use crate::telemetry::metrics::Method;

/// Longer than any e-mail address or username.
const LONGEST_LOGIN: usize = 1024;

impl Accounts {
    /// By email address or username; takes the same time for unknown ones. If the proof lacks a code, call
    /// [`Self::check_second_factor`] next, and then [`Self::recognise`] or [`Self::record_login`], which record the login.
    pub async fn authenticate(
        &self,
        login: &str,
        password: &str,
        origin: &RequestMeta,
    ) -> Result<Option<Proved>> {
        let login = key(if login.len() > LONGEST_LOGIN { "" } else { login });
        let found = store::credentials(&self.db, &login, origin.device.as_ref().map(|d| &d[..])).await?;
        let at_home = found.as_ref().is_some_and(|found| found.at_home);
        let attempt = LoginAttempt {
            address: origin.address.0,
            account: &login,
            device: origin.device.as_ref().filter(|_| at_home).map(|device| &device[..]),
        };
        let reserved = self.limiter.login(attempt).await;
        let reserved = reserved.inspect_err(|_| self.audit.limited(Method::Password))?;
        let (user, hash) = found.map_or((None, None), |found| (Some(found.member), found.password_hash));
        let verified = self.verified(password, hash.clone());
        let fits = proved(&self.limiter, reserved, verified).await?.is_some();
        self.audit.attempted(Method::Password, fits);
        if !fits {
            self.record_refusal(user.map(|user| user.id), origin).await?;
            return Ok(None);
        }
        if let Some(member) = &user {
            self.keep_hash_current(member.id, password, hash.unwrap_or_default());
        }
        Ok(user.map(|member| Proved { by: Proof::of_password(&member), member }))
    }

    /// Takes a code of the authenticator app or a recovery code, each once.
    pub async fn check_second_factor(
        &self,
        member: &Member,
        code: &str,
        origin: &RequestMeta,
    ) -> Result<Option<Proved>> {
        let proof = self.prove_code(member, code, origin).await?;
        let from_app = code.bytes().filter(u8::is_ascii_alphanumeric).count() <= 6;
        self.audit.attempted(if from_app { Method::Totp } else { Method::RecoveryCode }, proof.is_some());
        if proof.is_none() {
            self.record_refusal(Some(member.id), origin).await?;
        }
        Ok(proof.map(|by| Proved { member: member.clone(), by }))
    }

    /// Takes the password again, and a code if the account has a second factor.
    pub async fn confirm(
        &self,
        member: &Member,
        password: &str,
        code: &str,
        origin: &RequestMeta,
    ) -> Result<Option<Proof>> {
        let knows = self.knows_password(member.id, password).await?;
        let proof = if knows { self.prove_code(member, code, origin).await? } else { None };
        self.audit.attempted(Method::Sudo, proof.is_some());
        let outcome = if proof.is_some() { Outcome::Done } else { Outcome::Refused };
        self.note(origin, &Event { outcome, ..Event::own(SUDO, member.id) }).await?;
        Ok(proof)
    }

    pub(super) async fn knows_password(&self, user: Uuid, password: &str) -> Result<bool> {
        let reserved = self.limiter.attempt(Policy::Sudo, user).await;
        let reserved = reserved.inspect_err(|_| self.audit.limited(Method::Sudo))?;
        let hash = store::password_hash(&self.db, user).await?;
        Ok(proved(&self.limiter, reserved, self.verified(password, hash)).await?.is_some())
    }

    async fn verified(&self, password: &str, hash: Option<String>) -> Result<Option<()>> {
        Ok(self.passwords.verify(password, hash).await?.then_some(()))
    }

    /// `None` if the account is disabled, or its sessions were ended since.
    pub async fn in_epoch(&self, user: Uuid, epoch: i64) -> Result<Option<Member>> {
        let member = store::active(&self.db, user).await?;
        Ok(member.filter(|member| member.auth_epoch == epoch))
    }

    /// Of a program, or in a browser that is logged in already.
    pub async fn record_login(&self, member: &Member, origin: &RequestMeta) -> Result<()> {
        self.note(origin, &Event::own(LOG_IN, member.id)).await
    }

    async fn record_refusal(&self, user: Option<Uuid>, origin: &RequestMeta) -> Result<()> {
        let target = user.map(|id| id.to_string()).unwrap_or_default();
        let event = Event { action: LOG_IN, actor: None, target, outcome: Outcome::Refused };
        self.note(origin, &event).await
    }

    /// Hashes the password again when the parameters have changed, while the login goes on.
    fn keep_hash_current(&self, user: Uuid, password: &str, old: String) {
        if !self.passwords.is_outdated(&old) {
            return;
        }
        let (accounts, password) = (self.clone(), password.to_owned());
        tokio::spawn(async move {
            let renewed = async {
                let new = accounts.passwords.hash(&password, accounts.context.random()).await?;
                Ok::<_, crate::error::Error>(profile::renew_hash(&accounts.db, user, &old, &new).await?)
            };
            if let Err(error) = renewed.await {
                tracing::warn!(event = "hash_not_renewed", ?error, "the next login tries again");
            }
        });
    }
}

/// Only a wrong proof counts as an attempt: not a right one, and not one that could not be checked.
pub(super) async fn proved<T>(
    limiter: &Limiter,
    reserved: Reservation,
    proof: impl Future<Output = Result<Option<T>>>,
) -> Result<Option<T>> {
    let proof = proof.await;
    if !matches!(proof, Ok(None)) {
        limiter.refund(reserved).await;
    }
    proof
}
