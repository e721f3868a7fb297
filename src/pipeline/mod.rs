//! What a request passes, in this order, once [`base_path`] has taken the path of the public address off:
//!
//! 1. [`log::trace`]: its id, one log line, the security headers, compression.
//! 2. [`run`]: the time limit; a panic, an error or a bare refusal becomes a page or problem+json.
//! 3. [`admit`]: the limit of its address, session or token, before anything that costs more; then its host.
//! 4. [`session`]: the layer of tower-sessions, where a request has a session or may begin one.
//! 5. [`authenticate`]: the user, by session, kept device or token; a missing second factor; the limit of
//!    administration; the check against cross-site requests.
//! 6. The handler.
//!
//! From 2 on it is one future, as axum copies, boxes and polls each layer for every request.

pub mod base_path;
mod compress;
pub mod csp_report;
pub mod error_response;
pub mod headers;
pub mod limits;
pub mod log;
pub mod session;

use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Redirect, Response};
use futures_util::future::FutureExt as _;
use tokio::time::timeout;
use tower_sessions::Session;

use self::error_response::ErrorContext;
use self::limits::{Incoming, Tree, check_admin_limit, check_rate_limit};
use self::session::{Entry, Named};
use crate::auth::guard::Guard;
use crate::auth::known::TokenKey;
use crate::auth::require_second_factor::{self, SETUP};
use crate::auth::session::RequestSession;
use crate::auth::{Auth, bearer, remember_me};
use crate::error::{Error, Result};
use crate::identity::{Identity, set_identity};
use crate::limiter::allowance::Allowance;
use crate::limiter::verdict::QuotaStatus;
use crate::limiter::{self, Limiter};
use crate::public_url::check_host;
use crate::telemetry::metrics::Metrics;
use crate::waits;
use crate::web::body::Awaited;
use crate::web::deps::WebDeps;
use crate::web::request::Head;
use crate::web::scoped::token_of;
use crate::web::{csrf, drawn_for, flash, pending};

pub struct Pipeline {
    pub auth: Arc<Auth>,
    pub deps: Arc<WebDeps>,
    pub limiter: Limiter,
    pub metrics: Metrics,
    pub request_timeout: Duration,
    pub hsts_subdomains: bool,
}

#[derive(Clone)]
pub struct TreePipeline {
    pub pipeline: Arc<Pipeline>,
    pub tree: Tree,
    /// The largest body, in bytes.
    pub body_limit: usize,
    /// `None` where no handler asks who is looking.
    pub sessions: Option<session::Layer>,
}

pub async fn run(State(this): State<TreePipeline>, request: Request, next: Next) -> Response {
    let pipeline = &this.pipeline;
    let context = ErrorContext::new(&pipeline.deps.public_url, this.tree, &request);
    let awaited = Awaited::default();
    let request = awaited.watch(request);
    // Pinned in place: each further owner would move all of it.
    let limited = pin!(waits::limited(admit(&this, request, next)));
    let answer = AssertUnwindSafe(timeout(pipeline.request_timeout, limited)).catch_unwind().await;
    let response = match answer {
        Ok(Ok(response)) => response,
        Ok(Err(_)) if awaited.is_late() => Error::BodyTimedOut.into_response(),
        Ok(Err(_)) => Error::TimedOut.into_response(),
        Err(panic) => error_response::from_panic(&*panic),
    };
    context.render(pipeline, response)
}

async fn admit(this: &TreePipeline, mut request: Request, next: Next) -> Response {
    let pipeline = &this.pipeline;
    let Pipeline { auth, deps, .. } = &**pipeline;
    let named =
        this.sessions.as_ref().map(|_| Named::new(&deps.public_url, request.headers())).unwrap_or_default();
    let incoming = Incoming { tree: this.tree, head: Head::new(&request), session: named.id };
    let checking = check_rate_limit(pipeline, incoming);
    let (mut admission, snapshot) = if session::may_remember(&request) {
        (checking.await, None)
    } else {
        named.meanwhile(&auth.sessions, checking).await
    };
    if let Some(refusal) = admission.refusal(&pipeline.limiter) {
        // The page that says so shows the signed-in user, as far as this node knows without asking.
        if let Some(identity) = admission.identity.take() {
            set_identity(request.extensions_mut(), identity);
        }
        return pending::refuse(&deps.public_url, Error::TooManyRequests(refusal), request).await;
    }
    DefaultBodyLimit::max(this.body_limit).apply(&mut request);
    let mut response = match check_host(&deps.public_url, &request) {
        Err(error) => error.into_response(),
        Ok(()) => match &this.sessions {
            Some(layer) => {
                let entry = Entry { pipeline: pipeline.clone(), tree: this.tree, named: named.id, next };
                if let Some(snapshot) = snapshot {
                    request.extensions_mut().insert(snapshot);
                }
                // Boxed, so that the future of a refused request stays small.
                Box::pin(session::run(layer, named, entry, request)).await
            }
            None => next.run(request).await,
        },
    };
    admission.finish(pipeline, &mut response).await;
    response
}

async fn authenticate(entry: Entry, mut request: Request) -> Response {
    let Entry { pipeline, tree, named, next } = entry;
    session::show_others(&mut request);
    let Some(session) = request.extensions().get::<Session>().cloned() else {
        return Error::Internal("no session on the way".to_owned()).into_response();
    };
    let snapshot = request.extensions_mut().remove();
    let may_remember = session::may_remember(&request);
    let mut here = RequestSession { session, snapshot, may_remember, named };
    let mut response = match tree {
        Tree::Pages => pages(&pipeline, &mut here, request, next).await,
        Tree::Api => api(&pipeline, &mut here, request, next).await,
    };
    if let (Some(named), None) = (named, here.session.id()) {
        pipeline.auth.known.forget_session(named);
    }
    session::settle(&pipeline.auth, here.session, &mut response);
    response
}

async fn pages(pipeline: &Pipeline, here: &mut RequestSession, mut request: Request, next: Next) -> Response {
    let Pipeline { auth, deps, .. } = pipeline;
    let (identity, cookie) = match remember_me::identify(auth, here, Head::new(&request)).await {
        Ok(found) => found,
        Err(error) => return pending::refuse(&deps.public_url, error, request).await,
    };
    here.note(auth, &identity);
    set_identity(request.extensions_mut(), identity.clone());
    let mut response = match require_second_factor::check_page(auth, &identity.viewer, request.uri().path()) {
        Ok(()) => {
            if let Some(refusal) = drawn_for::refuse(&auth.form_key, &identity, &request) {
                refusal
            } else {
                let guard = Guard { auth, session: &here.session, identity: &identity };
                handle_page(&pipeline.limiter, guard, request, next).await
            }
        }
        Err(_) if request.method().is_safe() => Redirect::to(SETUP).into_response(),
        Err(error) => pending::refuse(&deps.public_url, error, request).await,
    };
    remember_me::set(cookie, response.headers_mut());
    flash::send(deps, &mut response);
    response
}

async fn handle_page(limiter: &Limiter, guard: Guard<'_>, request: Request, next: Next) -> Response {
    let quotas = match check_admin_limit(limiter, guard.identity, request.uri().path()).await {
        Ok(quotas) => quotas,
        Err(error) => return pending::refuse(&guard.auth.deps.public_url, error, request).await,
    };
    let mut response =
        if request.method().is_safe() { next.run(request).await } else { guard.run(request, next).await };
    limiter::headers::append(quotas.into_iter(), response.headers_mut());
    response
}

async fn api(pipeline: &Pipeline, here: &mut RequestSession, mut request: Request, next: Next) -> Response {
    match check_api(pipeline, here, &mut request).await {
        Ok(quotas) => {
            let mut response = next.run(request).await;
            limiter::headers::append(quotas.into_iter(), response.headers_mut());
            response
        }
        Err(error) => error.into_response(),
    }
}

async fn check_api(
    pipeline: &Pipeline,
    here: &mut RequestSession,
    request: &mut Request,
) -> Result<Vec<QuotaStatus>> {
    let Pipeline { auth, deps, limiter, .. } = pipeline;
    let identity: Identity = bearer::identify(auth, here, request).await?;
    here.note(auth, &identity);
    let allowance = match token_of(request.headers()) {
        Some(token) => Some(Allowance::from_token(limiter.clone(), TokenKey::new(token).0)),
        None => identity.session.map(|id| Allowance::from_session(limiter.clone(), id.into_bytes())),
    };
    if let Some(allowance) = allowance {
        request.extensions_mut().insert(allowance);
    }
    require_second_factor::check(auth, &identity.viewer)?;
    csrf::check_api(&deps.public_url, &identity, request)?;
    check_admin_limit(limiter, &identity, request.uri().path()).await
}
