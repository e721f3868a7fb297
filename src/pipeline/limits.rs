//! The rate limits of pages and the API, before any session or database is asked: by address, or by a session or
//! token that this node knows to be good.

use std::net::IpAddr;

use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use tower_sessions::session::Id;

use crate::admin::pages::LIVE;
use crate::auth::known::TokenKey;
use crate::error::{Error, Result};
use crate::identity::{Address, Identity};
use crate::limiter::policy::Policy;
use crate::limiter::verdict::{QuotaStatus, Refusal, Verdict};
use crate::limiter::{Limiter, headers as limiter_headers};
use crate::pipeline::Pipeline;
use crate::web::request::{Head, Unrecorded};
use crate::web::scoped::token_of;

/// Without a token in the header, they have one in the body, which nothing has read yet.
const TOKEN_IN_BODY: [&str; 2] = ["/api/v1/auth/refresh", "/api/v1/auth/rotate"];

#[derive(Clone, Copy, Debug)]
pub enum Tree {
    Pages,
    Api,
}

pub struct Incoming<'a> {
    pub tree: Tree,
    pub head: Head<'a>,
    /// The session in the cookie, whether or not it exists.
    pub session: Option<Id>,
}

#[derive(Default)]
pub struct Admission {
    verdict: Option<Verdict>,
    deferred: Option<Deferred>,
    /// The session's user, if this node has seen the session within minutes.
    pub identity: Option<Identity>,
}

/// What is decided once the response is known.
enum Deferred {
    /// A token that this node does not know. A wrong one counts for its address, which `beyond` refuses.
    Token { token: Presented, address: IpAddr, beyond: Option<Refusal> },
    /// Figures that a page reloads by itself count only when they are shown.
    UnlessUnrecorded(IpAddr),
    /// A page for administrators at a refused address: only administrators get the response.
    Admin { session: Id, beyond: Refusal },
}

#[derive(Clone, Copy)]
struct Presented {
    /// Of the token, or of the address that sends one in a body.
    key: TokenKey,
    is_in_body: bool,
}

impl Presented {
    /// A good token in the body is answered with a new one, and a wrong one with an error.
    fn is_good(self, pipeline: &Pipeline, response: &Response) -> bool {
        pipeline.auth.known.has_token(self.key) || (self.is_in_body && response.status().is_success())
    }
}

pub async fn check_rate_limit(pipeline: &Pipeline, incoming: Incoming<'_>) -> Admission {
    let Pipeline { auth, limiter, .. } = pipeline;
    let Address(address) = incoming.head.extensions.get().copied().unwrap_or_default();
    if let (Tree::Api, Some(token)) = (incoming.tree, token_of(incoming.head.headers)) {
        return check_token(pipeline, Presented { key: TokenKey::new(token), is_in_body: false }, address)
            .await;
    }
    let path = incoming.head.uri.path();
    if TOKEN_IN_BODY.contains(&path) {
        let key = TokenKey::new(address.to_string().as_bytes());
        return check_token(pipeline, Presented { key, is_in_body: true }, address).await;
    }
    if let Some(identity) = incoming.session.and_then(|id| auth.known.session(id)) {
        // Administrators reach their pages during a flood. Another policy limits them there.
        let is_free = is_for_admins(path) && identity.viewer.is_admin();
        let verdict = match identity.session.filter(|_| !is_free) {
            Some(session) => Some(limiter.session(session.as_bytes()).await),
            None => None,
        };
        return Admission { verdict, identity: Some(identity), deferred: None };
    }
    let policy = if matches!(incoming.tree, Tree::Api) { Policy::Api } else { Policy::Pages };
    if let Some(session) = incoming.session.filter(|_| is_for_admins(path))
        && let Some(refused) = limiter.known_refusal_of(policy, address)
    {
        return match limiter.refusal(&refused).filter(|_| limiter.may_look_up(address, 0)) {
            Some(beyond) => {
                Admission { deferred: Some(Deferred::Admin { session, beyond }), ..Admission::default() }
            }
            None => Admission { verdict: Some(refused), ..Admission::default() },
        };
    }
    if path == LIVE {
        let verdict = limiter.known_refusal_of(Policy::Pages, address);
        return Admission { verdict, deferred: Some(Deferred::UnlessUnrecorded(address)), identity: None };
    }
    let verdict = Some(limiter.request(policy, address).await);
    Admission { verdict, ..Admission::default() }
}

/// A known token is limited only by itself, not by its address.
async fn check_token(pipeline: &Pipeline, token: Presented, address: IpAddr) -> Admission {
    let Pipeline { auth, limiter, .. } = pipeline;
    let key = token.key;
    let deferred = |beyond| Some(Deferred::Token { token, address, beyond });
    let refused = if auth.known.has_token(key) {
        None
    } else {
        limiter.known_refusal_of(Policy::UnknownToken, address)
    };
    match refused {
        None => {
            let verdict = Some(limiter.token(key.as_ref()).await);
            Admission { verdict, deferred: deferred(None), identity: None }
        }
        // It may be good, so a few are looked up.
        Some(refused) if limiter.may_look_up(address, key.share()) => {
            Admission { deferred: deferred(limiter.refusal(&refused)), ..Admission::default() }
        }
        Some(refused) => Admission { verdict: Some(refused), ..Admission::default() },
    }
}

impl Admission {
    pub fn refusal(&self, limiter: &Limiter) -> Option<Refusal> {
        limiter.refusal(self.verdict.as_ref()?)
    }

    pub async fn finish(mut self, pipeline: &Pipeline, response: &mut Response) {
        let Pipeline { auth, limiter, .. } = pipeline;
        let refusal = match self.deferred {
            // The server could not check the token.
            Some(Deferred::Token { .. }) if response.status().is_server_error() => None,
            Some(Deferred::Token { token, beyond, .. }) if token.is_good(pipeline, response) => {
                if beyond.is_some() {
                    self.verdict = Some(limiter.token(token.key.as_ref()).await);
                }
                None
            }
            Some(Deferred::Token { beyond: Some(beyond), .. }) => Some(beyond),
            Some(Deferred::Token { address, .. }) => {
                let verdict = limiter.request(Policy::UnknownToken, address).await;
                limiter.refusal(self.verdict.insert(verdict))
            }
            Some(Deferred::UnlessUnrecorded(address))
                if response.extensions().get::<Unrecorded>().is_none() =>
            {
                limiter.request(Policy::Pages, address).await;
                None
            }
            None | Some(Deferred::UnlessUnrecorded(_)) => None,
            Some(Deferred::Admin { session, beyond }) => {
                let identity = auth.known.session(session);
                Some(beyond).filter(|_| !identity.is_some_and(|identity| identity.viewer.is_admin()))
            }
        };
        if let Some(refusal) = refusal
            && response.status() != StatusCode::TOO_MANY_REQUESTS
        {
            *response = Error::TooManyRequests(refusal).into_response();
        }
        if let Some(verdict) = &self.verdict {
            limiter_headers::append(verdict.quota_statuses(), response.headers_mut());
        }
    }
}

#[must_use]
pub fn is_for_admins(path: &str) -> bool {
    path.starts_with("/admin") || path.starts_with("/api/v1/admin")
}

/// By session, once it is known. Tokens have a policy of their own.
pub async fn check_admin_limit(
    limiter: &Limiter,
    identity: &Identity,
    path: &str,
) -> Result<Vec<QuotaStatus>> {
    let counts = is_for_admins(path) && path != LIVE;
    let Some(session) = identity.session.filter(|_| counts && identity.viewer.is_admin()) else {
        return Ok(Vec::new());
    };
    limiter.admin(session.as_bytes()).await.map_err(Error::TooManyRequests)
}
