//! Sudo mode: what reaches far (tokens, factors, export, admin's changes) asks for the password once more, at most
//! every ten minutes.
//!
//! A handler takes [`Sudo`] before the body. Without sudo mode a page leads to `/sudo` and back; a form is answered by
//! the same question in its own place, with what was typed in hidden fields, and goes through together with
//! the password. Such forms are plain ones: htmx does not show a refusal.

use std::time::Duration;

use askama::Template;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use tower_sessions_core::Session;

use super::chrome::Chrome;
use super::origin::Origin;
use super::viewer::Identity;
use crate::app::App;
use crate::db::Timestamp;
use crate::error::{Error, Result};

/// How long the password counts.
pub const SUDO_LIFE: Duration = Duration::from_mins(10);
const UNTIL: &str = "sudo_until";
const PASSWORD: &str = "sudo_password";
const CODE: &str = "sudo_code";

/// Proof that whoever asks has given their password in the last ten minutes.
pub struct Sudo(());

impl FromRequestParts<App> for Sudo {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let Ok(identity) = Identity::from_request_parts(parts, app).await;
        let Ok(origin) = Origin::from_request_parts(parts, app).await;
        let member = identity.viewer.signed_in()?;
        let session = parts.extensions.get::<Session>().ok_or(Error::SudoRequired)?;
        if is_sudo(app, session).await? {
            return Ok(Self(()));
        }
        let Some(given) = parts.extensions.get::<Given>() else { return Err(Error::SudoRequired) };
        if !app.accounts.confirm(member, &given.password, &given.code, &origin).await? {
            return Err(Error::SudoRefused);
        }
        session.cycle_id().await?;
        grant(app, session).await?;
        Ok(Self(()))
    }
}

/// Whether the password was given in the last ten minutes.
pub async fn is_sudo(app: &App, session: &Session) -> Result<bool> {
    let until = session.get(UNTIL).await?.map(Timestamp::from_micros);
    Ok(until.is_some_and(|until| until > app.context.now()))
}

/// From now on the session is in sudo mode: the password, and the second factor if there is one, were just given.
pub async fn grant(app: &App, session: &Session) -> Result<()> {
    Ok(session.insert(UNTIL, app.context.now().plus(SUDO_LIFE).micros()).await?)
}

/// The password that came with a form, for [`Sudo`] to look at if it is asked.
#[derive(Clone)]
pub struct Given {
    password: String,
    code: String,
}

impl Given {
    #[must_use]
    pub fn of(sent: &[(String, String)]) -> Option<Self> {
        let field = |name| sent.iter().find(|(sent, _)| sent == name).map(|(_, value)| value.clone());
        Some(Self { password: field(PASSWORD)?, code: field(CODE).unwrap_or_default() })
    }
}

/// What was typed into a form that sudo mode holds up: everything but passwords, codes and the form's token.
#[derive(Clone)]
pub struct HeldUp(Vec<(String, String)>);

impl HeldUp {
    #[must_use]
    pub fn of(mut sent: Vec<(String, String)>) -> Self {
        sent.retain(|(name, _)| {
            !name.contains("password") && !name.contains("code") && name != super::csrf::FIELD
        });
        Self(sent)
    }

    /// The one field that leads on from `/sudo`.
    #[must_use]
    pub fn next(path: String) -> Self {
        Self(vec![("next".to_owned(), path)])
    }

    #[must_use]
    pub fn fields(&self) -> &[(String, String)] {
        &self.0
    }
}

/// The question, above whatever it holds up.
#[derive(Template)]
#[template(path = "accounts/sudo.html")]
pub struct SudoPage {
    pub chrome: Chrome,
    /// Where the form goes.
    pub action: String,
    pub held_up: HeldUp,
    pub wrong: bool,
    /// A code is asked for too.
    pub code: bool,
}
