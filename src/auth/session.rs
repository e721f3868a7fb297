//! The signed-in user of a session, read once a request.

use std::sync::Arc;
use std::time::Duration;

use data_encoding::HEXLOWER;
use tower_sessions::Session;
use tower_sessions::session::Id;
use uuid::Uuid;

use crate::accounts::Proved;
use crate::accounts::proof::SessionGrant;
use crate::auth::Auth;
use crate::auth::sudo_mode;
use crate::error::{Error, Result};
use crate::identity::{Identity, Member, RequestMeta, Viewer};
use crate::sessions::data::{Data, Login, keep_member, member_of};
use crate::sessions::snapshot::{self, SessionSnapshot};
use crate::timestamp::Timestamp;

/// Sliding a session's end costs a write, so it slides this often at most.
const SLIDE_EVERY: Duration = Duration::from_mins(5);

/// The session of one request, which is empty until its browser signs in.
pub struct RequestSession {
    pub session: Session,
    /// Its copy in Redis, if it was read already.
    pub snapshot: Option<Arc<SessionSnapshot>>,
    /// Whether what this node remembers of the session is enough.
    pub may_remember: bool,
    /// The session that the cookie names, whether or not there is one.
    pub named: Option<Id>,
}

impl RequestSession {
    /// So that the next request of this session is limited by it alone.
    pub fn note(&self, auth: &Auth, identity: &Identity) {
        let Some(named) = self.named else { return };
        if self.session.id() == Some(named) {
            auth.known.note_session(named, identity);
        } else {
            auth.known.forget_session(named);
        }
    }
}

/// From this node's memory if the request changes nothing, else from the store. `slides`: the request counts as a visit,
/// which extends the session.
pub async fn identify(auth: &Auth, here: &mut RequestSession, slides: bool) -> Result<Identity> {
    let Some(id) = here.session.id() else { return Ok(Identity::default()) };
    let snapshot = match here.snapshot.take() {
        None if here.may_remember => auth.sessions.snapshot(id).await?,
        None => auth.sessions.copy(id).await,
        found => found,
    };
    let (now, longest) = (auth.deps.system.now(), auth.session_max);
    match snapshot.as_ref().and_then(|snapshot| snapshot.signed_in(now, longest)) {
        Some((login, member)) if !(slides && is_stale(auth, login)) => {
            Ok(known(login.clone(), member.clone()))
        }
        _ => look_up(auth, &here.session, slides).await,
    }
}

/// The last visit is not recorded yet.
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

/// Begins a session under a new id. Nothing of the old one goes over but the sudo mode that the proof grants.
pub async fn sign_in(auth: &Auth, session: &Session, proved: &Proved, origin: &RequestMeta) -> Result<()> {
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
    empty(session).await?;
    let sudo =
        sudo_mode::granted(&auth.deps.system, proved, sudo_mode::end(&auth.deps.system, &before, member));
    Data { login: Some(login), sudo, ..Data::default() }.keep(session).await?;
    keep_member(session, member).await
}

/// Under a new id, unless it has none yet: the layer would delete a row that was never there.
pub async fn empty(session: &Session) -> Result<()> {
    if session.id().is_some() {
        session.cycle_id().await?;
    }
    session.clear().await;
    Ok(())
}

/// The form token is the family's, so that a form that outlives the session can still be sent.
pub async fn join_family(auth: &Auth, session: &Session, member: &Member, family: Uuid) -> Result<()> {
    let mut data = Data::from_session(session).await?;
    if let Some(login) = &mut data.login {
        login.family = Some(family);
        login.csrf = auth.form_key.token_of_family(family, member.id);
    }
    data.keep(session).await
}

pub async fn new_identity(session: &Session) -> Result<Identity> {
    let (login, member) = (Data::from_session(session).await?.login, member_of(session).await?);
    Ok(login.zip(member).map(|(login, member)| known(login, member)).unwrap_or_default())
}
