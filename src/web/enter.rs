//! The last gate before the handlers: who is asking, whether they may go on, and that they mean it.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Redirect, Response};
use futures_util::future::BoxFuture;
use tower::Service;
use tower_sessions::Session;
use tower_sessions::session::Id;

use super::guard::Guard;
use super::request::Head;
use super::viewer::{self, Identity};
use super::way::Pipeline;
use super::{bearer, csrf, drawn_for, pending, required, session, stay};
use crate::accounts::factor::settings::SETUP;
use crate::auth::Auth;
use crate::error::{Error, Result};
use crate::limiter::layer::{Tree, limit_admin};
use crate::limiter::verdict::QuotaStatus;
use crate::limiter::{Limiter, headers};
use crate::sessions::snapshot::SessionSnapshot;

/// What stands behind the sessions' layer.
#[derive(Clone)]
pub struct Entry {
    pub pipeline: Arc<Pipeline>,
    pub tree: Tree,
    /// The session that the cookie names, whether or not there is one.
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
        let entry = self.clone();
        Box::pin(async move { Ok(entry.enter(request).await) })
    }
}

/// One request of a session, which is empty until somebody signs in.
pub struct Visit {
    pub session: Session,
    /// What its copy in Redis said, if it was looked at.
    pub snapshot: Option<Arc<SessionSnapshot>>,
    /// Whether what this node remembers of the session will do.
    pub may_remember: bool,
    named: Option<Id>,
}

impl Entry {
    pub async fn enter(self, mut request: Request) -> Response {
        session::show_others(&mut request);
        let Some(session) = request.extensions().get::<Session>().cloned() else {
            return Error::Internal("no session on the way".to_owned()).into_response();
        };
        let snapshot = request.extensions_mut().remove();
        let may_remember = session::may_remember(&request);
        let mut visit = Visit { session, snapshot, may_remember, named: self.named };
        let mut response = match self.tree {
            Tree::Pages => pages(&self.pipeline, &mut visit, request, self.next).await,
            Tree::Api => api(&self.pipeline, &mut visit, request, self.next).await,
        };
        if let (Some(named), None) = (self.named, visit.session.id()) {
            self.pipeline.auth.known.forget_session(named);
        }
        session::settle(&self.pipeline.auth, visit.session, &mut response);
        response
    }
}

/// By the session, or by what keeps the device signed in.
async fn pages(pipeline: &Pipeline, visit: &mut Visit, mut request: Request, next: Next) -> Response {
    let Pipeline { auth, deps, .. } = pipeline;
    let (identity, cookie) = match stay::recognise(auth, visit, Head::new(&request)).await {
        Ok(found) => found,
        Err(error) => return pending::refuse(&deps.public_url, error, request).await,
    };
    note(auth, visit, &identity);
    viewer::introduce(request.extensions_mut(), identity.clone());
    let mut response = match required::check_page(auth, &identity.viewer, request.uri().path()) {
        Ok(()) => match drawn_for::refuse(&auth.form_key, &identity, &request) {
            Some(refusal) => refusal,
            None => {
                admit(
                    &pipeline.limiter,
                    Guard { auth, session: &visit.session, identity: &identity },
                    request,
                    next,
                )
                .await
            }
        },
        Err(_) if request.method().is_safe() => Redirect::to(SETUP).into_response(),
        Err(error) => pending::refuse(&deps.public_url, error, request).await,
    };
    stay::set(cookie, response.headers_mut());
    response
}

/// So that the next request of this session is limited by it alone.
fn note(auth: &Auth, visit: &Visit, identity: &Identity) {
    let Some(named) = visit.named else { return };
    if visit.session.id() == Some(named) {
        auth.known.note_session(named, identity);
    } else {
        auth.known.forget_session(named);
    }
}

async fn admit(limiter: &Limiter, guard: Guard<'_>, request: Request, next: Next) -> Response {
    let told = match limit_admin(limiter, guard.identity, request.uri().path()).await {
        Ok(told) => told,
        Err(error) => return pending::refuse(&guard.auth.deps.public_url, error, request).await,
    };
    let mut response =
        if request.method().is_safe() { next.run(request).await } else { guard.run(request, next).await };
    headers::append(told.into_iter(), response.headers_mut());
    response
}

/// By a bearer token, or by the session.
async fn api(pipeline: &Pipeline, visit: &mut Visit, mut request: Request, next: Next) -> Response {
    match check_api(pipeline, visit, &mut request).await {
        Ok(told) => {
            let mut response = next.run(request).await;
            headers::append(told.into_iter(), response.headers_mut());
            response
        }
        Err(error) => error.into_response(),
    }
}

async fn check_api(
    pipeline: &Pipeline,
    visit: &mut Visit,
    request: &mut Request,
) -> Result<Vec<QuotaStatus>> {
    let Pipeline { auth, deps, limiter, .. } = pipeline;
    let identity = bearer::identify(auth, visit, request).await?;
    note(auth, visit, &identity);
    required::check(auth, &identity.viewer)?;
    csrf::check_api(&deps.public_url, &identity, request)?;
    limit_admin(limiter, &identity, request.uri().path()).await
}
