//! The limits by address around both trees, before any session or database is asked.

use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::COOKIE;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::headers;
use super::policy::Policy;
use super::verdict::Verdict;
use crate::app::App;
use crate::error::Error;
use crate::web::bearer::token_of;
use crate::web::client::{Address, Peer};
use crate::web::csrf;
use crate::web::viewer::Identity;

/// Which of the two trees a request is for.
#[derive(Clone, Copy, Debug)]
pub enum Tree {
    Pages,
    Api,
}

pub async fn limit(State((app, tree)): State<(App, Tree)>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<Peer>().copied();
    let client = peer.map(|peer| Address(app.clients.address(peer.0, request.headers()))).unwrap_or_default();
    request.extensions_mut().insert(client);
    let address = client.0;
    if let (Tree::Api, Some(token)) = (tree, token_of(request.headers())) {
        let verdict = of_token(&app, token, address).await;
        let response = answer(&app, &verdict, request, next).await;
        if response.status() == StatusCode::UNAUTHORIZED {
            app.limiter.request(Policy::Api, address).await;
        }
        return response;
    }
    // A browser's own scripts ask the API for what its pages show.
    let in_browser = request.headers().contains_key(COOKIE);
    let policy = if let (Tree::Api, false) = (tree, in_browser) { Policy::Api } else { Policy::Pages };
    let verdict = app.limiter.request(policy, address).await;
    answer(&app, &verdict, request, next).await
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
    let Some(refusal) = app.limiter.refusal(verdict) else {
        let mut response = next.run(request).await;
        headers::tell(verdict.told(), response.headers_mut());
        return response;
    };
    csrf::give_back(app, Error::TooManyRequests(refusal), request).await
}

/// For both trees, once the session is known: administration, by session. Tokens have their own limit.
pub async fn limit_admin(State(app): State<App>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let is_admins = path.starts_with("/admin") || path.starts_with("/api/v1/admin");
    let identity = request.extensions().get::<Identity>().filter(|identity| identity.viewer.is_admin());
    let Some(session) = identity.and_then(|identity| identity.session).filter(|_| is_admins) else {
        return next.run(request).await;
    };
    match app.limiter.admin(session.as_bytes()).await {
        Ok(told) => {
            let mut response = next.run(request).await;
            headers::tell(told.into_iter(), response.headers_mut());
            response
        }
        Err(refusal) => Error::TooManyRequests(refusal).into_response(),
    }
}
