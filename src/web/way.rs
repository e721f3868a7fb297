//! The way of a request through a tree: all that stands before its handler, in this order and in one future.
//!
//! Layers of their own would each be copied, boxed and polled for every request.

use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use futures_util::future::FutureExt as _;
use tokio::time::timeout;

use super::body::Awaited;
use super::enter::Entry;
use super::faces::{self, Asked};
use super::session::{self, Named};
use super::site::check_host;
use super::{pending, viewer};
use crate::app::App;
use crate::error::Error;
use crate::limiter::layer::{Incoming, Tree, admit};
use crate::waits;

/// What a tree asks of its requests.
#[derive(Clone)]
pub struct Way {
    pub app: App,
    pub tree: Tree,
    /// Bytes that a body may have.
    pub body_limit: usize,
    /// `None` where nobody asks who is looking.
    pub sessions: Option<session::Layer>,
}

/// Whatever goes wrong further on gets the face that the tree has for it.
pub async fn pass(State(way): State<Way>, request: Request, next: Next) -> Response {
    let asked = Asked::of(&way.app, way.tree, &request);
    let awaited = Awaited::default();
    let request = awaited.watch(request);
    let limit = Duration::from_secs(way.app.config.request_timeout);
    // Pinned where it is, as each further owner would move all of it.
    let limited = pin!(waits::limited(limited(&way, request, next)));
    let answer = AssertUnwindSafe(timeout(limit, limited)).catch_unwind().await;
    let response = match answer {
        Ok(Ok(response)) => response,
        Ok(Err(_)) if awaited.is_late() => Error::BodyTimedOut.into_response(),
        Ok(Err(_)) => Error::TimedOut.into_response(),
        Err(panic) => faces::panicked(&*panic),
    };
    asked.dress(&way.app, response)
}

/// The limit by address, session or token comes before anything that costs more.
async fn limited(way: &Way, mut request: Request, next: Next) -> Response {
    let app = &way.app;
    let named = way.sessions.as_ref().map(|_| Named::of(app, request.headers())).unwrap_or_default();
    let incoming = Incoming {
        tree: way.tree,
        uri: request.uri(),
        headers: request.headers(),
        extensions: request.extensions(),
        session: named.id,
    };
    let (mut admission, standing) = named.meanwhile(app, admit(app, incoming)).await;
    if let Some(refusal) = admission.refusal(app) {
        // The page that says so shows who is signed in, as far as this node knows without a look.
        if let Some(identity) = admission.identity.take() {
            viewer::introduce(request.extensions_mut(), identity);
        }
        return pending::refuse(app, Error::TooManyRequests(refusal), request).await;
    }
    DefaultBodyLimit::max(way.body_limit).apply(&mut request);
    let mut response = match check_host(app, &request) {
        Err(error) => error.into_response(),
        Ok(()) => match &way.sessions {
            Some(layer) => {
                let entry = Entry { app: app.clone(), tree: way.tree, named: named.id, next };
                if let Some(standing) = standing {
                    request.extensions_mut().insert(standing);
                }
                // In a box, so that whoever is refused does not carry it.
                Box::pin(session::pass(layer, named, entry, request)).await
            }
            None => next.run(request).await,
        },
    };
    admission.settle(app, &mut response).await;
    response
}
