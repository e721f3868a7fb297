//! The limits by address around both trees, before any session or database is asked.

use std::net::{IpAddr, Ipv4Addr};

use axum::extract::{Request, State};
use axum::http::header::{COOKIE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;

use super::headers;
use super::policy::Policy;
use super::verdict::Verdict;
use crate::app::App;
use crate::error::Error;
use crate::web::bearer::token_of;
use crate::web::client::Peer;
use crate::web::csrf;
use crate::web::log::Quiet;

/// Which of the two trees a request is for.
#[derive(Clone, Copy, Debug)]
pub enum Tree {
    Pages,
    Api,
}

pub async fn limit(State((app, tree)): State<(App, Tree)>, request: Request, next: Next) -> Response {
    let address = address(&app, &request);
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
    let mut response = match app.limiter.refusal(verdict) {
        None => next.run(request).await,
        Some(refusal) => {
            let retry_after = HeaderValue::from(refusal.retry_after);
            let mut response = csrf::give_back(Error::TooManyRequests(refusal), request).await;
            response.headers_mut().insert(RETRY_AFTER, retry_after);
            if !verdict.is_news {
                response.extensions_mut().insert(Quiet);
            }
            response
        }
    };
    headers::tell(verdict, response.headers_mut());
    response
}

/// A connection whose peer isn't known shares one allowance with all like it.
fn address(app: &App, request: &Request) -> IpAddr {
    let peer = request.extensions().get::<Peer>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0);
    app.clients.address(peer, request.headers())
}
