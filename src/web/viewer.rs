//! Who is looking: read once a request from the session, then handed to whoever asks.

use std::convert::Infallible;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use data_encoding::HEXLOWER;
use tower_sessions::Session;
use uuid::Uuid;

use super::enter::Visit;
use super::origin::Origin;
use super::sudo;
use crate::accounts::proof::SessionGrant;
use crate::accounts::{Member, Proved, Role};
use crate::auth::Auth;
use crate::db::Timestamp;
use crate::error::{Error, Result};
use crate::sessions::data::{Data, Login, member_of};
use crate::sessions::snapshot::{self, SessionSnapshot};

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

/// Who a session says it is.
#[must_use]
pub fn identity(auth: &Auth, snapshot: &SessionSnapshot) -> Option<Identity> {
    let (login, member) = snapshot.signed_in(auth.deps.system.now(), auth.session_max)?;
    Some(known(login.clone(), member.clone()))
}

/// Who is signed in, by this node's memory for what changes nothing, and else by the store.
/// `slides` when this is a visit, which the session's idle time is counted from.
pub async fn read(auth: &Auth, visit: &mut Visit, slides: bool) -> Result<Identity> {
    let Some(id) = visit.session.id() else { return Ok(Identity::default()) };
    let snapshot = match visit.snapshot.take() {
        None if visit.may_remember => auth.sessions.snapshot(id).await?,
        None => auth.sessions.copy(id).await,
        found => found,
    };
    let (now, longest) = (auth.deps.system.now(), auth.session_max);
    match snapshot.as_ref().and_then(|snapshot| snapshot.signed_in(now, longest)) {
        Some((login, member)) if !(slides && is_stale(auth, login)) => {
            Ok(known(login.clone(), member.clone()))
        }
        _ => look_up(auth, &visit.session, slides).await,
    }
}

/// The slide is not written down yet.
fn is_stale(auth: &Auth, login: &Login) -> bool {
    Timestamp::from_micros(login.seen).plus(SLIDE_EVERY) < auth.deps.system.now()
}

async fn look_up(auth: &Auth, session: &Session, slides: bool) -> Result<Identity> {
    let data = Data::from_session(session).await?;
    if data.login.is_none() {
        return Ok(Identity::default());
    }
    let (member, now) = (member_of(session).await?, auth.deps.system.now());
    let found = snapshot::signed_in(&data, member.as_ref(), now, auth.session_max);
    let Some((login, member)) = found.map(|(login, member)| (login.clone(), member.clone())) else {
        session.flush().await?;
        return Ok(Identity::default());
    };
    if slides && is_stale(auth, &login) {
        let login = Some(Login { seen: now.micros(), ..login.clone() });
        Data { login, ..data }.keep(session).await?;
    }
    Ok(known(login, member))
}

fn known(login: Login, member: Member) -> Identity {
    Identity {
        viewer: Viewer::Member(Arc::new(member)),
        csrf: login.csrf,
        session: Some(login.id),
        family: login.family,
    }
}

/// Begins a signed-in session under a new id, with the sudo mode that the proof grants; nothing else of what the session
/// held before goes over.
///
/// # Errors
/// [`Error::SignInRequired`] when the proof grants no session.
pub async fn sign_in(auth: &Auth, session: &Session, proved: &Proved, origin: &Origin) -> Result<()> {
    if proved.by.grants().session != SessionGrant::Begins {
        return Err(Error::SignInRequired);
    }
    let (member, now) = (&proved.member, auth.deps.system.now());
    let before = Data::from_session(session).await?;
    let login = Login {
        user: member.id,
        epoch: member.auth_epoch,
        since: now.micros(),
        seen: now.micros(),
        csrf: auth.form_key.token(auth.deps.system.random(), member.id),
        id: auth.deps.system.new_id(),
        family: None,
        browser: origin.browser.clone(),
        network: origin.network.map(|network| HEXLOWER.encode(&network)),
    };
    session.cycle_id().await?;
    session.clear().await;
    let sudo = sudo::granted(&auth.deps.system, proved, sudo::end(&auth.deps.system, &before, member));
    Data { login: Some(login), sudo, ..Data::default() }.keep(session).await
}

/// Makes the session one of a device that is kept signed in. Its form token is the family's, so that a form that
/// outlives the session can still be sent.
pub async fn join_family(auth: &Auth, session: &Session, member: &Member, family: Uuid) -> Result<()> {
    let mut data = Data::from_session(session).await?;
    if let Some(login) = &mut data.login {
        login.family = Some(family);
        login.csrf = auth.form_key.token_of_family(family, member.id);
    }
    data.keep(session).await
}

/// The identity of a session that has just begun, for the rest of this request.
pub async fn begun(session: &Session, member: Member) -> Result<Identity> {
    let login = Data::from_session(session).await?.login;
    Ok(login.map(|login| known(login, member)).unwrap_or_default())
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
