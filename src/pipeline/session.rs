//! tower-sessions' layer around a request, and remedies for what it lacks.
//!
//! It can't read cookies beside one that is not UTF-8, counts a cookie's age by the system's clock, answers with an empty
//! 500 when the store fails, and takes its cookie back without `Secure`, which [`cookies::secure`] adds.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use futures_util::future::BoxFuture;
use futures_util::future::FutureExt as _;
use tower::{Layer as _, Service, ServiceExt as _};
use tower_sessions::cookie::SameSite;
use tower_sessions::session::Id;
use tower_sessions::{Expiry, Session, SessionManagerLayer};

use super::{Pipeline, authenticate};
use crate::auth::{self, Auth};
use crate::error::Error;
use crate::pipeline::limits::{Tree, is_for_admins};
use crate::public_url::PublicUrl;
use crate::sessions::Sessions;
use crate::sessions::data::Data;
use crate::sessions::snapshot::SessionSnapshot;
use crate::web::cookies::{self, Life, Name};
use crate::web::error::Cause;

/// Whether a remembered session is enough: for what changes nothing and is no page of administration.
#[must_use]
pub fn may_remember(request: &Request) -> bool {
    request.method().is_safe() && !is_for_admins(request.uri().path())
}

pub type Layer = SessionManagerLayer<Sessions>;

#[must_use]
pub fn layer(auth: &Auth) -> Layer {
    SessionManagerLayer::new(auth.sessions.as_ref().clone())
        .with_name(Name::Session.on(&auth.deps.public_url))
        .with_secure(auth.deps.public_url.secure_cookies())
        .with_same_site(SameSite::Lax)
}

#[derive(Clone, Copy, Default)]
pub struct Named {
    pub id: Option<Id>,
    is_sent: bool,
}

/// All cookies of the request, while the layer sees only its own.
#[derive(Clone)]
struct Hidden(Vec<HeaderValue>);

#[derive(Clone)]
struct Changed(Session);

impl Named {
    /// An id that is none of ours is no id.
    #[must_use]
    pub fn new(site: &PublicUrl, headers: &HeaderMap) -> Self {
        let mut is_sent = false;
        let id = cookies::find(site, headers, Name::Session, |sent| {
            is_sent = true;
            sent.parse().ok()
        });
        Self { id, is_sent }
    }

    /// Reads the copy while `other` waits: Redis gets both in one round trip.
    pub async fn meanwhile<T>(
        self,
        sessions: &Sessions,
        other: impl Future<Output = T>,
    ) -> (T, Option<Arc<SessionSnapshot>>) {
        let mut other = pin!(other);
        // A request that need not wait, such as a refused one, reads no copy.
        if let Some(other) = (&mut other).now_or_never() {
            return (other, None);
        }
        let Some(id) = self.id else { return (other.await, None) };
        tokio::join!(other, sessions.copy(id))
    }

    fn hide_others(self, site: &PublicUrl, request: &mut Request) {
        let sent = request.headers().get_all(header::COOKIE).iter().cloned().collect();
        request.extensions_mut().insert(Hidden(sent));
        request.headers_mut().remove(header::COOKIE);
        if self.is_sent {
            let id = self.id.map(|id| id.to_string()).unwrap_or_default();
            let own = HeaderValue::try_from(format!("{}={id}", Name::Session.on(site)));
            request.headers_mut().extend(own.ok().map(|own| (header::COOKIE, own)));
        }
    }
}

#[derive(Clone)]
pub struct Entry {
    pub pipeline: Arc<Pipeline>,
    pub tree: Tree,
    pub named: Option<Id>,
    pub next: Next,
}

impl Service<Request> for Entry {
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        Box::pin(authenticate(self.clone(), request).map(Ok))
    }
}

/// Through the layer, if there is a session or may be one afterwards.
pub async fn run(layer: &Layer, named: Named, entry: Entry, mut request: Request) -> Response {
    if !named.is_sent && !may_begin(&entry, &request) {
        request.extensions_mut().insert(Session::new(None, entry.pipeline.auth.sessions.clone(), None));
        return authenticate(entry, request).await;
    }
    let auth = entry.pipeline.auth.clone();
    named.hide_others(&auth.deps.public_url, &mut request);
    let Ok(response) = layer.layer(entry).oneshot(request).await;
    mended(&auth, response).await
}

/// A form may begin a session, and so may a device that is kept signed in.
fn may_begin(entry: &Entry, request: &Request) -> bool {
    let is_kept = || {
        cookies::find(&entry.pipeline.deps.public_url, request.headers(), Name::RememberMe, |_| Some(()))
            .is_some()
    };
    matches!(entry.tree, Tree::Pages) && (!request.method().is_safe() || is_kept())
}

/// Inside the layer, on the way in.
pub fn show_others(request: &mut Request) {
    if let Some(Hidden(sent)) = request.extensions_mut().remove() {
        request.headers_mut().remove(header::COOKIE);
        request.headers_mut().extend(sent.into_iter().map(|line| (header::COOKIE, line)));
    }
}

/// Inside the layer, on the way out, before it writes the session. A failed request changes nothing.
pub fn settle(auth: &Auth, session: Session, response: &mut Response) {
    if session.is_modified() && !response.status().is_server_error() {
        let end = auth.deps.system.now().plus(auth.session_idle);
        session.set_expiry(Some(Expiry::AtDateTime(end.datetime())));
        response.extensions_mut().insert(Changed(session));
    }
}

async fn mended(auth: &Auth, mut response: Response) -> Response {
    let is_its_own = response.extensions().get::<Cause>().is_none();
    if is_its_own && response.status() == StatusCode::INTERNAL_SERVER_ERROR {
        return Error::Unavailable("the session could not be written".to_owned()).into_response();
    }
    if let Some(Changed(session)) = response.extensions_mut().remove()
        && let Some(id) = session.id()
    {
        become_known(auth, id, &session).await;
        cookies::keep(
            &auth.deps.public_url,
            response.headers_mut(),
            Name::Session,
            life(auth, &session).await,
        );
    }
    response
}

/// Unless the device is kept signed in, the cookie ends with the browser, earlier than the session.
async fn life(auth: &Auth, session: &Session) -> Life {
    let login = Data::from_session(session).await.ok().and_then(|data| data.login);
    match login.and_then(|login| login.family) {
        Some(_) => Life::For(auth.session_idle),
        None => Life::Browser,
    }
}

/// Limits a new session as one from its first request on.
async fn become_known(auth: &Auth, id: Id, session: &Session) {
    if auth.known.session(id).is_none()
        && let Ok(identity) = auth::session::new_identity(session).await
    {
        auth.known.note_session(id, &identity);
    }
}
