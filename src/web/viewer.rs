//! Who is looking: read once a request from the session, then handed to whoever asks.

use std::convert::Infallible;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use data_encoding::HEXLOWER;
use serde::Deserialize;
use tower_sessions_core::{Expiry, Session};
use uuid::Uuid;

use super::origin::Origin;
use super::sudo;
use crate::accounts::proof::SessionGrant;
use crate::accounts::{Member, Proved, Role};
use crate::app::App;
use crate::db::Timestamp;
use crate::error::{Error, Result};
use crate::sessions::key;

/// Sliding a session's end costs a write, so it slides this often at most.
const SLIDE_EVERY: Duration = Duration::from_mins(5);

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

/// The viewer, and what belongs to the session that they are signed in with.
#[derive(Clone, Debug, Default)]
pub struct Identity {
    pub viewer: Viewer,
    /// Proves that a form came from this session.
    pub csrf: String,
    /// What the device list calls the session.
    pub session: Option<Uuid>,
    /// What keeps the device signed in, if something does.
    pub family: Option<Uuid>,
}

impl Identity {
    /// What the device list calls the device: the family when there is one.
    #[must_use]
    pub fn device(&self) -> Option<Uuid> {
        self.family.or(self.session)
    }
}

/// Filled when the request's sender is known, read by the outer layer that draws error pages.
#[derive(Clone, Default)]
pub struct IdentitySlot(Arc<RwLock<Identity>>);

impl IdentitySlot {
    #[must_use]
    pub fn get(&self) -> Identity {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn set(&self, identity: Identity) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = identity;
    }
}

/// Makes the sender known to the handlers and to the layer that draws error pages.
pub fn introduce(extensions: &mut axum::http::Extensions, identity: Identity) {
    if let Some(slot) = extensions.get::<IdentitySlot>() {
        slot.set(identity.clone());
    }
    extensions.insert(identity);
}

/// What a request needs to know of a session; the names are those of [`key`].
#[derive(Deserialize)]
pub struct Standing {
    user_id: Uuid,
    member: Member,
    epoch: i64,
    since: i64,
    seen: i64,
    csrf: String,
    id: Uuid,
    #[serde(default)]
    family: Option<Uuid>,
}

impl Standing {
    /// Whether it holds and nothing is to be written.
    fn is_good(&self, app: &App, slides: bool) -> bool {
        let now = app.context.now();
        self.member.id == self.user_id
            && self.member.auth_epoch == self.epoch
            && Timestamp::from_micros(self.since).plus(app.config.session_max()) > now
            && !(slides && Timestamp::from_micros(self.seen).plus(SLIDE_EVERY) < now)
    }

    fn identity(self) -> Identity {
        Identity {
            viewer: Viewer::Member(Arc::new(self.member)),
            csrf: self.csrf,
            session: Some(self.id),
            family: self.family,
        }
    }
}

/// Who the session says it is; the whole check is one look at its copy, which may have been `standing` there already.
/// `slides` when this is a visit, which the session's idle time is counted from.
pub async fn read(
    app: &App,
    session: &Session,
    standing: Option<Standing>,
    slides: bool,
) -> Result<Identity> {
    let Some(id) = session.id() else { return Ok(Identity::default()) };
    let standing = match standing {
        Some(standing) => Some(standing),
        None => app.sessions.copy(id).await,
    };
    match standing {
        Some(standing) if standing.is_good(app, slides) => Ok(standing.identity()),
        _ => look_up(app, session, slides).await,
    }
}

async fn look_up(app: &App, session: &Session, slides: bool) -> Result<Identity> {
    if session.get_value(key::USER).await?.is_none() {
        return Ok(Identity::default());
    }
    let epoch: i64 = session.get(key::EPOCH).await?.unwrap_or(-1);
    let since = Timestamp::from_micros(session.get(key::SINCE).await?.unwrap_or(0));
    let now = app.context.now();
    let member: Option<Member> = session.get(key::MEMBER).await?;
    let member = member.filter(|member| member.auth_epoch == epoch);
    let Some(member) = member.filter(|_| since.plus(app.config.session_max()) > now) else {
        session.flush().await?;
        return Ok(Identity::default());
    };
    let seen = Timestamp::from_micros(session.get(key::SEEN).await?.unwrap_or(0));
    if slides && seen.plus(SLIDE_EVERY) < now {
        session.insert(key::SEEN, now.micros()).await?;
        slide(app, session, now);
    }
    known(session, member).await
}

async fn known(session: &Session, member: Member) -> Result<Identity> {
    Ok(Identity {
        viewer: Viewer::Member(Arc::new(member)),
        csrf: session.get(key::CSRF).await?.unwrap_or_default(),
        session: session.get(key::PUBLIC).await?,
        family: session.get(key::FAMILY).await?,
    })
}

/// Begins a signed-in session under a new id, with the sudo mode that the proof grants; nothing else of what the session
/// held before goes over.
///
/// # Errors
/// [`Error::SignInRequired`] when the proof grants no session.
pub async fn sign_in(app: &App, session: &Session, proved: &Proved, origin: &Origin) -> Result<()> {
    if proved.by.grants().session != SessionGrant::Begins {
        return Err(Error::SignInRequired);
    }
    let (member, now) = (&proved.member, app.context.now().micros());
    let sudo_end = sudo::end(app, session, member).await?;
    session.cycle_id().await?;
    session.clear().await;
    session.insert(key::USER, member.id).await?;
    session.insert(key::EPOCH, member.auth_epoch).await?;
    session.insert(key::SINCE, now).await?;
    session.insert(key::SEEN, now).await?;
    session.insert(key::PUBLIC, app.context.new_id()).await?;
    session.insert(key::BROWSER, &origin.browser).await?;
    session.insert(key::NETWORK, origin.network.map(|network| HEXLOWER.encode(&network))).await?;
    session.insert(key::CSRF, app.form_key.token(app.context.random(), member.id)).await?;
    slide(app, session, app.context.now());
    sudo::grant(app, session, proved, sudo_end).await
}

/// Makes the session one of a device that is kept signed in. Its form token is the family's, so that a form that
/// outlives the session can still be sent.
pub async fn join_family(app: &App, session: &Session, member: &Member, family: Uuid) -> Result<()> {
    session.insert(key::FAMILY, family).await?;
    session.insert(key::CSRF, app.form_key.token_of_family(family, member.id)).await?;
    Ok(())
}

/// The identity of a session that has just begun, for the rest of this request.
pub async fn begun(session: &Session, member: Member) -> Result<Identity> {
    known(session, member).await
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
