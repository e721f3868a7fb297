//! Who is looking: read once a request from the session, then handed to whoever asks.

use std::convert::Infallible;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;
use tower_sessions::{Expiry, Session};
use uuid::Uuid;

use super::csrf;
use crate::accounts::{Member, Role};
use crate::app::App;
use crate::db::Timestamp;
use crate::error::{Error, Result};

/// Sliding a session's end costs a write, so it slides this often at most.
const SLIDE_EVERY: Duration = Duration::from_mins(5);

mod key {
    pub const USER: &str = "user_id";
    pub const EPOCH: &str = "epoch";
    pub const CSRF: &str = "csrf";
    pub const SINCE: &str = "since";
    pub const SEEN: &str = "seen";
}

#[derive(Clone, Debug, Default)]
pub enum Viewer {
    #[default]
    Visitor,
    Member(Arc<Member>),
}

impl Viewer {
    #[must_use]
    pub fn member(&self) -> Option<&Member> {
        match self {
            Self::Visitor => None,
            Self::Member(member) => Some(member),
        }
    }

    #[must_use]
    pub fn id(&self) -> Option<Uuid> {
        self.member().map(|member| member.id)
    }

    /// The signed-in person.
    ///
    /// # Errors
    /// [`Error::SignInRequired`] for a visitor.
    pub fn signed_in(&self) -> Result<&Member> {
        self.member().ok_or(Error::SignInRequired)
    }

    #[must_use]
    pub fn is_admin(&self) -> bool {
        self.member().is_some_and(|member| member.role == Role::Admin)
    }
}

/// The viewer and the token that proves that a form came from their session.
#[derive(Clone, Debug, Default)]
pub struct Identity {
    pub viewer: Viewer,
    pub csrf: String,
}

/// Filled by [`identify`], read by the outer layer that draws error pages.
#[derive(Clone, Default)]
pub struct IdentitySlot(Arc<OnceLock<Identity>>);

impl IdentitySlot {
    #[must_use]
    pub fn get(&self) -> Identity {
        self.0.get().cloned().unwrap_or_default()
    }
}

/// Reads the session, if the request carries one, and makes the [`Identity`] known.
pub async fn identify(
    State(app): State<App>,
    session: Session,
    mut request: Request,
    next: Next,
) -> Response {
    let identity = match read(&app, &session).await {
        Ok(identity) => identity,
        Err(error) => return csrf::give_back(error, request).await,
    };
    if let Some(slot) = request.extensions().get::<IdentitySlot>() {
        let _ = slot.0.set(identity.clone());
    }
    request.extensions_mut().insert(identity);
    next.run(request).await
}

async fn read(app: &App, session: &Session) -> Result<Identity> {
    let Some(user) = session.get::<Uuid>(key::USER).await? else {
        return Ok(Identity::default());
    };
    let epoch: i64 = session.get(key::EPOCH).await?.unwrap_or(-1);
    let since = Timestamp::from_micros(session.get(key::SINCE).await?.unwrap_or(0));
    let now = app.context.now();
    let member = app.accounts.active(user).await?.filter(|member| member.auth_epoch == epoch);
    let Some(member) = member.filter(|_| since.plus(app.config.session_max()) > now) else {
        session.flush().await?;
        return Ok(Identity::default());
    };
    let seen = Timestamp::from_micros(session.get(key::SEEN).await?.unwrap_or(0));
    if seen.plus(SLIDE_EVERY) < now {
        session.insert(key::SEEN, now.micros()).await?;
        slide(app, session, now);
    }
    let csrf = session.get(key::CSRF).await?.unwrap_or_default();
    Ok(Identity { viewer: Viewer::Member(Arc::new(member)), csrf })
}

/// Begins a signed-in session under a new id.
pub async fn sign_in(app: &App, session: &Session, member: &Member) -> Result<()> {
    let now = app.context.now().micros();
    session.cycle_id().await?;
    session.insert(key::USER, member.id).await?;
    session.insert(key::EPOCH, member.auth_epoch).await?;
    session.insert(key::SINCE, now).await?;
    session.insert(key::SEEN, now).await?;
    session.insert(key::CSRF, data_encoding::BASE64URL_NOPAD.encode(&app.context.random::<16>())).await?;
    slide(app, session, app.context.now());
    Ok(())
}

/// Counts the idle time from now. tower-sessions by itself would ask the system's clock.
fn slide(app: &App, session: &Session, now: Timestamp) {
    session.set_expiry(Some(Expiry::AtDateTime(now.plus(app.config.session_idle()).datetime())));
}

impl<S: Sync> FromRequestParts<S> for Identity {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get().cloned().unwrap_or_default())
    }
}

impl<S: Sync> FromRequestParts<S> for Viewer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        Ok(Identity::from_request_parts(parts, state).await?.viewer)
    }
}
