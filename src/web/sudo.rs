//! Sudo mode: what reaches far (tokens, factors, export, admin's changes) asks for the password once more, at most
//! every ten minutes.
//!
//! A handler takes [`Sudo`] before the body. Without sudo mode a page leads to `/sudo` and back; a form waits in the same
//! [prompt](super::prompt) and goes through together with the password. Such forms are plain ones: htmx does not show
//! a refusal.

use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use tower_sessions::Session;

use super::origin::Origin;
use super::pending::Answers;
use super::viewer::Identity;
use crate::accounts::proof::{SessionGrant, SudoGrant};
use crate::accounts::{Member, Proof, Proved};
use crate::app::App;
use crate::db::Timestamp;
use crate::error::{Error, Result};
use crate::sessions::data::{self, Data};

/// How long the password counts.
pub const SUDO_LIFE: Duration = Duration::from_mins(10);

/// Proof that whoever asks has given their password in the last ten minutes.
pub struct Sudo(());

impl FromRequestParts<App> for Sudo {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let Ok(identity) = Identity::from_request_parts(parts, app).await;
        let Ok(origin) = Origin::from_request_parts(parts, app).await;
        let member = identity.viewer.signed_in()?;
        let session = parts.extensions.get::<Session>().ok_or(Error::SudoRequired)?;
        if is_sudo(app, session, member).await? {
            return Ok(Self(()));
        }
        let answer = |name| parts.extensions.get::<Answers>()?.get(name);
        let password = answer(Answers::SUDO_PASSWORD).ok_or(Error::SudoRequired)?;
        let code = answer(Answers::SUDO_CODE).unwrap_or_default();
        let proof = app.accounts.confirm(member, password, code, &origin).await?;
        let by = proof.ok_or(Error::SudoRefused)?;
        renew(app, session, member, member.clone(), by).await?;
        Ok(Self(()))
    }
}

/// Whether this person's session is in sudo mode.
pub async fn is_sudo(app: &App, session: &Session, member: &Member) -> Result<bool> {
    Ok(end(app, &Data::of(session).await?, member).is_some())
}

/// When this person's sudo mode ends, if the session is in it.
#[must_use]
pub fn end(app: &App, data: &Data, member: &Member) -> Option<Timestamp> {
    let sudo = data.sudo.as_ref().filter(|sudo| sudo.factor_epoch == member.factor_epoch)?;
    Some(Timestamp::from_micros(sudo.until)).filter(|until| *until > app.context.now())
}

/// The sudo mode that the proof grants. `end`: of what the session was in before.
#[must_use]
pub fn granted(app: &App, proved: &Proved, end: Option<Timestamp>) -> Option<data::Sudo> {
    let until = match proved.by.grants().sudo {
        SudoGrant::No => None,
        SudoGrant::Begins => Some(app.context.now().plus(SUDO_LIFE)),
        SudoGrant::GoesOn => end,
    };
    until.map(|until| data::Sudo { until: until.micros(), factor_epoch: proved.member.factor_epoch })
}

/// After a change of what the person proves themselves by: `now` is who they are since. The session goes on, under a
/// new id where the proof says so.
pub async fn renew(app: &App, session: &Session, before: &Member, now: Member, by: Proof) -> Result<()> {
    let mut data = Data::of(session).await?;
    if by.grants().session == SessionGrant::Begins {
        session.cycle_id().await?;
    }
    data.sudo = granted(app, &Proved { member: now, by }, end(app, &data, before));
    data.keep(session).await
}
