//! The limits by address around both trees, and the check of the host, before any session or database is asked.

use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::COOKIE;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::headers;
use super::policy::Policy;
use super::verdict::{Told, Verdict};
use crate::admin::pages::LIVE;
use crate::app::App;
use crate::error::{Error, Result};
use crate::web::bearer::token_of;
use crate::web::client::Address;
use crate::web::csrf;
use crate::web::log::Unrecorded;
use crate::web::site::check_host;
use crate::web::viewer::Identity;

/// Which of the two trees a request is for.
#[derive(Clone, Copy, Debug)]
pub enum Tree {
    Pages,
    Api,
}

pub async fn limit(State((app, tree)): State<(App, Tree)>, request: Request, next: Next) -> Response {
    let Address(address) = request.extensions().get().copied().unwrap_or_default();
    if let (Tree::Api, Some(token)) = (tree, token_of(request.headers())) {
        let verdict = of_token(&app, token, address).await;
        let response = answer(&app, &verdict, request, next).await;
        if response.status() == StatusCode::UNAUTHORIZED {
            app.limiter.request(Policy::Api, address).await;
        }
        return response;
    }
    if request.uri().path() == LIVE {
        return watch(&app, address, request, next).await;
    }
    // A browser's own scripts ask the API for what its pages show.
    let in_browser = request.headers().contains_key(COOKIE);
    let policy = if let (Tree::Api, false) = (tree, in_browser) { Policy::Api } else { Policy::Pages };
    let verdict = app.limiter.request(policy, address).await;
    answer(&app, &verdict, request, next).await
}

/// Looking at figures that renew themselves does not count; asking for them without being let in does.
async fn watch(app: &App, address: IpAddr, request: Request, next: Next) -> Response {
    if let Some(refused) = app.limiter.known_refusal_of(Policy::Pages, address) {
        return answer(app, &refused, request, next).await;
    }
    let response = passed(app, request, next).await;
    if response.extensions().get::<Unrecorded>().is_none() {
        app.limiter.request(Policy::Pages, address).await;
    }
    response
}

/// Who shows a token is counted by it. One that turns out to be nobody's counts as a request without any, so that
/// guessing gains nothing.
async fn of_token(app: &App, token: &[u8], address: IpAddr) -> Verdict {
    match app.limiter.known_refusal_of(Policy::Api, address) {
        Some(refused) => refused,
        None => app.limiter.token(token).await,
    }
}

async fn answer(app: &App, verdict: &Verdict, request: Request, next: Next) -> Response {
    if let Some(refusal) = app.limiter.refusal(verdict) {
        return csrf::give_back(app, Error::TooManyRequests(refusal), request).await;
    }
    let mut response = passed(app, request, next).await;
    headers::tell(verdict.told(), response.headers_mut());
    response
}

async fn passed(app: &App, request: Request, next: Next) -> Response {
    match check_host(app, &request) {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
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
