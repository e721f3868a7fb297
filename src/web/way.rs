//! The way of a request through a tree: all that stands before its handler, in this order and in one future.
//!
//! Layers of their own would each be copied, boxed and polled for every request.

use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use futures_util::future::FutureExt as _;
use tokio::time::timeout;

use super::body::Awaited;
use super::deps::WebDeps;
use super::enter::Entry;
use super::faces::{self, Asked};
use super::request::Head;
use super::session::{self, Named};
use super::site::check_host;
use super::{pending, viewer};
use crate::auth::Auth;
use crate::error::Error;
use crate::limiter::Limiter;
use crate::limiter::layer::{Incoming, Tree, check_rate_limit};
use crate::telemetry::metrics::Metrics;
use crate::waits;

/// What all requests pass.
pub struct Pipeline {
    pub auth: Arc<Auth>,
    pub deps: Arc<WebDeps>,
    pub limiter: Limiter,
    pub metrics: Metrics,
    pub request_timeout: Duration,
    pub hsts_subdomains: bool,
}

/// What the requests of one tree pass.
#[derive(Clone)]
pub struct TreePipeline {
    pub pipeline: Arc<Pipeline>,
    pub tree: Tree,
    /// Bytes that a body may have.
    pub body_limit: usize,
    /// `None` where nobody asks who is looking.
    pub sessions: Option<session::Layer>,
}

/// Whatever goes wrong further on gets the face that the tree has for it.
pub async fn run(State(this): State<TreePipeline>, request: Request, next: Next) -> Response {
    let pipeline = &this.pipeline;
    let asked = Asked::new(&pipeline.deps.public_url, this.tree, &request);
    let awaited = Awaited::default();
    let request = awaited.watch(request);
    let limit = pipeline.request_timeout;
    // Pinned where it is, as each further owner would move all of it.
    let limited = pin!(waits::limited(limited(&this, request, next)));
    let answer = AssertUnwindSafe(timeout(limit, limited)).catch_unwind().await;
    let response = match answer {
        Ok(Ok(response)) => response,
        Ok(Err(_)) if awaited.is_late() => Error::BodyTimedOut.into_response(),
        Ok(Err(_)) => Error::TimedOut.into_response(),
        Err(panic) => faces::panicked(&*panic),
    };
    asked.dress(pipeline, response)
}

/// The limit by address, session or token comes before anything that costs more.
async fn limited(this: &TreePipeline, mut request: Request, next: Next) -> Response {
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
        // The page that says so shows who is signed in, as far as this node knows without a look.
        if let Some(identity) = admission.identity.take() {
            viewer::introduce(request.extensions_mut(), identity);
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
                // In a box, so that whoever is refused does not carry it.
                Box::pin(session::pass(layer, named, entry, request)).await
            }
            None => next.run(request).await,
        },
    };
    admission.finish(pipeline, &mut response).await;
    response
}
