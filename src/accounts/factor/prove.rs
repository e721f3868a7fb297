//! Checks a code at a login: one of the app, or a recovery code.

use std::time::Duration;

use super::{codes, hash, totp};
use crate::accounts::actions::RECOVERY_CODE_USE;
use crate::accounts::change::SessionEffect;
use crate::accounts::login::proved;
use crate::accounts::store::factor;
use crate::accounts::{Accounts, Proof};
use crate::audit::Event;
use crate::error::{Error, Result};
use crate::identity::{Member, RequestMeta};
use crate::keys::retired::Known;
use crate::limiter::policy::Policy;
use crate::telemetry::metrics::Method;

/// Codes of the app that may be tried in [`TRY_WINDOW`], over all of a user's logins.
const TRIES: i64 = 10;
const TRY_WINDOW: Duration = Duration::from_mins(15);

impl Accounts {
    /// What the password and this code prove together. Uses a good code up; without a second factor none is needed.
    pub(in crate::accounts) async fn prove_code(
        &self,
        member: &Member,
        typed: &str,
        origin: &RequestMeta,
    ) -> Result<Option<Proof>> {
        let Some(factor) = factor::read(&self.db, member.id).await? else { return Ok(None) };
        let Some(sealed) = factor.totp_secret else { return Ok(Some(Proof::Password)) };
        let reserved = self.limiter.attempt(Policy::SecondFactor, member.id).await;
        let reserved = reserved.inspect_err(|_| self.audit.limited(Method::Totp))?;
        let fresh = Box::pin(self.use_code(member, &sealed, factor.totp_last_step, typed, origin));
        proved(&self.limiter, reserved, fresh).await
    }

    /// Whether this code was good and has been used.
    pub async fn is_used_code(&self, member: &Member, typed: &str) -> Result<bool> {
        let Some(factor) = factor::read(&self.db, member.id).await? else { return Ok(false) };
        let digits = codes::digits(typed);
        if digits.len() != totp::DIGITS {
            let hash = self.factor_keys.hash(member.id, typed);
            return Ok(factor::is_used(&self.db, member.id, &hash).await?);
        }
        let (Some(sealed), Some(last)) = (factor.totp_secret, factor.totp_last_step) else {
            return Ok(false);
        };
        let secret = self.factor_keys.totp.open(member.id.as_bytes(), &sealed);
        let step = secret.and_then(|secret| totp::step_of(&secret, &digits, self.context.now(), None));
        Ok(step.is_some_and(|step| step <= last))
    }

    async fn use_code(
        &self,
        member: &Member,
        sealed: &[u8],
        last_step: Option<i64>,
        typed: &str,
        origin: &RequestMeta,
    ) -> Result<Option<Proof>> {
        let digits = codes::digits(typed);
        if digits.len() != totp::DIGITS {
            let fits = self.use_recovery_code(member, typed, origin).await?;
            return Ok(fits.then_some(Proof::PasswordAndRecoveryCode));
        }
        let now = self.context.now();
        if !factor::take_try(&self.db, member.id, TRIES, now.minus(TRY_WINDOW), now).await? {
            return Ok(None);
        }
        let secret = self.factor_keys.totp.open(member.id.as_bytes(), sealed).ok_or_else(|| {
            Error::Internal(
                "a TOTP secret can't be opened: COFFER_SECRET_KEY is not the one it was sealed under".into(),
            )
        })?;
        match totp::step_of(&secret, &digits, now, last_step) {
            Some(step) if factor::use_step(&self.db, member.id, sealed, step).await? => {
                Ok(Some(Proof::PasswordAndCode))
            }
            _ => Ok(None),
        }
    }

    async fn use_recovery_code(&self, member: &Member, typed: &str, origin: &RequestMeta) -> Result<bool> {
        let mut hashes = vec![self.factor_keys.hash(member.id, typed)];
        for era in self.factor_keys.retired.eras(&self.db).await? {
            if let Known::Keys(keys) = era.key {
                hashes.push(hash(&keys.recovery_codes, member.id, typed));
            }
        }
        let mut change = self.begin_change().await?;
        let mut used = false;
        for hash in &hashes {
            used = used || factor::use_code(&mut change, member.id, hash, self.context.now()).await?;
        }
        if !used {
            return Ok(false);
        }
        change.commit(origin, Event::own(RECOVERY_CODE_USE, member.id), SessionEffect::Keep).await?;
        Ok(true)
    }
}
