//! The limits around both trees, before any session or database is asked: by address, or by what a signed-in browser or
//! a program shows, if this node has seen that it is good.

use std::net::IpAddr;

use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use tower_sessions::session::Id;

use super::policy::Policy;
use super::verdict::{Refusal, Told, Verdict};
use super::{Limiter, headers};
use crate::admin::pages::LIVE;
use crate::error::{Error, Result};
use crate::web::bearer::token_of;
use crate::web::client::Address;
use crate::web::known::TokenKey;
use crate::web::log::Unrecorded;
use crate::web::request::Head;
use crate::web::viewer::Identity;
use crate::web::way::Pipeline;

/// Which of the two trees a request is for.
#[derive(Clone, Copy, Debug)]
pub enum Tree {
    Pages,
    Api,
}

/// What the limits look at of a request.
pub struct Incoming<'a> {
    pub tree: Tree,
    pub head: Head<'a>,
    /// The session that the cookie names, whether or not there is one.
    pub session: Option<Id>,
}

/// What the limits say to a request before anybody knows whose it is.
#[derive(Default)]
pub struct Admission {
    verdict: Option<Verdict>,
    later: Option<Later>,
    /// Whose session it is, if it was used here within minutes.
    pub identity: Option<Identity>,
}

/// What is decided when the answer is there.
enum Later {
    /// A token that is not known here. If it turns out to be nobody's it counts for its address; `beyond` is the refusal
    /// that its address had come to by then.
    Token { key: TokenKey, address: IpAddr, beyond: Option<Refusal> },
    /// Figures that were not shown: looking at those that renew themselves does not count.
    Stranger(IpAddr),
    /// A page for administrators at an address that is refused: only they get the answer.
    Admin { session: Id, beyond: Refusal },
}

pub async fn admit(pipeline: &Pipeline, incoming: Incoming<'_>) -> Admission {
    let Pipeline { auth, limiter, .. } = pipeline;
    let Address(address) = incoming.head.extensions.get().copied().unwrap_or_default();
    if let (Tree::Api, Some(token)) = (incoming.tree, token_of(incoming.head.headers)) {
        return admit_token(pipeline, token, address).await;
    }
    let path = incoming.head.uri.path();
    if let Some(identity) = incoming.session.and_then(|id| auth.known.session(id)) {
        // Administrators come to their pages whatever is flooded; what they ask there has a limit of its own.
        let is_free = is_for_admins(path) && identity.viewer.is_admin();
        let verdict = match identity.session.filter(|_| !is_free) {
            Some(session) => Some(limiter.session(session.as_bytes()).await),
            None => None,
        };
        return Admission { verdict, identity: Some(identity), later: None };
    }
    let policy = if matches!(incoming.tree, Tree::Api) { Policy::Api } else { Policy::Pages };
    if let Some(session) = incoming.session.filter(|_| is_for_admins(path))
        && let Some(refused) = limiter.known_refusal_of(policy, address)
    {
        return match limiter.refusal(&refused).filter(|_| limiter.may_look_up(address, 0)) {
            Some(beyond) => {
                Admission { later: Some(Later::Admin { session, beyond }), ..Admission::default() }
            }
            None => Admission { verdict: Some(refused), ..Admission::default() },
        };
    }
    if path == LIVE {
        let verdict = limiter.known_refusal_of(Policy::Pages, address);
        return Admission { verdict, later: Some(Later::Stranger(address)), identity: None };
    }
    let verdict = Some(limiter.request(policy, address).await);
    Admission { verdict, ..Admission::default() }
}

/// A token that is known here is counted by its own limit alone, whatever others at its address do.
async fn admit_token(pipeline: &Pipeline, token: &[u8], address: IpAddr) -> Admission {
    let Pipeline { auth, limiter, .. } = pipeline;
    let key = TokenKey::new(token);
    let later = |beyond| Some(Later::Token { key, address, beyond });
    let refused = if auth.known.has_token(key) {
        None
    } else {
        limiter.known_refusal_of(Policy::UnknownToken, address)
    };
    match refused {
        None => {
            let verdict = Some(limiter.token(key.as_ref()).await);
            Admission { verdict, later: later(None), identity: None }
        }
        // It may be good all the same: a few are looked up.
        Some(refused) if limiter.may_look_up(address, key.share()) => {
            Admission { later: later(limiter.refusal(&refused)), ..Admission::default() }
        }
        Some(refused) => Admission { verdict: Some(refused), ..Admission::default() },
    }
}

impl Admission {
    /// Why the request may not go on.
    #[must_use]
    pub fn refusal(&self, limiter: &Limiter) -> Option<Refusal> {
        limiter.refusal(self.verdict.as_ref()?)
    }

    /// Tells what is left, and counts what the answer shows.
    pub async fn settle(self, pipeline: &Pipeline, response: &mut Response) {
        let Pipeline { auth, limiter, .. } = pipeline;
        if let Some(verdict) = &self.verdict {
            headers::tell(verdict.told(), response.headers_mut());
        }
        let refusal = match self.later {
            // Whose it is could not be found out.
            Some(Later::Token { .. }) if response.status().is_server_error() => None,
            Some(Later::Token { key, beyond, .. }) if auth.known.has_token(key) => {
                if beyond.is_some() {
                    headers::tell(limiter.token(key.as_ref()).await.told(), response.headers_mut());
                }
                None
            }
            Some(Later::Token { beyond: Some(beyond), .. }) => Some(beyond),
            Some(Later::Token { address, .. }) => {
                limiter.refusal(&limiter.request(Policy::UnknownToken, address).await)
            }
            Some(Later::Stranger(address)) if response.extensions().get::<Unrecorded>().is_none() => {
                limiter.request(Policy::Pages, address).await;
                None
            }
            None | Some(Later::Stranger(_)) => None,
            Some(Later::Admin { session, beyond }) => {
                let identity = auth.known.session(session);
                Some(beyond).filter(|_| !identity.is_some_and(|identity| identity.viewer.is_admin()))
            }
        };
        if let Some(refusal) = refusal
            && response.status() != StatusCode::TOO_MANY_REQUESTS
        {
            *response = Error::TooManyRequests(refusal).into_response();
        }
    }
}

#[must_use]
pub fn is_for_admins(path: &str) -> bool {
    path.starts_with("/admin") || path.starts_with("/api/v1/admin")
}

/// For both trees, once the session is known: administration, by session; what to tell of it. Tokens have their own limit.
///
/// # Errors
/// [`Error::TooManyRequests`]
pub async fn limit_admin(limiter: &Limiter, identity: &Identity, path: &str) -> Result<Vec<Told>> {
    let counts = is_for_admins(path) && path != LIVE;
    let Some(session) = identity.session.filter(|_| counts && identity.viewer.is_admin()) else {
        return Ok(Vec::new());
    };
    limiter.admin(session.as_bytes()).await.map_err(Error::TooManyRequests)
}
