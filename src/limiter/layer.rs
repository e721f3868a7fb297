//! The limits by address or token around both trees, before any session or database is asked.

use std::net::IpAddr;

use axum::http::header::COOKIE;
use axum::http::{Extensions, HeaderMap, StatusCode, Uri};
use axum::response::Response;

use super::headers;
use super::policy::Policy;
use super::verdict::{Refusal, Told, Verdict};
use crate::admin::pages::LIVE;
use crate::app::App;
use crate::error::{Error, Result};
use crate::web::bearer::token_of;
use crate::web::client::Address;
use crate::web::log::Unrecorded;
use crate::web::viewer::Identity;

/// Which of the two trees a request is for.
#[derive(Clone, Copy, Debug)]
pub enum Tree {
    Pages,
    Api,
}

/// What the limit by address or by token says to a request.
pub struct Admission {
    verdict: Option<Verdict>,
    counted_later: Option<(Later, IpAddr)>,
}

/// What counts only when the answer shows it.
enum Later {
    /// A token that turned out to be nobody's: it counts as a request without any, so that guessing gains nothing.
    Guess,
    /// Figures that were not shown: looking at those that renew themselves does not count.
    Stranger,
}

pub async fn admit(
    app: &App,
    tree: Tree,
    (uri, headers, extensions): (&Uri, &HeaderMap, &Extensions),
) -> Admission {
    let Address(address) = extensions.get().copied().unwrap_or_default();
    if let (Tree::Api, Some(token)) = (tree, token_of(headers)) {
        let verdict = match app.limiter.known_refusal_of(Policy::Api, address) {
            Some(refused) => refused,
            None => app.limiter.token(token).await,
        };
        return Admission { verdict: Some(verdict), counted_later: Some((Later::Guess, address)) };
    }
    if uri.path() == LIVE {
        let verdict = app.limiter.known_refusal_of(Policy::Pages, address);
        return Admission { verdict, counted_later: Some((Later::Stranger, address)) };
    }
    // A browser's own scripts ask the API for what its pages show.
    let in_browser = headers.contains_key(COOKIE);
    let policy = if let (Tree::Api, false) = (tree, in_browser) { Policy::Api } else { Policy::Pages };
    Admission { verdict: Some(app.limiter.request(policy, address).await), counted_later: None }
}

impl Admission {
    /// Why the request may not go on.
    #[must_use]
    pub fn refusal(&self, app: &App) -> Option<Refusal> {
        app.limiter.refusal(self.verdict.as_ref()?)
    }

    /// Tells what is left, and counts what the answer shows.
    pub async fn settle(self, app: &App, response: &mut Response) {
        if let Some(verdict) = &self.verdict {
            headers::tell(verdict.told(), response.headers_mut());
        }
        let counts = match self.counted_later {
            Some((Later::Guess, by)) if response.status() == StatusCode::UNAUTHORIZED => (Policy::Api, by),
            Some((Later::Stranger, by)) if response.extensions().get::<Unrecorded>().is_none() => {
                (Policy::Pages, by)
            }
            _ => return,
        };
        app.limiter.request(counts.0, counts.1).await;
    }
}

/// For both trees, once the session is known: administration, by session; what to tell of it. Tokens have their own limit.
///
/// # Errors
/// [`Error::TooManyRequests`]
pub async fn limit_admin(app: &App, identity: &Identity, path: &str) -> Result<Vec<Told>> {
    let is_admins = (path.starts_with("/admin") || path.starts_with("/api/v1/admin")) && path != LIVE;
    let Some(session) = identity.session.filter(|_| is_admins && identity.viewer.is_admin()) else {
        return Ok(Vec::new());
    };
    app.limiter.admin(session.as_bytes()).await.map_err(Error::TooManyRequests)
}
