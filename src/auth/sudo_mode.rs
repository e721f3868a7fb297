//! Sudo mode of a session: what begins it, how long it lasts, and what ends it.

use std::sync::Arc;
use std::time::Duration;

use axum::http::request::Parts;
use futures_util::future::BoxFuture;
use tower_sessions::Session;

use crate::accounts::proof::{SessionGrant, SudoGrant};
use crate::accounts::{Accounts, Proof, Proved};
use crate::error::{Error, Result};
use crate::identity::{Identity, Member, RequestMeta};
use crate::sessions::data::{self, Data};
use crate::system::System;
use crate::timestamp::Timestamp;
use crate::web::pending::Answers;
use crate::web::sudo::CheckSudo;

pub const SUDO_LIFE: Duration = Duration::from_mins(10);

pub struct PasswordSudo {
    pub accounts: Arc<Accounts>,
    pub system: System,
}

impl CheckSudo for PasswordSudo {
    fn check<'a>(&'a self, parts: &'a Parts, origin: RequestMeta) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.check_password(parts, origin))
    }
}

impl PasswordSudo {
    async fn check_password(&self, parts: &Parts, origin: RequestMeta) -> Result<()> {
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

pub async fn is_sudo(system: &System, session: &Session, member: &Member) -> Result<bool> {
    Ok(end(system, &Data::from_session(session).await?, member).is_some())
}

/// `None` when it is not in sudo mode.
#[must_use]
pub fn end(system: &System, data: &Data, member: &Member) -> Option<Timestamp> {
    let sudo = data.sudo.as_ref().filter(|sudo| sudo.factor_epoch == member.factor_epoch)?;
    Some(Timestamp::from_micros(sudo.until)).filter(|until| *until > system.now())
}

/// `end`: of the sudo mode that the session was in before.
#[must_use]
pub fn granted(system: &System, proved: &Proved, end: Option<Timestamp>) -> Option<data::Sudo> {
    let until = match proved.by.grants().sudo {
        SudoGrant::No => None,
        SudoGrant::Begins => Some(system.now().plus(SUDO_LIFE)),
        SudoGrant::GoesOn => end,
    };
    until.map(|until| data::Sudo { until: until.micros(), factor_epoch: proved.member.factor_epoch })
}

/// After a change of a password or factor. `now`: the member since then. The proof says whether the session gets a new id.
pub async fn renew(
    system: &System,
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
