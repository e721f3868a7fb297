//! Sudo mode: what reaches far (tokens, factors, export, admin's changes) asks for the password once more, at most
//! every ten minutes.
//!
//! A handler takes [`Sudo`] before the body. Without sudo mode a page leads to `/sudo` and back; a form waits in the same
//! [prompt](super::prompt) and goes through together with the password. Such forms are plain ones: htmx does not show
//! a refusal.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use futures_util::future::BoxFuture;
use tower_sessions::Session;

use super::deps::WebDeps;
use super::origin::Origin;
use super::pending::Answers;
use super::viewer::Identity;
use crate::accounts::proof::{SessionGrant, SudoGrant};
use crate::accounts::{Accounts, Member, Proof, Proved};
use crate::context::Context;
use crate::db::Timestamp;
use crate::error::{Error, Result};
use crate::sessions::data::{self, Data};

/// How long the password counts.
pub const SUDO_LIFE: Duration = Duration::from_mins(10);

/// Proof that whoever asks has given their password in the last ten minutes.
pub struct Sudo(());

impl<S> FromRequestParts<S> for Sudo
where
    Arc<WebDeps>: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let deps = Arc::<WebDeps>::from_ref(state);
        let origin = Origin::new(&deps, &parts.headers, &parts.extensions);
        deps.sudo.check(parts, origin).await.map(|()| Self(()))
    }
}

/// Decides whether a request is in sudo mode, or brings the password that begins it.
pub trait CheckSudo: Send + Sync {
    /// # Errors
    /// [`Error::SignInRequired`], [`Error::SudoRequired`] or [`Error::SudoRefused`]
    fn check<'a>(&'a self, parts: &'a Parts, origin: Origin) -> BoxFuture<'a, Result<()>>;
}

pub struct PasswordSudo {
    pub accounts: Arc<Accounts>,
    pub system: Context,
}

impl CheckSudo for PasswordSudo {
    fn check<'a>(&'a self, parts: &'a Parts, origin: Origin) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.check_password(parts, origin))
    }
}

impl PasswordSudo {
    async fn check_password(&self, parts: &Parts, origin: Origin) -> Result<()> {
        let identity = parts.extensions.get::<Identity>().cloned().unwrap_or_default();
        let member = identity.viewer.signed_in()?;
        let session = parts.extensions.get::<Session>().ok_or(Error::SudoRequired)?;
        if is_sudo(&self.system, session, member).await? {
            return Ok(());
        }
        let answer = |name| parts.extensions.get::<Answers>()?.get(name);
        let password = answer(Answers::SUDO_PASSWORD).ok_or(Error::SudoRequired)?;
        let code = answer(Answers::SUDO_CODE).unwrap_or_default();
        let proof = self.accounts.confirm(member, password, code, &origin).await?;
        let by = proof.ok_or(Error::SudoRefused)?;
        renew(&self.system, session, member, member.clone(), by).await
    }
}

/// Whether this person's session is in sudo mode.
pub async fn is_sudo(system: &Context, session: &Session, member: &Member) -> Result<bool> {
    Ok(end(system, &Data::from_session(session).await?, member).is_some())
}

/// When this person's sudo mode ends, if the session is in it.
#[must_use]
pub fn end(system: &Context, data: &Data, member: &Member) -> Option<Timestamp> {
    let sudo = data.sudo.as_ref().filter(|sudo| sudo.factor_epoch == member.factor_epoch)?;
    Some(Timestamp::from_micros(sudo.until)).filter(|until| *until > system.now())
}

/// The sudo mode that the proof grants. `end`: of what the session was in before.
#[must_use]
pub fn granted(system: &Context, proved: &Proved, end: Option<Timestamp>) -> Option<data::Sudo> {
    let until = match proved.by.grants().sudo {
        SudoGrant::No => None,
        SudoGrant::Begins => Some(system.now().plus(SUDO_LIFE)),
        SudoGrant::GoesOn => end,
    };
    until.map(|until| data::Sudo { until: until.micros(), factor_epoch: proved.member.factor_epoch })
}

/// After a change of what the person proves themselves by: `now` is who they are since. The session goes on, under a
/// new id where the proof says so.
pub async fn renew(
    system: &Context,
    session: &Session,
    before: &Member,
    now: Member,
    by: Proof,
) -> Result<()> {
    let mut data = Data::from_session(session).await?;
    if by.grants().session == SessionGrant::Begins {
        session.cycle_id().await?;
    }
    data.sudo = granted(system, &Proved { member: now, by }, end(system, &data, before));
    data.keep(session).await
}
